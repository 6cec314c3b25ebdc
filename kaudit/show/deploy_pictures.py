"""Drawings of the deploy layer: what is enforced where, and what breaks which check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kaudit.show.block_canvas import COLOURS, MUTED, RULE, Sheet, fit, on, tint, width
from kaudit.show.blocks import Figure
from kaudit.show.charts import nothing
from kaudit.text import count, visible

_WIDE, _LABEL, _HIGH, _HEAD = 518.0, 104.0, 17.0, 104.0
_SIZE, _SMALL = 8.4, 7.4
_MOST = 40

#: State of a control to its colour and the letter that stands in its cell.
STATES = {
    "enforced": ("pass", "E"),
    "partial": ("partial", "P"),
    "audit": ("medium", "A"),
    "unknown": ("not_assessed", "?"),
    "none": ("fail", "✕"),
}


def coverage(
    states: Mapping[str, Mapping[str, str]], names: Mapping[str, str], *, caption: str
) -> Figure:
    """Draw which control is enforced in which namespace.

    Parameters
    ----------
    states
        Namespace to control to a word of ``STATES``.
    names
        Control to its short name, in the order of the columns.
    caption
        Title of the figure.
    """
    if not states:
        return nothing(caption)
    sheet, room, shown = _frame(states, list(names.values()), legend=18.0)
    x = 0.0
    for state, (key, letter) in STATES.items():
        _cell(sheet, (x, 2, 13, 13), COLOURS[key], letter)
        sheet.text(x + 17, 8.5, state, size=_SMALL, colour=MUTED)
        x += 17 + width(state, _SMALL) + 12
    for at, name in enumerate(shown):
        y = 18.0 + _HEAD + _HIGH * at
        for column, control in enumerate(names):
            key, letter = STATES[states[name].get(control, "none")]
            _cell(sheet, (_LABEL + room * column, y, room, _HIGH), COLOURS[key], letter)
    words = "; ".join(
        f"{visible(name)}: "
        + ", ".join(f"{sum(v == state for v in row.values())} {state}" for state in STATES)
        for name, row in states.items()
    )
    return Figure(sheet.svg(), f"{caption}. Controls by namespace. {words}.", caption)


def heat(
    numbers: Mapping[str, Mapping[str, int]], columns: Sequence[str], *, caption: str, what: str
) -> Figure:
    """Draw how many of something each namespace has of each column; more is deeper.

    Parameters
    ----------
    numbers
        Namespace to column to number.
    columns
        Columns, in their order.
    caption
        Title of the figure.
    what
        What is counted, one of it.
    """
    if not numbers or not columns:
        return nothing(caption)
    sheet, room, shown = _frame(numbers, columns, legend=0.0)
    most = max(1, *(n for row in numbers.values() for n in row.values()))
    for at, name in enumerate(shown):
        y = _HEAD + _HIGH * at
        for column, check in enumerate(columns):
            number = numbers[name].get(check, 0)
            depth = 0.25 + 0.75 * (number / most) ** 0.5
            fill = tint(COLOURS["fail"], depth) if number else COLOURS["not_applicable"]
            place = (_LABEL + room * column, y, room, _HIGH)
            _cell(sheet, place, fill, f"{number:,}" if number else "")
    words = "; ".join(
        f"{visible(name)}: "
        + (", ".join(f"{visible(c)} {n:,}" for c, n in row.items() if n) or "none")
        for name, row in numbers.items()
    )
    total = sum(n for row in numbers.values() for n in row.values())
    return Figure(sheet.svg(), f"{caption}. {count(total, what)}. {words}.", caption)


def _frame(
    rows: Mapping[str, object], columns: Sequence[str], *, legend: float
) -> tuple[Sheet, float, list[str]]:
    """Sheet with heads and names of rows, width of a column, and the rows that are drawn."""
    shown, left_out = list(rows)[:_MOST], len(rows) - _MOST
    room = (_WIDE - _LABEL) / len(columns)
    top = legend + _HEAD
    sheet = Sheet(_WIDE, top + _HIGH * len(shown) + (18 if left_out > 0 else 3))
    for column, name in enumerate(columns):
        x = _LABEL + room * (column + 0.5)
        sheet.text(x, top - 4, fit(name, _SMALL, _HEAD - 8), size=_SMALL, upward=True)
    for at, name in enumerate(shown):
        y = top + _HIGH * (at + 0.5)
        sheet.text(0, y, fit(name, _SIZE, _LABEL - 8), size=_SIZE)
    sheet.more(left_out, size=_SMALL, above=8)
    return sheet, room, shown


def _cell(sheet: Sheet, place: tuple[float, float, float, float], fill: str, text: str) -> None:
    x, y, wide, high = place
    sheet.box(x + 0.7, y + 0.7, wide - 1.4, high - 1.4, fill, outline=RULE)
    sheet.text(x + wide / 2, y + high / 2, text, size=_SMALL, colour=on(fill), align="center")
