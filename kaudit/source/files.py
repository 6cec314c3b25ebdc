"""Manifests and dumps: a file, a folder or a stream of Kubernetes objects."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import BinaryIO

from kaudit.errors import InputError
from kaudit.model.taken import Content
from kaudit.model.words import Reason
from kaudit.registry import FORMATS, Read
from kaudit.source.events import Event, KindId, Maker, Progress, silent
from kaudit.source.folders import walked
from kaudit.source.json_windows import LARGE
from kaudit.source.passed_over import gaps_of
from kaudit.source.reading import Reading, origin_of
from kaudit.source.shares import shared
from kaudit.source.tools import (
    EDGE,
    UNREADABLE,
    among_objects,
    cause,
    content_of,
    name_of,
    recognised,
)

_YAML = (".yaml", ".yml")
_LINES = (".jsonl", ".ndjson")
_JSON = (".json", *_LINES)
_PACKED = (".gz", ".zst")
#: Hidden folders that are looked into all the same.
_OPEN = (".github",)
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

    Attributes
    ----------
    make
        What makes pieces of batches; with it, files are read in two processes.
    passed_over
        Files of the folder whose names are none of evidence, once it was looked through.
    """

    live = False

    def __init__(self, path: Path, *, label: str = "", largest: int = LARGEST) -> None:
        self.path, self.largest = path, largest
        own = "stream" if path.is_fifo() else name_of(path.resolve())
        self.label = label or own or "source"
        self.as_of: datetime | None = None
        self.text: bytes | None = None
        self.make: Maker | None = None
        self.passed_over: list[tuple[str, Path]] = []

    @classmethod
    def of_text(cls, text: str | bytes, *, label: str = "text") -> FileSource:
        """Read manifests from text."""
        source = cls(Path(label), label=label)
        source.text = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        return source

    @classmethod
    def of_stream(cls, stream: BinaryIO) -> FileSource:
        """Read manifests from a stream to its end."""
        data = stream.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise InputError("more than 1 GiB on standard input", hint="give files instead")
        if not data.strip():
            raise InputError("nothing came on standard input", hint="pipe manifests into it")
        return cls.of_text(data, label="stdin")

    def read(self, wanted: Mapping[KindId, Read], progress: Progress = silent) -> Iterator[Event]:
        """Yield what the files hold, file by file in the order of their names.

        Raises
        ------
        InputError
            The path is missing, or nothing in it could be read.
        """
        run = Reading(wanted)
        if self.text is not None:
            yield from run.data(origin_of(self.label, self.text), self.text, yaml=True)
        else:
            files, unread = self.files()
            for name, why in unread:
                yield run.file_gap(name, Reason.BROKEN, why)
            yield from shared(run, files, self._file, self.make, progress)
            yield from gaps_of(self.passed_over)
            progress(self.label, len(files), len(files))
        yield from run.end()
        told = run.told
        if not told.objects and not told.empty_lists:
            raise InputError(
                told.first_fault.removeprefix(f"{self.label}: ") or "holds no Kubernetes object",
                where=self.label,
                hint="give manifests, a dump or an evidence bundle",
            )

    def files(self) -> tuple[list[tuple[str, Path]], list[tuple[str, str]]]:
        """Name the files to read, and what is there but cannot be, with the reason."""
        if not self.path.exists():
            raise InputError("there is no such file or folder", where=self.path)
        if self.path.is_file() or self.path.is_fifo():
            return [(self.label if self.path.is_fifo() else name_of(self.path), self.path)], []
        if not self.path.is_dir():
            raise InputError("is neither a file nor a folder", where=self.path)
        root = self.path.resolve()
        found, unread, self.passed_over = [], [], []
        for name, path, fault, hidden in _walked(self.path):
            if not hidden and (why := fault or _barred(path, root)):
                unread.append((name, why))
            elif not path.is_file():
                continue
            elif not hidden and (_suffix(path) in (*_YAML, *_JSON) or _named(path)):
                found.append((name, path))
            elif not path.is_symlink():
                self.passed_over.append((name, path))
        if not found and not unread:
            said = "; ".join(gap.detail for gap in gaps_of(self.passed_over))
            raise InputError(
                "holds no YAML or JSON file",
                where=self.path,
                hint=said or "give manifests or a dump",
            )
        return sorted(found), sorted(unread)

    def _file(self, run: Reading, name: str, path: Path) -> Iterator[Event]:
        try:
            size = path.stat().st_size
            if size > LARGE and path.suffix.lower() == ".json":
                with path.open("rb") as stream:
                    if (events := run.windows(name, stream, size)) is not None:
                        yield from events
                        return
                content, origin = content_of(name, path)
                if format := recognised(content):
                    yield from run.tool(format, origin, content)
                    return
            if _long(path, size):
                content, origin = content_of(name, path)
                if format := recognised(content):
                    yield from run.tool(format, origin, content)
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
        except UNREADABLE as fault:
            yield run.file_gap(name, Reason.BROKEN, cause(fault))
            return
        origin = origin_of(name, data)
        content = Content(name, data, origin.sha256[:16])
        suffix = _suffix(path)
        among = among_objects(content) if suffix in _YAML else {}
        for tool, documents in among.items():
            yield from run.tool(FORMATS[tool], origin_of(name, data), *documents)
        if among:
            yield from run.data(origin, data, yaml=True)
            return
        begun = Content(name, data[:EDGE]) if suffix in _LINES else content
        if format := recognised(begun) or recognised(content):
            yield from run.tool(format, origin, content)
            return
        if (suffix not in (*_YAML, *_JSON) and _named(path)) or (
            suffix in _LINES and not _objects_a_line(data)
        ):
            run.other_content(name)
            return
        yield from run.data(origin, data, yaml=suffix not in _JSON)


def _walked(root: Path) -> Iterator[tuple[str, Path, str, bool]]:
    """Yield what is below a folder: name, path, why a folder cannot be listed, and if it is hidden.

    Of hidden folders only what lies in them directly is named: it is not read.
    """
    faults: list[OSError] = []
    for top, folders, files in walked(root, faults.append):
        closed = [Path(top, name) for name in folders if name.startswith(".") and name not in _OPEN]
        folders[:] = [name for name in folders if not name.startswith(".") or name in _OPEN]
        links = [name for name in folders if Path(top, name).is_symlink()]
        for name in (*files, *links):
            path = Path(top, name)
            hidden = name.startswith(".") and not _named(Path(name))
            yield name_of(path, root), path, "", hidden
        for folder in closed:
            with suppress(OSError):
                for path in () if folder.is_symlink() else sorted(folder.iterdir()):
                    yield name_of(path, root), path, "", True
    for fault in faults:
        path = Path(fault.filename)
        why = f"cannot be listed: {fault.strerror}"
        yield name_of(path, None if path == root else root), path, why, False


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
            with pa.CompressedInputStream(pa.OSFile(os.fsencode(path)), "zstd") as packed:
                data = io.BytesIO(packed.read(largest + 1)).getvalue()
        except pa.ArrowInvalid as fault:
            raise OSError(str(fault)) from None
    else:
        return path.read_bytes()
    if len(data) > largest:
        raise _TooLarge
    return data
