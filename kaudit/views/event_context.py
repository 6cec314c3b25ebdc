"""Events with the workload and image that they are about, and why that is not known.

A pod is found by its uid, by namespace and name, or by the id of its container, of which
sensors tell at least twelve digits.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, looked_up, over_texts, pairs, positions, short_ids
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class EventContextRow(Trace, kw_only=True):
    sensor: Annotated[str, doc("falco, tetragon or kubernetes-audit")]
    report: Annotated[str, doc("the file")]
    line: Annotated[int, doc("line of the file where it stands first")]
    first_at: Annotated[datetime | None, doc("when it happened first")] = None
    last_at: Annotated[datetime | None, doc("when it happened last; null: once, or not told")] = (
        None
    )
    count: Annotated[int, doc("how often")]
    alert: Annotated[bool, doc("a rule or a policy says that it matters")]
    what: Annotated[str, doc("rule or policy, else the type of the event")]
    type: Annotated[str, doc("kind of event")]
    source: Annotated[str, doc("source in the sensor's words")]
    priority: Annotated[str | None, doc("emergency to debug; null: none is told, or not known")] = (
        None
    )
    techniques: Annotated[list[str], doc("techniques of ATT&CK among the tags")]
    owner_kind: Annotated[str, doc("kind of the workload; Pod, Node or Unknown: see unresolved")]
    owner_name: Annotated[str, doc("its name")]
    namespace: Annotated[str, doc("namespace; empty: the host, or not known")]
    pod: Annotated[str | None, doc("pod")] = None
    node: Annotated[str | None, doc("node of the pod, else in the sensor's words")] = None
    container: Annotated[str | None, doc("container")] = None
    image: Annotated[str | None, doc("image as the pod names it, else the sensor")] = None
    image_digest: Annotated[str | None, doc("digest of the image, where it is known")] = None
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]
    resolved_by: Annotated[str, doc("uid, name or container id; empty: not resolved")]
    unresolved: Annotated[str, doc("why no workload is known; empty: one is")]
    process: Annotated[str | None, doc("program")] = None
    command: Annotated[str | None, doc("command line, masked")] = None
    parent: Annotated[str | None, doc("program that started it")] = None
    user: Annotated[str | None, doc("user")] = None
    target: Annotated[str | None, doc("file, address or object that it was done to")] = None
    action: Annotated[str | None, doc("what became of it")] = None


EVENT_CONTEXT = Table(
    "event_context",
    EventContextRow,
    grain="one event, but for what sensors say of themselves, with the workload that it is about",
    key=("sensor", "report", "line"),
    resource=Resource("owner_kind", name="owner_name"),
)
_COPIED = (
    *("sensor", "report", "line", "first_at", "last_at", "count", "type", "source", "priority"),
    *("techniques", "process", "command", "parent", "user", "target", "action"),
    *("raw", "raw_line"),
)
#: Columns of events that are read.
_READ = (
    *(*_COPIED, "namespace", "pod", "pod_uid", "node", "container", "container_id", "image"),
    *("image_digest", "rule", "folded_over"),
)
#: Types of Tetragon that tell of any process, whether it matters or not.
_ACTIVITY = ("process_exec", "process_exit", "process_loader")


@view(EVENT_CONTEXT)
def event_context(
    events: pd.DataFrame, event_pods: pd.DataFrame, nodes: pd.DataFrame
) -> pd.DataFrame:
    """Look each event's pod up, and say how it was found or why it was not."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    internal = arrow(events["internal"])
    e = events
    if pc.any(internal).as_py():
        table = pa.table({name: arrow(events[name]) for name in _READ})
        e = frame(table.filter(pc.invert(internal)))
    p = event_pods.reset_index(drop=True)
    ways = {
        "uid": positions(e["pod_uid"], p["pod_uid"]),
        "name": positions(
            pairs(e["namespace"], e["pod"]), pc.fill_null(pairs(p["namespace"], p["pod"]), "")
        ),
        "container id": positions(short_ids(e["container_id"]), arrow(p["short_id"])),
    }
    at = np.full(len(e), -1)
    by = np.zeros(len(e), np.int64)
    for number, found in enumerate(ways.values(), start=1):
        new = (at < 0) & (found >= 0)
        at[new], by[new] = found[new], number
    at = at.astype("int64")
    inside = ways["container id"].copy()
    uid = looked_up(p, at, "pod_uid", e)
    same = positions(pairs(uid, e["container"]), pairs(p["pod_uid"], p["container"]))
    inside[inside < 0] = same[inside < 0]
    known = looked_up(p, at, "pod", e)
    told = {name: arrow(e[name]) for name in ("namespace", "pod", "node", "container", "image")}
    image_id = looked_up(p, inside, "image_id", e)
    digest = over_texts(image_id, _digest, unset=None, type_=pa.string())
    resolved = pc.is_valid(arrow(known))
    why = _why(e, nodes, resolved, told)
    host = pc.equal(why, "host")
    kind = pc.if_else(
        pc.is_valid(told["pod"]),
        "Pod",
        pc.if_else(pc.and_(host, pc.is_valid(told["node"])), "Node", "Unknown"),
    )
    named = pc.if_else(pc.equal(kind, "Node"), told["node"], told["pod"])
    rule, type_ = arrow(e["rule"]), arrow(e["type"])
    sensor = arrow(e["sensor"])
    activity = pc.is_in(type_, value_set=pa.array(_ACTIVITY))
    watched = pc.and_(pc.equal(sensor, "tetragon"), pc.invert(activity))
    columns: dict[str, Any] = {name: arrow(e[name]) for name in _COPIED}
    columns |= {
        "alert": pc.or_(pc.equal(sensor, "falco"), watched),
        "what": pc.coalesce(rule, type_),
        "owner_kind": pc.coalesce(arrow(looked_up(p, at, "owner_kind", e)), kind),
        "owner_name": pc.coalesce(arrow(looked_up(p, at, "owner_name", e)), named, pa.scalar("")),
        "namespace": pc.coalesce(
            arrow(looked_up(p, at, "namespace", e)), told["namespace"], pa.scalar("")
        ),
        "pod": pc.coalesce(arrow(known), told["pod"]),
        "node": pc.coalesce(arrow(looked_up(p, at, "node", e)), told["node"]),
        "container": pc.coalesce(arrow(looked_up(p, inside, "container", e)), told["container"]),
        "image": pc.coalesce(arrow(looked_up(p, inside, "image", e)), told["image"]),
        "image_digest": pc.coalesce(arrow(digest), arrow(e["image_digest"])),
        "platform": pc.fill_null(arrow(looked_up(p, at, "platform", e)), False),
        "resolved_by": pa.array(["", *ways]).take(pa.array(by)),
        "unresolved": why,
    }
    return frame(EVENT_CONTEXT.fitted(columns))


def _why(e: pd.DataFrame, nodes: pd.DataFrame, resolved: Any, told: dict[str, Any]) -> Any:
    """Say why no pod is known, the first reason that holds."""
    import pyarrow as pa
    import pyarrow.compute as pc

    pod = pc.is_valid(told["pod"])
    elsewhere = pa.array([False] * len(e), pa.bool_())
    if len(nodes):
        here = pc.is_in(told["node"], value_set=arrow(nodes["name"]))
        elsewhere = pc.and_(pc.is_valid(told["node"]), pc.invert(here))
    of_host = pc.or_(
        pc.fill_null(pc.equal(arrow(e["container_id"]), "host"), False),
        pc.and_(pc.equal(arrow(e["sensor"]), "tetragon"), pc.is_null(arrow(e["container_id"]))),
    )
    of_api = pc.is_in(
        arrow(e["source"]), value_set=pa.array(["k8s_audit", "aws_cloudtrail", "okta", "github"])
    )
    of_api = pc.or_(of_api, pc.is_in(arrow(e["sensor"]), value_set=pa.array(_API)))
    folded = pc.equal(arrow(e["folded_over"]), "pod")
    return pc.case_when(
        pc.make_struct(
            resolved,
            folded,
            pc.and_(pod, elsewhere),
            pod,
            of_host,
            of_api,
        ),
        *("", "folded", "another cluster", "pod not in the evidence", "host", "no pod is meant"),
        "no pod is told",
    )


_API = ("kubernetes-audit",)


def _digest(image_id: str) -> str | None:
    tail = image_id.rpartition("@")[2]
    return tail if tail.startswith("sha256:") else None
