"""What became of findings since earlier evidence, as reports show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from kaudit.compare import Change, Comparison, Difference, Side
from kaudit.model.words import Layer
from kaudit.registry import CONTROLS
from kaudit.show import blocks as b
from kaudit.show import charts
from kaudit.text import count

#: Rows of a change that a report prints; all are in the annex.
PRINTED = 60
_TONES = {
    Change.NEW: b.Tone.DANGER,
    Change.PERSISTING: b.Tone.WARNING,
    Change.FIXED: b.Tone.OK,
}
#: Changes that are listed resource by resource, by their captions.
_LISTED = {
    Change.NEW: "What is new",
    Change.FIXED: "What was fixed",
    Change.GONE: "What is gone",
}


def drift(comparison: Comparison) -> b.Stack:
    """Numbers, layers, what is new or unknown, what persists by control, what was fixed."""
    counts = comparison.counts
    numbers = [
        b.Number(change, counts[change], change.meaning, _TONES.get(change, b.Tone.INFO))
        for change in Change
    ]
    parts: list[b.Block] = [
        _sides(comparison),
        *_backwards(comparison),
        b.Numbers(tuple(numbers), caption="Findings since the baseline"),
        charts.change_bars(_by_layer(comparison), caption="What became of findings, by layer"),
    ]
    by = {change: [d for d in comparison.differences if d.change is change] for change in Change}
    tables = {
        Change.NEW: _listed,
        Change.INCOMPARABLE: _unseen,
        Change.PERSISTING: _persisting,
        Change.FIXED: _listed,
        Change.GONE: _listed,
    }
    parts += [table(by[change], change) for change, table in tables.items() if by[change]]
    if not comparison.differences:
        parts.append(b.Callout(b.Tone.INFO, "Nothing fails on either side"))
    return b.Stack(tuple(parts))


def _sides(comparison: Comparison) -> b.Facts:
    pairs = (("Baseline", comparison.old), ("Evidence", comparison.new))
    return b.Facts(
        tuple((name, _told(side)) for name, side in pairs), caption="What is compared with what"
    )


def _told(side: Side) -> str:
    when = f", as of {side.as_of:%Y-%m-%d %H:%M} UTC" if side.as_of else ""
    return f"{side.label}{when}; evidence id {side.id or 'none: not sealed'}"


def _backwards(comparison: Comparison) -> list[b.Block]:
    old, new = comparison.old.as_of, comparison.new.as_of
    if old is None or new is None or old <= new:
        return []
    text = "What is called new was there earlier, and what is called fixed fails since."
    return [b.Callout(b.Tone.DANGER, "The baseline is later than the evidence", text)]


def _by_layer(comparison: Comparison) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {layer.value: Counter() for layer in Layer}
    for one in comparison.differences:
        counts[one.layer][one.change] += 1
    return counts


def _listed(some: Sequence[Difference], change: Change) -> b.Table:
    return b.Table.of(
        f"{_LISTED[change]}: {change.meaning}",
        [
            ("severity", "severity"),
            ("control", "code"),
            b.Column("resource", weight=2),
            b.Column("observed", weight=3),
        ],
        [(d.severity, d.control, d.resource, d.observed) for d in some[:PRINTED]],
        total=len(some),
        annex="tables/changes.csv",
    )


def _unseen(some: Sequence[Difference], _: Change) -> b.Table:
    numbers = Counter((one.severity.rank, one.control, one.reason) for one in some)
    severity = {one.control: one.severity for one in some}
    return b.Table.of(
        f"What cannot be compared: {count(len(some), 'finding')} that one side could not see",
        [
            ("severity", "severity"),
            ("control", "code"),
            b.Column("why", weight=3),
            ("findings", "number"),
        ],
        [(severity[id_], id_, why, number) for (_, id_, why), number in sorted(numbers.items())],
        annex="tables/changes.csv",
    )


def _persisting(some: Sequence[Difference], _: Change) -> b.Table:
    numbers = Counter(one.control for one in some)
    severity = {one.control: one.severity for one in some}
    ranked = sorted(numbers, key=lambda id_: (severity[id_].rank, -numbers[id_], id_))
    return b.Table.of(
        f"What persists, by control: {count(len(some), 'finding')}",
        [
            ("severity", "severity"),
            ("control", "code"),
            b.Column("condition", weight=3),
            ("findings", "number"),
        ],
        [(severity[id_], id_, CONTROLS[id_].title, numbers[id_]) for id_ in ranked],
        annex="tables/changes.csv",
    )
