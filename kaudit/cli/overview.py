"""An assessment on a terminal: conclusions, the worst findings, what is not known, where next."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kaudit.cli.sources import quoted
from kaudit.model.words import Status
from kaudit.text import count, shorten

if TYPE_CHECKING:
    from kaudit.assessment import Assessment
    from kaudit.registry import Control
    from kaudit.result import Result

#: Controls that fail, and reasons, that are shown unless all are asked for.
_MOST = 20
_REASONS = 5
_IDS = 3
_LONGEST = 200


def show(
    assessment: Assessment, sources: Sequence[str], *, everything: bool = False, quiet: bool = False
) -> None:
    """Print an assessment for people.

    Parameters
    ----------
    assessment
        What was judged.
    sources
        What the user named, to repeat in the commands that lead on.
    everything
        Show every control that fails and every reason.
    quiet
        Leave out where to look next.
    """
    _conclusions(assessment)
    worst = _failing(assessment, everything=everything)
    _unassessed(assessment, everything=everything)
    if not quiet:
        _next(assessment, quoted(sources), worst)


def _conclusions(assessment: Assessment) -> None:
    from kaudit.console import console, say, show_table

    as_of = f", as of {assessment.evidence.as_of:%Y-%m-%d}" if assessment.evidence.as_of else ""
    show_table(
        [
            (x.layer, x.operation, x.findings, x.waived, x.not_assessed, x.operation_because)
            for x in assessment.layers
        ],
        ["layer", "operation", "findings", "waived", "not_assessed", "because"],
        title=f"Conclusions on {assessment.evidence.label}{as_of}",
    )
    designs: dict[tuple[str, str], list[str]] = {}
    for x in assessment.layers:
        designs.setdefault((x.design, x.design_because), []).append(x.layer)
    for (opinion, because), layers in designs.items():
        text = f"Design of {', '.join(layers)}: {opinion}; {because}"
        say(textwrap.fill(text, console().width), error=False, lines=True)
    say("", error=False)


def _failing(assessment: Assessment, *, everything: bool) -> Result | None:
    """Print the controls that fail, worst first, each with one failure; return the worst."""
    from kaudit.console import say, show_table

    tallies = assessment.tallies
    failing = [c for c in assessment.controls if tallies[c.id].open]
    failing.sort(key=lambda c: (c.severity.rank, c.id))
    shown = failing if everything else failing[:_MOST]
    rows: list[tuple[str, str, str, str]] = []
    firsts = [_first(assessment, c) for c in shown]
    for c, first in zip(shown, firsts, strict=True):
        ratio = f"{tallies[c.id].open}/{tallies[c.id].population}"
        rows += [(c.severity, c.id, ratio, c.title), ("", "", "", f"  {_told(first)}")]
    if not failing:
        say("Nothing fails that is not waived.\n", error=False, lines=True)
        return None
    show_table(
        rows,
        ["severity", "control", "fail", "finding"],
        title=f"{count(len(failing), 'control')} fail, worst first",
    )
    if len(shown) < len(failing):
        left = Counter(c.severity for c in failing[len(shown) :])
        kinds = ", ".join(f"{number} {severity}" for severity, number in left.items())
        say(
            f"{len(failing) - len(shown)} more fail ({kinds}); --all shows them\n",
            error=False,
            lines=True,
        )
    return firsts[0]


def _told(first: Result) -> str:
    resource = first.resource or "the cluster"
    return shorten(resource + (first.observed and f": {first.observed}"), _LONGEST)


def _first(assessment: Assessment, control: Control) -> Result:
    """Return the first failure of a control that no waiver accepts."""
    failures = assessment.results_of(control.id, Status.FAIL)
    return next(result for result in failures if not result.waiver)


def _unassessed(assessment: Assessment, *, everything: bool) -> None:
    from kaudit.console import say, show_table

    controls: dict[str, list[str]] = {}
    resources: Counter[str] = Counter()
    for control, by in assessment.by_control.items():
        for reason, number in by.unassessed().items():
            controls.setdefault(reason, []).append(control)
            resources[reason] += number
    reasons = resources.most_common()
    if not reasons:
        return
    shown = reasons if everything else reasons[:_REASONS]
    affected = len({control for ids in controls.values() for control in ids})
    show_table(
        [(reason, number, _some(controls[reason], everything)) for reason, number in shown],
        ["reason", "resources", "controls"],
        title=f"{count(affected, 'control')} could not be assessed, or not everywhere",
    )
    if len(shown) < len(reasons):
        say(
            f"{len(reasons) - len(shown)} more reasons; --all shows them\n", error=False, lines=True
        )


def _some(ids: Sequence[str], everything: bool) -> str:
    if everything or len(ids) <= _IDS:
        return ", ".join(ids)
    return f"{', '.join(ids[:_IDS])} and {len(ids) - _IDS} more"


def _next(assessment: Assessment, source: str, worst: Result | None) -> None:
    from kaudit.console import say

    failed = sum(gap.failed for gap in assessment.evidence.gaps)
    lines: list[tuple[str, str]] = []
    if worst:
        lines += [
            (f"kaudit controls {worst.control}", "why it matters and how to remedy it"),
            (f"kaudit trace {source} {worst.fingerprint}", "this finding, back to what was read"),
        ]
    if failed:
        lines.append(
            (f"kaudit tables {source} --gaps", f"what could not be read: {count(failed, 'gap')}")
        )
    lines += [
        (f"kaudit assess {source} --format csv", "every result"),
        (f"kaudit report {source} -o report", "the report to hand in"),
    ]
    width = max(len(command) for command, _ in lines)
    say("Next", error=False)
    for command, why in lines:
        say(f"  {command:<{width}}  {why}", error=False)
