"""Which nodes a runtime sensor watches, and why others are not.

Without a ready sensor on the node, that there is no alert says nothing. A sensor that is
installed as a package of the node is not seen here.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, records, total
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class NodeSensorRow(Trace, kw_only=True):
    node: Annotated[str, doc("node")]
    schedulable: Annotated[bool, doc("ready and not cordoned")]
    virtual: Annotated[bool, doc("no sensor can run there: a virtual node")]
    judged: Annotated[bool, doc("schedulable, and a sensor could run there")]
    told: Annotated[bool, doc("the evidence holds what runs on nodes")]
    sensors: Annotated[list[str], doc("sensors with a ready pod on it, sorted")]
    unready: Annotated[list[str], doc("sensors whose pod on it is not ready, sorted")]
    versions: Annotated[list[str], doc("sensor and version, sorted")]
    ready_since_at: Annotated[
        datetime | None, doc("start of the first of the ready sensors; null: not told")
    ] = None
    restarts: Annotated[int, doc("most restarts of its sensors")]
    alerts: Annotated[int, doc("events of sensors that name the node")]
    lost: Annotated[int, doc("events that sensors say they lost on it")]
    covered: Annotated[bool | None, doc("a sensor is ready on it; null: not told")] = None
    why: Annotated[str, doc("why none is ready; empty: one is")]


NODE_SENSORS = Table(
    "node_sensors",
    NodeSensorRow,
    grain="one node, with the sensors on it",
    key=("node",),
    resource=Resource("=Node", namespace="", name="node"),
)
_VIRTUAL = ("type=virtual-kubelet", "eks.amazonaws.com/compute-type=fargate")


@view(NODE_SENSORS, naming=("events",), decided={"judged": ()})
def node_sensors(
    nodes: pd.DataFrame, sensor_pods: pd.DataFrame, image_uses: pd.DataFrame, events: pd.DataFrame
) -> pd.DataFrame:
    """Look at each node for a ready sensor."""
    told = bool(image_uses["running"].any())
    pods = [p for p in records(sensor_pods) if p["sensor"] != "log shipper"]
    on: dict[str, list[dict[str, Any]]] = {}
    for pod in pods:
        if pod["origin"] == "object" and pod["node"]:
            on.setdefault(pod["node"], []).append(pod)
    by_owner = {(p["sensor"], p["namespace"], p["owner_name"]): p for p in pods}
    alerts, lost = _counted(events)
    rows = []
    for node in records(nodes):
        here = on.get(node["name"], [])
        ready = [p for p in here if p["ready"] is not False and p["phase"] in (None, "Running")]
        virtual = bool(set(_VIRTUAL) & set(node["labels"]))
        schedulable = node["ready"] is not False and not node["unschedulable"]
        starts = [p["started_at"] for p in ready if p["started_at"] is not None]
        why = "" if ready else _why(node, here, list(by_owner.values()), virtual=virtual, told=told)
        rows.append(
            NodeSensorRow(
                raw=node["raw"],
                raw_line=node["raw_line"],
                node=node["name"],
                schedulable=schedulable,
                virtual=virtual,
                judged=schedulable and not virtual,
                told=told,
                sensors=sorted({p["sensor"] for p in ready}),
                unready=sorted({p["sensor"] for p in here if p not in ready}),
                versions=sorted({f"{p['sensor']} {p['version'] or '(no tag)'}" for p in here}),
                ready_since_at=min(starts, default=None),
                restarts=max((p["restarts"] or 0 for p in here), default=0),
                alerts=alerts.get(node["name"], 0),
                lost=lost.get(node["name"], 0),
                covered=bool(ready) if told else None,
                why=why,
            )
        )
    return frame(NODE_SENSORS.sorted(NODE_SENSORS.arrow(rows)))


def _counted(events: pd.DataFrame) -> tuple[dict[str, int], dict[str, int]]:
    """Events and losses by node."""
    of_sensors = events[events["sensor"].isin(["falco", "tetragon"])]
    own = of_sensors["internal"].to_numpy(dtype=bool)
    counts = of_sensors[~own].groupby("node")["count"].sum()
    lost = of_sensors[own].groupby("node")["dropped"]
    return (
        {str(k): int(v) for k, v in counts.items()},
        {str(k): total(arrow(v).to_pylist()) for k, v in lost},
    )


def _why(
    node: dict[str, Any],
    here: list[dict[str, Any]],
    pods: list[dict[str, Any]],
    *,
    virtual: bool,
    told: bool,
) -> str:
    if virtual:
        return "a virtual node, on which no sensor can run"
    if here:
        one = here[0]
        return (
            f"{one['sensor']} is not ready: {one['state'] or one['phase'] or 'no reason is told'}"
        )
    if not told:
        return "the evidence does not hold what runs on nodes"
    if not pods:
        return "no known sensor runs in the cluster"
    labels = set(node["labels"])
    for pod in pods:
        if missing := sorted(set(pod["node_selector"]) - labels):
            return f"{pod['sensor']} asks for {missing[0]}"
        for taint in node["taints"]:
            if not taint.endswith("PreferNoSchedule") and not _tolerated(taint, pod["tolerations"]):
                return f"{pod['sensor']} does not tolerate {taint}"
    return f"{pods[0]['sensor']} has no pod on it"


def _tolerated(taint: str, tolerations: list[str]) -> bool:
    """Whether a toleration (key=value:effect) takes a taint of the same form."""
    pair, _, effect = taint.rpartition(":")
    key, _, value = pair.partition("=")
    for one in tolerations:
        has, _, on = one.rpartition(":")
        name, _, wanted = has.partition("=")
        if on not in ("", "*", effect):
            continue
        if name in ("*", "") or (name == key and wanted in ("", "*", value)):
            return True
    return False
