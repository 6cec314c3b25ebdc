"""Traffic between workloads in reports: who is in a service mesh, and what is encrypted."""

from __future__ import annotations

from collections import defaultdict

from kaudit.assessment import Assessment
from kaudit.columns import records
from kaudit.show import blocks as b

#: Rows that a report prints.
PRINTED = 20
_TONE = {"yes": b.Tone.OK, "no": b.Tone.DANGER}
_COLUMNS = ("namespace", "owner_kind", "owner_name", "in_mesh", "strict", "authorized")


def mesh(assessment: Assessment) -> b.Stack:
    """By namespace: workloads in the mesh, and what they demand; else encryption between nodes."""
    evidence = assessment.evidence
    found = evidence["mesh_workloads"]
    judged = found[found["judged"].to_numpy(bool)][list(_COLUMNS)].drop_duplicates()
    if not len(judged):
        return b.Stack(tuple(_encryption(row) for row in records(evidence["network_encryption"])))
    spaces: dict[str, dict[tuple[str, str], list[dict[str, object]]]] = defaultdict(dict)
    for row in records(judged):
        owner = (row["owner_kind"], row["owner_name"])
        spaces[row["namespace"]].setdefault(owner, []).append(row)
    rows: list[tuple[str, int, int, int, int, int]] = []
    for name, owners in sorted(spaces.items()):
        inside, strict, authorized = (
            sum(all(row[column] is True for row in some) for some in owners.values())
            for column in ("in_mesh", "strict", "authorized")
        )
        unknown = sum(any(row["strict"] is None for row in some) for some in owners.values())
        rows.append((name, len(owners), inside, strict, authorized, unknown))
    rows.sort(key=lambda row: (row[3] == row[1], row[3] > 0, row[0]))
    return b.Stack(
        (
            b.Table.of(
                "Workloads that could be in the service mesh, the least protected namespace first",
                [
                    b.Column("namespace", weight=2),
                    ("workloads", "number"),
                    ("in the mesh", "number"),
                    ("demand mutual TLS", "number"),
                    ("name their clients", "number"),
                    ("not known", "number"),
                ],
                rows[:PRINTED],
                total=len(rows),
            ),
        )
    )


def _encryption(row: dict[str, object]) -> b.Block:
    title = f"No service mesh is seen; traffic between nodes is encrypted: {row['encrypted']}"
    because = str(row["because"])
    tone = _TONE.get(str(row["encrypted"]), b.Tone.WARNING)
    return b.Callout(tone, title, f"{because[:1].upper()}{because[1:]}.")
