"""What admission enforces in each namespace: of the standards' levels, and of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import records
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class NamespaceEnforcementRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always Namespace")]
    name: Annotated[str, doc("name")]
    users: Annotated[bool, doc("not of Kubernetes itself")]
    enforced: Annotated[list[str], doc("controls that are enforced")]
    partial: Annotated[list[str], doc("controls that are enforced, but something slips through")]
    audited: Annotated[list[str], doc("controls that are audited or warned of alone")]
    unknown: Annotated[list[str], doc("controls of which it cannot be told")]
    missing_baseline: Annotated[
        list[str], doc("controls of the baseline level that nothing enforces")
    ]
    missing_restricted: Annotated[
        list[str], doc("further controls of the restricted level that nothing enforces")
    ]
    missing_images: Annotated[list[str], doc("controls of images that nothing enforces")]
    lacks_baseline: Annotated[
        bool | None, doc("nothing enforces one of the baseline level; null: it cannot be told")
    ] = None
    lacks_restricted: Annotated[
        bool | None, doc("and one of those beyond it; null: it cannot be told")
    ] = None
    inactive: Annotated[bool | None, doc("nothing is enforced at all; null: it cannot be told")] = (
        None
    )
    engines: Annotated[list[str], doc("engines that enforce anything, sorted")]
    rests_on: Annotated[
        list[str],
        doc("engines by which alone anything is enforced: exceptions and webhooks may undo it"),
    ]
    baseline_rests_on: Annotated[list[str], doc("the same of any control of the baseline level")]
    restricted_rests_on: Annotated[list[str], doc("the same of any control beyond it")]


NAMESPACE_ENFORCEMENT = Table(
    "namespace_enforcement",
    NamespaceEnforcementRow,
    grain="one namespace, and what admission enforces in it",
    key=("name",),
    resource=Resource("kind", namespace=""),
)


@view(NAMESPACE_ENFORCEMENT)
def namespace_enforcement(enforcement_coverage: pd.DataFrame) -> pd.DataFrame:
    """Gather the controls of each namespace by their state."""
    found: dict[str, NamespaceEnforcementRow] = {}
    doubted: set[tuple[str, str]] = set()
    sure: set[str] = set()
    for row in records(enforcement_coverage):
        own = found.setdefault(row["name"], _nothing(row))
        control, state = row["control"], row["state"]
        if state in _STATES:
            getattr(own, _STATES[state]).append(control)
        if state in ("none", "audit"):
            image = control.startswith("KA-BLD")
            if image or row["level"] != "beside":
                missing = "images" if image else row["level"]
                getattr(own, f"missing_{missing}").append(control)
        if state == "unknown":
            doubted.add((row["name"], row["level"]))
        own.engines = sorted({*own.engines, *row["enforced_by"]})
        own.rests_on = sorted({*own.rests_on, *row["rests_on"]})
        if row["level"] != "beside":
            rests = getattr(own, f"{row['level']}_rests_on")
            rests += [engine for engine in row["rests_on"] if engine not in rests]
        if row["enforced_by"] and not row["rests_on"]:
            sure.add(row["name"])
    for own in found.values():
        if own.name in sure:
            own.rests_on = []
        active = bool(own.enforced or own.partial)
        own.inactive = None if own.unknown and not active else not active
        own.lacks_baseline = bool(own.missing_baseline) or _no_doubt(own, "baseline", doubted)
        own.lacks_restricted = bool(own.missing_restricted) or _no_doubt(own, "restricted", doubted)
    rows = list(found.values())
    return frame(NAMESPACE_ENFORCEMENT.sorted(NAMESPACE_ENFORCEMENT.arrow(rows)))


def _no_doubt(
    own: NamespaceEnforcementRow, level: str, doubted: set[tuple[str, str]]
) -> bool | None:
    """Return False where nothing of a level is in doubt, else None."""
    return None if (own.name, level) in doubted else False


def _nothing(row: dict[str, Any]) -> NamespaceEnforcementRow:
    lists: dict[str, Any] = {name: [] for name in _LISTS}
    return NamespaceEnforcementRow(
        raw=row["raw"],
        raw_line=row["raw_line"],
        kind="Namespace",
        name=row["name"],
        users=not row["platform"],
        **lists,
    )


_STATES = {"enforced": "enforced", "partial": "partial", "audit": "audited", "unknown": "unknown"}
_LISTS = (
    *("enforced", "partial", "audited", "unknown", "engines"),
    *("missing_baseline", "missing_restricted", "missing_images"),
    *("rests_on", "baseline_rests_on", "restricted_rests_on"),
)
