"""What reading files adds up to, file by file: events, and what is known at the end."""

from __future__ import annotations

import copy
import hashlib
import re
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import msgspec

from kaudit.model.taken import Content
from kaudit.model.words import Gap, Reason
from kaudit.registry import COLLECTORS, Format, Read, tables_of
from kaudit.source.documents import EmptyList, Found, Item, Other, found_in
from kaudit.source.events import Batch, Begin, Event, KindId, Listed, Origin, ServerVersion
from kaudit.source.json_windows import windowed
from kaudit.source.tools import taken
from kaudit.text import count

_BATCH = 2_500
#: Containers in the JSON of an object, not in a text that it holds.
_CONTAINERS = re.compile(rb'(?<!\\)"containers"\s*:\s*\[\s*\{')


class Told(msgspec.Struct):
    """What files told beside their events.

    Attributes
    ----------
    origins, objects, empty_lists
        How many there were.
    first_fault
        What was wrong with the first file that could not be read.
    no_object
        Files that hold no Kubernetes object.
    records
        Records of tools, by format.
    with_containers
        Objects of kinds that are not known, and hold containers all the same, by kind.
    """

    origins: int = 0
    objects: int = 0
    empty_lists: int = 0
    first_fault: str = ""
    no_object: list[str] = []
    records: dict[str, int] = {}
    with_containers: dict[str, int] = {}

    def add(self, other: Told) -> None:
        """Let the files of another come after these."""
        self.origins += other.origins
        self.objects += other.objects
        self.empty_lists += other.empty_lists
        self.first_fault = self.first_fault or other.first_fault
        self.no_object += other.no_object
        _add(self.records, other.records)
        _add(self.with_containers, other.with_containers)


def _add(counts: dict[str, int], more: dict[str, int]) -> None:
    for key, number in more.items():
        counts[key] = counts.get(key, 0) + number


class Reading:
    """Reads files: numbers origins, groups items to batches, remembers what is no object.

    Attributes
    ----------
    told
        What is known so far.
    leaning
        Format, and records of it before, that the last content of a tool was taken apart by.
    """

    def __init__(self, wanted: Mapping[KindId, Read]) -> None:
        self.told = Told()
        self.leaning: tuple[str, int] | None = None
        self._before: Counter[str] = Counter()
        self._plurals = {read.plural: key for key, read in wanted.items()}
        reads = [read for collector in COLLECTORS.values() for read in collector.reads]
        self._known = {read.id for read in reads}
        self._open = {read.group for read in reads if read.open}
        self._all_tables = tuple(sorted({t.name for c in COLLECTORS.values() for t in c.tables}))

    def apart(self, before: Counter[str]) -> Reading:
        """Return another one for files before which so many records are taken to be."""
        other = copy.copy(self)
        other.told, other.leaning, other._before = Told(), None, before
        return other

    def begin(self, origin: Origin) -> Begin:
        """Number an origin."""
        self.told.origins += 1
        return Begin(self.told.origins - 1, origin)

    def records(self, format: str) -> int:
        """Count the records of a format so far."""
        return self._before[format] + self.told.records.get(format, 0)

    def data(self, origin: Origin, data: bytes, *, yaml: bool) -> Iterator[Event]:
        """Yield the events of one file's content."""
        yield (begin := self.begin(origin))
        told, name = self.told, origin.name
        before, lists = told.objects, told.empty_lists
        broken = yield from self.found(name, begin.number, found_in(data, yaml=yaml))
        if told.objects == before and told.empty_lists == lists and not broken:
            yield from self._nothing(name, data)

    def tool(self, format: Format, origin: Origin, *contents: Content) -> Iterator[Event]:
        """Yield the events of a tool's output, or of several documents of one file."""
        origin.format = format.name
        yield (begin := self.begin(origin))
        told = self.told
        for content in contents:
            content.before = records = self.records(format.name)
            for event in taken(format, content, begin.number):
                if isinstance(event, Batch):
                    told.objects += len(event.items)
                    told.records[format.name] = told.records.get(format.name, 0) + len(event.items)
                told.empty_lists += isinstance(event, Listed)
                yield event
            if content.leaning:
                self.leaning = format.name, records

    def windows(self, name: str, stream: BinaryIO, size: int) -> Iterator[Event] | None:
        """Return the events of a large list, or None where the file is none."""
        digest = hashlib.sha256()
        items = windowed(stream, size, digest.update)
        return None if items is None else self._windows(name, size, items, digest)

    def _windows(
        self, name: str, size: int, items: Iterator[Found], digest: hashlib._Hash
    ) -> Iterator[Event]:
        origin = Origin(name=name, bytes=size)
        yield (begin := self.begin(origin))
        yield from self.found(name, begin.number, items)
        origin.sha256 = digest.hexdigest()

    def found(self, name: str, number: int, items: Iterator[Found]) -> Generator[Event, None, bool]:
        """Yield batches of objects alike; return whether anything was broken."""
        pending: list[Item] = []
        broken = False
        for found in items:
            if isinstance(found, Item):
                if pending and (len(pending) >= _BATCH or not _alike(pending[-1], found)):
                    yield _batch(pending, number)
                    pending = []
                pending.append(found)
                self.told.objects += 1
                if self._is_strange(found) and _CONTAINERS.search(found.raw):
                    kind = f"{found.kind}.{found.group}" if found.group else found.kind
                    _add(self.told.with_containers, {kind: 1})
            else:
                broken = broken or (
                    isinstance(found, Other) and found.reason in (Reason.BROKEN, Reason.PARTIAL)
                )
                yield from self._other(name, found)
        if pending:
            yield _batch(pending, number)
        return broken

    def _is_strange(self, item: Item) -> bool:
        return (item.group, item.kind) not in self._known and item.group not in self._open

    def _nothing(self, name: str, data: bytes) -> Iterator[Event]:
        """Tell an empty ``List`` in ``pods.json`` from a file without objects."""
        plural = Path(name).name.split(".")[0]
        if plural in self._plurals and b'"items"' in data[:4096]:
            self.told.empty_lists += 1
            yield Listed(*self._plurals[plural])

    def _other(self, name: str, found: Found) -> Iterator[Event]:
        if isinstance(found, EmptyList):
            self.told.empty_lists += 1
            yield Listed(found.group, found.kind)
        elif isinstance(found, Other):
            if found.kind == "version":
                yield ServerVersion(found.git_version, found.platform)
            elif found.of is not None and not tables_of(found.of):
                self.other_content(name)
            elif found.reason in (Reason.BROKEN, Reason.PARTIAL):
                yield self.file_gap(name, found.reason, found.detail, found.of)
            else:
                self.other_content(name)

    def other_content(self, name: str) -> None:
        """Remember a file that holds no Kubernetes object."""
        if not self.told.no_object or self.told.no_object[-1] != name:
            self.told.no_object.append(name)

    def file_gap(self, name: str, reason: Reason, detail: str, of: KindId | None = None) -> Gap:
        """Gap of a file whose content is not known: any table may lack something, or one kind."""
        self.told.first_fault = self.told.first_fault or f"{name}: {detail}"
        return Gap(
            what=f"file {name}",
            reason=reason,
            tables=self._all_tables if of is None else tables_of(of),
            kind="File" if of is None else of[1],
            name=name if of is None else "",
            detail=f"{name}: {detail}",
        )

    def end(self) -> Iterator[Event]:
        """Tell of files that hold no Kubernetes object, and of containers that nothing reads."""
        for kind, number in sorted(self.told.with_containers.items()):
            yield Gap(
                what=kind,
                reason=Reason.NOT_COLLECTED,
                detail=f"{count(number, 'object')} with containers, of a kind that is not known: "
                "what runs of it is judged only where its pods are in the evidence",
            )
        files = self.told.no_object
        if files:
            names = ", ".join(files[:5])
            more = f" and {len(files) - 5} more" if len(files) > 5 else ""
            yield Gap(
                what=f"{count(len(files), 'file')} with other content",
                reason=Reason.NOT_IN_SOURCE,
                detail=f"{names}{more}: no Kubernetes object",
            )


def _alike(one: Item, other: Item) -> bool:
    return one.kind == other.kind and one.group == other.group and one.version == other.version


def _batch(items: list[Item], origin: int) -> Batch:
    first = items[0]
    return Batch(
        group=first.group,
        version=first.version,
        kind=first.kind,
        origin=origin,
        items=[item.raw for item in items],
        positions=[(item.document, item.item) for item in items],
    )


def origin_of(name: str, data: bytes) -> Origin:
    """Origin of a file with this content."""
    return Origin(name=name, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
