"""Tables on paper: how wide each column is, which page they need, and where they end."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from math import fsum

import msgspec

from kaudit.show.block_cells import NOTHING, column_texts
from kaudit.show.blocks import BADGED, Cell, Column, Kind, Link, Table
from kaudit.template.paper import Node, Text, atoms, link, mark
from kaudit.text import anchor, count, visible

__all__ = ["LANDSCAPE", "PORTRAIT", "ROWS_PRINTED", "table_node"]

#: Rows that are printed; the annex has all of them.
ROWS_PRINTED = 500
#: Text widths of the two pages, in points: A4 less its margins.
PORTRAIT, LANDSCAPE = 481.9, 728.5
_SIZES = (7.4, 6.9)
_SIZE = _SIZES[0]
_TINY = 5.6  # for tables that are too wide even broken
_PAD = 8.0
_WORTH_TURNING = 25  # rows: before and after a turned page most of a page stays empty
_READABLE = 118.0  # points that a column of long texts gets before the page is turned
_NARROW = 62.0  # points that it gets at least before short cells are broken
_SHORT = 26
_LONGEST_CELL = 420
_MOST_LINES = 18
# Twelve digits tell images apart; a whole digest takes three lines of every row.
_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")
# Advances of the printable ASCII characters of DejaVu Sans, in hundredths of the size.
_ADVANCES = (
    *(32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64),
    *(64, 64, 64, 34, 34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86),
    *(75, 79, 60, 79, 69, 63, 61, 73, 68, 99, 69, 61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63),
    *(62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64),
    *(34, 64, 84),
)


def table_node(table: Table, *, wide: float = PORTRAIT, targets: Collection[str] = ()) -> Node:
    """Write a table as data.

    Parameters
    ----------
    table
        The rows; more than :data:`ROWS_PRINTED` are left to the annex.
    wide
        Room in points on an upright page.
    targets
        Ids that some link of the report leads to; only these rows become targets.
    """
    rows = table.rows[:ROWS_PRINTED]
    columns = [_texts(c, [row[at] for row in rows]) for at, c in enumerate(table.columns)]
    pages = (wide, LANDSCAPE) if len(rows) >= _WORTH_TURNING else (wide,)
    plan = _plan(table.columns, columns, pages)
    cells = [
        [
            _cell(column, row[at], columns[at][number], plan.whole[at])
            for at, column in enumerate(table.columns)
        ]
        for number, row in enumerate(rows)
    ]
    return {
        "t": "table",
        "caption": atoms(table.caption, longest=300),
        "widths": plan.widths,
        "size": plan.size,
        "turned": plan.turned,
        "heads": [atoms(_head(column), longest=80) for column in table.columns],
        "right": [column.kind is Kind.NUMBER for column in table.columns],
        "lead": [],
        "rows": cells,
        "ids": _ids(table, targets),
        "foot": _foot(table, len(rows)),
    }


def _texts(column: Column, cells: Sequence[Cell]) -> list[str]:
    texts = column_texts(column, cells)
    if column.kind is Kind.TIME:
        return [text.removesuffix(" UTC") for text in texts]
    return [_DIGEST.sub(r"\1…", text) for text in texts]


def _head(column: Column) -> str:
    return f"{column.label} (UTC)" if column.kind is Kind.TIME else column.label


def _ids(table: Table, targets: Collection[str]) -> list[str]:
    names = [anchor(f, prefix="f-") if f else "" for f in table.anchors[:ROWS_PRINTED]]
    return [name if name in targets else "" for name in names]


def _foot(table: Table, printed: int) -> list[Text]:
    found: list[Text] = [atoms(table.note)] if table.note else []
    rest = table.size - printed
    if rest > 0:
        head = f"{count(rest, 'more row')} in "
        if table.annex:
            found.append([f"{head}the annex ", *link(table.annex, table.annex), "."])
        else:
            held = len(table.rows) == table.size
            found.append(f"{head}{'the HTML report' if held else 'the evidence'}.")
    elif not table.rows:
        found.append("Nothing to list.")
    return found


class _Plan(msgspec.Struct, frozen=True):
    """Widths in points, the size of the text, and which columns are never broken."""

    widths: list[float]
    size: float
    turned: bool
    whole: list[bool]


class _Room(msgspec.Struct, frozen=True):
    """Widths of a column at :data:`_SIZE`: with words broken, unbroken, and as wished."""

    least: float
    whole: float
    wish: float
    short: bool


def _plan(
    columns: Sequence[Column], texts: Sequence[Sequence[str]], pages: Sequence[float]
) -> _Plan:
    """Fit columns on a page: short cells unbroken, in smaller text or on a turned page.

    Where that finds no room, long texts get narrow columns before short cells are broken.
    """
    rooms = [_room(column, found) for column, found in zip(columns, texts, strict=True)]
    short = [room.short for room in rooms]
    wide = pages[0]
    readable = [room.whole for room in rooms]
    tight = [r.whole if r.short else max(r.least, min(r.whole, _NARROW)) for r in rooms]
    for base in (readable, tight):
        for page in pages:
            for size in _SIZES:
                if fsum(base) * size / _SIZE <= page:
                    widths = _widths(columns, rooms, page * _SIZE / size, base)
                    return _Plan(widths, size, page > wide, short)
    none, least = [False] * len(short), fsum(room.least for room in rooms) / _SIZE
    size = next((s for s in (*_SIZES, _TINY) if least * s <= LANDSCAPE), _TINY)
    page = wide if least * size <= wide else LANDSCAPE
    base = [room.least for room in rooms]
    return _Plan(_widths(columns, rooms, page * _SIZE / size, base), size, page > wide, none)


def _room(column: Column, texts: Sequence[str]) -> _Room:
    head = visible(_head(column))[:80]
    least = max(_wide(word[:15], bold=True) for word in [*head.split(), ""])
    tame = max(map(len, texts), default=0) <= _SHORT
    if tame and column.kind in BADGED:
        longest = max((_wide(text, bold=True) for text in texts), default=0.0) + 16
        fixed = max(least, longest) + _PAD
        return _Room(fixed, fixed, fixed, True)
    stretch = 1.1 if column.kind is Kind.CODE else 1.0
    lines = sorted(_wide(line[:120]) * stretch for t in texts for line in t[:300].split("\n"))
    longest = max(least, lines[-1] if lines else 0.0) + _PAD
    if tame and column.kind is Kind.NUMBER:
        return _Room(longest, longest, longest, True)
    pieces = (piece for text in texts[:200] for piece in re.split(r"\s+", text[:200]))
    word = max((_wide(piece if len(piece) < 15 else piece[:9]) for piece in pieces), default=0.0)
    broken = max(least, min(word, 62.0) * stretch) + _PAD
    if tame and not any("\n" in text for text in texts):
        return _Room(min(broken, longest), longest, longest, True)
    usual = max(least, lines[int(len(lines) * 0.9)]) + _PAD
    return _Room(broken, max(broken, min(usual, _READABLE)), usual, False)


def _wide(text: str, *, bold: bool = False) -> float:
    units = sum(
        _ADVANCES[ord(c) - 32] if " " <= c <= "~" else 66 if c < "\u2e80" else 110 for c in text
    )
    return units * _SIZE / 100 * (1.13 if bold else 1.0)


def _widths(
    columns: Sequence[Column], rooms: Sequence[_Room], page: float, base: Sequence[float]
) -> list[float]:
    """Share out the page: first what each column needs, the rest by weight or by wish."""
    spare = max(page - fsum(base), 0.0)
    text = [c.kind not in (*BADGED, Kind.NUMBER) for c in columns]
    wants = [max(r.wish - b, 0.0) for r, b in zip(rooms, base, strict=True)]
    if any(c.weight for c in columns):
        shares = [c.weight for c in columns]
    elif fsum(wants) > spare:
        shares = wants
    else:
        base = [b + w for b, w in zip(base, wants, strict=True)]
        spare -= fsum(wants)
        shares = [float(t) for t in text] if any(text) else [1.0] * len(columns)
    total = fsum(shares) or 1.0
    return [round(b + spare * share / total, 2) for b, share in zip(base, shares, strict=True)]


def _cell(column: Column, cell: object, text: str, whole: bool) -> Text | Node:
    if text == NOTHING:
        return text
    if column.kind in BADGED:
        return mark(column.kind, text.replace(" ", "_") if column.kind is Kind.STATUS else text)
    lines = text.split("\n")
    if len(lines) > _MOST_LINES:
        text = "\n".join([*lines[:_MOST_LINES], f"… {len(lines) - _MOST_LINES:,} more lines"])
    if isinstance(cell, Link):
        return link(cell.href, text[:_LONGEST_CELL])
    shown = [[text]] if whole else atoms(text, longest=_LONGEST_CELL)
    return [{"s": "code", "c": shown}] if column.kind is Kind.CODE else shown
