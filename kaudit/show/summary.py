"""Cover, scope and conclusions: the first pages of the audit report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from kaudit import __version__, registry
from kaudit.assessment import Assessment
from kaudit.model.words import Gap, Layer, Opinion, Severity, Status
from kaudit.show import blocks as b
from kaudit.show import charts
from kaudit.text import count


def cover(assessment: Assessment, title: str = "") -> b.Cover:
    """Title page: what was audited."""
    manifest = assessment.evidence.manifest
    kind = "running cluster" if manifest.live else "manifests or a dump"
    return b.Cover(
        title=title or "Kubernetes security audit",
        subtitle=manifest.label,
        facts=(
            ("Source", kind),
            ("Kubernetes", manifest.server.git_version if manifest.server else "not told"),
            ("Controls", len(assessment.controls)),
            ("kaudit", __version__),
        ),
        evidence=manifest.id,
        at=f"{manifest.as_of:%Y-%m-%dT%H:%M:%SZ}" if manifest.as_of else "",
    )


def summary(assessment: Assessment) -> b.Stack:
    """Page one: scope, what is missing, conclusions; before any finding."""
    return b.Stack(
        (
            _scope(assessment),
            _numbers(assessment),
            _gap_callout(assessment),
            _verdicts(assessment),
        )
    )


def _numbers(assessment: Assessment) -> b.Numbers:
    tallies = assessment.tallies.values()
    critical = sum(
        assessment.tallies[c.id].open
        for c in assessment.controls
        if c.severity is Severity.CRITICAL
    )
    unsure = sum(t.not_assessed_ + t.error_ for t in tallies)
    waived = sum(t.waived for t in tallies)
    found = sum(t.fail_ for t in tallies)
    return b.Numbers(
        (
            b.Number("findings", found, f"{waived:,} under a waiver", b.Tone.WARNING),
            b.Number("critical", critical, "unwaived", b.Tone.DANGER if critical else b.Tone.OK),
            b.Number("passed", sum(t.pass_ for t in tallies), "control and resource", b.Tone.OK),
            b.Number("not assessed", unsure, "with the reason", b.Tone.INFO),
        ),
        caption="Results in numbers",
    )


def _scope(assessment: Assessment) -> b.Facts:
    evidence = assessment.evidence
    manifest, inventory, pods = evidence.manifest, evidence["inventory"], evidence["pods"]
    read = int(inventory["objects"][inventory["collected"].astype(bool)].sum())
    other = int(inventory["objects"].sum()) - read
    templates = int((pods["origin"] == "template").sum())
    namespaces = pods["namespace"].nunique()
    when = (
        f", as of {manifest.as_of:%Y-%m-%d %H:%M} UTC"
        if manifest.as_of
        else "; the source does not tell of when it is"
    )
    opinions = Counter(c.opinion for c in assessment.operation.values())
    unable, idle = opinions[Opinion.UNABLE], opinions[Opinion.NOT_APPLICABLE]
    controls = len(assessment.controls)
    pairs: tuple[tuple[str, b.Cell], ...] = (
        ("Subject", f"{manifest.label}{when}"),
        (
            "Population",
            f"{count(len(pods) - templates, 'pod')} and {count(templates, 'pod template')} in "
            f"{count(namespaces, 'namespace')}; {count(read, 'object')} read, "
            f"{other:,} of kinds that no collector reads",
        ),
        (
            "Coverage",
            f"{controls - unable - idle:,} of {count(controls, 'control')} concluded, {unable:,} "
            f"could not be, {idle:,} apply to nothing here",
        ),
        ("Waivers", _waivers(assessment)),
        ("Evidence id", manifest.id or "not sealed"),
        ("Evidence seal", manifest.seal or "none"),
    )
    return b.Facts(pairs, caption="Scope and coverage")


def _waivers(assessment: Assessment) -> str:
    given = assessment.waivers
    if not given:
        return "none given"
    ended = sum(not waiver.holds(assessment.evidence.as_of) for waiver in given)
    waived = sum(tally.waived for tally in assessment.tallies.values())
    text = f"{len(given):,} given, which accept {count(waived, 'failure')}"
    return f"{text}; {ended:,} of them past their end" if ended else text


def _gap_callout(assessment: Assessment) -> b.Callout:
    failed = [gap for gap in assessment.evidence.gaps if gap.failed]
    absent = _heaviest([gap for gap in assessment.evidence.gaps if not gap.failed and gap.tables])
    if failed:
        said = "; ".join(f"{g.what} ({g.reason.replace('_', ' ')})" for g in failed[:6])
        return b.Callout(
            b.Tone.DANGER,
            f"{count(len(failed), 'read')} failed",
            "What they weaken is not assessed, and shows as such in every total below: "
            f"{said}{'; …' if len(failed) > 6 else ''}.",
        )
    if absent:
        kinds = list(dict.fromkeys(kind for gap in absent for kind in gap.what.split(", ")))
        return b.Callout(
            b.Tone.WARNING,
            "The source does not speak of everything",
            f"No read failed. The source holds no {_listed(kinds)}. Controls on these are not "
            "assessed.",
        )
    return b.Callout(b.Tone.OK, "Every read succeeded")


def _heaviest(gaps: Sequence[Gap]) -> list[Gap]:
    """Gaps by the number of controls that they weaken, most first."""
    needed = Counter(
        name
        for control in registry.CONTROLS.values()
        for name in registry.base_tables(control.subject, *control.needs)
    )
    return sorted(gaps, key=lambda gap: (-max(needed[name] for name in gap.tables), gap.what))


def _listed(names: Sequence[str], most: int = 8) -> str:
    """Names with commas, the last after *or*; those beyond ``most`` are counted."""
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"{len(names) - most:,} more kinds")
    return ", ".join(shown[:-1]) + (" or " if len(shown) > 1 else "") + shown[-1]


def _verdicts(assessment: Assessment) -> b.Verdicts:
    return b.Verdicts(
        tuple(
            b.Verdict(
                name=x.layer.value,
                design=x.design.value,
                operation=x.operation.value,
                design_because=x.design_because,
                operation_because=x.operation_because,
                facts=(
                    ("controls", x.controls),
                    ("findings", x.findings),
                    ("waived", x.waived),
                    ("not assessed", x.not_assessed),
                ),
            )
            for x in assessment.layers
        ),
        caption="Conclusions by layer",
    )


def overview(assessment: Assessment) -> b.Stack:
    """Charts: results by layer and status, findings by layer and severity, by namespace."""
    by_layer: dict[str, Counter[str]] = {layer.value: Counter() for layer in Layer}
    severe: dict[str, Counter[str]] = {layer.value: Counter() for layer in Layer}
    for control in assessment.controls:
        tally = assessment.tallies[control.id]
        for status in Status:
            if status is not Status.NOT_APPLICABLE:
                by_layer[control.layer][status.value] += getattr(tally, f"{status.value}_")
        severe[control.layer][control.severity.value] += tally.fail_
    return b.Stack(
        (
            charts.status_bars(by_layer, caption="Results by layer and status", what="results"),
            charts.severity_heat(severe),
            _namespaces(assessment),
        )
    )


def _namespaces(assessment: Assessment) -> b.Table:
    counts: dict[str, Counter[str]] = {}
    found = assessment.findings
    for name, severity in zip(found["namespace"], found["severity"], strict=True):
        counts.setdefault(str(name), Counter())[str(severity)] += 1
    order = [s.value for s in Severity]
    ranked = sorted(counts, key=lambda name: ([-counts[name][s] for s in order], name))
    rows = [
        (name or "(cluster scope)", *(counts[name][s] for s in order), counts[name].total())
        for name in ranked
    ]
    return b.Table.of(
        "Findings by namespace, worst first",
        ["namespace", *((s, "number") for s in order), ("total", "number")],
        rows[:40],
        total=len(rows),
        annex="tables/findings.csv",
    )
