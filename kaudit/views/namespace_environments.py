"""Which environments the workloads of a namespace are of, as their labels say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import records
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class NamespaceEnvironmentRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always Namespace")] = "Namespace"
    name: Annotated[str, doc("namespace")]
    environments: Annotated[list[str], doc("environments that labels name, sorted")]
    production: Annotated[list[str], doc("its workloads of production, sorted")]
    other: Annotated[list[str], doc("its workloads of another environment, sorted")]
    unmarked: Annotated[int, doc("its workloads of which no label says")]
    shared_accounts: Annotated[
        list[str], doc("service accounts that workloads of both use, sorted")
    ]
    mixed: Annotated[
        bool | None, doc("production and others are in it; null: not every workload is labelled")
    ] = None


NAMESPACE_ENVIRONMENTS = Table(
    "namespace_environments",
    NamespaceEnvironmentRow,
    grain="one namespace with workloads, and their environments",
    key=("name",),
    resource=Resource("kind", namespace=""),
)


@view(NAMESPACE_ENVIRONMENTS)
def namespace_environments(workload_marks: pd.DataFrame) -> pd.DataFrame:
    """Gather workloads by namespace; those of Kubernetes itself belong to none."""
    spaces: dict[str, list[dict[str, Any]]] = {}
    for row in records(workload_marks):
        if not row["platform"]:
            spaces.setdefault(row["namespace"], []).append(row)
    rows = []
    for name, found in spaces.items():
        live = [one for one in found if one["production"] is True]
        other = [one for one in found if one["production"] is False]
        accounts = [{a for one in part for a in one["service_accounts"]} for part in (live, other)]
        unmarked = len(found) - len(live) - len(other)
        first = min(found, key=lambda one: (one["raw"], one["raw_line"]))
        rows.append(
            NamespaceEnvironmentRow(
                raw=first["raw"],
                raw_line=first["raw_line"],
                name=name,
                environments=sorted({text for one in found for text in one["environments"]}),
                production=_named(live),
                other=_named(other),
                unmarked=unmarked,
                shared_accounts=sorted(accounts[0] & accounts[1]),
                mixed=True if live and other else (None if unmarked else False),
            )
        )
    return frame(NAMESPACE_ENVIRONMENTS.sorted(NAMESPACE_ENVIRONMENTS.arrow(rows)))


def _named(found: list[dict[str, Any]]) -> list[str]:
    return sorted(f"{one['owner_kind']} {one['owner_name']}" for one in found)
