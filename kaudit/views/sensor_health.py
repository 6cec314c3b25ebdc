"""Each sensor as it is run: pods that are ready, restarts, and events that it lost."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, records, total
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class SensorHealthRow(Trace, kw_only=True):
    sensor: Annotated[str, doc("sensor")]
    kind: Annotated[str, doc("kind of the workload")]
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("its name")]
    pods: Annotated[int, doc("pods of it")]
    ready: Annotated[int, doc("those that are ready, or do not say otherwise")]
    told: Annotated[bool, doc("a pod says whether it is ready")]
    restarts: Annotated[int, doc("most restarts of one")]
    failing: Annotated[list[str], doc("why containers do not run, sorted")]
    versions: Annotated[list[str], doc("tags of its images, sorted")]
    events: Annotated[int, doc("events of the sensor in the evidence")]
    dropped: Annotated[int, doc("events that it says it lost")]
    logged: Annotated[bool, doc("the evidence holds its log")]
    last_event_at: Annotated[datetime | None, doc("moment of its last event")] = None
    unwell: Annotated[
        bool | None, doc("pods of it are not ready, or start again and again; null: not told")
    ] = None
    losing: Annotated[bool | None, doc("it lost events; null: its log is not there")] = None
    why: Annotated[str, doc("what is wrong; empty: nothing is known to be")]


SENSOR_HEALTH = Table(
    "sensor_health",
    SensorHealthRow,
    grain="one workload that runs a sensor",
    key=("sensor", "namespace", "kind", "name"),
    resource=Resource("kind"),
)
#: Restarts of one container from which a sensor is not well.
_RESTARTS = 5


@view(SENSOR_HEALTH, naming=("events", "event_logs"))
def sensor_health(
    sensor_pods: pd.DataFrame, events: pd.DataFrame, event_logs: pd.DataFrame
) -> pd.DataFrame:
    """Gather the pods of each sensor, and what its log says of itself."""
    groups: dict[tuple[str, str, str, str], list[dict[str, Any]]] = {}
    for pod in records(sensor_pods):
        if pod["sensor"] != "log shipper" and pod["origin"] == "object":
            key = (pod["sensor"], pod["namespace"], pod["owner_kind"], pod["owner_name"])
            groups.setdefault(key, []).append(pod)
    logged = set(event_logs["sensor"])
    told = events[["sensor", "internal", "dropped", "count", "first_at", "last_at"]]
    rows = [_row(key, pods, told, logged=key[0] in logged) for key, pods in sorted(groups.items())]
    return frame(SENSOR_HEALTH.arrow(rows))


def _row(
    key: tuple[str, str, str, str],
    pods: list[dict[str, Any]],
    events: pd.DataFrame,
    *,
    logged: bool,
) -> SensorHealthRow:
    import pyarrow.compute as pc

    sensor, namespace, kind, name = key
    seen = events[events["sensor"] == sensor]
    internal = seen[seen["internal"].to_numpy(dtype=bool)]
    dropped = total(arrow(internal["dropped"]).to_pylist())
    ready = [p for p in pods if p["ready"] is not False]
    told = any(p["ready"] is not None for p in pods)
    failing = sorted({p["state"] for p in pods if p["state"] and p["state"] != "running"})
    restarts = max(p["restarts"] or 0 for p in pods)
    reasons = []
    if len(ready) < len(pods):
        reasons.append(f"{len(pods) - len(ready)} of {len(pods)} pods are not ready")
    if restarts >= _RESTARTS:
        reasons.append(f"a container was started {restarts} times again")
    unwell = bool(reasons)
    if dropped:
        reasons.append(f"it lost {dropped:,} events")
    return SensorHealthRow(
        raw=pods[0]["raw"],
        raw_line=pods[0]["raw_line"],
        sensor=sensor,
        kind=kind,
        namespace=namespace,
        name=name,
        pods=len(pods),
        ready=len(ready),
        told=told,
        restarts=restarts,
        failing=failing,
        versions=sorted({p["version"] for p in pods if p["version"]}),
        events=int(seen["count"].sum()),
        dropped=dropped,
        logged=logged,
        last_event_at=pc.max(arrow(seen["last_at"].fillna(seen["first_at"]))).as_py(),
        unwell=unwell if told else None,
        losing=dropped > 0 if logged else None,
        why="; ".join(reasons),
    )
