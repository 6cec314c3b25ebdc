"""What folding asks of an event: when and where it was, and what it has in common with others.

An event is known as a repeat by few of its fields, so that of millions only those are decoded
whole that become records.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, TypeVar

import msgspec
from msgspec import Raw, field

from kaudit.model import audit, falco, tetragon
from kaudit.model.meta import Time
from kaudit.model.runtime_event import command_line, plain

#: Repeats that one event may tell of: so many more fit into a column.
_MOST = 1 << 53
_encode = msgspec.json.Encoder().encode
F = TypeVar("F")
_NO_FIELDS = falco.Fields()
_NO_PROCESS = tetragon.Process()
_NO_POD = tetragon.Pod()
_NO_TARGET = audit.Target()


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


class FalcoEvent(msgspec.Struct, gc=False):
    """An alert."""

    sensor: ClassVar = "falco"
    count: ClassVar = 1
    line: Line

    @property
    def moment(self) -> datetime | None:
        """When it happened."""
        return falco.moment(self.line.time, self.line.output_fields or _NO_FIELDS)

    @property
    def node(self) -> str | None:
        """Where it happened."""
        return plain(self.line.hostname)

    @property
    def priority(self) -> Any:
        """Priority as written; None where the sensor gives none."""
        return self.line.priority

    def key(self, over: str) -> tuple[Any, ...]:
        """What it has in common with those that are folded into it."""
        line = self.line
        fields = line.output_fields or _NO_FIELDS
        if over:
            common = ("falco", line.rule, line.priority, fields.namespace, line.hostname)
            return common if over == "pod" else (*common, fields.pod, fields.container_id == "host")
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

    def record(self, report: str, held: Held) -> falco.FoundAlert | bytes:
        """Record of it and its repeats."""
        line = self.line
        if not isinstance(line.rule, str):  # whoever decodes it says so
            event = {"rule": line.rule}
            return _encode({"report": report, "line": held.number, "event": event})
        alert = falco.Alert(
            line.rule,
            line.priority,
            line.source,
            line.tags,
            line.time,
            line.hostname,
            line.output_fields,
            line.uuid,
        )
        return held.found(falco.FoundAlert, alert, report)


class TetragonEvent(msgspec.Struct, gc=False):
    """An event of Tetragon, of whichever type."""

    sensor: ClassVar = "tetragon"
    priority: ClassVar = None
    line: Line
    type: str
    body: tetragon.Body

    @property
    def moment(self) -> datetime | None:
        """When it happened."""
        return tetragon.moment(self.line.time, self.type, self.body)

    @property
    def node(self) -> str | None:
        """Where it happened."""
        return plain(self.line.node_name)

    @property
    def count(self) -> int:
        """How often, where Tetragon has counted itself."""
        counted = self.line.aggregation_info
        if counted is None:
            return 1
        try:
            return min(max(int(counted.count), 1), _MOST)
        except (TypeError, ValueError):
            return 1

    def key(self, over: str) -> tuple[Any, ...]:
        """What it has in common with those that are folded into it."""
        body, node = self.body, self.line.node_name
        process = body.process or _NO_PROCESS
        pod = process.pod or _NO_POD
        if over:
            common = ("tetragon", self.type, body.policy_name, pod.namespace, node)
            return common if over == "pod" else (*common, pod.name)
        container = pod.container
        return (
            "tetragon",
            self.type,
            node,
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

    def record(self, report: str, held: Held) -> tetragon.FoundEvent:
        """Record of it and its repeats."""
        event = tetragon.Event(
            type=self.type,
            node_name=self.line.node_name,
            cluster_name=self.line.cluster_name,
            time=self.line.time,
            body=self.body,
        )
        return held.found(tetragon.FoundEvent, event, report)


class AuditEvent(msgspec.Struct, gc=False):
    """A request to the API server."""

    sensor: ClassVar = "kubernetes-audit"
    node: ClassVar = None
    priority: ClassVar = None
    count: ClassVar = 1
    event: audit.Event

    @property
    def moment(self) -> datetime | None:
        """When it was asked."""
        return self.event.moment

    def key(self, over: str) -> tuple[Any, ...]:
        """What it has in common with those that are folded into it."""
        event = self.event
        user = event.user.username if event.user else None
        code = event.response_status.code if event.response_status else None
        common = ("kubernetes-audit", event.verb, event.stage, user, code)
        if over:
            on = event.object_ref or _NO_TARGET
            asked = (*common, on.resource, on.subresource)
            return asked if over == "pod" else (*asked, on.namespace, on.name)
        borrowed = event.impersonated_user.username if event.impersonated_user else None
        return (*common, borrowed, event.target, event.decision)

    def record(self, report: str, held: Held) -> audit.FoundEvent:
        """Record of it and its repeats."""
        return held.found(audit.FoundEvent, self.event, report)


Event = FalcoEvent | TetragonEvent | AuditEvent


class Held(msgspec.Struct, gc=False):
    """An event that waits for its repeats, with what they have told so far."""

    event: Event
    number: int
    over: str
    unknown: bool
    first: datetime | None
    last: datetime | None
    count: int
    undated: int
    repeats: int = 0

    @classmethod
    def of(cls, event: Event, number: int, over: str, unknown: bool) -> Held:
        """Hold an event that no other one was like; ``unknown`` is its priority."""
        moment = event.moment
        return cls(event, number, over, unknown, moment, moment, event.count, moment is None)

    def found(self, kind: Callable[..., F], event: Any, report: str) -> F:
        """Record of a kind, of an event and its repeats."""
        return kind(
            event=event,
            report=report,
            line=self.number,
            count=self.count,
            first=self.first,
            last=self.last,
            over=self.over,
        )

    def repeat(self, moment: datetime | None, count: int) -> None:
        """Take one more that is alike."""
        self.count += count
        self.repeats += 1
        if moment is None:
            self.undated += 1
        elif self.first is None or self.last is None:
            self.first = self.last = moment
        elif moment < self.first:
            self.first = moment
        elif moment > self.last:
            self.last = moment


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


#: When an event was, and its key.
Glance = tuple[datetime, tuple[Any, ...]]
_alert = msgspec.json.Decoder(_Alert).decode
_event = msgspec.json.Decoder(_Event).decode
_NONE = _AlertFields()


def _glance_at_alert(raw: bytes, over: str) -> Glance:
    alert = _alert(raw)
    fields = alert.output_fields or _NONE
    common = ("falco", alert.rule, alert.priority, fields.namespace, alert.hostname)
    if over == "pod":
        return alert.time, common
    return alert.time, (*common, fields.pod, fields.container_id == "host")


def _glance_at_event(raw: bytes, over: str) -> Glance | None:
    event = _event(raw)
    for type in tetragon.TYPES:
        body = getattr(event, type)
        if body is not None:
            pod = (body.process and body.process.pod) or _NO_POD
            common = ("tetragon", type, body.policy_name, pod.namespace, event.node_name)
            return event.time, common if over == "pod" else (*common, pod.name)
    return None


#: By sensor, what sees at a glance which event one repeats that is folded over something; it
#: raises where it cannot.
GLANCES: dict[str, Callable[[bytes, str], Glance | None]] = {
    "falco": _glance_at_alert,
    "tetragon": _glance_at_event,
}
