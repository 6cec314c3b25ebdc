"""Engine: tables of evidence are made anew from its raw records, and compared row by row.

That the hashes of a bundle are right says that nothing was changed since it was sealed. That its
tables follow from its records says that nobody needs to believe who sealed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING

import msgspec

from kaudit import registry
from kaudit.anew import Compared, State
from kaudit.collect import collect
from kaudit.errors import EvidenceError
from kaudit.evidence.bundle import Evidence
from kaudit.evidence.facts import OF_COLLECTION
from kaudit.registry import Read
from kaudit.source.documents import split_version
from kaudit.source.events import Batch, Begin, Event, KindId, Origin, Progress, silent

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["rebuilt"]

#: Records that are decoded at a time.
_MANY = 2_000


def rebuilt(evidence: Evidence, *, progress: Progress = silent) -> list[Compared]:
    """Make the tables of sealed evidence anew from its raw records.

    Parameters
    ----------
    evidence
        A bundle, opened.
    progress
        Told which records are read.

    Returns
    -------
    list of Compared
        One file a table, by name. Those that tell of the collection itself follow from no
        record, and are not among them.

    Raises
    ------
    EvidenceError
        The bundle is damaged, or a record is none.
    """
    made = collect(_Records(evidence), raw=False, as_of=evidence.as_of, progress=progress)
    ours, theirs = ({*e.store.names()} - OF_COLLECTION for e in (made, evidence))
    found = []
    for name in sorted(ours | theirs):
        file = f"tables/{name}.parquet"
        if name in theirs:
            state, row = State.NOT_MADE, 0
            if name in ours:
                row = _first(*(_rows(e, name) for e in (evidence, made)))
                state = State.DIFFERENT if row else State.SAME
            found.append(Compared(file, state, row, evidence.manifest.tables[name].sha256))
        elif made.store.rows(name):
            found.append(Compared(file, State.MISSING))
    return found


class _Records:
    """Raw records of a bundle as a source, in the order in which they were read."""

    live = False

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.label = evidence.label
        self.as_of: datetime | None = evidence.as_of

    def read(self, wanted: Mapping[KindId, Read], progress: Progress = silent) -> Iterator[Event]:
        """Yield the records of each kind; of one that nobody reads any more, none."""
        tools = [r for c in registry.COLLECTORS.values() for r in c.reads if r.tool]
        reads = {read.raw: read for read in (*wanted.values(), *tools)}
        names = sorted({*reads} & {*self._evidence.manifest.raw})
        for number, name in enumerate(names):
            progress(name, number, len(names))
            yield Begin(number, Origin(name=f"raw/{name}.jsonl.zst"))
            yield from self._batches(reads[name], number)

    def _batches(self, read: Read, origin: int) -> Iterator[Batch]:
        lines = enumerate(self._evidence.store.records(read.raw), start=1)
        told = ((*_kind(read, line, number), line, number) for number, line in lines)
        for (version, kind), alike in groupby(told, itemgetter(0, 1)):
            while some := [*islice(alike, _MANY)]:
                items, at = [one[2] for one in some], [(one[3], 0) for one in some]
                yield Batch(read.group, version, kind, origin, items, at)


class _Kind(msgspec.Struct, rename="camel"):
    kind: str = ""
    api_version: str = ""


_decode = msgspec.json.Decoder(_Kind).decode


def _kind(read: Read, line: bytes, number: int) -> tuple[str, str]:
    """Version and kind of a record."""
    if read.tool:
        return "", read.kind
    try:
        found = _decode(line)
    except (msgspec.DecodeError, RecursionError) as fault:
        raise EvidenceError(f"raw/{read.raw}.jsonl.zst: line {number}: {fault}") from None
    group, version = split_version(found.api_version, found.kind)
    if group != read.group:  # of an object of which only the metadata were asked
        return read.versions[0], read.kind
    return version, found.kind


def _rows(evidence: Evidence, name: str) -> pa.Table:
    """All of a table; where it is cut into parts, in an order that does not tell where."""
    store = evidence.store
    found = store.read(name, None, None)
    return found if store.parts(name) < 2 else registry.TABLES[name].sorted(found)


def _first(one: pa.Table, other: pa.Table) -> int:
    """First row, from 1, in which two tables differ; 0 where they are the same."""
    if one.schema.names != other.schema.names or one.schema.types != other.schema.types:
        return 1
    if one.equals(other):
        return 0
    least = min(one.num_rows, other.num_rows)
    first: int = least
    for mine, yours in zip(one.columns, other.columns, strict=True):
        low, high = 0, first  # rows before low are the same, and one before high is not
        while low < high:
            middle = (low + high) // 2
            same = mine[low : middle + 1].equals(yours[low : middle + 1])
            low, high = (middle + 1, high) if same else (low, middle)
        first = low
    return first + 1
