"""Manifests and dumps: a file, a folder or a stream of Kubernetes objects."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zlib
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import BinaryIO

from kaudit.errors import InputError
from kaudit.model.taken import Content
from kaudit.model.words import Gap, Reason
from kaudit.registry import COLLECTORS, FORMATS, Format, Read
from kaudit.source.documents import EmptyList, Found, Item, Other, found_in
from kaudit.source.events import (
    Batch,
    Begin,
    Event,
    KindId,
    Listed,
    Origin,
    Progress,
    ServerVersion,
    silent,
)
from kaudit.source.json_windows import LARGE, windowed
from kaudit.source.tools import content_of, counted, recognised, taken

_YAML = (".yaml", ".yml")
_LINES = (".jsonl", ".ndjson")
_JSON = (".json", *_LINES)
_PACKED = (".gz", ".zst")
#: Hidden folders that are looked into all the same.
_OPEN = (".github",)
_BATCH = 2_500
#: Bytes of one file, unpacked, beyond which it is not read.
LARGEST = 1 << 30


class FileSource:
    """Reads manifests and dumps.

    YAML and JSON, several documents, ``List`` and typed lists, ``kubectl get -o json``,
    ``kubectl cluster-info dump`` (folder or stream), must-gather trees and rendered Helm
    charts, plain or packed with gzip or zstd.

    Parameters
    ----------
    path
        File or folder.
    label
        How reports call it; the last part of the path by default.
    largest
        Bytes of one file beyond which it becomes a gap.
    """

    live = False

    def __init__(self, path: Path, *, label: str = "", largest: int = LARGEST) -> None:
        self.path, self.largest = path, largest
        self.label = label or ("stream" if path.is_fifo() else path.resolve().name) or "source"
        self.as_of: datetime | None = None
        self.text: bytes | None = None

    @classmethod
    def of_text(cls, text: str | bytes, *, label: str = "text") -> FileSource:
        """Read manifests from text."""
        source = cls(Path(label), label=label)
        source.text = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        return source

    @classmethod
    def of_stream(cls, stream: BinaryIO, *, label: str = "stdin") -> FileSource:
        """Read manifests from a stream to its end."""
        data = stream.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise InputError("more than 1 GiB on standard input", hint="give files instead")
        if not data.strip():
            raise InputError("nothing came on standard input", hint="pipe manifests into it")
        return cls.of_text(data, label=label)

    def read(self, wanted: Mapping[KindId, Read], progress: Progress = silent) -> Iterator[Event]:
        """Yield what the files hold, file by file in the order of their names.

        Raises
        ------
        InputError
            The path is missing, or nothing in it could be read.
        """
        if self.text is not None:
            run = _Run(wanted)
            yield from run.data(self.label, self.text, yaml=True)
        else:
            run = _Run(wanted)
            files, unread = self.files()
            for name, why in unread:
                yield run.file_gap(name, Reason.BROKEN, why)
            for done, (name, path) in enumerate(files):
                progress(name, done, len(files))
                yield from self._file(run, name, path)
            progress(self.label, len(files), len(files))
        yield from run.end()
        if not run.objects and not run.empty_lists:
            raise InputError(
                run.first_fault.removeprefix(f"{self.label}: ") or "holds no Kubernetes object",
                where=self.label,
                hint="give manifests, a dump or an evidence bundle",
            )

    def files(self) -> tuple[list[tuple[str, Path]], list[tuple[str, str]]]:
        """Name the files to read, and what is there but cannot be, with the reason."""
        if not self.path.exists():
            raise InputError("there is no such file or folder", where=self.path)
        if self.path.is_file() or self.path.is_fifo():
            return [(self.label if self.path.is_fifo() else self.path.name, self.path)], []
        if not self.path.is_dir():
            raise InputError("is neither a file nor a folder", where=self.path)
        root = self.path.resolve()
        found, unread = [], []
        for name, path, fault in _walked(self.path):
            if why := fault or _barred(path, root):
                unread.append((name, why))
            elif path.is_file() and (_suffix(path) in (*_YAML, *_JSON) or _named(path)):
                found.append((name, path))
        if not found and not unread:
            raise InputError(
                "holds no YAML or JSON file", where=self.path, hint="give manifests or a dump"
            )
        return sorted(found), sorted(unread)

    def _file(self, run: _Run, name: str, path: Path) -> Iterator[Event]:
        try:
            size = path.stat().st_size
            if size > LARGE and path.suffix.lower() == ".json":
                with path.open("rb") as stream:
                    if (events := run.windows(name, stream, size)) is not None:
                        yield from events
                        return
                content, origin = content_of(name, path)
                if format := recognised(content):
                    yield from run.tool(format, content, origin)
                    return
            if _long(path, size):
                content, origin = content_of(name, path)
                if format := recognised(content):
                    yield from run.tool(format, content, origin)
                    return
            if size > self.largest:
                raise _TooLarge
            data = _unpacked(path, self.largest)
        except _TooLarge:
            yield run.file_gap(
                name,
                Reason.TOO_LARGE,
                f"larger than {self.largest >> 20} MiB; split the list into several files",
            )
            return
        except (OSError, EOFError, zlib.error) as fault:
            yield run.file_gap(name, Reason.BROKEN, f"cannot be read: {fault.__class__.__name__}")
            return
        content = Content(name, data, hashlib.sha256(data).hexdigest()[:16])
        if format := recognised(content):
            digest = hashlib.sha256(data).hexdigest()
            yield from run.tool(format, content, Origin(name=name, sha256=digest, bytes=len(data)))
            return
        suffix = _suffix(path)
        if (suffix not in (*_YAML, *_JSON) and _named(path)) or (
            suffix in _LINES and not _objects_a_line(data)
        ):
            run.other_content(name)
            return
        yield from run.data(name, data, yaml=_suffix(path) not in _JSON)


def _walked(root: Path) -> Iterator[tuple[str, Path, str]]:
    """Yield what may be read below a folder: name, path, and why a folder cannot be listed."""
    faults: list[OSError] = []
    for top, folders, files in os.walk(root, onerror=faults.append):
        folders[:] = [name for name in folders if not name.startswith(".") or name in _OPEN]
        links = [name for name in folders if Path(top, name).is_symlink()]
        for name in (*files, *links):
            path = Path(top, name)
            if not name.startswith(".") or _named(Path(name)):
                yield path.relative_to(root).as_posix(), path, ""
    for fault in faults:
        path = Path(fault.filename)
        why = f"cannot be listed: {fault.__class__.__name__}"
        yield (path.relative_to(root).as_posix() if path != root else root.name), path, why


def _barred(path: Path, root: Path) -> str:
    """Say why something that looks like a manifest, or like a folder of them, is not read."""
    if path.is_dir():
        return "" if path.resolve().is_relative_to(root) else "a link out of the folder"
    if _suffix(path) not in (*_YAML, *_JSON) and not _named(path):
        return ""
    if path.is_symlink() and not path.exists():
        return "a link to nothing"
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        return "a link out of the folder"
    return "" if path.is_file() else "no regular file"


def _named(path: Path) -> bool:
    """Tell whether the output of a tool, or what a tool reads, has such a name."""
    return any(fnmatch(path.name, name) for f in FORMATS.values() for name in f.files)


def _long(path: Path, size: int) -> bool:
    """Tell files of many lines, which need not be held to be read."""
    packed = path.suffix.lower() in _PACKED
    return size > (LARGE >> 3 if packed else LARGE) and (
        _suffix(path) in _LINES or _suffix(path) not in (*_YAML, *_JSON)
    )


class _TooLarge(Exception):
    pass


def _objects_a_line(data: bytes) -> bool:
    """Tell Kubernetes objects from event logs by the first line."""
    first = next((line for line in data[:1_000_000].splitlines() if line.strip()), b"")
    return b'"apiVersion"' in first and b'"kind"' in first


def _suffix(path: Path) -> str:
    suffixes = [s.lower() for s in path.suffixes]
    if suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _unpacked(path: Path, largest: int) -> bytes:
    kind = path.suffix.lower()
    if kind == ".gz":
        with gzip.open(path) as stream:
            data = stream.read(largest + 1)
    elif kind == ".zst":
        import pyarrow as pa

        try:
            with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as packed:
                data = io.BytesIO(packed.read(largest + 1)).getvalue()
        except pa.ArrowInvalid as fault:
            raise OSError(str(fault)) from None
    else:
        return path.read_bytes()
    if len(data) > largest:
        raise _TooLarge
    return data


class _Run:
    """One reading: numbers origins, groups items to batches, remembers what is no object."""

    def __init__(self, wanted: Mapping[KindId, Read]) -> None:
        self.objects = 0
        self.empty_lists = 0
        self.first_fault = ""
        self._origins = 0
        self._no_object: list[str] = []
        self._records: Counter[str] = Counter()
        self._plurals = {read.plural: key for key, read in wanted.items()}
        self._all_tables = tuple(sorted({t.name for c in COLLECTORS.values() for t in c.tables}))

    def data(self, name: str, data: bytes, *, yaml: bool) -> Iterator[Event]:
        """Yield the events of one file's content."""
        number = self._origins
        self._origins += 1
        digest = hashlib.sha256(data).hexdigest()
        yield Begin(number, Origin(name=name, sha256=digest, bytes=len(data)))
        before, lists = self.objects, self.empty_lists
        broken = yield from self._found(name, number, found_in(data, yaml=yaml))
        if self.objects == before and self.empty_lists == lists and not broken:
            yield from self._nothing(name, data)

    def tool(self, format: Format, content: Content, origin: Origin) -> Iterator[Event]:
        """Yield the events of a tool's output."""
        origin.format = format.name
        number = self._origins
        self._origins += 1
        yield Begin(number, origin)
        content.before = self._records[format.name]
        for event in counted(taken(format, content, number), self._records, format.name):
            self.objects += len(event.items) if isinstance(event, Batch) else 0
            self.empty_lists += isinstance(event, Listed)
            yield event

    def windows(self, name: str, stream: BinaryIO, size: int) -> Iterator[Event] | None:
        """Return the events of a large list, or None where the file is none."""
        digest = hashlib.sha256()
        items = windowed(stream, size, digest.update)
        return None if items is None else self._windows(name, size, items, digest)

    def _windows(
        self, name: str, size: int, items: Iterator[Found], digest: hashlib._Hash
    ) -> Iterator[Event]:
        origin, number = Origin(name=name, bytes=size), self._origins
        self._origins += 1
        yield Begin(number, origin)
        yield from self._found(name, number, items)
        origin.sha256 = digest.hexdigest()

    def _found(
        self, name: str, number: int, items: Iterator[Found]
    ) -> Generator[Event, None, bool]:
        """Yield batches of objects alike; return whether anything was broken."""
        pending: list[Item] = []
        broken = False
        for found in items:
            if isinstance(found, Item):
                if pending and (len(pending) >= _BATCH or not _alike(pending[-1], found)):
                    yield _batch(pending, number)
                    pending = []
                pending.append(found)
                self.objects += 1
            else:
                broken = broken or (isinstance(found, Other) and found.reason is Reason.BROKEN)
                yield from self._other(name, found)
        if pending:
            yield _batch(pending, number)
        return broken

    def _nothing(self, name: str, data: bytes) -> Iterator[Event]:
        """Tell an empty ``List`` in ``pods.json`` from a file without objects."""
        plural = Path(name).name.split(".")[0]
        if plural in self._plurals and b'"items"' in data[:4096]:
            self.empty_lists += 1
            yield Listed(*self._plurals[plural])

    def _other(self, name: str, found: Found) -> Iterator[Event]:
        if isinstance(found, EmptyList):
            self.empty_lists += 1
            yield Listed(found.group, found.kind)
        elif isinstance(found, Other):
            if found.kind == "version":
                yield ServerVersion(found.git_version, found.platform)
            elif found.reason is Reason.BROKEN:
                yield self.file_gap(name, Reason.BROKEN, found.detail)
            elif not self._no_object or self._no_object[-1] != name:
                self.other_content(name)

    def other_content(self, name: str) -> None:
        """Remember a file that holds no Kubernetes object."""
        self._no_object.append(name)

    def file_gap(self, name: str, reason: Reason, detail: str) -> Gap:
        """Gap of a file whose content is not known: any table may lack something."""
        self.first_fault = self.first_fault or f"{name}: {detail}"
        return Gap(
            what=f"file {name}",
            reason=reason,
            tables=self._all_tables,
            kind="File",
            name=name,
            detail=f"{name}: {detail}",
        )

    def end(self) -> Iterator[Event]:
        """Tell of files that hold no Kubernetes object."""
        if self._no_object:
            names = ", ".join(self._no_object[:5])
            more = f" and {len(self._no_object) - 5} more" if len(self._no_object) > 5 else ""
            count = len(self._no_object)
            yield Gap(
                what=f"{count} file{'s' if count != 1 else ''} with other content",
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
