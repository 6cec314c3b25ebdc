"""How the reading of files is shared out between two processes.

Logs of events come first, those of one sensor one after the other, for how many were seen
decides what is folded. Long lists are cut into spans, small files are taken together. What
becomes of them is told in the order of the files, so that evidence does not depend on who
read what.
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from importlib.abc import MetaPathFinder
from pathlib import Path

import msgspec

from kaudit.beside import spread
from kaudit.model.taken import Content
from kaudit.model.words import Gap
from kaudit.source.events import Batch, Begin, Event, Listed, Made, Maker, Origin, Progress
from kaudit.source.json_windows import Frame, framed, items, spans, whole
from kaudit.source.reading import Reading, Told
from kaudit.source.tools import EDGE, UNREADABLE, opener, recognised

#: Bytes of a list from which it is cut; of small files that are taken together.
_LONG, _SMALL = 6 << 20, 1 << 20
_BLOCK = 1 << 18

#: Name and path of a file.
File = tuple[str, Path]
#: Yields the events of a file.
Reader = Callable[[Reading, str, Path], Iterator[Event]]


class Share(msgspec.Struct):
    """What one process reads at a time: files by their place, or a span of a list."""

    files: list[int]
    size: int = 0
    frame: Frame | None = None
    span: tuple[int, int] = (0, 0)


class Done(msgspec.Struct):
    """What became of a file or span; ``items`` are those of a span, whether known or not."""

    events: list[Event] = []
    told: Told = msgspec.field(default_factory=Told)
    leaning: tuple[str, int] | None = None
    items: int = 0
    faults: bool = False


def shared(
    run: Reading, files: Sequence[File], read: Reader, make: Maker | None, progress: Progress
) -> Iterator[Event]:
    """Yield the events of files in their order; batches are made something of, where asked."""
    if make is not None:
        yield from _Shares(run, files, read, make, progress).events()
        return
    for at, (name, path) in enumerate(files):
        progress(name, at, len(files))
        yield from read(run, name, path)


class _Shares:
    def __init__(
        self,
        run: Reading,
        files: Sequence[File],
        read: Reader,
        make: Maker,
        progress: Progress,
    ) -> None:
        self._run, self._files, self._read = run, files, read
        self._make, self._progress = make, progress
        self._shares = _planned(files)
        self._next = 0

    def events(self) -> Iterator[Event]:
        """Yield all, in the order of the files."""
        held: dict[int, Done] = {}
        long: _LongList | None = None
        with closing(spread(len(self._shares), self._work, _without_pandas)) as results:
            for share, found in zip(self._shares, results, strict=True):
                if share.frame is None:
                    held.update(zip(share.files, found, strict=True))
                    while self._next in held:
                        yield from self._file(held.pop(self._next))
                    continue
                if long is None:
                    long = _LongList(self._run, self._files[self._next], share.frame, self._make)
                    self._tell()
                    yield long.begin
                yield from long.span(share.span, found[0])
                if share.span[1] == share.frame.end:
                    yield from long.end()
                    long = None
                    self._next += 1
                    while self._next in held:
                        yield from self._file(held.pop(self._next))

    def _work(self, number: int) -> list[Done]:
        """Read a share, wherever this runs."""
        share, done = self._shares[number], []
        records: Counter[str] = Counter()
        for at in share.files:
            name, path = self._files[at]
            run = self._run.apart(records)
            if share.frame is not None:
                return [self._span(run, name, path, share.frame, share.span)]
            events = list(_made(self._read(run, name, path), name, self._make))
            done.append(Done(events, run.told, run.leaning))
            records = records + Counter(run.told.records)
        return done

    def _span(
        self, run: Reading, name: str, path: Path, frame: Frame, span: tuple[int, int]
    ) -> Done:
        with path.open("rb") as stream:
            found = whole(stream, frame, span)
        if found is None:
            return Done(items=-1)
        events = list(_made(run.found(name, 0, iter(found)), name, self._make))
        faults = any(isinstance(e, Gap) or (isinstance(e, Made) and e.faults) for e in events)
        return Done([] if faults else events, run.told, items=len(found), faults=faults)

    def _tell(self) -> tuple[str, Path]:
        name, path = self._files[self._next]
        self._progress(name, self._next, len(self._files))
        return name, path

    def _file(self, done: Done) -> Iterator[Event]:
        """Yield what became of the next file; what leant on a wrong number is read again."""
        name, path = self._tell()
        self._next += 1
        run = self._run
        if done.leaning is not None and run.records(done.leaning[0]) != done.leaning[1]:
            yield from _made(self._read(run, name, path), name, self._make)
            return
        first = run.told.origins
        run.told.add(done.told)
        for event in done.events:
            if isinstance(event, Begin):
                event.number += first
            elif isinstance(event, Batch | Made):
                event.origin += first
            yield event


class _LongList:
    """A list of many items, of which span after span arrives."""

    def __init__(self, run: Reading, file: File, frame: Frame, make: Maker) -> None:
        self._run, self._frame, self._make = run, frame, make
        self._name, self._path = file
        self.begin = run.begin(Origin(name=self._name, bytes=self._path.stat().st_size))
        self._digest, self._heard = hashlib.sha256(), 0
        self._items, self._whole = 0, True

    def span(self, span: tuple[int, int], done: Done) -> Iterator[Event]:
        """Yield the events of a span; what is odd is read again, now that its place is known."""
        if not self._whole:
            return
        self._hear(span[1])
        if done.items < 0:
            self._whole = False
            yield from self._again((span[0], self._frame.end))
        elif done.faults:
            yield from self._again(span)
        else:
            self._run.told.add(done.told)
            for event in done.events:
                if isinstance(event, Made):
                    event.origin, event.before = self.begin.number, self._items
                elif isinstance(event, Batch):
                    event.origin = self.begin.number
                    event.positions = [(d, i + self._items) for d, i in event.positions]
                yield event
        self._items += max(done.items, 0)

    def _again(self, span: tuple[int, int]) -> Iterator[Event]:
        with self._path.open("rb") as stream:
            found = items(stream, self._frame, span, self._items)
            events = self._run.found(self._name, self.begin.number, found)
            yield from _made(events, self._name, self._make)

    def end(self) -> Iterator[Event]:
        """Yield what is known at the end, and complete the origin."""
        self._hear(self.begin.origin.bytes)
        self.begin.origin.sha256 = self._digest.hexdigest()
        if (part := self._frame.part) is not None:
            yield from self._run.found(self._name, self.begin.number, iter([part]))
        elif self._whole and not self._items and self._frame.typed:
            self._run.told.empty_lists += 1
            yield Listed(self._frame.group, self._frame.kind)

    def _hear(self, end: int) -> None:
        with self._path.open("rb") as stream:
            stream.seek(self._heard)
            while self._heard < end and (block := stream.read(min(_BLOCK, end - self._heard))):
                self._digest.update(block)
                self._heard += len(block)


class _WithoutPandas(MetaPathFinder):
    """Says that pandas is not there; a None among the modules makes pyarrow's first array fail."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:  # noqa: ARG002
        """Raise ModuleNotFoundError for pandas, leave all else to others."""
        if name == "pandas":
            raise ModuleNotFoundError(name)


def _without_pandas() -> None:
    """Spare a process that only reads what pyarrow imports to make its first array."""
    sys.meta_path.insert(0, _WithoutPandas())


def _made(events: Iterator[Event], name: str, make: Maker) -> Iterator[Event]:
    for event in events:
        yield make(event, name) if isinstance(event, Batch) else event


def _planned(files: Sequence[File]) -> list[Share]:
    """Share files out: logs first, then all else in order."""
    logs: dict[str, Share] = {}
    others: list[Share] = []
    for at, (name, path) in enumerate(files):
        if sensor := _sensor(name, path):
            logs.setdefault(sensor, Share([])).files.append(at)
        elif cut := _cut(at, name, path):
            others += cut
        else:
            size = path.stat().st_size if path.is_file() else _SMALL
            last = others[-1] if others else None
            if last is None or last.frame is not None or last.size + size > _SMALL:
                others.append(last := Share([]))
            last.files.append(at)
            last.size += size
    return [*logs.values(), *others]


def _sensor(name: str, path: Path) -> str:
    """Format of a log, as its beginning tells; empty where it is none."""
    suffixes = [one.lower() for one in path.suffixes]
    if not path.is_file() or not {".jsonl", ".ndjson", ".log", ".txt"} & {*suffixes}:
        return ""
    reopen = opener(path)
    try:
        with reopen() as stream:
            format = recognised(Content(name, stream.read(EDGE), "", reopen))
    except UNREADABLE:
        return ""
    return format.name if format else ""


def _cut(at: int, name: str, path: Path) -> list[Share]:
    """Cut a long list of objects; nothing where the file is none."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return []
    size = path.stat().st_size
    if size <= _LONG:
        return []
    try:
        with path.open("rb") as stream:
            frame = framed(stream, size)
            if frame is None or recognised(Content(name, frame.shell)):
                return []
            return [Share([at], size, frame, span) for span in spans(stream, frame)]
    except OSError:
        return []
