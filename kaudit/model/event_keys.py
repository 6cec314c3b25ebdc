"""What folding asks of an event: when and where it was, and what it has in common with others.

An event is known as a repeat by few of its fields, so that of millions only those are decoded
whole that become records.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw, field

from kaudit.model import audit, falco, tetragon
from kaudit.model.meta import Time
from kaudit.model.runtime_event import command_line, plain

#: Repeats that one event may tell of: so many more fit into a column.
_MOST = 1 << 53
_audit = msgspec.json.Decoder(audit.Event).decode
_NONE = falco.Fields()
_NO_PROCESS = tetragon.Process()
_NO_POD = tetragon.Pod()


class _Bodies(msgspec.Struct, gc=False):
    process_exec: tetragon.Body | None = None
    process_exit: tetragon.Body | None = None
    process_kprobe: tetragon.Body | None = None
    process_tracepoint: tetragon.Body | None = None
    process_uprobe: tetragon.Body | None = None
    process_usdt: tetragon.Body | None = None
    process_lsm: tetragon.Body | None = None
    process_loader: tetragon.Body | None = None
    process_throttle: tetragon.Body | None = None
    rate_limit_info: tetragon.Body | None = None
    aggregation_info: tetragon.Aggregation | None = None


class Line(_Bodies):
    """One object of any sensor: what tells which, with its parts."""

    hostname: Any = None
    output: Any = None
    output_fields: falco.Fields | None = None
    priority: Any = None
    rule: Any = None
    source: Any = None
    tags: Any = None
    time: Any = None
    uuid: Any = None
    node_name: Any = None
    cluster_name: Any = None
    kind: Any = None
    items: Raw = Raw(b"")
    audit_id: Any = field(default=None, name="auditID")
    log: Any = None


class Event(msgspec.Struct, gc=False):
    """What folding asks of an event; a record of it is made of its parts.

    Attributes
    ----------
    told
        Priority, where the sensor gives one.
    common, pod
        What events share that are folded whatever their command, and whatever their pod too.
    """

    sensor: str
    moment: datetime | None
    node: str | None
    told: Any
    common: tuple[Any, ...]
    pod: Any
    parts: tuple[Any, ...]
    count: int = 1

    @property
    def whole(self) -> tuple[Any, ...]:
        """All that tables keep but the moment."""
        return _WHOLE[self.sensor](*self.parts)


def of_falco(line: Line) -> Event:
    """Event of an alert."""
    fields = line.output_fields or _NONE
    return Event(
        "falco",
        falco.moment(line.time, fields),
        plain(line.hostname),
        line.priority,
        ("falco", line.rule, line.priority, fields.namespace, line.hostname),
        (fields.pod, fields.container_id == "host"),
        (line,),
    )


def _whole_alert(line: Line) -> tuple[Any, ...]:
    fields = line.output_fields or _NONE
    command = fields.proc_cmdline
    return (
        "falco",
        line.rule,
        line.priority,
        line.source,
        line.hostname,
        fields.namespace,
        fields.pod,
        fields.container_id,
        fields.proc_name,
        command_line(command) if isinstance(command, str) else command,
        fields.proc_pname,
        fields.user_name,
        fields.fd_name,
        fields.repository,
        fields.tag,
        fields.ka_user,
        fields.ka_name,
        fields.ka_namespace,
        fields.ka_resource,
        fields.ka_code,
        fields.ct_user,
        fields.ct_name,
    )


def of_tetragon(line: Line, type: str, body: tetragon.Body) -> Event:
    """Event of Tetragon, of whichever type."""
    pod = body.process.pod if body.process else None
    try:
        count = int(line.aggregation_info.count) if line.aggregation_info else 1
    except (TypeError, ValueError):
        count = 1
    return Event(
        "tetragon",
        tetragon.moment(line.time, type, body),
        plain(line.node_name),
        None,
        ("tetragon", type, body.policy_name, pod.namespace if pod else None, line.node_name),
        pod.name if pod else None,
        (line, type, body),
        min(max(count, 1), _MOST),
    )


def _whole_event(line: Line, type: str, body: tetragon.Body) -> tuple[Any, ...]:
    process = body.process or _NO_PROCESS
    pod = process.pod or _NO_POD
    container = pod.container
    return (
        "tetragon",
        type,
        line.node_name,
        body.policy_name,
        body.function,
        body.action,
        pod.namespace,
        pod.name,
        container.id if container else process.docker,
        process.command,
        process.uid,
        body.parent.binary if body.parent else None,
        body.target,
        body.signal,
    )


def of_audit(raw: bytes | Raw) -> Event:
    """Event of the API server's audit log."""
    event = _audit(raw)
    user = event.user.username if event.user else None
    code = event.response_status.code if event.response_status else None
    on = event.object_ref or audit.Target()
    common = ("kubernetes-audit", event.verb, event.stage, user, on.resource, on.subresource, code)
    target = (on.namespace, on.name)
    return Event("kubernetes-audit", event.moment, None, None, common, target, (event,))


def _whole_request(event: audit.Event) -> tuple[Any, ...]:
    return (
        "kubernetes-audit",
        event.verb,
        event.stage,
        event.user.username if event.user else None,
        event.impersonated_user.username if event.impersonated_user else None,
        event.target,
        event.response_status.code if event.response_status else None,
        event.decision,
    )


_WHOLE: dict[str, Callable[..., tuple[Any, ...]]] = {
    "falco": _whole_alert,
    "tetragon": _whole_event,
    "kubernetes-audit": _whole_request,
}


class _AlertFields(msgspec.Struct, gc=False):
    container_id: str | None = field(default=None, name="container.id")
    namespace: str | None = field(default=None, name="k8s.ns.name")
    pod: str | None = field(default=None, name="k8s.pod.name")
    container: None = None
    k8s: None = None


class _Alert(_Bodies, kw_only=True):
    rule: str
    time: Time
    hostname: str | None = None
    output_fields: _AlertFields | None = None
    priority: str | None = None


class _Event(_Bodies, kw_only=True):
    time: Time
    node_name: str | None = None
    rule: None = None
    aggregation_info: None = None


#: What a glance gives: when it was, what it has in common with others, and its pod.
Glance = tuple[datetime, tuple[Any, ...], Any]
_alert = msgspec.json.Decoder(_Alert).decode
_event = msgspec.json.Decoder(_Event).decode
_NO_FIELDS = _AlertFields()


def _glance_at_alert(raw: bytes) -> Glance:
    alert = _alert(raw)
    fields = alert.output_fields or _NO_FIELDS
    return (
        alert.time,
        ("falco", alert.rule, alert.priority, fields.namespace, alert.hostname),
        (fields.pod, fields.container_id == "host"),
    )


def _glance_at_event(raw: bytes) -> Glance | None:
    event = _event(raw)
    for type in tetragon.TYPES:
        body = getattr(event, type)
        if body is not None:
            pod = body.process.pod if body.process else None
            namespace, name = (pod.namespace, pod.name) if pod else (None, None)
            common = ("tetragon", type, body.policy_name, namespace, event.node_name)
            return event.time, common, name
    return None


#: By sensor, what sees at a glance whose repeat an event may be; it raises where it cannot.
GLANCES: dict[str, Callable[[bytes], Glance | None]] = {
    "falco": _glance_at_alert,
    "tetragon": _glance_at_event,
}
