"""One layer of the audit report: its controls, and each of them that does not hold."""

from __future__ import annotations

from collections.abc import Sequence

from kaudit.assessment import Assessment
from kaudit.catalogue import REPORTED, framework, references
from kaudit.model.framework import Framework
from kaudit.model.kinds import CONTROLLERS
from kaudit.model.words import Layer, Opinion, Status
from kaudit.registry import Control
from kaudit.show import blocks as b

#: Kinds of whose results the part is a container; of a file it is a line, say.
_WORKLOADS = {*(name.partition(".")[0] for name in CONTROLLERS), "Pod"}
#: Rows of one control's failures that a report prints; all are in the annex.
PRINTED = 12


def layer(assessment: Assessment, name: str, frameworks: Sequence[str] = REPORTED) -> b.Stack:
    """One layer: its conclusion, its controls, and each control that does not hold.

    References are to the given frameworks; all are in the table of controls beside the report.
    """
    wanted = Layer(name)
    conclusion = next(x for x in assessment.layers if x.layer is wanted)
    controls = sorted(
        (c for c in assessment.controls if c.layer is wanted), key=lambda c: (c.severity.rank, c.id)
    )
    tone = {
        Opinion.EFFECTIVE: b.Tone.OK,
        Opinion.WITH_EXCEPTIONS: b.Tone.WARNING,
        Opinion.NOT_EFFECTIVE: b.Tone.DANGER,
    }.get(conclusion.operation, b.Tone.INFO)
    because = conclusion.operation_because
    head = b.Callout(
        tone,
        f"Operation: {conclusion.operation}",
        f"{because[:1].upper()}{because[1:]}. Design: {conclusion.design}, since "
        f"{conclusion.design_because}.",
    )
    if not controls:
        return b.Stack((head,))
    idle = [c for c in controls if not assessment.tallies[c.id].population]
    table = b.Table.of(
        f"Controls of the {name} layer",
        [
            ("control", "code"),
            b.Column("condition", weight=3),
            ("severity", "severity"),
            ("population", "number"),
            ("fail", "number"),
            ("not assessed", "number"),
            ("operation", "opinion"),
        ],
        [_control_row(assessment, control) for control in controls if control not in idle],
        note=f"Nothing here that these are for: {', '.join(c.id for c in idle)}." if idle else "",
    )
    cited = [framework(one) for one in frameworks]
    failing = [_finding(assessment, c, cited) for c in controls if assessment.tallies[c.id].fail_]
    return b.Stack((head, table, *failing))


def _control_row(assessment: Assessment, control: Control) -> tuple[object, ...]:
    tally = assessment.tallies[control.id]
    return (
        control.id,
        control.title,
        control.severity,
        tally.population,
        tally.fail_,
        tally.not_assessed_ + tally.error_,
        assessment.operation[control.id].opinion,
    )


def _finding(assessment: Assessment, control: Control, cited: Sequence[Framework]) -> b.Finding:
    tally = assessment.tallies[control.id]
    counts = {s.value: getattr(tally, f"{s.value}_") for s in Status}
    counts = {name: number for name, number in counts.items() if number}
    if tally.waived:
        counts["waived"] = tally.waived
    remedy, _, patch = control.remedy.strip("\n").partition("\n\n")
    spoken = references(control)
    conclusion = assessment.operation[control.id]
    return b.Finding(
        control=control.id,
        title=control.title,
        severity=control.severity.value,
        layer=control.layer.value,
        counts=counts,
        rationale=tuple(control.rationale.split("\n\n")),
        expected=control.expected,
        remedy=(" ".join(remedy.split()),),
        patch=patch.rstrip("\n"),
        references=tuple((one.name, spoken[one.id]) for one in cited if one.id in spoken),
        observed=_observed(assessment, control),
        opinion=conclusion.opinion.value,
        because=conclusion.because,
    )


def _observed(assessment: Assessment, control: Control) -> b.Table:
    by = assessment.by_control[control.id]
    fails = list(by.results(Status.FAIL))
    contained = any(r.container for r in fails)
    within = "container" if {r.kind for r in fails} <= _WORKLOADS else "part"
    several = any(r.rows > 1 for r in fails)
    columns: list[b.Column | tuple[str, str] | str] = ["kind", b.Column("resource", weight=2)]
    if contained:
        columns.append(within)
    columns.append(b.Column("observed", weight=3))
    if several:
        columns.append("failing")
    rows = []
    for r in fails[:PRINTED]:
        row = [r.kind, f"{r.namespace}/{r.name}" if r.namespace else r.name]
        row += [r.container] if contained else []
        row += [r.observed]
        row += [f"{r.failed:,} of {r.rows:,}"] if several else []
        rows.append(row)
    return b.Table.of(
        f"Failing resources of {control.id}",
        columns,
        rows,
        total=len(fails),
        anchors=tuple(r.fingerprint for r in fails[:PRINTED]),
        annex="tables/findings.csv",
    )
