"""Events of a file as records: each for itself, or folded with its repeats where they are many.

The first events are records of their own. From then on those that are alike in all that tables
keep but their moment become one record with their number, the first and the last moment, so that
evidence of millions of events stays small; each can be found again in the file by its SHA-256
and line. Where even those that differ are too many, they are folded by rule, node and pod, and
at last by rule, node and namespace.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import audit, falco, tetragon
from kaudit.model.event_lines import Unread, objects_in, pieces
from kaudit.model.runtime_event import Log, command_line, plain, priority
from kaudit.model.taken import Content, Lost, Taken

#: Events that are records of their own.
SINGLE = 5_000
#: Records from which on events are folded whatever their command, and whatever their pod.
BY_POD, BY_NAMESPACE = 25_000, 250_000
#: Distinct events at a time that repeats are folded into.
WINDOW = 40_000
#: Repeats that one event may tell of: so many more fit into a column.
_MOST = 1 << 53
#: Broken lines that a gap names.
_NAMED = 8
_encode = msgspec.json.Encoder().encode


class Line(msgspec.Struct, gc=False):
    """One object of any sensor: what tells which, with its parts."""

    rule: Any = None
    priority: Any = None
    output: Any = None
    output_fields: falco.Fields | None = None
    source: Any = None
    time: Any = None
    hostname: Any = None
    tags: Any = None
    uuid: Any = None
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
    node_name: Any = None
    cluster_name: Any = None
    kind: Any = None
    items: Raw = Raw(b"")
    audit_id: Any = msgspec.field(default=None, name="auditID")
    log: Any = None


_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_line = msgspec.json.Decoder(Line).decode
_audit = msgspec.json.Decoder(audit.Event).decode
_elements = msgspec.json.Decoder(list[Raw]).decode


class _Event(msgspec.Struct, gc=False):
    """What folding asks of an event; a record of it is made of its parts.

    Its key begins with the sensor.
    """

    sensor: str
    moment: datetime | None
    node: Any
    key: tuple[Any, ...]
    coarse: tuple[Any, ...]
    pod: Any
    parts: tuple[Any, ...]
    count: int = 1

    def alike(self, over: str) -> tuple[Any, ...]:
        """What events have in common that are folded."""
        if not over:
            return self.key
        return (self.sensor, *self.coarse, self.pod if over == "command" else "")


class _Held(msgspec.Struct, gc=False):
    """An event that waits for its repeats, with what they have told so far."""

    event: _Event
    number: int
    over: str
    first: datetime | None
    last: datetime | None


class Fold:
    """Takes the events of one file.

    Parameters
    ----------
    content
        The file.
    sensor
        Format that it is said to be of; other events in it are told as what they are.
    """

    def __init__(self, content: Content, sensor: str) -> None:
        self.content, self.sensor = content, sensor
        self.logs: dict[str, Log] = {}
        self._nodes: dict[str, set[str]] = {}
        self._waiting: dict[Hashable, _Held] = {}
        self._emitted = content.before
        self._events = 0
        self._broken: list[int] = []

    def take(self) -> Iterator[Taken | Lost]:
        """Yield the records of events, those of the file, and what is lost.

        Raises
        ------
        InputError
            Nothing in the file is an event: that a sensor works is not shown by its silence.
        """
        log = self._log(self.sensor)
        pieces_ = 0
        for number, piece in pieces(self.content):
            pieces_ += 1
            try:
                events = self._event(piece)
            except _UNREADABLE:
                events = [one for part in objects_in(piece) for one in self._part(part, number)]
            for event in events:
                taken = self._see(event, number)
                if taken is not None:
                    yield taken
            if len(self._waiting) >= WINDOW:
                yield from self._flush()
        yield from self._flush()
        if not self._events and not log.broken:
            raise InputError("holds no event", hint="give the sensor's JSON output")
        for sensor, found in sorted(self.logs.items()):
            found.nodes = sorted(self._nodes.get(sensor, ()))
            yield Taken("Log", _encode(found), group=sensor)
        if self._broken:
            named = ", ".join(map(str, self._broken[:_NAMED]))
            more = log.broken - len(self._broken[:_NAMED])
            yield Lost(
                "Event",
                f"{log.broken} of {pieces_} lines cannot be read: {named}"
                + (f" and {more} more" if more else ""),
            )

    def _log(self, sensor: str) -> Log:
        found = self.logs.get(sensor)
        if found is None:
            found = self.logs[sensor] = Log(report=self.content.report, events=0)
            self._nodes[sensor] = set()
        return found

    def _part(self, part: bytes | Unread, number: int) -> list[_Event]:
        """Events of what stands in a line that is no object itself."""
        if isinstance(part, Unread):
            self._count_unread(number, broken=part.broken)
            return []
        try:
            return self._event(part)
        except _UNREADABLE:
            self._count_unread(number, broken=True)
            return []

    def _count_unread(self, number: int, *, broken: bool) -> None:
        log = self.logs[self.sensor]
        if not broken:
            log.other += 1
            return
        log.broken += 1
        if len(self._broken) < _NAMED:
            self._broken.append(number)

    def _event(self, raw: bytes) -> list[_Event]:
        """Events of one object; none where it is of no sensor."""
        line = _line(raw)
        if line.rule is not None:
            return [_of_falco(line)]
        for name in tetragon.TYPES:
            body = getattr(line, name)
            if body is not None:
                return [_of_tetragon(line, name, body)]
        if line.audit_id is not None:
            return [_of_audit(raw)]
        if line.kind == "EventList" and bytes(line.items):
            return [_of_audit(item) for item in _elements(line.items)]
        if isinstance(line.log, str):  # Docker's own file around each line
            return self._event(line.log.encode()) if line.log[:1] == "{" else self._other()
        others = tetragon.members(raw)
        for name, part in others.items():
            if name.startswith("process_"):
                return [_of_tetragon(line, name, tetragon.body_of(part))]
        return self._other()

    def _other(self) -> list[_Event]:
        self.logs[self.sensor].other += 1
        return []

    def _see(self, event: _Event, number: int) -> Taken | None:
        """Count an event; return its record, if it has one of its own."""
        log = self._log(event.sensor)
        log.events += event.count
        self._events += 1
        moment = event.moment
        if moment is None:
            log.undated += 1
        else:
            if log.first is None or moment < log.first:
                log.first = moment
            if log.last is None or moment > log.last:
                log.last = moment
        if event.node is not None:
            self._nodes[event.sensor].add(event.node)
        told = event.key[2]
        if told is not None and event.sensor == "falco" and priority(told) is None:
            log.unknown_priorities += 1
        if self._emitted < SINGLE:
            self._emitted += 1
            return _record(self.content.report, event, number)
        many = self._emitted
        over = "" if many < BY_POD else "command" if many < BY_NAMESPACE else "pod"
        key: Hashable = event.alike(over)
        try:
            held = self._waiting.get(key)
        except TypeError:  # a value that is no scalar
            key = repr(key)
            held = self._waiting.get(key)
        if held is None:
            self._waiting[key] = _Held(event, number, over, moment, moment)
            self._emitted += 1
            return None
        held.event.count += event.count
        log.folded += 1
        if moment is not None:
            if held.first is None or moment < held.first:
                held.first = moment
            if held.last is None or moment > held.last:
                held.last = moment
        return None

    def _flush(self) -> Iterator[Taken]:
        waiting, self._waiting = self._waiting, {}
        for held in waiting.values():
            yield _record(self.content.report, held.event, held.number, held)


def _record(report: str, event: _Event, number: int, held: _Held | None = None) -> Taken:
    """Record of an event, with what is known of its repeats."""
    about: dict[str, Any] = {"report": report, "line": number, "count": event.count}
    if held is not None:
        about["over"] = held.over
        if event.count > 1:
            about |= {"first": held.first, "last": held.last}
    return Taken("Event", _FOUND[event.sensor](about, *event.parts), number, event.sensor)


def _found_alert(about: dict[str, Any], line: Line) -> falco.FoundAlert | bytes:
    if not isinstance(line.rule, str):
        return _encode({**about, "event": {"rule": line.rule}})  # whoever decodes it says so
    alert = falco.Alert(
        rule=line.rule,
        priority=line.priority,
        source=line.source,
        tags=line.tags,
        time=line.time,
        hostname=line.hostname,
        output_fields=line.output_fields,
        uuid=line.uuid,
    )
    return falco.FoundAlert(event=alert, **about)


def _found_event(
    about: dict[str, Any], line: Line, type: str, body: tetragon.Body
) -> tetragon.FoundEvent:
    event = tetragon.Event(
        type=type,
        node_name=line.node_name,
        cluster_name=line.cluster_name,
        time=line.time,
        body=body,
    )
    return tetragon.FoundEvent(event=event, **about)


def _found_request(about: dict[str, Any], event: audit.Event) -> audit.FoundEvent:
    return audit.FoundEvent(event=event, **about)


_FOUND: dict[str, Callable[..., msgspec.Struct | bytes]] = {
    "falco": _found_alert,
    "tetragon": _found_event,
    "kubernetes-audit": _found_request,
}


def _of_falco(line: Line) -> _Event:
    fields = line.output_fields or _NONE
    command = fields.proc_cmdline
    key = (
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
    return _Event(
        "falco",
        falco.moment(line.time, fields),
        plain(line.hostname),
        key,
        (line.rule, line.priority, fields.namespace, line.hostname),
        (fields.pod, fields.container_id == "host"),
        (line,),
    )


_NONE = falco.Fields()
_NO_PROCESS = tetragon.Process()
_NO_POD = tetragon.Pod()


def _of_tetragon(line: Line, type: str, body: tetragon.Body) -> _Event:
    process = body.process or _NO_PROCESS
    pod = process.pod or _NO_POD
    container = pod.container
    key = (
        "tetragon",
        type,
        None,
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
    try:
        count = int(line.aggregation_info.count) if line.aggregation_info else 1
    except (TypeError, ValueError):
        count = 1
    return _Event(
        "tetragon",
        tetragon.moment(line.time, type, body),
        plain(line.node_name),
        key,
        (type, body.policy_name, pod.namespace, line.node_name),
        pod.name,
        (line, type, body),
        min(max(count, 1), _MOST),
    )


def _of_audit(raw: bytes | Raw) -> _Event:
    event = _audit(raw)
    user = event.user.username if event.user else None
    borrowed = event.impersonated_user.username if event.impersonated_user else None
    code = event.response_status.code if event.response_status else None
    on = event.object_ref or audit.Target()
    target = (on.namespace, on.name)
    coarse = (event.verb, event.stage, user, on.resource, on.subresource, code)
    key = (
        "kubernetes-audit",
        event.verb,
        None,
        event.stage,
        user,
        borrowed,
        event.target,
        code,
        event.decision,
    )
    return _Event("kubernetes-audit", event.moment, None, key, coarse, target, (event,))
