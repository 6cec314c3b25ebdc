"""Outputs of tools: know them, take them apart, and tell what is broken."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from kaudit.errors import InputError
from kaudit.model.taken import Content, Lost, Taken
from kaudit.model.words import Gap, Reason
from kaudit.registry import FORMATS, Format, Read, load_catalogue, tables_of
from kaudit.source.events import (
    Batch,
    Begin,
    Event,
    KindId,
    Listed,
    Origin,
    Progress,
    silent,
)
from kaudit.source.folders import walked
from kaudit.text import meant, visible_surrogates

#: Bytes of a file, unpacked, from which it is read through a window.
LARGE = 48 << 20
#: What ``-`` stands for.
STDIN = Path("/dev/stdin")
EDGE = 1 << 16
_BLOCK = 1 << 20
_BATCH = 2_500
UNREADABLE = (OSError, EOFError, zlib.error)


def recognised(content: Content) -> Format | None:
    """Return the format that content is of, or None.

    A manifest is not what a text in it is: of those only what a format names by kind is taken.
    """
    kind = content.kind
    formats = [f for _, f in sorted(FORMATS.items()) if not kind or kind in f.kinds]
    return next((f for f in formats if f.recognise(content)), None)


def among_objects(content: Content) -> dict[str, list[Content]]:
    """Documents that formats take out of a file that holds others beside them, by format."""
    kinds = "|".join(kind for f in FORMATS.values() for kind in f.kinds).encode()
    written = re.compile(rb"^[\"']?kind[\"']?[ \t]*:[ \t]*[\"']?(?:%b)\b" % kinds, re.MULTILINE)
    if content.shape != "text" or not written.search(content.data):
        return {}
    from kaudit.model.yaml_stream import chunks  # YAML is slow to import

    found: dict[str, list[Content]] = {}
    formats = set()
    for _, chunk in chunks(content.data):
        digest = hashlib.sha256(chunk).hexdigest()
        one = Content(content.name, chunk, digest[:16])
        format = recognised(one) if one.kind else None
        formats.add(format.name if format else "")
        if format:
            found.setdefault(format.name, []).append(one)
    return found if len(formats) > 1 else {}


def content_of(name: str, path: Path) -> tuple[Content, Origin]:
    """Read a file, or only its beginning where it is large.

    Raises
    ------
    OSError, EOFError, zlib.error
        It cannot be read or unpacked.
    """
    opened = opener(path) if path.is_file() else _spooled(path)
    with opened() as stream:
        data = stream.read(LARGE + 1)
        digest, size = hashlib.sha256(data), len(data)
        while block := stream.read(_BLOCK) if len(data) > LARGE else b"":
            digest.update(block)
            size += len(block)
    origin = Origin(name=name, sha256=digest.hexdigest(), bytes=size)
    large = len(data) > LARGE
    report = origin.sha256[:16]
    content = Content(name, data[:EDGE] if large else data, report, opened if large else None)
    return content, origin


def name_of(path: Path, root: Path | None = None) -> str:
    """Name of a file, below a folder where it is in one; bytes that are no text are written out."""
    return visible_surrogates(path.name if root is None else path.relative_to(root).as_posix())


def cause(fault: Exception) -> str:
    """Say why a file cannot be read or unpacked."""
    if isinstance(fault, EOFError):
        return "cannot be unpacked: it ends too soon"
    if isinstance(fault, OSError) and fault.strerror:
        return f"cannot be read: {fault.strerror}"
    return f"cannot be unpacked: {fault}"


def _spooled(path: Path) -> Callable[[], BinaryIO]:
    """Keep a stream, which can be read but once, in a private file for as long as it is used."""
    kept = tempfile.NamedTemporaryFile(prefix="kaudit-")  # noqa: SIM115  lives as its opener
    with path.open("rb") as stream:
        shutil.copyfileobj(stream, kept)
    kept.flush()
    return lambda: Path(kept.name).open("rb")


def opener(path: Path) -> Callable[[], BinaryIO]:
    """Return what opens a file, unpacked."""
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return lambda: cast(BinaryIO, gzip.open(path))
    if suffix == ".zst":
        import pyarrow as pa

        return lambda: cast(
            BinaryIO, pa.CompressedInputStream(pa.OSFile(os.fsencode(path)), "zstd")
        )
    return lambda: path.open("rb")


def taken(format: Format, content: Content, number: int) -> Iterator[Event]:
    """Yield what content of a format holds, as the events of origin ``number``."""
    pending: list[Taken] = []
    some = False
    fault = ""
    try:
        for found in format.take(content):
            some = True
            if isinstance(found, Lost):
                yield _lost(format, content.name, found)
                continue
            if pending and (len(pending) >= _BATCH or not _alike(pending[-1], found)):
                yield _batch(format, pending, number)
                pending = []
            pending.append(found)
    except InputError as wrong:
        place = f"{wrong.where}: " if wrong.where else ""
        fault = f"{place}{wrong.what}" + (f"; {wrong.hint}" if wrong.hint else "")
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as wrong:
        fault = f"is no output of {format.title}: {wrong}"
    if pending:
        yield _batch(format, pending, number)
    if fault:
        yield unread(format, content.name, fault, part=some)
    if some or not fault:
        for read in format.reads:
            yield Listed(read.group, read.kind)


def counted(events: Iterator[Event], records: Counter[str], name: str) -> Iterator[Event]:
    """Pass events on and count their records."""
    for event in events:
        if isinstance(event, Batch):
            records[name] += len(event.items)
        yield event


def unread(
    format: Format, name: str, detail: str, *, part: bool = False, reason: Reason = Reason.BROKEN
) -> Gap:
    """Gap of a file that cannot be read, or from some place on.

    A report that is not there at all cannot be missed among its records: it costs the table of
    reports alone.
    """
    reads = format.reads if part else format.reads[:1]
    tables = {table for read in reads for table in tables_of(read.id)}
    return Gap(
        what=f"{format.title} output {name}",
        reason=reason,
        tables=tuple(sorted(tables)),
        kind="File",
        name=name,
        detail=detail,
    )


def _lost(format: Format, name: str, lost: Lost) -> Gap:
    tables = tables_of((format.holds, lost.kind))
    place = f"item {lost.item} of " if lost.item else ""
    return Gap(
        what=f"{format.title} {lost.kind} in {name}",
        reason=Reason.BROKEN,
        tables=tables,
        kind="File",
        name=name,
        detail=f"{place}{name}: {lost.detail}",
    )


def _alike(one: Taken, other: Taken) -> bool:
    return one.kind == other.kind and one.group == other.group and one.version == other.version


def _batch(format: Format, items: list[Taken], origin: int) -> Batch:
    first = items[0]
    return Batch(
        group=first.group or format.holds,
        version=first.version,
        kind=first.kind,
        origin=origin,
        items=[item.raw for item in items],
        positions=[(1, item.item) for item in items],
    )


class ToolSource:
    """Reads what one tool wrote.

    Parameters
    ----------
    format
        Name of a registered format.
    path
        File, or folder whose files are all of it; ``-`` is standard input.
    """

    live = False

    def __init__(self, format: str, path: Path) -> None:
        load_catalogue("collectors")
        if format not in FORMATS:
            raise InputError(f"no format is named {format!r}", hint=meant(format, FORMATS))
        path = STDIN if str(path) == "-" else path
        self.format, self.path = FORMATS[format], path
        self.label = self.format.title
        self.as_of: datetime | None = None
        if not path.exists():
            raise InputError("there is no such file or folder", where=path)

    def read(
        self,
        wanted: Mapping[KindId, Read],  # noqa: ARG002  a tool's output is wanted whole
        progress: Progress = silent,
    ) -> Iterator[Event]:
        """Yield what the files hold, in the order of their names."""
        files = self._files()
        records: Counter[str] = Counter()
        for number, (name, path) in enumerate(files):
            progress(name, number, len(files))
            try:
                content, origin = content_of(name, path)
            except UNREADABLE as fault:
                yield unread(self.format, name, cause(fault))
                continue
            format = recognised(content) or self.format
            origin.format = format.name
            yield Begin(number, origin)
            content.before = records[format.name]
            yield from counted(taken(format, content, number), records, format.name)
        progress(self.label, len(files), len(files))

    def _files(self) -> list[tuple[str, Path]]:
        if not self.path.is_dir():
            return [(name_of(self.path), self.path)]
        found = []
        for top, _, names in walked(self.path):
            paths = [Path(top, name) for name in names if not name.startswith(".")]
            found += [(name_of(p, self.path), p) for p in paths if p.is_file()]
        if not found:
            raise InputError("holds no file", where=self.path)
        return sorted(found)


class OutputSource:
    """Reads what a tool wrote from memory; its name and content tell which tool.

    Raises
    ------
    InputError
        No format is of such content.
    """

    live = False

    def __init__(self, name: str, data: bytes) -> None:
        load_catalogue("collectors")
        digest = hashlib.sha256(data).hexdigest()
        self.content = Content(name, data, digest[:16])
        format = recognised(self.content)
        if format is None:
            raise InputError("is the output of no tool that is known", where=name)
        self.format, self.label = format, format.title
        self.as_of: datetime | None = None
        self._origin = Origin(name=name, sha256=digest, bytes=len(data), format=format.name)

    def read(
        self,
        wanted: Mapping[KindId, Read],  # noqa: ARG002  a tool's output is wanted whole
        progress: Progress = silent,
    ) -> Iterator[Event]:
        """Yield what the output holds."""
        yield Begin(0, self._origin)
        yield from taken(self.format, self.content, 0)
        progress(self.label, 1, 1)
