"""Namespaces: alerts in each, and whether that there is none means anything.

That a namespace is quiet is evidence only where the nodes of its pods have a ready sensor, and
that sensor's log is at hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, records
from kaudit.registry import view
from kaudit.table import Resource, Row, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class NamespaceNodeRow(Row, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    node: Annotated[str, doc("node that pods of it run on; empty: not told")]
    pods: Annotated[int, doc("pods of it that run there")]


class NamespaceAlertRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    nodes: Annotated[list[str], doc("nodes that its pods run on, sorted")]
    uncovered: Annotated[list[str], doc("those without a ready sensor, sorted")]
    logged: Annotated[bool, doc("the evidence holds the log of a sensor")]
    alerts: Annotated[int, doc("alerts of sensors in it")]
    severe: Annotated[int, doc("those of priority error or worse")]
    shown: Annotated[bool | None, doc("its quiet, or its alerts, mean something; null: not told")]


NAMESPACE_NODES = Table(
    "namespace_nodes",
    NamespaceNodeRow,
    grain="one namespace on one node",
    key=("namespace", "node"),
    pods=True,
    summed=True,
)
NAMESPACE_ALERTS = Table(
    "namespace_alerts",
    NamespaceAlertRow,
    grain="one namespace that runs pods, and what sensors could see of it",
    key=("namespace",),
    resource=Resource("=Namespace", namespace="", name="namespace"),
)


@view(NAMESPACE_NODES)
def namespace_nodes(pod_context: pd.DataFrame) -> pd.DataFrame:
    """Count the pods of each namespace on each node."""
    import pyarrow as pa
    import pyarrow.compute as pc

    p = pod_context
    live = pc.and_(
        pc.equal(arrow(p["origin"]), "object"),
        pc.invert(pc.is_in(arrow(p["phase"]), value_set=pa.array(["Succeeded", "Failed"]))),
    )
    rows = pa.table(
        {
            "namespace": arrow(p["namespace"]).filter(live),
            "node": pc.fill_null(arrow(p["node"]), "").filter(live),
        }
    )
    found = rows.group_by(["namespace", "node"], use_threads=False).aggregate([([], "count_all")])
    columns = {"namespace": found["namespace"], "node": found["node"], "pods": found["count_all"]}
    return frame(NAMESPACE_NODES.sorted(NAMESPACE_NODES.fitted(columns)))


@view(NAMESPACE_ALERTS, joins=("pods",))
def namespace_alerts(
    namespaces: pd.DataFrame,
    namespace_nodes: pd.DataFrame,
    node_sensors: pd.DataFrame,
    event_logs: pd.DataFrame,
    event_episodes: pd.DataFrame,
) -> pd.DataFrame:
    """Judge for each namespace what can be said."""
    covered = {n["node"]: n["covered"] for n in records(node_sensors[["node", "covered"]])}
    logged = bool(event_logs["sensor"].isin(["falco", "tetragon"]).any())
    on: dict[str, set[str]] = {}
    for entry in records(namespace_nodes):
        on.setdefault(entry["namespace"], set()).add(entry["node"])
    counts = event_episodes.groupby("namespace")["count"].sum()
    severe = event_episodes[event_episodes["severe"].to_numpy(dtype=bool)]
    worst = severe.groupby("namespace")["count"].sum()
    rows = [
        _row(found, on[found["name"]], covered, counts, worst, logged=logged)
        for found in records(namespaces[["name", "raw", "raw_line"]])
        if found["name"] in on
    ]
    return frame(NAMESPACE_ALERTS.sorted(NAMESPACE_ALERTS.arrow(rows)))


def _row(
    found: dict[str, Any],
    nodes: set[str],
    covered: dict[str, bool | None],
    counts: Any,
    worst: Any,
    *,
    logged: bool,
) -> NamespaceAlertRow:
    name = found["name"]
    open_ = sorted(node for node in nodes if covered.get(node) is False)
    unknown = any(covered.get(node) is None for node in nodes)
    shown = False if open_ else (None if unknown or not logged else True)
    return NamespaceAlertRow(
        raw=found["raw"],
        raw_line=found["raw_line"],
        namespace=name,
        nodes=sorted(nodes - {""}),
        uncovered=open_,
        logged=logged,
        alerts=int(counts.get(name, 0)),
        severe=int(worst.get(name, 0)),
        shown=shown,
    )
