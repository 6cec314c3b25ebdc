"""Events of a file as records: each for itself, or folded with its repeats where they are many.

The first events are records of their own. From then on those that are alike in all that tables
keep but their moment become one record with their number, the first and the last moment, so that
evidence of millions of events stays small; each can be found again in the file by its SHA-256
and line. Where even those that differ are too many, they are folded by rule, node and pod, and
at last by rule, node and namespace.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import audit, tetragon
from kaudit.model.event_keys import (
    GLANCES,
    AuditEvent,
    Event,
    FalcoEvent,
    Glance,
    Held,
    Line,
    TetragonEvent,
)
from kaudit.model.event_lines import Unread, objects_in, pieces
from kaudit.model.runtime_event import Log, priority
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


_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_line = msgspec.json.Decoder(Line).decode
_audit = msgspec.json.Decoder(audit.Event).decode
_elements = msgspec.json.Decoder(list[Raw]).decode


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
        self._waiting: dict[Hashable, Held] = {}
        self._emitted = content.before
        self._broken: list[int] = []
        self._broken_at = 0

    def take(self) -> Iterator[Taken | Lost]:
        """Yield the records of events, those of the file, and what is lost.

        Raises
        ------
        InputError
            Nothing in the file is an event: that a sensor works is not shown by its silence.
        """
        log = self._log(self.sensor)
        glance = GLANCES.get(self.sensor)
        pieces_ = 0
        for number, piece in pieces(self.content):
            pieces_ += 1
            if glance is not None and self._emitted >= BY_POD and self._repeats(glance, piece):
                continue
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
        if not log.broken and not any(found.events for found in self.logs.values()):
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

    def _part(self, part: bytes | Unread, number: int) -> list[Event]:
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
        if number == self._broken_at:  # several things are wrong with it
            return
        self._broken_at = number
        log.broken += 1
        if len(self._broken) < _NAMED:
            self._broken.append(number)

    def _event(self, raw: bytes) -> list[Event]:
        """Events of one object; none where it is of no sensor."""
        line = _line(raw)
        if line.rule is not None:
            return [FalcoEvent(line)]
        for name in tetragon.TYPES:
            body = getattr(line, name)
            if body is not None:
                return [TetragonEvent(line, name, body)]
        if line.audit_id is not None:
            return [AuditEvent(_audit(raw))]
        if line.kind == "EventList" and bytes(line.items):
            return [AuditEvent(_audit(item)) for item in _elements(line.items)]
        if isinstance(line.log, str):  # Docker's own file around each line
            return self._event(line.log.encode()) if line.log[:1] == "{" else self._other()
        others = tetragon.members(raw)
        for name, part in others.items():
            if name.startswith("process_"):
                return [TetragonEvent(line, name, tetragon.body_of(part))]
        return self._other()

    def _other(self) -> list[Event]:
        self.logs[self.sensor].other += 1
        return []

    def _over(self) -> str:
        """What events that are folded now may differ in."""
        return (
            "" if self._emitted < BY_POD else "command" if self._emitted < BY_NAMESPACE else "pod"
        )

    def _repeats(self, glance: Callable[[bytes, str], Glance | None], piece: bytes) -> bool:
        """Count an event if it can be seen at a glance that it repeats one that waits."""
        if not piece.isascii():  # else it may be no text where nobody looks
            return False
        try:
            if (seen := glance(piece, self._over())) is None:
                return False
            moment, key = seen
            held = self._waiting.get(key)
        except (*_UNREADABLE, TypeError):  # or a value that is no scalar
            return False
        if held is None:
            return False
        held.repeat(moment, 1)
        if held.unknown:
            self.logs[self.sensor].unknown_priorities += 1
        return True

    def _see(self, event: Event, number: int) -> Taken | None:
        """Return the record of an event, or let it wait for its repeats."""
        log = self._log(event.sensor)
        if (node := event.node) is not None:
            self._nodes[event.sensor].add(node)
        told = event.priority
        unknown = told is not None and priority(told) is None
        log.unknown_priorities += unknown
        if self._emitted < SINGLE:
            self._emitted += 1
            return self._record(Held.of(event, number, "", unknown), waited=False)
        over = self._over()
        key: Hashable = event.key(over)
        try:
            found = self._waiting.get(key)
        except TypeError:  # a value that is no scalar
            key = repr(key)
            found = self._waiting.get(key)
        if found is not None:
            found.repeat(event.moment, event.count)
            return None
        self._emitted += 1
        self._waiting[key] = Held.of(event, number, over, unknown)
        return None

    def _flush(self) -> Iterator[Taken]:
        waiting, self._waiting = self._waiting, {}
        for held in waiting.values():
            yield self._record(held)

    def _record(self, held: Held, *, waited: bool = True) -> Taken:
        """Record of an event, once its repeats are known; they are counted in its log."""
        event, first, last = held.event, held.first, held.last
        log = self._log(event.sensor)
        log.events += held.count
        log.folded += held.repeats
        log.undated += held.undated
        if first is not None and last is not None:
            log.first = first if log.first is None else min(log.first, first)
            log.last = last if log.last is None else max(log.last, last)
        if held.count == 1 or not waited:
            held.first = held.last = None
        record = event.record(self.content.report, held)
        return Taken("Event", record, held.number, event.sensor)
