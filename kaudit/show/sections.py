"""Sections of the audit report, as blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from kaudit import __version__, pss
from kaudit.assessment import Assessment
from kaudit.catalogue import frameworks as catalogues
from kaudit.catalogue import references
from kaudit.coverage import MEANING, Covered, Verdict, coverage
from kaudit.model.words import Layer, Opinion, Severity, Status
from kaudit.registry import Control
from kaudit.show import blocks as b
from kaudit.show import charts
from kaudit.text import count

#: Rows of one control's failures that a report prints; all are in the annex.
PRINTED = 12
#: Controls that are named beside one requirement; all are in the annex.
NAMED = 9
ANNEX = "tables/findings.csv"


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
    when = f"{manifest.as_of:%Y-%m-%d %H:%M} UTC" if manifest.as_of else "not told by the source"
    opinions = Counter(c.opinion for c in assessment.operation.values())
    unable, idle = opinions[Opinion.UNABLE], opinions[Opinion.NOT_APPLICABLE]
    controls = len(assessment.controls)
    pairs: tuple[tuple[str, b.Cell], ...] = (
        ("Subject", f"{manifest.label}, as of {when}"),
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
    absent = [gap for gap in assessment.evidence.gaps if not gap.failed and gap.tables]
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
        annex=ANNEX,
    )


def layer(assessment: Assessment, name: str) -> b.Stack:
    """One layer: its conclusion, its controls, and each control that does not hold."""
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
        [_control_row(assessment, control) for control in controls],
    )
    failing = [_finding(assessment, c) for c in controls if assessment.tallies[c.id].fail_]
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


def _finding(assessment: Assessment, control: Control) -> b.Finding:
    tally = assessment.tallies[control.id]
    counts = {s.value: getattr(tally, f"{s.value}_") for s in Status}
    counts = {name: number for name, number in counts.items() if number}
    if tally.waived:
        counts["waived"] = tally.waived
    remedy, _, patch = control.remedy.strip("\n").partition("\n\n")
    names = catalogues()
    conclusion = assessment.operation[control.id]
    return b.Finding(
        control=control.id,
        title=control.title,
        severity=control.severity.value,
        layer=control.layer.value,
        counts=counts,
        rationale=tuple(control.rationale.split("\n\n")),
        effect=f"Expected: {control.expected}.",
        remedy=(" ".join(remedy.split()),),
        patch=patch.rstrip("\n"),
        references=tuple(
            (names[name].name if name in names else name, ids)
            for name, ids in references(control).items()
        ),
        observed=_observed(assessment, control),
        opinion=conclusion.opinion.value,
        because=conclusion.because,
    )


def _observed(assessment: Assessment, control: Control) -> b.Table:
    by = assessment.by_control[control.id]
    fails = list(by.results(Status.FAIL))
    contained = any(r.container for r in fails)
    several = any(r.rows > 1 for r in fails)
    columns: list[b.Column | tuple[str, str] | str] = ["kind", b.Column("resource", weight=2)]
    if contained:
        columns.append("container")
    columns.append(b.Column("observed", weight=3))
    if several:
        columns.append("rows that fail")
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
        annex=ANNEX,
    )


def readiness(assessment: Assessment) -> b.Stack:
    """What would break if each namespace enforced a Pod Security level."""
    table = pss.readiness(assessment.evidence)
    if table.empty:
        return b.Stack((b.Callout(b.Tone.INFO, "No pod and no template was read"),))
    refused: dict[str, dict[str, int | None]] = {}
    columns = (table[name].tolist() for name in ("namespace", "level", "refused_workloads"))
    for namespace, level, workloads in zip(*columns, strict=True):
        refused.setdefault(namespace, {})[level] = workloads
    worst = sorted(refused, key=lambda n: (-(refused[n].get("restricted") or 0), n))
    return b.Stack(
        (
            charts.readiness_matrix(
                {name: refused[name] for name in worst},
                list(pss.LEVELS[1:]),
                caption="Workloads that would be refused if a namespace enforced the level",
            ),
            b.Table.of_frame(
                "Readiness to enforce the Pod Security Standards",
                table,
                {
                    "namespace": "namespace",
                    "level": "level",
                    "enforces": "enforces now",
                    "workloads": ("workloads", "number"),
                    "refused_workloads": ("refused", "number"),
                    "refused_pods": ("live pods refused", "number"),
                    "checks": b.Column("checks, with the workloads that break them", weight=3),
                },
                annex="tables/readiness.csv",
            ),
        )
    )


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
        title = f"{len(untested)} of {len(items)} requirements are tested by nothing yet"
        parts.append(b.Callout(b.Tone.INFO, title, ", ".join(untested)))
    return parts


def _some(controls: Sequence[str]) -> str:
    more = len(controls) - NAMED
    named = ", ".join(controls[:NAMED])
    return f"{named} and {more} more" if more > 0 else named


def gaps(assessment: Assessment) -> b.Table:
    """What was not read, and why."""
    listed = sorted(assessment.evidence.gaps, key=lambda g: (not g.failed, g.what))
    rows = [
        (
            g.what,
            g.reason.replace("_", " "),
            g.namespace,
            g.detail,
            ", ".join(g.tables) if len(g.tables) < 8 else count(len(g.tables), "table"),
        )
        for g in listed
    ]
    return b.Table.of(
        "Gaps of the evidence",
        [
            b.Column("what", weight=2),
            "reason",
            "namespace",
            b.Column("detail", weight=2),
            "weakens",
        ],
        rows[:200],
        total=len(rows),
        annex="tables/gaps.csv",
    )


def catalogue(assessment: Assessment) -> b.Table:
    """All controls that were applied."""
    return b.Table.of(
        "Controls applied",
        [
            ("control", "code"),
            "layer",
            ("severity", "severity"),
            b.Column("condition", weight=3),
            b.Column("expected", weight=2),
        ],
        [(c.id, c.layer, c.severity, c.title, c.expected) for c in assessment.controls],
    )


def provenance(assessment: Assessment) -> b.Stack:
    """Where the evidence came from, and the hashes of its parts."""
    manifest = assessment.evidence.manifest
    return b.Stack(
        (
            b.Table.of(
                "Origins",
                [
                    ("name", "code"),
                    "verb",
                    ("bytes", "number"),
                    b.Column("SHA-256", b.Kind.CODE, 3),
                ],
                [(o.name, o.verb, o.bytes, o.sha256) for o in manifest.origins[:200]],
                total=len(manifest.origins),
                annex="tables/origins.csv",
            ),
            b.Table.of(
                "Raw records; the hash is of the uncompressed bytes",
                [("file", "code"), ("records", "number"), b.Column("SHA-256", b.Kind.CODE, 3)],
                [
                    (f"raw/{name}.jsonl.zst", part.rows, part.sha256)
                    for name, part in sorted(manifest.raw.items())
                ],
            ),
            *_runs(assessment),
        )
    )


def _runs(assessment: Assessment) -> list[b.Block]:
    """Tools that kaudit ran itself: which program, with which database, and how often."""
    runs = assessment.evidence["tool_runs"]
    if not len(runs):
        return []
    keys = ["tool", "version", "program_digest", "database_version", "outcome", "reason"]
    counts = runs.fillna(dict.fromkeys(keys, "")).groupby(keys, sort=True).size()
    return [
        b.Table.of_frame(
            "Tools that kaudit ran",
            counts.reset_index(name="runs"),
            {
                "tool": "tool",
                "version": "version",
                "program_digest": b.Column("SHA-256 of the program", b.Kind.CODE, 3),
                "database_version": "database",
                "outcome": "outcome",
                "reason": "why",
                "runs": ("runs", "number"),
            },
        )
    ]


def limits(assessment: Assessment) -> b.Facts:
    """Last: what limits this report."""
    evidence, tallies = assessment.evidence, assessment.tallies.values()
    return b.Facts(
        (
            ("kaudit", __version__),
            ("Evidence id", evidence.id or "not sealed"),
            ("Reads that failed", sum(g.failed for g in evidence.gaps)),
            ("Controls that crashed", sum(1 for t in tallies if t.error_)),
            ("Results not assessed", sum(t.not_assessed_ for t in tallies)),
            ("Waivers given", len(assessment.waivers)),
            ("Failures under a waiver", sum(t.waived for t in tallies)),
        ),
        caption="Limits of this report",
    )
