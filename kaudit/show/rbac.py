"""RBAC risk: who holds rights that lead to those of others, and the ways to all rights."""

from __future__ import annotations

from collections import Counter
from typing import Any

from kaudit.assessment import Assessment
from kaudit.columns import arrow
from kaudit.show import blocks as b
from kaudit.show.charts import bars
from kaudit.text import count
from kaudit.who_can import gaps_of

#: Rows that a table prints, the rest is in the annex; causes that are drawn.
PRINTED, DRAWN = 30, 12
#: Columns of rights that lead further, as people call them.
_RIGHTS = {
    "admin": "everything",
    "escalates": "bind, escalate, impersonate",
    "rbac": "write RBAC",
    "tokens": "make tokens",
    "certificates": "approve certificates",
    "node_proxy": "reach nodes",
    "execs": "enter pods",
    "workloads": "make pods",
    "all_secrets": "read Secrets",
}


def rbac(assessment: Assessment) -> b.Stack:
    """Subjects by the rights that lead further, ways to all rights, and what cuts most."""
    evidence = assessment.evidence
    if not len(evidence["rbac_bindings"]):
        text = "No binding of RBAC is in the evidence: who may do what is not known."
        return b.Stack((b.Callout(b.Tone.INFO, "Rights are not known", text),))
    parts: list[b.Block] = []
    if missing := sorted({gap.what for gap in gaps_of(evidence)}):
        text = f"There may be more than is shown: not read were {', '.join(missing)}."
        parts.append(b.Callout(b.Tone.WARNING, "Not all roles and bindings were read", text))
    return b.Stack((*parts, *_subjects(assessment, whole=not parts), *_ways(assessment)))


def _subjects(assessment: Assessment, *, whole: bool) -> list[b.Block]:
    p = assessment.evidence["permissions"]
    chosen = (p["takeover"] & p["judged"] & (p["subject_kind"] != "")).to_numpy(dtype=bool)
    names = ("subject_kind", "subject", "namespace", *_RIGHTS)
    held: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
    for kind, subject, scope, *flags in zip(
        *(arrow(p[chosen][name]).to_pylist() for name in names), strict=True
    ):
        rights, scopes = held.setdefault((kind, subject), (set(), set()))
        rights.update(name for name, is_ in zip(_RIGHTS, flags, strict=True) if is_)
        scopes.add(scope)
    if not held:
        text = "No subject, but those of Kubernetes itself, has rights that lead to others'"
        return [b.Callout(b.Tone.OK if whole else b.Tone.INFO, text)]
    ranked = sorted(held.items(), key=lambda item: _rank(*item))
    rows = [
        (
            kind,
            subject,
            "the cluster" if "" in scopes else ", ".join(sorted(scopes)),
            ", ".join(text for name, text in _RIGHTS.items() if name in rights) or "admission",
        )
        for (kind, subject), (rights, scopes) in ranked[:PRINTED]
    ]
    columns: list[b.Column | tuple[str, str] | str] = ["kind", b.Column("subject", weight=2)]
    columns += ["in", b.Column("may", weight=3)]
    caption = "Who holds rights that lead to those of others, the widest first"
    annex = "tables/permissions.csv"
    return [b.Table.of(caption, columns, rows, total=len(ranked), annex=annex)]


def _rank(subject: tuple[str, str], held: tuple[set[str], set[str]]) -> tuple[Any, ...]:
    rights, scopes = held
    return "" not in scopes, "admin" not in rights, -len(rights), -len(scopes), subject


def _ways(assessment: Assessment) -> list[b.Block]:
    paths = assessment.evidence["admin_paths"]
    if not len(paths):
        # Rights that were not read, and what policies let in, may make one all the same.
        return [b.Callout(b.Tone.INFO, "No way from a workload to all rights was found")]
    sure = paths[paths["conditions"].list.len() == 0]
    cuts = Counter({c: n for c, n in zip(paths["cut"], paths["cuts"], strict=True) if c})
    numbers = b.Numbers(
        (
            b.Number("workloads", len(sure), "from which a way leads to all rights", b.Tone.DANGER),
            b.Number("more", len(paths) - len(sure), "if something unknown holds", b.Tone.WARNING),
        ),
        caption="Ways to all rights",
    )
    found: list[b.Block] = [numbers]
    if cuts:
        best = sorted(cuts.items(), key=lambda item: (-item[1], item[0]))[:DRAWN]
        found.append(bars(dict(best), caption="What leaves most workloads without a way"))
    shown = paths.assign(
        unsure=paths["conditions"].list.len(),
        way=[" · ".join(steps) for steps in arrow(paths["steps"]).to_pylist()],
        beside=["; ".join(texts) for texts in arrow(paths["conditions"]).to_pylist()],
    ).sort_values(["unsure", "length", "namespace", "owner_name"])
    found.append(
        b.Table.of_frame(
            f"The shortest way of {count(len(paths), 'workload')} to all rights",
            shown.head(PRINTED),
            {
                "namespace": "namespace",
                "owner_kind": "kind",
                "owner_name": "workload",
                "way": b.Column("way", weight=4),
                "beside": b.Column("takes beside", weight=1.5),
                "cut": b.Column("cut", weight=2),
            },
            total=len(shown),
            annex="tables/admin_paths.csv",
        )
    )
    return found
