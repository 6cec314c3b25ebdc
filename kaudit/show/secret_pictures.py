"""Pictures of secrets: how fresh what is fetched is, and which way Secrets go to workloads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from kaudit.show.block_canvas import COLOURS, MUTED, RULE, Sheet, fit, width
from kaudit.show.blocks import Figure
from kaudit.show.charts import FULL
from kaudit.text import visible

_SIZE, _SMALL = 8.6, 7.6
#: Rows that one picture holds.
MOST = 30
#: Marks of the time axis.
_MARKS = (
    (900, "15 min"),
    (3_600, "1 h"),
    (21_600, "6 h"),
    (86_400, "1 d"),
    (604_800, "7 d"),
    (2_592_000, "30 d"),
    (31_536_000, "1 y"),
)


class Fetched(NamedTuple):
    """One ExternalSecret on the time axis: seconds since its refresh, its interval and limit."""

    name: str
    age: float | None
    every: str
    limit: float | None
    status: str


def freshness(rows: Sequence[Fetched], *, caption: str) -> Figure:
    """Show when each was last refreshed, and the moment by which it should have been.

    Parameters
    ----------
    rows
        In their order; ``status`` is a word of colours: pass, fail or not_assessed.
    caption
        Title of the figure.
    """
    shown = rows[:MOST]
    label = max([60.0, *(width(fit(r.name, _SIZE, 150), _SIZE) + 12 for r in shown)])
    told = 118.0
    room = FULL - label - told
    top, high = 30.0, 19.0
    sheet = Sheet(FULL, top + high * len(shown) + (20 if len(rows) > MOST else 6))
    longest = max([86_400.0, *(t for r in shown for t in (r.age, r.limit) if t)])
    most = next((at for at, _ in _MARKS if at >= longest), longest)

    def place(seconds: float) -> float:
        share = math.log1p(max(seconds, 0) / 60) / math.log1p(most / 60)
        return label + room * min(share, 1.0)

    for at, name in _MARKS:
        if at <= most:
            x = place(at)
            sheet.box(x - 0.3, top - 6, 0.6, 6 + high * len(shown), RULE)
            sheet.text(x, top - 13, name, size=_SMALL, colour=MUTED, align="center")
    sheet.text(label, top - 13, "now", size=_SMALL, colour=MUTED, align="center")
    for number, row in enumerate(shown):
        middle = top + high * number + high / 2
        sheet.text(0, middle, fit(row.name, _SIZE, label - 10))
        colour = COLOURS[row.status]
        if row.age is None:
            sheet.text(FULL, middle, "never, or not told", size=_SMALL, colour=MUTED, align="right")
            continue
        end = max(place(row.age), label + 3)
        sheet.box(label, middle - 3.5, end - label, 7, colour, hatched=row.status == "not_assessed")
        if row.limit is not None:
            x = place(row.limit)
            sheet.box(x - 0.8, middle - 7, 1.6, 14, COLOURS["plain"])
        text = fit(f"{span(row.age)} ago, {row.every}", _SMALL, told - 8)
        sheet.text(FULL, middle, text, size=_SMALL, colour=MUTED, align="right")
    sheet.more(len(rows) - MOST, size=_SMALL)
    words = "; ".join(
        f"{visible(r.name)}: "
        + ("never, or not told" if r.age is None else f"{span(r.age)} ago, {r.every}, {r.status}")
        for r in rows
    )
    return Figure(sheet.svg(), f"{caption}. {words}.", caption)


def span(seconds: float) -> str:
    """Time in one unit: ``40 min``, ``3 d``."""
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"


class Path(NamedTuple):
    """One way of a Secret: who keeps it, the Secret, who holds it, how, and whether that is bad."""

    keeper: str
    secret: str
    holder: str
    status: str


def paths(rows: Sequence[Path], *, caption: str, names: Mapping[str, str]) -> Figure:
    """Draw lines from keepers over Secrets to workloads.

    Parameters
    ----------
    rows
        Paths in their order; those beyond :data:`MOST` are left out and counted.
    caption
        Title of the figure.
    names
        Status to what its colour means.
    """
    shown = rows[:MOST]
    columns = [
        list(dict.fromkeys(values))
        for values in (
            (r.keeper for r in shown),
            (r.secret for r in shown),
            (r.holder for r in shown),
        )
    ]
    high, top = 17.0, 44.0
    tall = max(len(column) for column in columns) * high
    sheet = Sheet(FULL, top + tall + (20 if len(rows) > MOST else 6))
    starts, wides = (0.0, 172.0, 352.0), (112.0, 130.0, FULL - 352.0)
    for x, head in zip(starts, ("kept by", "Secret", "held by"), strict=True):
        sheet.text(x, 30, head, size=_SMALL, colour=MUTED)
    _legend(sheet, names)
    places = [_places(column, top, tall) for column in columns]
    ends = []
    for column, x, room in zip(columns, starts, wides, strict=True):
        ends.append({name: x + width(fit(name, _SIZE, room), _SIZE) + 4 for name in column})
    for row in shown:
        colour = COLOURS[row.status]
        one, two, three = row.keeper, row.secret, row.holder
        sheet.line(ends[0][one], places[0][one], starts[1] - 4, places[1][two], COLOURS["info"])
        sheet.line(ends[1][two], places[1][two], starts[2] - 4, places[2][three], colour)
    for column, x, room, at in zip(columns, starts, wides, places, strict=True):
        for name in column:
            sheet.text(x, at[name], fit(name, _SIZE, room), size=_SIZE)
    sheet.more(len(rows) - MOST, size=_SMALL)
    words = "; ".join(
        f"{visible(r.secret)} kept by {visible(r.keeper)}, held by {visible(r.holder)}: "
        f"{names[r.status]}"
        for r in rows
    )
    return Figure(sheet.svg(), f"{caption}. {words}.", caption)


def _places(column: Iterable[str], top: float, tall: float) -> dict[str, float]:
    names = list(column)
    step = tall / len(names)
    return {name: top + step * (at + 0.5) for at, name in enumerate(names)}


def _legend(sheet: Sheet, names: Mapping[str, str]) -> None:
    x = 0.0
    for status, text in names.items():
        sheet.box(x, 5, 14, 4, COLOURS[status])
        sheet.text(x + 18, 7, text, size=_SMALL, colour=MUTED)
        x += 32 + width(text, _SMALL)
