"""Pods of the evidence that events speak of, with their containers: what events are looked up in.

Computed part by part, so that a lookup in a million pods holds only those that are named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from kaudit.columns import arrow, looked_up, pairs, positions, short_ids
from kaudit.registry import view
from kaudit.remembered import remembered
from kaudit.table import Row, Table, doc, frame

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class EventPodRow(Row, kw_only=True):
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("pod")]
    pod_uid: Annotated[str, doc("uid of the pod")]
    container: Annotated[str, doc("container")]
    container_type: Annotated[str, doc("init, sidecar, regular or ephemeral")]
    short_id: Annotated[str | None, doc("first 12 digits of the container's id")] = None
    image: Annotated[str | None, doc("image reference as written")] = None
    image_id: Annotated[str | None, doc("status imageID: what really runs")] = None
    node: Annotated[str | None, doc("spec.nodeName")] = None
    owner_kind: Annotated[str, doc("kind of the topmost known owner")]
    owner_name: Annotated[str, doc("name of the topmost known owner")]
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]


EVENT_PODS = Table(
    "event_pods",
    EventPodRow,
    grain="one container of a pod that an event speaks of",
    key=("namespace", "pod", "pod_uid", "container_type", "container"),
    pods=True,
    summed=True,
)


@view(EVENT_PODS)
def event_pods(
    containers: pd.DataFrame, pod_context: pd.DataFrame, events: pd.DataFrame
) -> pd.DataFrame:
    """Keep the containers of pods that an event names, by uid, name or container."""
    import pyarrow as pa
    import pyarrow.compute as pc

    at = positions(containers["pod_uid"], pod_context["pod_uid"])
    running = pc.equal(arrow(looked_up(pod_context, at, "origin", containers)), "object")
    names = pairs(containers["namespace"], containers["pod"])
    ids = short_ids(containers["container_id"])
    told = _told(events)
    named = pc.or_(
        pc.is_in(names, value_set=told.names),
        pc.is_in(arrow(containers["pod_uid"]), value_set=told.uids),
    )
    held = pc.is_in(ids, value_set=told.ids)
    keep = pc.and_(pc.fill_null(running, False), pc.or_(named, held))
    columns = {n: arrow(containers[n]) for n in ("namespace", "pod", "pod_uid", "container")}
    columns |= {n: arrow(containers[n]) for n in ("container_type", "image", "image_id")}
    for name in ("node", "owner_kind", "owner_name", "platform"):
        columns[name] = arrow(looked_up(pod_context, at, name, containers))
    columns["short_id"] = ids
    return frame(EVENT_PODS.fitted(pa.table(columns).filter(keep)))


class _Told(NamedTuple):
    """What events name pods by."""

    names: pa.Array
    uids: pa.Array
    ids: pa.Array


@remembered
def _told(events: pd.DataFrame) -> _Told:
    """Names, uids and containers of events: the same for every part of the pods."""
    import pyarrow.compute as pc

    return _Told(
        pc.unique(pairs(events["namespace"], events["pod"])).drop_null(),
        pc.unique(arrow(events["pod_uid"])),
        pc.unique(short_ids(events["container_id"])).drop_null(),
    )
