"""Pictures of the runtime layer: alerts over time, the matrix of ATT&CK, sensors by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from kaudit.show.block_canvas import COLOURS, INK, MUTED, RULE, Sheet, fit, on, width
from kaudit.show.blocks import Figure
from kaudit.show.charts import nothing
from kaudit.text import count, visible

__all__ = ["attack_matrix", "node_map", "timeline"]

_WIDE = 518.0
_SMALL = 7.8
_TINY = 6.0
#: Bars of a timeline at most, and lengths that one may stand for.
_BARS = 60
_STEPS = tuple(
    timedelta(minutes=m)
    for m in (1, 5, 15, 60, 180, 360, 720, 1440, 1440 * 7, 1440 * 28, 1440 * 91, 1440 * 365)
)
#: Priorities put together, with the colour of the severity that they come near to.
_GROUPS = {
    "critical": ("critical", ("emergency", "alert", "critical")),
    "error": ("high", ("error",)),
    "warning": ("medium", ("warning",)),
    "notice and below": ("low", ("notice", "informational", "debug")),
    "not told": ("info", (None,)),
}
_VERDICTS = {
    "seen": ("critical", "seen in the evidence"),
    "detected": ("pass", "a loaded rule names it"),
    "assumed": ("partial", "a rule of Falco's own file names it"),
    "prevention only": ("not_assessed", "prevention only"),
    "none": ("not_applicable", "nothing"),
}
_SHOWN_NODES = 100


def timeline(events: Sequence[tuple[datetime, str | None, int]], *, caption: str) -> Figure:
    """Stack alerts by their priority, in steps that fit between the first and the last.

    Parameters
    ----------
    events
        Moment, priority and number of each.
    """
    if not events:
        return nothing(caption)
    first, last = min(e[0] for e in events), max(e[0] for e in events)
    step = next((s for s in _STEPS if (last - first) / s < _BARS), _STEPS[-1])
    start = first - (first - datetime(1970, 1, 1, tzinfo=first.tzinfo)) % step
    bars = int((last - start) / step) + 1
    of_group = {p: name for name, (_, priorities) in _GROUPS.items() for p in priorities}
    counts: list[dict[str, int]] = [{} for _ in range(bars)]
    for moment, priority, number in events:
        row = counts[int((moment - start) / step)]
        row[of_group[priority]] = row.get(of_group[priority], 0) + number
    most = max(sum(row.values()) for row in counts)
    top, high, left = 24.0, 96.0, 34.0
    sheet = Sheet(_WIDE, top + high + 22)
    _legend(sheet, {n: c for n, (c, _) in _GROUPS.items() if any(n in row for row in counts)})
    wide = (_WIDE - left) / bars
    for level in (0.5, 1.0):
        y = top + high * (1 - level)
        sheet.line(left, y, _WIDE, y)
        sheet.text(left - 5, y, f"{most * level:,.0f}", size=_SMALL, colour=MUTED, align="right")
    for at, row in enumerate(counts):
        y = top + high
        for name, (colour, _) in _GROUPS.items():
            tall = high * row.get(name, 0) / most
            if tall:
                tall = max(tall, 1.2)
                y -= tall
                sheet.box(left + wide * at + 0.6, y, max(wide - 1.2, 0.8), tall, COLOURS[colour])
    sheet.line(left, top + high, _WIDE, top + high, INK)
    end = start + step * (bars - 1)
    form = "%Y-%m-%d" if step >= timedelta(days=1) else "%Y-%m-%d %H:%M"
    sheet.text(left, top + high + 12, f"{start:{form}}", size=_SMALL, colour=MUTED)
    sheet.text(_WIDE, top + high + 12, f"{end:{form}}", size=_SMALL, colour=MUTED, align="right")
    middle = f"one bar: {_length(step)}, UTC"
    sheet.text(
        left + (_WIDE - left) / 2,
        top + high + 12,
        middle,
        size=_SMALL,
        colour=MUTED,
        align="center",
    )
    total = {n: sum(row.get(n, 0) for row in counts) for n in _GROUPS}
    peak = max(range(bars), key=lambda at: sum(counts[at].values()))
    words = ", ".join(f"{n:,} {name}" for name, n in total.items() if n)
    peak_at = f"{start + step * peak:{form}}"
    return Figure(
        sheet.svg(),
        f"{caption}. From {start:{form}} to {end:{form}}: {words}; most at {peak_at}.",
        caption,
    )


def _length(step: timedelta) -> str:
    minutes = int(step.total_seconds() // 60)
    if minutes % 1440 == 0:
        return count(minutes // 1440, "day")
    return count(minutes // 60, "hour") if minutes % 60 == 0 else count(minutes, "minute")


def attack_matrix(
    techniques: Sequence[tuple[str, str, Sequence[str], str]], *, caption: str
) -> Figure:
    """Draw techniques under their tactics, coloured by what would see them.

    Parameters
    ----------
    techniques
        Id, name, tactics and verdict of each; one may stand under several tactics.
    """
    columns: dict[str, list[tuple[str, str, str]]] = {}
    for id, title, tactics, verdict in techniques:
        for tactic in tactics:
            columns.setdefault(tactic, []).append((id, title, verdict))
    if not columns:
        return nothing(caption)
    tactics = sorted(columns, key=_tactic_order)
    wide = _WIDE / len(tactics)
    high, top = 31.0, 52.0
    rows = max(len(found) for found in columns.values())
    sheet = Sheet(_WIDE, top + high * rows + 2)
    _legend(sheet, {f"{words}": colour for colour, words in _VERDICTS.values()})
    for column, tactic in enumerate(tactics):
        x = wide * column
        name = tactic.partition(" ")[2]
        for row, word in enumerate(_halves(name)):
            shown = fit(word, 7.0, wide - 3, bold=True)
            sheet.text(x + wide / 2, 30 + 10 * row, shown, size=7.0, align="center", bold=True)
        for at, (id, title, verdict) in enumerate(columns[tactic]):
            y = top + high * at
            fill = COLOURS[_VERDICTS[verdict][0]]
            sheet.box(x + 1, y + 1, wide - 2, high - 2, fill)
            ink = on(fill)
            sheet.text(x + 4, y + 8, id, size=6.4, colour=ink, bold=True)
            for line, words in enumerate(_two_lines(title, wide - 8)):
                place = y + 16.5 + 8 * line
                sheet.text(x + 4, place, words, size=_TINY, colour=ink)
    by: dict[str, list[str]] = {}
    for id, _, _, verdict in techniques:
        by.setdefault(verdict, []).append(id)
    words = "; ".join(
        f"{_VERDICTS[name][1]}: {', '.join(sorted(by[name]))}" for name in _VERDICTS if name in by
    )
    return Figure(sheet.svg(), f"{caption}. {words}.", caption)


_ORDER = ("TA0001", "TA0002", "TA0003", "TA0004", "TA0005", "TA0112", "TA0006", "TA0007")


def _tactic_order(tactic: str) -> tuple[int, str]:
    id = tactic.partition(" ")[0]
    return (_ORDER.index(id) if id in _ORDER else len(_ORDER), tactic)


def _two_lines(text: str, room: float) -> tuple[str, str]:
    """Break a name where the first line is full; what is left is made to fit."""
    words, first = text.split(" "), ""
    while words and (not first or width(f"{first} {words[0]}", _TINY) <= room):
        first = f"{first} {words.pop(0)}".strip()
    return fit(first, _TINY, room), fit(" ".join(words), _TINY, room)


def _halves(name: str) -> tuple[str, str]:
    first, _, second = name.partition(" ")
    return first, second


def node_map(nodes: Sequence[tuple[str, bool | None, bool, str]], *, caption: str) -> Figure:
    """Draw each node, with whether a sensor watches it.

    Parameters
    ----------
    nodes
        Name, whether it is covered (None: not told), whether it is judged, and what watches it.
    """
    if not nodes:
        return nothing(caption)
    ordered = sorted(nodes, key=lambda node: (node[1] is not False, node[1] is True, node[0]))
    shown, left_out = ordered[:_SHOWN_NODES], len(ordered) - _SHOWN_NODES
    across = min(5, max(len(shown), 1))
    wide, high, top = _WIDE / 5, 30.0, 20.0
    rows = -(-len(shown) // across)
    sheet = Sheet(_WIDE, top + high * rows + (18 if left_out > 0 else 2))
    keys = {"watched": "pass", "nobody watches it": "fail", "not told": "not_assessed"}
    _legend(sheet, keys)
    for at, (name, covered, judged, watched) in enumerate(shown):
        x, y = wide * (at % across), top + high * (at // across)
        key = "pass" if covered else "not_assessed" if covered is None else "fail"
        fill = COLOURS[key if judged else "not_applicable"]
        sheet.box(x + 1.5, y + 1.5, wide - 3, high - 3, fill)
        sheet.text(
            x + 6, y + 10.5, fit(name, _SMALL, wide - 12), size=_SMALL, colour=on(fill), bold=True
        )
        sheet.text(x + 6, y + 20.5, fit(watched, 6.8, wide - 12), size=6.8, colour=on(fill))
    sheet.more(left_out, size=_SMALL, above=8)
    open_ = [visible(n) for n, covered, judged, _ in ordered if covered is False and judged]
    named = f": {', '.join(open_[:10])}" if open_ else ""
    unknown = sum(covered is None for _, covered, _, _ in ordered)
    return Figure(
        sheet.svg(),
        f"{caption}. {count(len(nodes), 'node')}; {len(open_):,} without a ready sensor{named}; "
        f"{unknown:,} not told.",
        caption,
    )


def _legend(sheet: Sheet, keys: Mapping[str, str]) -> None:
    x = 0.0
    for name, colour in keys.items():
        sheet.box(x, 4, 9, 9, COLOURS[colour], outline=RULE)
        sheet.text(x + 13, 8.5, name, size=_SMALL, colour=MUTED)
        x += 13 + width(name, _SMALL) + 14
