"""What would break if namespaces enforced the Pod Security Standards."""

from __future__ import annotations

from kaudit import pss
from kaudit.assessment import Assessment
from kaudit.show import blocks as b
from kaudit.show import charts


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
