"""Charts as blocks: drawings with numbers in them, and the same numbers in words.

Every function takes plain mappings and returns a :class:`~kaudit.show.blocks.Figure`.
Labels are collected text: shortened in their middle, never cut off, never interpreted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import fsum

from kaudit.model.words import Severity, Status
from kaudit.show.block_canvas import COLOURS, INK, MUTED, RULE, Sheet, fit, on, tint, width
from kaudit.show.block_cells import NOTHING
from kaudit.show.blocks import Figure
from kaudit.text import visible

__all__ = [
    "FULL",
    "bars",
    "change_bars",
    "coverage_bars",
    "nothing",
    "readiness_matrix",
    "severity_heat",
    "status_bars",
]

#: Width of the text on paper, in points.
FULL = 518.0
_ROW = 25.0
_BAR = 15.0
_LABEL = 0.29  # of the width at most
_SIZE = 8.8
_SMALL = 7.8
_MOST = 40


def status_bars(
    counts: Mapping[str, Mapping[str, int]],
    *,
    caption: str = "Results",
    what: str = "resources",
    wide: float = FULL,
) -> Figure:
    """Stack the share of each status in a bar, one bar a name.

    Parameters
    ----------
    counts
        Name (a layer, a control) to status to number of results.
    caption
        Title of the figure.
    what
        What is counted, plural; stands above the totals.
    wide
        Width of the drawing in points.
    """
    statuses = [s.value for s in Status if any(row.get(s, 0) for row in counts.values())]
    names = {status: status.replace("_", " ") for status in statuses}
    parts = [
        (name, [(s, row.get(s, 0)) for s in statuses], f"{sum(row.values()):,}")
        for name, row in counts.items()
    ]
    words = "; ".join(
        f"{_word(name)}: "
        + (", ".join(f"{n:,} {names[s]}" for s, n in row if n) or "nothing")
        + f" of {total} {what}"
        for name, row, total in parts
    )
    return _stacked(parts, names, caption, words, what, wide)


def change_bars(
    counts: Mapping[str, Mapping[str, int]],
    *,
    caption: str = "What became of findings",
    wide: float = FULL,
) -> Figure:
    """Stack what became of findings in a bar, one bar a name.

    Parameters
    ----------
    counts
        Name (a layer) to a word of :class:`~kaudit.compare.Change` to number of findings.
    caption
        Title of the figure.
    wide
        Width of the drawing in points.
    """
    names = {colour: word for word, colour in _CHANGES.items()}
    parts = [
        (
            name,
            [(colour, row.get(word, 0)) for word, colour in _CHANGES.items()],
            f"{sum(row.values()):,}",
        )
        for name, row in counts.items()
    ]
    words = "; ".join(
        f"{_word(name)}: " + (", ".join(f"{n:,} {names[c]}" for c, n in row if n) or "nothing")
        for name, row, _ in parts
    )
    return _stacked(parts, names, caption, words, "findings", wide)


#: What became of findings, by the words of the colours.
_CHANGES = {
    "new": "fail",
    "persisting": "medium",
    "waived": "manual",
    "fixed": "pass",
    "gone": "not_applicable",
    "incomparable": "not_assessed",
}


def coverage_bars(
    frameworks: Mapping[str, tuple[int, int, int]],
    *,
    caption: str = "Coverage of frameworks",
    wide: float = FULL,
) -> Figure:
    """Show how much of each framework is tested.

    Parameters
    ----------
    frameworks
        Name to numbers of requirements: fully tested, partly tested, not tested.
    caption
        Title of the figure.
    wide
        Width of the drawing in points.
    """
    names = {"full": "tested", "partial": "tested in part", "none": "not tested"}
    parts, words = [], []
    for name, (full, partial, none) in frameworks.items():
        total = full + partial + none
        share = f"{100 * (full + partial) / total:.0f}\u2009% of {total:,}" if total else NOTHING
        parts.append((name, [("full", full), ("partial", partial), ("none", none)], share))
        words.append(
            f"{_word(name)}: {full:,} requirements tested, {partial:,} in part, {none:,} not"
        )
    return _stacked(parts, names, caption, "; ".join(words), "requirements", wide)


def _stacked(
    parts: Sequence[tuple[str, Sequence[tuple[str, int]], str]],
    names: Mapping[str, str],
    caption: str,
    words: str,
    what: str,
    wide: float,
) -> Figure:
    if not parts:
        return _empty(caption)
    shown, left_out = parts[:_MOST], len(parts) - _MOST
    label = _label_room((name for name, _, _ in shown), wide)
    total_room = max([width(what, _SMALL), *(width(total, _SIZE) for _, _, total in shown)]) + 10
    room = wide - label - total_room
    columns, lines = _legend_places(names, wide - total_room)
    top = 16.0 + 14.0 * lines
    sheet = Sheet(wide, top + _ROW * len(shown) + (18 if left_out > 0 else 4))
    for key, (x, y) in columns.items():
        _segment(sheet, x, y - 4.5, 9, key, 9)
        sheet.text(x + 13, y, names[key], size=_SMALL, colour=MUTED)
    sheet.text(wide, 11, what, size=_SMALL, colour=MUTED, align="right")
    for at, (name, row, total) in enumerate(shown):
        middle = top + _ROW * at + _ROW / 2
        sheet.text(0, middle, fit(name, _SIZE, label - 10))
        sheet.text(wide, middle, total, size=_SIZE, colour=MUTED, align="right")
        _bar(sheet, label, middle, room, row)
    sheet.more(left_out, size=_SMALL)
    return Figure(sheet.svg(), f"{_word(caption)}. {words}.", caption)


def _bar(
    sheet: Sheet, x: float, middle: float, room: float, row: Sequence[tuple[str, int]]
) -> None:
    total = sum(number for _, number in row)
    y = middle - _BAR / 2
    if not total:
        sheet.line(x, middle, x + room, middle)
        return
    # A part that exists is seen, however small its share; the others give way.
    least = min(2.5, room / (4 * len(row)))
    wides = [max(room * number / total, least) if number else 0.0 for _, number in row]
    scale = room / fsum(wides)
    for (key, number), raw in zip(row, wides, strict=True):
        wide = raw * scale
        if not number:
            continue
        _segment(sheet, x, y, max(wide - 1, 0.8), key)
        text = f"{number:,}"
        if width(text, _SMALL) + 6 <= wide:
            if key == "not_assessed":  # clear the hatching behind the number
                pad = width(text, _SMALL) + 5
                sheet.box(x + (wide - pad) / 2, y, pad, _BAR, COLOURS[key])
            colour = INK if key == "none" else on(COLOURS[key])
            sheet.text(x + wide / 2, middle, text, size=_SMALL, colour=colour, align="center")
        x += wide


def _segment(sheet: Sheet, x: float, y: float, wide: float, key: str, high: float = _BAR) -> None:
    if key == "none":
        sheet.box(x + 0.4, y + 0.4, max(wide - 0.8, 0.4), high - 0.8, "none", outline=RULE)
    else:
        sheet.box(x, y, wide, high, COLOURS[key], hatched=key == "not_assessed")


def _legend_places(
    names: Mapping[str, str], room: float
) -> tuple[dict[str, tuple[float, float]], int]:
    """Place the entries of a legend in lines; also say how many lines."""
    x, line, found = 0.0, 0, {}
    for key, name in names.items():
        wide = 13 + width(name, _SMALL)
        if x and x + wide > room:
            x, line = 0.0, line + 1
        found[key] = (x, 11.0 + 14.0 * line)
        x += wide + 14
    return found, line + 1


def nothing(caption: str) -> Figure:
    """Return the figure that stands where there is nothing to draw."""
    sheet = Sheet(FULL, 30)
    sheet.text(0, 15, "Nothing to show.", colour=MUTED)
    return Figure(sheet.svg(), f"{caption}. Nothing to show.", caption)


def severity_heat(
    counts: Mapping[str, Mapping[str, int]],
    *,
    caption: str = "Findings by layer and severity",
    severities: Sequence[str] = tuple(Severity),
    wide: float = FULL,
) -> Figure:
    """Show numbers of findings in a grid of names and severities; more of one is deeper.

    Parameters
    ----------
    counts
        Name (a layer, a namespace) to severity to number of findings.
    caption
        Title of the figure.
    severities
        Columns, worst first.
    wide
        Width of the drawing in points.
    """
    if not counts:
        return _empty(caption)
    shown, left_out = list(counts.items())[:_MOST], len(counts) - _MOST
    label = _label_room((name for name, _ in shown), wide)
    room = (wide - label - 42) / len(severities)
    top, high = 26.0, 27.0
    sheet = Sheet(wide, top + high * len(shown) + (20 if left_out > 0 else 3))
    names = [str(severity) for severity in severities]
    most = {s: max([1, *(row.get(s, 0) for _, row in shown)]) for s in names}
    for column, severity in enumerate(names):
        x = label + room * (column + 0.5)
        sheet.text(x, 12, severity, size=_SMALL, colour=MUTED, align="center")
    sheet.text(wide, 12, "all", size=_SMALL, colour=MUTED, align="right")
    for at, (name, row) in enumerate(shown):
        y = top + high * at
        sheet.text(0, y + high / 2, fit(name, _SIZE, label - 10))
        for column, severity in enumerate(names):
            number = row.get(severity, 0)
            fill = tint(COLOURS[severity], 0.25 + 0.75 * (number / most[severity]) ** 0.5)
            _heat_cell(sheet, (label + room * column, y, room, high), fill, number)
        total = f"{sum(row.get(s, 0) for s in names):,}"
        sheet.text(wide, y + high / 2, total, colour=MUTED, align="right", size=_SIZE)
    sheet.more(left_out, size=_SMALL)
    words = "; ".join(
        f"{_word(name)}: "
        + (", ".join(f"{row[s]:,} {s}" for s in names if row.get(s, 0)) or "none")
        for name, row in counts.items()
    )
    return Figure(sheet.svg(), f"{_word(caption)}. {words}.", caption)


def _heat_cell(
    sheet: Sheet, place: tuple[float, float, float, float], fill: str, number: int
) -> None:
    x, y, wide, high = place
    inner = (x + 1.5, y + 1.5, wide - 3, high - 3)
    if number:
        sheet.box(*inner, fill)
    else:
        sheet.box(*inner, "none", outline=RULE)
    sheet.text(
        x + wide / 2,
        y + high / 2,
        f"{number:,}",
        colour=on(fill) if number else MUTED,
        align="center",
        size=_SIZE if number else _SMALL,
        bold=bool(number),
    )


def readiness_matrix(
    violations: Mapping[str, Mapping[str, int | None]],
    levels: Sequence[str],
    *,
    caption: str = "Readiness for Pod Security levels",
    wide: float = FULL,
) -> Figure:
    """Show which names could enforce which level.

    Parameters
    ----------
    violations
        Namespace to level to number of workloads that would be refused; 0 is ready, None
        is not known.
    levels
        Columns, weakest first.
    caption
        Title of the figure.
    wide
        Width of the drawing in points.
    """
    if not violations or not levels:
        return _empty(caption)
    shown, left_out = list(violations.items())[:_MOST], len(violations) - _MOST
    label = _label_room((name for name, _ in shown), wide)
    room = min((wide - label) / len(levels), 122.0)
    top, high = 26.0, 21.0
    sheet = Sheet(wide, top + high * len(shown) + (20 if left_out > 0 else 3))
    for column, level in enumerate(levels):
        x = label + room * (column + 0.5)
        head = fit(level, _SMALL, room - 6)
        sheet.text(x, 12, head, size=_SMALL, colour=MUTED, align="center")
    for at, (name, row) in enumerate(shown):
        y = top + high * at
        sheet.text(0, y + high / 2, fit(name, _SIZE, label - 10))
        for column, level in enumerate(levels):
            _ready_cell(sheet, (label + room * column, y, room, high), row.get(level))
    sheet.more(left_out, size=_SMALL)
    words = "; ".join(
        f"{_word(name)}: " + ", ".join(f"{_word(x)} {_ready_word(row.get(x))}" for x in levels)
        for name, row in violations.items()
    )
    return Figure(sheet.svg(), f"{_word(caption)}. {words}.", caption)


def _ready_cell(sheet: Sheet, place: tuple[float, float, float, float], number: int | None) -> None:
    x, y, wide, high = place
    key = "not_assessed" if number is None else "fail" if number else "pass"
    fill = tint(COLOURS[key], 0.42)
    sheet.box(x + 1.5, y + 1.5, wide - 3, high - 3, fill, hatched=number is None)
    if number is None:  # clear the hatching behind the mark
        sheet.box(x + wide / 2 - 8, y + 1.5, 16, high - 3, fill)
    text = "?" if number is None else f"✕ {number:,}" if number else "✓ ready"
    sheet.text(x + wide / 2, y + high / 2, text, colour=on(fill), align="center", size=_SMALL)


def _ready_word(number: int | None) -> str:
    if number is None:
        return "not known"
    return f"{number:,} would be refused" if number else "ready"


def bars(
    values: Mapping[str, int | float],
    *,
    caption: str,
    unit: str = "",
    colours: Mapping[str, str] | None = None,
    wide: float = FULL,
) -> Figure:
    """Show one number a name as horizontal bars, in the order given.

    Parameters
    ----------
    values
        Name to number; a negative number has no bar.
    caption
        Title of the figure.
    unit
        What is counted, plural, or a unit.
    colours
        Name to a word of severity or status that colours its bar.
    wide
        Width of the drawing in points.
    """
    if not values:
        return _empty(caption)
    shown, left_out = list(values.items())[:_MOST], len(values) - _MOST
    label = _label_room((name for name, _ in shown), wide)
    texts = [f"{n:,.6g}" if isinstance(n, float) else f"{n:,}" for _, n in shown]
    room = wide - label - max(width(text, _SIZE) for text in texts) - 12
    most = max([*(number for _, number in shown), 0]) or 1
    top = 22.0 if unit else 4.0
    sheet = Sheet(wide, top + _ROW * len(shown) + (18 if left_out > 0 else 4))
    if unit:
        sheet.text(label, 10, fit(unit, _SMALL, room), size=_SMALL, colour=MUTED)
    for at, ((name, number), text) in enumerate(zip(shown, texts, strict=True)):
        middle = top + _ROW * at + _ROW / 2
        long = room * max(number, 0) / most
        sheet.text(0, middle, fit(name, _SIZE, label - 10))
        if long:
            key = (colours or {}).get(name, "plain")
            _segment(sheet, label, middle - _BAR / 2, max(long, 1.0), key)
        sheet.text(label + long + 6, middle, text, size=_SIZE, colour=MUTED)
    sheet.more(left_out, size=_SMALL)
    listed = "; ".join(f"{_word(n)}: {v:,}" for n, v in values.items())
    counted = f" ({_word(unit)})" if unit else ""
    return Figure(sheet.svg(), f"{_word(caption)}{counted}. {listed}.", caption)


def _label_room(names: Iterable[str], wide: float) -> float:
    widest = max((width(fit(name, _SIZE, _LABEL * wide), _SIZE) for name in names), default=0.0)
    return max(widest + 14, 60.0)


def _word(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= 80 else f"{shown[:79]}…"


def _empty(caption: str) -> Figure:
    sheet = Sheet(FULL, 30)
    sheet.text(0, 15, "Nothing to show.", colour=MUTED)
    return Figure(sheet.svg(), f"{_word(caption)}. Nothing to show.", caption)
