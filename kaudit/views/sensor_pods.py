"""Pods that watch their node, or ship its logs: sensors by the images of their containers.

Computed part by part: what is no sensor is dropped at once.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, looked_up, over_texts, positions
from kaudit.model import sensors
from kaudit.parameters import parameters
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class SensorPodRow(Trace, kw_only=True):
    sensor: Annotated[str, doc("sensor; log shipper: what sends logs on")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("pod, or object with the template")]
    pod_uid: Annotated[str, doc("uid of the pod")]
    container: Annotated[str, doc("container")]
    origin: Annotated[str, doc("object: a Pod object; template: what a controller would make")]
    owner_kind: Annotated[str, doc("kind of the workload")]
    owner_name: Annotated[str, doc("its name")]
    node: Annotated[str | None, doc("node that it runs on")] = None
    version: Annotated[str | None, doc("tag of the image")] = None
    ready: Annotated[bool | None, doc("the container is ready; null: not told")] = None
    restarts: Annotated[int | None, doc("restarts of the container")] = None
    state: Annotated[str | None, doc("running, or why it does not")] = None
    started_at: Annotated[datetime | None, doc("when the container started")] = None
    phase: Annotated[str | None, doc("phase of the pod")] = None
    tolerations: Annotated[list[str], doc("key=value:effect; key is * for any")]
    node_selector: Annotated[list[str], doc("labels that a node must have")]


SENSOR_PODS = Table(
    "sensor_pods",
    SensorPodRow,
    grain="one container of a sensor, or of what ships logs",
    key=("sensor", "namespace", "pod", "pod_uid", "container"),
    resource=Resource("owner_kind", name="owner_name"),
    pods=True,
    summed=True,
)


def _sensor(image: str) -> str | None:
    own = parameters().sensor_images
    if any(sensors.repository(image).endswith(end) for end in own):
        return "own sensor"
    return sensors.sensor_of(image) or ("log shipper" if sensors.ships_logs(image) else None)


@view(SENSOR_PODS)
def sensor_pods(
    containers: pd.DataFrame, pod_context: pd.DataFrame, pods: pd.DataFrame
) -> pd.DataFrame:
    """Keep the containers of sensors."""
    import pyarrow as pa

    named = over_texts(containers["image"], _sensor, unset=None, type_=pa.string())
    regular = containers["container_type"].isin(["regular", "sidecar"])
    c = containers[(named.notna() & regular).to_numpy(dtype=bool)].reset_index(drop=True)
    sensor = named[(named.notna() & regular).to_numpy(dtype=bool)].reset_index(drop=True)
    at = positions(c["pod_uid"], pod_context["pod_uid"])
    of = positions(c["pod_uid"], pods["pod_uid"])
    columns: dict[str, Any] = {
        n: arrow(c[n])
        for n in (
            *("namespace", "pod", "pod_uid", "container", "ready", "restarts", "state"),
            *("started_at", "raw", "raw_line"),
        )
    }
    columns["sensor"] = arrow(sensor)
    columns["version"] = arrow(over_texts(c["image"], sensors.tag, unset=None, type_=pa.string()))
    for name in ("origin", "owner_kind", "owner_name", "node", "phase", "tolerations"):
        columns[name] = arrow(looked_up(pod_context, at, name, c))
    columns["node_selector"] = arrow(looked_up(pods, of, "node_selector", c))
    return frame(SENSOR_PODS.fitted(columns))
