"""Where workloads run, and which of their neighbours there the internet can reach.

A place is the pool of a node, where a label of the node names one, else the node: the scheduler
may choose any node of a pool.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, plain_rows, positions, records
from kaudit.groups import Groups
from kaudit.model.meta import pairs_of
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


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
    import pyarrow as pa

    exposed = {
        (*owner,) for reach, *owner in plain_rows(exposure, "reach", *_OWNER) if reach == "internet"
    }
    owners, where = _placed(pod_context, nodes)
    places: dict[tuple[str, ...], list[str]] = dict(zip(owners, where, strict=True))
    ranked = sorted(exposed)
    texts = [f"{kind} {namespace}/{name}" for namespace, kind, name in ranked]
    rank = {owner: at for at, owner in enumerate(ranked)}
    beside: dict[str, list[int]] = defaultdict(list)
    for owner in ranked:
        for place in places.get(owner, ()):
            beside[place].append(rank[owner])

    @cache
    def first(of: tuple[str, ...]) -> list[int]:
        """Exposed workloads in some places, as many as may be named of others."""
        return sorted(set().union(*(beside[place][: _NAMED + 1] for place in of)))[: _NAMED + 1]

    w = workload_marks
    found: list[list[str]] = []
    others: list[list[str]] = []
    open_: list[bool] = []
    for owner in plain_rows(w, *_OWNER):
        own, found_at = rank.get(owner), places.get(owner, [])
        found.append(found_at)
        open_.append(own is not None)
        others.append([texts[at] for at in first((*found_at,)) if at != own][:_NAMED])
    made: dict[str, Any] = {
        "places": pa.array(found, pa.list_(pa.string())),
        "exposed": pa.array(open_, pa.bool_()),
        "exposed_beside": pa.array(others, pa.list_(pa.string())),
    }
    made |= {name: arrow(w[name]) for name in WORKLOAD_PLACES.names if name not in made}
    return frame(WORKLOAD_PLACES.sorted(WORKLOAD_PLACES.fitted(made)))


def _placed(
    pod_context: pd.DataFrame, nodes: pd.DataFrame
) -> tuple[Iterator[tuple[str, ...]], list[list[str]]]:
    """Workloads, and the places of their pods."""
    import pyarrow as pa
    import pyarrow.compute as pc

    named = {n["name"]: _pool(n["name"], n["labels"]) for n in records(nodes, "name", "labels")}
    at = positions(pod_context["node"], pa.array([*named], pa.string()))
    pools = pa.array([*named.values()], pa.string()).take(pa.array(at, mask=at < 0))
    place = pc.coalesce(pools, arrow(pod_context["node"]))
    somewhere = pc.is_valid(place)
    owner = [arrow(pod_context[column]).filter(somewhere) for column in _OWNER]
    groups = Groups(*owner)
    cells = (groups.one(column).to_pylist() for column in owner)
    return zip(*cells, strict=True), groups.texts(place.filter(somewhere)).to_pylist()


def _pool(name: str, labels: list[str]) -> str:
    told = pairs_of(labels)
    return next((f"pool {told[key]}" for key in _POOLS if told.get(key)), name)
