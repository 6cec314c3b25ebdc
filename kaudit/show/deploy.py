"""The deploy layer: what admission enforces, why what fails was let in, and what comes next."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from kaudit.assessment import Assessment
from kaudit.columns import records
from kaudit.model.admission_causes import CAUSES, COVERED, ENFORCEABLE
from kaudit.model.words import Status
from kaudit.show import blocks as b
from kaudit.show import deploy_pictures as pictures
from kaudit.text import count

if TYPE_CHECKING:
    import pandas as pd

#: Rows that a report prints of each table.
PRINTED = 20
#: Control to a short name for the head of a column.
SHORT = {
    "KA-DEP-001": "privileged",
    "KA-DEP-002": "host PID",
    "KA-DEP-003": "host IPC",
    "KA-DEP-004": "host network",
    "KA-DEP-005": "hostPath",
    "KA-DEP-008": "host ports",
    "KA-DEP-009": "Windows HostProcess",
    "KA-DEP-010": "capabilities added",
    "KA-DEP-018": "seccomp Unconfined",
    "KA-DEP-020": "AppArmor Unconfined",
    "KA-DEP-021": "SELinux",
    "KA-DEP-022": "procMount",
    "KA-DEP-023": "sysctls",
    "KA-DEP-012": "capabilities kept",
    "KA-DEP-014": "escalation",
    "KA-DEP-015": "root allowed",
    "KA-DEP-015a": "user 0",
    "KA-DEP-019": "seccomp unset",
    "KA-DEP-024": "volume types",
    "KA-DEP-017": "writable root FS",
    "KA-DEP-028": "memory limit",
    "KA-DEP-029": "requests",
    "KA-DEP-029c": "CPU limit",
    "KA-DEP-029d": "storage limit",
    "KA-BLD-007": "latest tag",
    "KA-BLD-008": "digest",
    "KA-BLD-009": "registry",
}
#: Tables of policies: without one of them, *none* may be wrong.
_POLICIES = (
    *("constraints", "constraint_templates", "kyverno_policies", "kyverno_rules"),
    *("admission_policies", "admission_bindings", "webhooks", "policy_exceptions"),
)


def deploy(assessment: Assessment) -> b.Stack:
    """Sections on enforcement, admission, policies and rights."""
    return b.Stack(
        (
            enforcement(assessment),
            pod_security(assessment),
            admitted(assessment),
            blind_spots(assessment),
            next_to_enforce(assessment),
        )
    )


def _unread(assessment: Assessment) -> list[b.Block]:
    """Say that policies could not be read, where they could not."""
    gaps = assessment.evidence.failed_reads(*_POLICIES)
    if not gaps:
        return []
    said = "; ".join(sorted({gap.what for gap in gaps}))
    text = f"Where nothing is shown to enforce, something may: {said}."
    return [b.Callout(b.Tone.DANGER, "Not every policy could be read", text)]


def enforcement(assessment: Assessment) -> b.Stack:
    """Which control is denied in which namespace, by what, and what slips through."""
    c = assessment.evidence["enforcement_coverage"]
    if not len(c):
        return b.Stack((b.Callout(b.Tone.INFO, "The evidence holds no namespace"),))
    states: dict[str, dict[str, str]] = {}
    by: dict[str, Counter[str]] = {control: Counter() for control in ENFORCEABLE}
    engines: dict[str, set[str]] = {control: set() for control in ENFORCEABLE}
    for row in records(c[["name", "control", "state", "enforced_by"]]):
        states.setdefault(row["name"], {})[row["control"]] = row["state"]
        by[row["control"]][row["state"]] += 1
        engines[row["control"]] |= {*row["enforced_by"]}
    total = Counter(state for row in states.values() for state in row.values())
    numbers = b.Numbers(
        (
            b.Number("enforced", total["enforced"], "control and namespace", b.Tone.OK),
            b.Number("in part", total["partial"], "something slips through", b.Tone.WARNING),
            b.Number("audited only", total["audit"], "admitted all the same", b.Tone.WARNING),
            b.Number("not told", total["unknown"], "code that cannot be followed"),
            b.Number("nothing", total["none"], "no policy demands it", b.Tone.DANGER),
        ),
        caption="Enforcement at admission",
    )
    ranked = sorted(states, key=lambda n: (sum(s == "enforced" for s in states[n].values()), n))
    picture = pictures.coverage(
        {name: states[name] for name in ranked}, SHORT, caption="What is enforced where"
    )
    words = ("enforced", "partial", "audit", "unknown", "none")
    table = b.Table.of(
        "Controls that admission can enforce, by number of namespaces",
        [
            ("control", "code"),
            b.Column("what", weight=2),
            *((word, "number") for word in words),
            b.Column("by", weight=2),
        ],
        [
            (id, name, *(by[id][word] for word in words), sorted(engines[id]))
            for id, name in SHORT.items()
        ],
        note=_unheld(assessment),
    )
    return b.Stack((*_unread(assessment), numbers, picture, table, *_holes(c)))


def _holes(c: pd.DataFrame) -> list[b.Block]:
    found: dict[tuple[str, str], set[str]] = {}
    for row in records(c[["name", "policies", "holes"]]):
        for hole in row["holes"]:
            found.setdefault((", ".join(row["policies"]), hole), set()).add(row["name"])
    if not found:
        return []
    return [
        b.Table.of(
            "What slips past policies that deny",
            [b.Column("policies", weight=3), b.Column("hole", weight=3), ("namespaces", "number")],
            [(p, hole, len(names)) for (p, hole), names in sorted(found.items())][:PRINTED],
            total=len(found),
        )
    ]


def pod_security(assessment: Assessment) -> b.Stack:
    """Which checks of the Pod Security Standards the workloads of each namespace break."""
    p = assessment.evidence["pod_security"]
    broken: dict[tuple[str, str], set[tuple[str, str]]] = {}
    spaces: Counter[str] = Counter()
    columns = ("namespace", "owner_kind", "owner_name", "violations")
    for namespace, kind, name, own in {
        (n, k, o, tuple(v)) for n, k, o, v in zip(*(p[c].tolist() for c in columns), strict=True)
    }:
        spaces[namespace] += len(own)
        for check in own:
            broken.setdefault((namespace, check), set()).add((kind, name))
    totals: Counter[str] = Counter()
    for (_, check), owners in broken.items():
        totals[check] += len(owners)
    checks = sorted(totals, key=lambda check: (-totals[check], check))
    ranked = sorted(spaces, key=lambda name: (-spaces[name], name))
    numbers = {
        name: {check: len(broken.get((name, check), ())) for check in checks} for name in ranked
    }
    return b.Stack(
        (
            pictures.heat(
                numbers,
                checks,
                caption="Workloads that break a check of the Pod Security Standards",
                what="violation",
            ),
        )
    )


def admitted(assessment: Assessment) -> b.Stack:
    """Why what fails was admitted: the point that came nearest to a denial."""
    w = assessment.evidence["why_admitted"]
    if not len(w):
        text = "No running pod fails a control that admission can enforce, or no pod was read."
        return b.Stack((b.Callout(b.Tone.INFO, "Nothing to explain", text),))
    loud = w[w["unexplained"].to_numpy(dtype=bool)]
    parts: list[b.Block] = [*_unread(assessment)]
    if len(loud):
        title = f"{count(len(loud), 'failure')} should have been denied: investigate"
        text = (
            "A policy that denies is for them, is older, looks at their containers, and no "
            "exception names them."
        )
        parts += [b.Callout(b.Tone.DANGER, title, text), _admitted_table(loud, "Investigate")]
    rows: list[tuple[Any, ...]] = []
    for cause, sentence in CAUSES.items():
        own = w[(w["cause"] == cause).to_numpy(dtype=bool)]
        if len(own):
            workloads = own[["namespace", "owner_kind", "owner_name"]].drop_duplicates()
            engines = sorted({*own["engine"]} - {""})
            rows.append(
                (
                    cause.replace("_", " "),
                    sentence,
                    len(own),
                    len(workloads),
                    engines,
                    cause in COVERED,
                )
            )
    parts.append(
        b.Table.of(
            "Why what fails was admitted",
            [
                b.Column("cause", weight=2),
                b.Column("what it means", weight=4),
                ("failures", "number"),
                ("workloads", "number"),
                b.Column("nearest", weight=2),
                "denied today",
            ],
            rows,
        )
    )
    parts.append(_by_policy(w))
    return b.Stack(tuple(parts))


def _admitted_table(rows: pd.DataFrame, title: str) -> b.Table:
    return b.Table.of_frame(
        title,
        rows.head(PRINTED),
        {
            "namespace": "namespace",
            "owner_name": b.Column("workload", weight=2),
            "control": ("control", "code"),
            "policy": b.Column("policy", weight=3),
            "clause": b.Column("clause", weight=3),
            "pods": ("pods", "number"),
        },
        total=len(rows),
    )


def _by_policy(w: pd.DataFrame) -> b.Block:
    told = w[(w["engine"] != "").to_numpy(dtype=bool)]
    if not len(told):
        return b.Callout(b.Tone.WARNING, "No policy came near: nothing demands what fails")
    keys = ["policy", "cause", "clause"]
    found = told.groupby(keys, sort=True, observed=True).agg(
        failures=("control", "size"), pods=("pods", "max")
    )
    found = found.reset_index().sort_values(["failures", *keys], ascending=[False] + [True] * 3)
    found["cause"] = found["cause"].str.replace("_", " ")
    return b.Table.of_frame(
        "Policies that came nearest, and the clause that let it in",
        found.head(PRINTED),
        {
            "policy": b.Column("policy", weight=3),
            "cause": b.Column("cause", weight=2),
            "clause": b.Column("clause", weight=3),
            "failures": ("failures", "number"),
        },
        total=len(found),
    )


def blind_spots(assessment: Assessment) -> b.Stack:
    """What each policy demands, how strictly, and what it does not see."""
    p = assessment.evidence["policy_blind_spots"]
    judging = p[p["judges"].to_numpy(dtype=bool)]
    if not len(judging):
        return b.Stack((b.Callout(b.Tone.WARNING, "No admission policy is in the evidence"),))
    rows = [
        (
            row["engine"].replace("ValidatingAdmissionPolicy", "VAP"),
            row["policy"],
            row["mode"],
            row["controls"],
            _spots(row),
        )
        for row in records(judging)
    ]
    table = b.Table.of(
        "Policies, and what they do not see",
        [
            "engine",
            b.Column("policy", weight=2),
            "mode",
            b.Column("demands", weight=2),
            b.Column("blind spots", weight=4),
        ],
        rows[:PRINTED],
        total=len(rows),
    )
    return b.Stack((table, _webhooks(assessment)))


def _spots(row: dict[str, Any]) -> list[str]:
    found: list[str] = []
    if row["of_containers"] and row["ignores_init"]:
        found.append("init containers")
    if row["of_ephemeral"] and row["ignores_ephemeral"]:
        found.append("ephemeral containers")
    if row["of_containers"] and row["ignores_init"] is None:
        found.append("its code could not be followed")
    found += [f"{name} of the pod" for name in row["own_only"] or ()]
    if row["controllers_only"]:
        found.append("pods without a controller")
    found += [f"weaker in some namespaces: {text}" for text in row["weaker"]]
    found += [f"parameter {name} is never read" for name in row["unused_parameters"]]
    found += [f"what {name} means is not known" for name in row["strange"]]
    return [*found, *row["faults"]]


def _webhooks(assessment: Assessment) -> b.Block:
    w = assessment.evidence["webhook_posture"]
    w = w[w["guards"].to_numpy(dtype=bool)]
    if not len(w):
        return b.Callout(b.Tone.INFO, "No webhook that guards admission is in the evidence")
    return b.Table.of_frame(
        "Webhooks that guard admission",
        w.head(PRINTED),
        {
            "webhook": b.Column("webhook", weight=3),
            "engine": "engine",
            "failure_policy": "if it fails",
            "left_out": b.Column("namespaces not asked about", weight=3),
            "holes": b.Column("requests not asked about", weight=3),
            "endpoints": ("ready", "number"),
        },
        total=len(w),
    )


def next_to_enforce(assessment: Assessment) -> b.Stack:
    """What nothing enforces yet, and how many workloads would be refused if it were."""
    c = assessment.evidence["enforcement_coverage"]
    missing: dict[str, list[str]] = {}
    for row in records(c[["name", "platform", "control", "state"]]):
        if row["state"] in ("none", "audit", "partial") and not row["platform"]:
            missing.setdefault(row["control"], []).append(row["name"])
    rows = []
    for id, names in missing.items():
        if id not in assessment.by_control:
            rows.append((id, SHORT[id], len(names), 0, len(names), 0))
            continue
        fails = {(r.namespace, r.kind, r.name) for r in assessment.results_of(id, Status.FAIL)}
        if not fails and id == "KA-BLD-009":
            continue  # what is allowed is not decided here
        broken = {owner for owner in fails if owner[0] in names}
        refusing = {owner[0] for owner in broken}
        doubted = {r.namespace for r in assessment.results_of(id, Status.NOT_ASSESSED)}
        untold = {*names} - refusing if "" in doubted else {*names} & doubted - refusing
        ready = len(names) - len(refusing) - len(untold)
        rows.append((id, SHORT[id], len(names), ready, len(untold), len(broken)))
    rows.sort(key=lambda row: (row[5], -row[3], row[0]))
    return b.Stack(
        (
            b.Table.of(
                "What to enforce next: first what would break least",
                [
                    ("control", "code"),
                    b.Column("what", weight=2),
                    ("namespaces without", "number"),
                    ("of them ready today", "number"),
                    ("not assessed", "number"),
                    ("workloads refused", "number"),
                ],
                rows,
                note=_unheld(assessment),
            ),
        )
    )


def _unheld(assessment: Assessment) -> str:
    """Name the namespaces of pods that the evidence does not hold: nothing tells of them."""
    evidence = assessment.evidence
    held = {*evidence["enforcement_coverage"]["name"].tolist()}
    rest = sorted({*evidence["pods"]["namespace"].tolist()} - held)
    if not rest:
        return ""
    more = f" and {len(rest) - PRINTED:,} more" if len(rest) > PRINTED else ""
    said = f"{', '.join(rest[:PRINTED])}{more}"
    return f"Pods are also in namespaces that the source does not hold, not counted here: {said}."
