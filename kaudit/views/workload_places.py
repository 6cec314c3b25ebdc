"""Where workloads run, and which of their neighbours there the internet can reach.

A place is the pool of a node, where a label of the node names one, else the node: the scheduler
may choose any node of a pool.
"""

from __future__ import annotations

from collections import defaultdict
from heapq import nsmallest
from typing import TYPE_CHECKING, Annotated

from kaudit.columns import arrow, plain_rows, positions, records
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class WorkloadPlaceRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace of the workload")]
    owner_kind: Annotated[str, doc("kind of the workload")]
    owner_name: Annotated[str, doc("name of the workload")]
    sensitive: Annotated[bool, doc("a label says that its data is sensitive")]
    places: Annotated[list[str], doc("node pools, or nodes, that its pods run in, sorted")]
    exposed: Annotated[bool, doc("the internet can reach it")]
    exposed_beside: Annotated[
        list[str], doc("other workloads in its places that the internet can reach, sorted; some")
    ]


WORKLOAD_PLACES = Table(
    "workload_places",
    WorkloadPlaceRow,
    grain="one workload, where it runs and beside what",
    key=("namespace", "owner_kind", "owner_name"),
    resource=Resource("owner_kind", name="owner_name"),
)
_OWNER = ("namespace", "owner_kind", "owner_name")
#: Labels by which providers name the pool of a node.
_POOLS = (
    *("cloud.google.com/gke-nodepool", "eks.amazonaws.com/nodegroup", "karpenter.sh/nodepool"),
    *("kubernetes.azure.com/agentpool", "agentpool", "doks.digitalocean.com/node-pool"),
)
_NAMED = 5


@view(WORKLOAD_PLACES)
def workload_places(
    workload_marks: pd.DataFrame,
    pod_context: pd.DataFrame,
    nodes: pd.DataFrame,
    exposure: pd.DataFrame,
) -> pd.DataFrame:
    """Look into every place for what the internet can reach."""
    exposed = {
        (*owner,) for reach, *owner in plain_rows(exposure, "reach", *_OWNER) if reach == "internet"
    }
    places: dict[tuple[str, ...], set[str]] = defaultdict(set)
    beside: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    *owners, there = (column.to_pylist() for column in _placed(pod_context, nodes).columns)
    for owner, place in zip(zip(*owners, strict=True), there, strict=True):
        places[owner].add(place)
        if owner in exposed:
            beside[place].append(owner)
    #: Exposed workloads of each place, as many as may be named of others.
    few = {place: nsmallest(_NAMED + 1, some) for place, some in beside.items()}
    rows = []
    for own in records(workload_marks, "raw", "raw_line", *_OWNER, "sensitive"):
        owner = tuple(own[column] for column in _OWNER)
        near = {one for place in places[owner] for one in few.get(place, ())} - {owner}
        others = nsmallest(_NAMED, near)
        rows.append(
            WorkloadPlaceRow(
                **own,
                places=sorted(places[owner]),
                exposed=owner in exposed,
                exposed_beside=[f"{kind} {ns}/{n}" for ns, kind, n in others],
            )
        )
    return frame(WORKLOAD_PLACES.sorted(WORKLOAD_PLACES.arrow(rows)))


def _placed(pod_context: pd.DataFrame, nodes: pd.DataFrame) -> pa.Table:
    """Workloads and the places of their pods, each pair once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    named = {n["name"]: _pool(n["name"], n["labels"]) for n in records(nodes[["name", "labels"]])}
    at = positions(pod_context["node"], pa.array([*named], pa.string()))
    pools = pa.array([*named.values()], pa.string()).take(pa.array(at, mask=at < 0))
    table = pa.table(
        {
            **{column: arrow(pod_context[column]) for column in _OWNER},
            "place": pc.coalesce(pools, arrow(pod_context["node"])),
        }
    )
    table = table.filter(pc.is_valid(table["place"]))
    return table.group_by(table.column_names, use_threads=False).aggregate([])


def _pool(name: str, labels: list[str]) -> str:
    told = dict(text.split("=", 1) for text in labels)
    return next((f"pool {told[key]}" for key in _POOLS if told.get(key)), name)
