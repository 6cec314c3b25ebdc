"""Requirements of frameworks, and what the controls say of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from kaudit.assessment import Assessment
from kaudit.catalogue import frameworks as catalogues
from kaudit.coverage import MEANING, Covered, Verdict, coverage
from kaudit.show import blocks as b
from kaudit.show import charts
from kaudit.text import count

#: Controls that are named beside one requirement; all are in the annex.
NAMED = 6


def frameworks(assessment: Assessment, names: Sequence[str]) -> b.Stack:
    """Per framework: requirements, controls that test them, verdicts, what nothing tests."""
    found = coverage(assessment, names)
    known = catalogues()
    bars = {}
    for name, items in found.items():
        tally = Counter(item.verdict for item in items)
        untested = tally[Verdict.UNTESTED]
        partly = tally[Verdict.SUPPORTED] + tally[Verdict.CONTRADICTED]
        bars[known[name].name] = (len(items) - untested - partly, partly, untested)
    meaning = "; ".join(f"{verdict}: {text}" for verdict, text in MEANING.items())
    parts: list[b.Block] = [
        charts.coverage_bars(bars),
        b.Prose((f"The verdicts mean: {meaning}.",)),
    ]
    for name, items in found.items():
        parts += _framework(name, items)
    return b.Stack(tuple(parts))


def _framework(name: str, items: Sequence[Covered]) -> list[b.Block]:
    one = catalogues()[name]
    tested = [item for item in items if item.verdict is not Verdict.UNTESTED]
    untested = [item.requirement.id for item in items if item.verdict is Verdict.UNTESTED]
    parts: list[b.Block] = [
        b.Prose((one.notice,) if one.notice else (), f"{one.name} {one.version}")
    ]
    parts.append(
        b.Table.of(
            f"{one.name}: requirements that controls test",
            [
                ("id", "code"),
                b.Column("requirement", weight=2),
                ("verdict", "status"),
                b.Column("controls that fail", weight=2),
                b.Column("controls that hold or are open", weight=2),
            ],
            [
                (
                    item.requirement.id,
                    item.requirement.title,
                    item.verdict,
                    _some(item.failing),
                    _some([c for c in item.controls if c not in item.failing]),
                )
                for item in tested
            ],
            annex="tables/requirements.csv",
        )
    )
    if untested:
        verb = "is" if len(untested) == 1 else "are"
        of = f"{len(untested)} of {count(len(items), 'requirement')}"
        title = f"{of} {verb} tested by nothing yet"
        parts.append(b.Callout(b.Tone.INFO, title, ", ".join(untested)))
    return parts


def _some(controls: Sequence[str]) -> str:
    more = len(controls) - NAMED
    named = ", ".join(controls[:NAMED])
    return f"{named} and {more} more" if more > 0 else named
