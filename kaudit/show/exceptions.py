"""The register of exceptions: from policies, levels, webhooks and scans, and accepted failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.assessment import Assessment
from kaudit.columns import records
from kaudit.show import blocks as b

if TYPE_CHECKING:
    import pandas as pd

#: Rows that a report prints; all are in the table ``exceptions``.
PRINTED = 40
_COLUMNS = (
    b.Column("engine"),
    b.Column("by", weight=2),
    b.Column("excepts from", weight=2),
    b.Column("for", weight=3),
    ("namespaces", "number"),
    ("workloads", "number"),
    ("would fail", "number"),
    b.Column("owner"),
    b.Column("reason", weight=2),
    b.Column("ends"),
    ("days old", "number"),
)


def exceptions(assessment: Assessment) -> b.Stack:
    """What is excepted, for whom, by whom and until when; the broadest first."""
    found = assessment.evidence["exceptions"]
    waivers = assessment.waivers
    if not len(found) and not waivers:
        return b.Stack((b.Callout(b.Tone.INFO, "The evidence holds no exception"),))
    endless = int(found["expires_at"].isna().sum())
    broad = int(found["broad"].fillna(False).sum())
    ownerless = int(found["owner"].isna().sum())
    numbers = b.Numbers(
        (
            b.Number("exceptions", len(found), "from policies, levels, webhooks, scans"),
            b.Number("for everything or most", broad, "", b.Tone.of(broad)),
            b.Number("without an end", endless, "", b.Tone.of(endless)),
            b.Number("without an owner", ownerless, "", b.Tone.of(ownerless)),
            b.Number("accepted failures", len(waivers), "waivers of this assessment"),
        ),
        caption="Exceptions",
    )
    order = found.assign(worst=found["broad"].fillna(False))
    order = order.sort_values(
        ["worst", "workloads", "engine", "name", "position"],
        ascending=[False, False, True, True, True],
        na_position="last",
    )
    rows = [_row(it) for it in records(order.head(PRINTED).drop(columns="worst"))]
    rows += [_waived(assessment, waiver) for waiver in waivers]
    table = b.Table.of(
        "What is excepted, the broadest first",
        _COLUMNS,
        rows,
        total=len(found) + len(waivers),
        note=_note(found),
    )
    return b.Stack((numbers, table))


def _row(it: dict[str, Any]) -> tuple[Any, ...]:
    where = f"{it['namespace']}/{it['name']}" if it["namespace"] else it["name"]
    scope = "; ".join(it["scope"]) or "everything"
    return (
        it["engine"],
        f"{it['mechanism'].replace('_', ' ')}: {it['kind']} {where}",
        ", ".join(it["excepts_from"]),
        scope + (", on conditions" if it["conditional"] else ""),
        it["namespaces"],
        it["workloads"],
        it["hides"],
        it["owner"],
        it["reason"],
        it["expires_at"],
        it["age_days"],
    )


def _waived(assessment: Assessment, waiver: Any) -> tuple[Any, ...]:
    """A waiver of this assessment; what would fail without it are the findings it covers."""
    mine = assessment.findings[assessment.findings["waiver"] == waiver.id]
    named = (waiver.kind, waiver.namespace, waiver.name, waiver.container)
    spaces = {name for name in mine["namespace"] if name}
    return (
        "kaudit",
        f"waiver: {waiver.id}",
        waiver.control,
        "/".join(named).replace("*/*/*/*", "everything"),
        len(spaces),
        len(mine[["kind", "namespace", "name"]].drop_duplicates()),
        len(mine),
        waiver.owner,
        waiver.reason,
        waiver.expires.isoformat(),
        None,
    )


def _note(found: pd.DataFrame) -> str:
    if found["hides"].isna().all():
        return "What would fail without them is known where kaudit runs the engines (--policies)."
    return "Would fail: violations that an engine tells only when it is run without exceptions."
