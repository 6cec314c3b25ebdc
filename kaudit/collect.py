"""Engine: sources to evidence.

Each object is decoded once into the struct of its kind, which drops what may not be kept,
becomes one redacted raw record, and is handed to the collectors of its kind, whose rows
are gathered by table. Pods are cut into parts, so that memory does not grow with them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec

from kaudit import registry
from kaudit.collection_gaps import broken, left_out, twice, untold, with_tables
from kaudit.collection_log import log_of_reads
from kaudit.collector_off import collector_off
from kaudit.detector import Detector
from kaudit.errors import InputError
from kaudit.evidence.build import Builder, Piece
from kaudit.evidence.bundle import Evidence
from kaudit.model import credential
from kaudit.model.homonyms import in_tables
from kaudit.model.meta import Resource
from kaudit.model.nulls import without_nulls
from kaudit.model.place import Place, stand_in
from kaudit.model.words import Gap, Reason
from kaudit.orphans import Orphans, Waiting
from kaudit.registry import Collector, Read, tables_of
from kaudit.source.documents import TOO_DEEP, split_version
from kaudit.source.events import (
    Access,
    Batch,
    Begin,
    Event,
    KindId,
    Listed,
    Made,
    Origin,
    Progress,
    ServerVersion,
    Shared,
    Source,
    silent,
)
from kaudit.spec_rows import SpecRows
from kaudit.text import count, meant

#: Objects of a batch from which it is worth a piece.
MANY = 500
#: Objects after which rows become columns, where there are enough.
_PRESSED = 100


def collect(
    *sources: Source,
    out: Path | None = None,
    raw: bool = True,
    kinds: Sequence[str] = (),
    as_of: datetime | None = None,
    then: Callable[[Ingest], Source] | None = None,
    strict: bool = False,
    progress: Progress = silent,
) -> Evidence:
    """Read sources and return their evidence.

    Parameters
    ----------
    sources
        Read in the given order; several become one body of evidence.
    out
        Bundle to write: a folder, or a zip where the name ends in ``.kaudit``. None keeps
        the evidence in memory, unsealed.
    raw
        Keep raw records; without them findings lead to the source file only.
    kinds
        Plural names of the kinds to read; empty reads all but Secrets of live clusters.
    as_of
        Moment that ages are measured from, where the source does not tell it. Without it,
        that of the newest object: then what is old is known, and nothing is known to be young.
    then
        Makes one more source of what was gathered from the others: of the images that run.
    strict
        Refuse what holds nothing but faults; by default it is evidence that consists of gaps.
    progress
        Told what is being read.

    Raises
    ------
    InputError
        No source could be read, or (``strict``) nothing that they hold, or ``out`` is in the way.
    """
    registry.load_catalogue("collectors")
    credential.ask_further(Detector())
    wanted = _wanted(kinds)
    ingest = Ingest(Builder(out, keep_raw=raw), wanted)
    try:
        with collector_off():
            for source in sources:
                ingest.source(source, progress)
            ingest.adopt()
            if then is not None:
                ingest.source(then(ingest), progress)
        if strict:
            ingest.refuse_nothing(sources)
        return ingest.finish(sources, as_of)
    except BaseException:
        ingest.builder.discard()
        raise


@contextmanager
def _closing(events: Iterator[Event]) -> Iterator[Iterator[Event]]:
    """Let a source end what it runs as soon as nobody reads it any more."""
    try:
        yield events
    finally:
        if isinstance(events, Generator):
            events.close()


def _wanted(kinds: Sequence[str]) -> dict[KindId, tuple[Read, tuple[Collector, ...]]]:
    found: dict[KindId, tuple[Read, tuple[Collector, ...]]] = {}
    plurals = {
        read.plural for c in registry.COLLECTORS.values() for read in c.reads if not read.tool
    }
    for kind in kinds:
        if kind not in plurals:
            raise InputError(f"no collector reads {kind!r}", hint=meant(kind, plurals))
    for collector in registry.COLLECTORS.values():
        for read in collector.reads:
            if kinds and read.plural not in kinds and not read.tool:
                continue
            _, others = found.get(read.id, (read, ()))
            found[read.id] = (read, (*others, collector))
    return found


@cache
def decoder(model: type[msgspec.Struct]) -> Callable[[Any], Any]:
    """Decoder of a struct, made once; nulls that it does not expect are left out.

    What is wrong without them too is told of the object as it is.
    """
    decode = msgspec.json.Decoder(model).decode

    def decoded(item: Any) -> Any:
        try:
            return decode(item)
        except (msgspec.DecodeError, ValueError) as fault:
            try:
                return decode(without_nulls(item, model))
            except (msgspec.DecodeError, ValueError):
                raise fault from None

    return decoded


#: What a server calls an object of which only its metadata were asked.
_METADATA = ("meta.k8s.io/v1", "PartialObjectMetadata")


def _is(found: Resource, batch: Batch, read: Read) -> bool:
    """Whether an object is what it was taken for by its beginning."""
    if read.metadata and (found.api_version, found.kind) == _METADATA:
        return True
    identity = *split_version(found.api_version, found.kind), found.kind
    return identity == (batch.group, batch.version, batch.kind)


class Ingest:
    """One run of the engine: what is known so far of kinds, names and gaps.

    Parameters
    ----------
    builder
        Where rows and records go.
    wanted
        What is read, and by whom.
    """

    def __init__(
        self,
        builder: Builder,
        wanted: dict[KindId, tuple[Read, tuple[Collector, ...]]],
    ) -> None:
        self.builder = builder
        self.wanted = wanted
        self.gaps: list[Gap] = []
        self.listed: set[KindId] = set()
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.seen: dict[tuple[str, str, str, str], int] = {}
        self.duplicates: Counter[tuple[str, str, str]] = Counter()
        self.newest: datetime | None = None
        self.version: ServerVersion | None = None
        self.access: list[Access] = []
        self._open = {read.group: key for key, (read, _) in wanted.items() if read.open}
        self._origins = 0
        self._reports: dict[tuple[str, str], str] = {}
        self.orphans = Orphans()
        self._making_pods = {key for key in wanted if {"pods", "workloads"} <= {*tables_of(key)}}
        #: What specs told that is no columns yet: those of each small file would cost too much.
        self._told: dict[KindId, SpecRows] = {}

    def source(self, source: Source, progress: Progress) -> None:
        """Read one source to its end."""
        first = self._origins
        kinds = {key: read for key, (read, _) in self.wanted.items() if not read.tool}
        if isinstance(source, Shared):
            source.make = self._made
        with _closing(source.read(kinds, progress)) as events:
            self._events(events, first)
        self._settle()
        self.builder.gathered.cut()

    def _events(self, events: Iterator[Event], first: int) -> None:
        again: set[int] = set()
        for event in events:
            registry.load()  # once; a process beside this one reads meanwhile
            match event:
                case Batch():
                    event.origin += first
                    if event.origin not in again:
                        self.batch(event)
                case Piece():
                    event.origin += first
                    if event.origin not in again:
                        self._join(event)
                case Begin():
                    self.builder.origins.append(event.origin)
                    self._origins = max(self._origins, first + event.number + 1)
                    if gap := self._repeated(event.origin):
                        self.gaps.append(gap)
                        again.add(first + event.number)
                case Listed():
                    self.listed.add(self._key(event.group, event.kind))
                case ServerVersion():
                    self.version = event
                case Access():
                    self.access.append(event)
                case Gap():
                    self.gaps.append(with_tables(event, (read for read, _ in self.wanted.values())))

    def _repeated(self, origin: Origin) -> Gap | None:
        """Gap of a tool's output that was read before; it is counted once."""
        if not origin.format or origin.verb == "run" or registry.FORMATS[origin.format].placed:
            return None
        before = self._reports.setdefault((origin.format, origin.sha256), origin.name)
        if before is origin.name:
            return None
        return Gap(
            what=f"{registry.FORMATS[origin.format].title} output {origin.name}",
            reason=Reason.REPEATED,
            name=origin.name,
            detail=f"the same as {before}: counted once",
        )

    def batch(self, batch: Batch) -> None:
        """Decode a batch, keep its raw records and gather its rows."""
        key = self._key(batch.group, batch.kind)
        self.counts[(batch.group, batch.version, batch.kind)] += len(batch.items)
        if key not in self.wanted:
            return
        self.listed.add(key)
        self._gather(batch)
        self.orphans.keep(batch)
        if sum(map(len, self._told.values())) >= MANY:
            self._settle()
            self.builder.gathered.cut()

    def _settle(self) -> None:
        """Make columns of what specs told; before a cut, for a part has all rows of its pods."""
        for told in self._told.values():
            self.builder.gathered.take_all(told.columns())
        self._told.clear()

    def _key(self, group: str, kind: str) -> KindId:
        """What a kind is wanted as: itself, or one of an open group."""
        return self._open.get(group, (group, kind))

    def distinct(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Distinct values of columns of a table of pods, of all that was gathered."""
        return self.builder.gathered.distinct(table, *columns)

    def alone(self, raws: Sequence[str]) -> set[str]:
        """Names of the origins where records of some raw files stand, and no list of them."""
        return self.builder.alone(raws)

    def _made(self, batch: Batch, origin: str) -> Made | Batch:
        """Make a piece of a batch; where it is small, or names must be seen in order, leave it."""
        piece = Piece(
            group=batch.group,
            version=batch.version,
            kind=batch.kind,
            origin=batch.origin,
            items=len(batch.items),
        )
        if self._key(batch.group, batch.kind) not in self.wanted:
            return piece
        if len(batch.items) < MANY or not self._fill(piece, batch, origin):
            batch.items = [bytes(i) if isinstance(i, msgspec.Raw) else i for i in batch.items]
            return batch
        return piece

    def _fill(self, piece: Piece, batch: Batch, origin: str) -> bool:
        builder = Builder(None, keep_raw=self.builder.keep_raw)
        builder.origins = [Origin(name=origin)] * (batch.origin + 1)
        alone = Ingest(builder, self.wanted)
        alone._gather(batch)
        if alone.seen:
            return False
        alone._settle()
        builder.fill(piece)
        alone.orphans.take_items(batch)
        piece.gaps, piece.faults = alone.gaps, bool(alone.gaps)
        piece.newest, piece.orphans = alone.newest, alone.orphans
        return True

    def _join(self, piece: Piece) -> None:
        """Take over what was made of a batch."""
        key = self._key(piece.group, piece.kind)
        self.counts[(piece.group, piece.version, piece.kind)] += piece.items
        if key not in self.wanted:
            return
        self.listed.add(key)
        self.gaps += piece.gaps
        if piece.newest and (self.newest is None or piece.newest > self.newest):
            self.newest = piece.newest
        if piece.raw:
            self._settle()
            before = self.builder.join(piece)
            if piece.orphans is not None:
                self.orphans.join(piece.orphans, (piece.group, piece.kind), before)

    def _gather(self, batch: Batch) -> None:
        key = self._key(batch.group, batch.kind)
        read, collectors = self.wanted[key]
        decode, builder = decoder(read.model), self.builder
        see = self.orphans.see if key in self._making_pods else None
        functions = [c.function for c in collectors if not c.of_spec]
        if (told := self._told.get(key)) is None:
            told = self._told[key] = SpecRows(collectors)
        api_version = f"{read.group}/{batch.version}" if read.group else batch.version
        kind = in_tables(batch.group, batch.kind)
        tables = [table for c in collectors for table in c.tables if not c.of_spec]
        record, raw = builder.record, read.raw
        adders, press = builder.gathered.adders, builder.gathered.press
        usual: set[tuple[str, str]] = set()
        recorded: list[tuple[int, int]] = []
        found: Any
        for index, (item, position) in enumerate(zip(batch.items, batch.positions, strict=True)):
            try:
                found = item if isinstance(item, msgspec.Struct) else decode(item)
            except (msgspec.DecodeError, ValueError) as fault:
                self._broken(batch, item, position, fault)
                continue
            except RecursionError:
                self._broken(batch, item, position, TOO_DEEP)
                continue
            if read.tool:
                pass
            elif not found.kind:
                # The server leaves out of the items what it says once of their list.
                found.kind, found.api_version = batch.kind, api_version
            elif (found.kind, found.api_version) not in usual:
                if found.api_version and not _is(found, batch, read):
                    self._broken(batch, item, position, "it says twice what it is")
                    continue
                usual.add((found.kind, found.api_version))
            place = self._place(read, raw, found, kind)
            try:
                place.line = record(raw, found)
                recorded.append(position)
                if see is not None:
                    see(found, place, index)
                for function in functions:
                    for row in function(found, place):
                        adders[type(row)](row)
                told.add(found, place)
            except RecursionError:  # what is free in form may be nested as deeply as one likes
                self._broken(batch, item, position, TOO_DEEP)
            if index % _PRESSED == 0:
                press(tables)
        builder.trace(raw, batch.origin, recorded)

    def adopt(self) -> None:
        """Let templates stand for themselves whose owners the sources do not hold."""
        for key, waiting in groupby(self.orphans.left(), itemgetter(0)):
            while some := [one for _, one in islice(waiting, MANY)]:
                self._adopt(key, some)
                self.builder.gathered.cut()

    def _adopt(self, key: KindId, waiting: Sequence[Waiting]) -> None:
        read, collectors = self.wanted[key]
        collectors = tuple(c for c in collectors if any(table.pods for table in c.tables))
        told = SpecRows(collectors)
        for one in waiting:
            found = decoder(read.model)(one.item)
            one.place.orphan = True
            for collector in collectors:
                if not collector.of_spec:
                    for row in collector.function(found, one.place):
                        self.builder.gathered.add(row)
            told.add(found, one.place)
        self.builder.gathered.take_all(told.columns())

    def _place(self, read: Read, raw: str, found: Any, kind: str) -> Place:
        if read.tool:
            return Place(read.group, read.kind, "", "", "", raw, 0)
        meta = found.metadata
        name = meta.name or (f"{meta.generate_name}*" if meta.generate_name else "")
        namespace = (meta.namespace or "default") if read.namespaced else ""
        uid = meta.uid
        if not uid:
            key = (read.group, kind, namespace, name)
            again = self.seen.get(key, 0)
            self.seen[key] = again + 1
            if again:
                self.duplicates[(kind, namespace, name)] = again + 1
            uid = stand_in(*key, again=again)
        created = meta.creation_timestamp
        if created is not None and (self.newest is None or created > self.newest):
            self.newest = created
        return Place(read.group, kind, namespace, name, uid, raw, 0)

    def _broken(
        self, batch: Batch, item: Any, position: tuple[int, int], fault: Exception | str
    ) -> None:
        read, _ = self.wanted[self._key(batch.group, batch.kind)]
        origin = self.builder.origins[batch.origin].name
        kind = in_tables(batch.group, batch.kind)
        self.gaps.append(broken(read, kind, item, position, origin, str(fault)))

    def refuse_nothing(self, sources: Sequence[Source]) -> None:
        """Raise InputError where all that was given is broken."""
        faults = [gap for gap in self.gaps if gap.failed]
        unknown = any(key not in self.wanted for key in self._held())
        live = any(source.live for source in sources)
        if faults and self.builder.empty and not (unknown or live):
            first, more = faults[0], len(faults) - 1
            said = f"nothing could be read: {first.what}: {first.detail or first.reason}"
            raise InputError(said + (f"; and {count(more, 'more fault')}" if more else ""))

    def _held(self) -> set[KindId]:
        """Kinds that the sources hold objects of, broken ones too."""
        return {self._key(group, kind) for group, _, kind in self.counts}

    def finish(self, sources: Sequence[Source], as_of: datetime | None) -> Evidence:
        """Close the books: what no source told is a gap, then seal."""
        live = any(source.live for source in sources)
        told = [source.as_of for source in sources if source.as_of is not None]
        known = as_of or max(told, default=None)
        lost = set() if live else left_out(self.listed, self.builder.gathered.controllers())
        none = untold(self.gaps, {*self.wanted}, self.listed, self._held(), lost, live=live)
        gaps = sorted({*self.gaps, *none, *twice(self.duplicates)})
        return self.builder.finish(
            label=", ".join(source.label for source in sources),
            live=live,
            as_of=known or self.newest,
            as_of_told=known is not None,
            gaps=gaps,
            counts=self.counts,
            wanted=self._kinds(),
            version=self.version,
            access=self.access,
            reads=log_of_reads(gaps, self.counts, {*self.wanted}, self.listed),
        )

    def _kinds(self) -> frozenset[KindId]:
        """Kinds of the API that are read, those of open groups by the names that they have."""
        plain = {key for key, (read, _) in self.wanted.items() if not read.tool}
        return frozenset(plain | {(g, k) for g, _, k in self.counts if g in self._open})
