"""Events of a file as records: each for itself, or folded with its repeats where they are many.

The first events are records of their own. From then on those that are alike in all that tables
keep but their moment become one record with their number, the first and the last moment, so that
evidence of millions of events stays small; each can be found again in the file by its SHA-256
and line. Where even those that differ are too many, they are folded by rule, node and pod, and
at last by rule, node and namespace.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
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


_line = msgspec.json.Decoder(Line).decode
_audit = msgspec.json.Decoder(audit.Event).decode
_elements = msgspec.json.Decoder(list[Raw]).decode


class _Event:
    """What folding asks of an event."""

    __slots__ = ("coarse", "count", "key", "moment", "node", "pod", "raw", "sensor")

    def __init__(
        self,
        sensor: str,
        moment: datetime | None,
        node: Any,
        key: tuple[Any, ...],
        coarse: tuple[Any, ...],
        pod: Any,
        raw: Any,
        count: int = 1,
    ) -> None:
        self.sensor, self.moment, self.node = sensor, moment, node
        self.key, self.coarse, self.pod = key, coarse, pod
        self.raw, self.count = raw, count

    def alike(self, over: str) -> tuple[Any, ...]:
        """What events have in common that are folded."""
        if not over:
            return (self.sensor, *self.key)
        return (self.sensor, *self.coarse, self.pod if over == "command" else "")


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
        self._waiting: dict[Hashable, list[Any]] = {}
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
            for event in self._of(piece, number):
                yield from self._see(event, number)
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

    def _of(self, piece: bytes, number: int) -> Iterator[_Event]:
        """Events of a line."""
        try:
            found = self._event(piece)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            for part in objects_in(piece):
                if isinstance(part, Unread):
                    self._count_unread(number, broken=part.broken)
                    continue
                try:
                    yield from self._event(part)
                except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                    self._count_unread(number, broken=True)
        else:
            yield from found

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
            return [_of_falco(line, raw)]
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

    def _see(self, event: _Event, number: int) -> Iterator[Taken]:
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
            self._nodes[event.sensor].add(str(event.node))
        if event.sensor == "falco" and event.key[1] is not None and priority(event.key[1]) is None:
            log.unknown_priorities += 1
        if self._emitted < SINGLE:
            self._emitted += 1
            yield self._record(event.sensor, number, event.count, None, event.raw, "")
            return
        many = self._emitted
        over = "" if many < BY_POD else "command" if many < BY_NAMESPACE else "pod"
        key: Hashable = event.alike(over)
        try:
            held = self._waiting.get(key)
        except TypeError:  # a value that is no scalar
            key = repr(key)
            held = self._waiting.get(key)
        if held is None:
            held = [event.sensor, number, event.count, moment, event.raw, over, moment]
            self._waiting[key] = held
            self._emitted += 1
            if len(self._waiting) >= WINDOW:
                yield from self._flush()
            return
        held[2] += event.count
        log.folded += 1
        if moment is not None:
            if held[3] is None or moment < held[3]:
                held[3] = moment
            if held[6] is None or moment > held[6]:
                held[6] = moment

    def _flush(self) -> Iterator[Taken]:
        waiting, self._waiting = self._waiting, {}
        for sensor, number, count, first, raw, over, last in waiting.values():
            times = (first, last) if count > 1 else None
            yield self._record(sensor, number, count, times, raw, over)

    def _record(
        self,
        sensor: str,
        number: int,
        count: int,
        times: tuple[datetime | None, datetime | None] | None,
        raw: Any,
        over: str,
    ) -> Taken:
        first, last = times or (None, None)
        record = {"report": self.content.report, "line": number, "count": count}
        record |= {"first": first, "last": last}
        event = Raw(raw) if isinstance(raw, bytes) else raw
        return Taken("Event", _encode({**record, "over": over, "event": event}), number, sensor)


def _of_falco(line: Line, raw: bytes) -> _Event:
    fields = line.output_fields or _NONE
    alert = falco.Alert(rule="", time=line.time, output_fields=line.output_fields)
    command = fields.proc_cmdline
    key = (
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
    coarse = (line.rule, line.priority, fields.namespace, line.hostname)
    return _Event(
        "falco",
        alert.moment,
        plain(line.hostname),
        key,
        coarse,
        (fields.pod, fields.container_id == "host"),
        raw,
    )


_NONE = falco.Fields()
_NO_PROCESS = tetragon.Process()
_NO_POD = tetragon.Pod()


def _of_tetragon(line: Line, type: str, body: tetragon.Body) -> _Event:
    process = body.process or _NO_PROCESS
    pod = process.pod or _NO_POD
    container = pod.container
    key = (
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
    coarse = (type, body.policy_name, pod.namespace, line.node_name)
    event = tetragon.Event(
        type=type,
        node_name=line.node_name,
        cluster_name=line.cluster_name,
        time=line.time,
        body=body,
    )
    try:
        count = int(line.aggregation_info.count) if line.aggregation_info else 1
    except (TypeError, ValueError):
        count = 1
    return _Event(
        "tetragon", event.moment, plain(line.node_name), key, coarse, pod.name, event, max(count, 1)
    )


def _of_audit(raw: bytes | Raw) -> _Event:
    event = _audit(raw)
    user = event.user.username if event.user else None
    borrowed = event.impersonated_user.username if event.impersonated_user else None
    code = event.response_status.code if event.response_status else None
    on = event.object_ref or audit.Target()
    target = (on.namespace, on.name)
    coarse = (event.verb, event.stage, user, on.resource, on.subresource, code)
    key = (event.verb, None, event.stage, user, borrowed, event.target, code, event.decision)
    return _Event("kubernetes-audit", event.moment, None, key, coarse, target, event)
