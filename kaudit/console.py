"""What people see on a terminal: tables, progress, errors. Nothing else prints.

Collected text is shown by :func:`kaudit.text.visible`, so that no control sequence reaches
the terminal; markup of rich is never interpreted in it.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from kaudit.source.events import Progress, silent
from kaudit.text import defused, visible

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

#: Letters of a word that a column keeps together, and what stands between two columns.
_WORD, _BESIDE = 18, 3
#: Word to style, for severities, statuses and opinions; the word is always shown too.
STYLES = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
    "info": "dim",
    "fail": "bold red",
    "error": "bold magenta",
    "not_assessed": "yellow",
    "pass": "green",
    "not_applicable": "dim",
    "not effective": "bold red",
    "effective": "green",
    "effective with exceptions": "yellow",
    "unable to conclude": "magenta",
    "not applicable": "dim",
}


def console(*, error: bool = False) -> Console:
    """Return a console on stdout, or stderr; coloured only on a terminal, and not with NO_COLOR."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    terminal = stream.isatty()
    return Console(
        file=stream,
        force_terminal=terminal,
        width=None if terminal else 160,
        highlight=False,
        emoji=False,
    )


def say(text: str, *, error: bool = True, lines: bool = False) -> None:
    """Print a sentence, on stderr unless it is the answer itself.

    It is one line, whatever names it repeats, unless ``lines`` are meant.
    """
    shown = visible_lines(text) if lines else visible(text)
    print(shown, file=sys.stderr if error else sys.stdout)


def visible_lines(text: str) -> str:
    """Make text safe line by line."""
    return "\n".join(visible(line) for line in text.split("\n"))


def show_table(
    rows: Iterable[Sequence[object]],
    headers: Sequence[str],
    *,
    title: str = "",
    format: str = "table",
    unread: Sequence[str] = (),
) -> None:
    """Print rows as a table, JSON or CSV.

    What could not be read follows the rows of JSON and CSV, in a column ``gap`` of its own: who
    keeps them has it, too.
    """
    if unread and format != "table":
        nothing = [None] * len(headers)
        rows = chain(((*row, None) for row in rows), ((*nothing, text) for text in unread))
        headers = [*headers, "gap"]
    if format == "json":
        show_json([dict(zip(headers, (_plain(v) for v in row), strict=True)) for row in rows])
    elif format == "csv":
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(headers)
        writer.writerows([defused(_flat(v)) for v in row] for row in rows)
        write(buffer.getvalue().encode())
    else:
        _rich_table(rows, headers, title)


def show_json(value: object) -> None:
    """Print a value as JSON."""
    import msgspec

    write(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def show_json_list(values: Iterable[object]) -> None:
    """Print values as one JSON list, without holding its text."""
    import msgspec

    opening = b"[\n  "
    for value in values:
        text = msgspec.json.format(msgspec.json.encode(value), indent=2)
        sys.stdout.buffer.write(opening + text.replace(b"\n", b"\n  "))
        opening = b",\n  "
    write(b"[]\n" if opening[:1] == b"[" else b"\n]\n")


def _rich_table(rows: Iterable[Sequence[object]], headers: Sequence[str], title: str) -> None:
    from rich.text import Text

    heads = [header.replace("_", " ") for header in headers]
    values = [list(row) for row in rows]
    cells = [[visible(_flat(value)) for value in row] for row in values]
    texts = [[Text.assemble((cell, STYLES.get(cell, ""))) for cell in row] for row in cells]
    numbers = [
        all(isinstance(row[at], int | float) and not isinstance(row[at], bool) for row in values)
        for at in range(len(heads))
    ]
    drawn = console()
    columns = [[head, *(row[at] for row in cells)] for at, head in enumerate(heads)]
    widths = _widths(columns, drawn.width - _BESIDE * len(heads))
    if widths:
        table = _columns(texts, heads, widths, numbers, title)
    else:
        table = _records(texts, heads, title)
    with drawn.capture() as captured:
        drawn.print(table)
    write(re.sub(r" +$", "", captured.get(), flags=re.MULTILINE).encode())


def _widths(columns: Sequence[Sequence[str]], room: int) -> list[int]:
    """Share out the room: no word is broken but very long ones; nothing where there is too little.

    Rich would go below a least width, and cut what then finds no room.
    """
    from rich.cells import cell_len

    least, wishes = [], []
    for texts in columns:
        words = (cell_len(word) for text in texts for word in text.split())
        least.append(min(max(words, default=0), _WORD))
        wishes.append(
            max((cell_len(line) for text in texts for line in text.split("\n")), default=0)
        )
    spare = room - sum(least)
    if spare < 0:
        return []
    wants = [max(wish - own, 0) for wish, own in zip(wishes, least, strict=True)]
    total = max(sum(wants), spare, 1)
    return [own + want * spare // total for own, want in zip(least, wants, strict=True)]


def _columns(
    rows: list[list[Text]],
    heads: Sequence[str],
    widths: Sequence[int],
    numbers: Sequence[bool],
    title: str,
) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for head, width, number in zip(heads, widths, numbers, strict=True):
        justify: Literal["left", "right"] = "right" if rows and number else "left"
        table.add_column(head, overflow="fold", width=max(width, 1), justify=justify)
    for row in rows:
        table.add_row(*row)
    return table


def _records(rows: list[list[Text]], heads: Sequence[str], title: str) -> Table:
    """Set one row below the other, name and value a line, where the columns find no room."""
    from rich import box
    from rich.table import Table

    table = Table(
        title=title or None,
        box=box.SIMPLE_HEAD,
        title_justify="left",
        pad_edge=False,
        show_header=False,
    )
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        for head, cell in zip(heads, row, strict=True):
            if cell.plain:
                table.add_row(head, cell)
        table.add_section()
    return table


def _plain(value: Any) -> Any:
    import pandas as pd

    if hasattr(value, "tolist"):
        return value.tolist()
    if value is pd.NA or value is pd.NaT:
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


def _flat(value: Any) -> str:
    value = _plain(value)
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value).lower() if isinstance(value, bool) else str(value)


def show_frame(
    frame: pd.DataFrame, *, title: str = "", format: str = "table", unread: Sequence[str] = ()
) -> None:
    """Print a DataFrame."""
    rows, names = frame.itertuples(index=False), list(frame.columns)
    show_table(rows, names, title=title, format=format, unread=unread)


def write(data: bytes) -> None:
    """Write bytes to stdout."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Progress]:
    """Draw progress on stderr where that is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield silent
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    with Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console(error=True),
        transient=True,
    ) as bar:
        task = bar.add_task("reading", total=None)

        def draw(step: str, done: int, total: int | None) -> None:
            bar.update(
                task, description=visible(step)[:40].replace("[", "("), completed=done, total=total
            )

        yield draw
