"""Raw records: one redacted JSON object a line, hashed before compression."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kaudit.evidence.manifest import PartInfo
from kaudit.model.credential import SHAPE_BYTES, hinted

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_CHUNK = 2_000
#: Bytes of a file that are unpacked at a time.
_BLOCK = 1 << 20


class RawFile:
    """Raw records of one kind, on disk (compressed) or in memory.

    Parameters
    ----------
    name
        File name without ending, such as ``deployments.apps``.
    folder
        Bundle under construction, or None.
    number
        Place among the raw files of the run.

    Attributes
    ----------
    records
        How many there are.
    """

    def __init__(self, name: str, folder: Path | None, *, number: int) -> None:
        self.name, self.number = name, number
        self.lines: list[bytes] = []
        self.masked = 0
        self.records = 0
        self._bytes = 0
        self._hash = hashlib.sha256()
        self.digests = bytearray()
        self._stream: Any = None
        if folder is not None:
            import pyarrow as pa

            (folder / "raw").mkdir(exist_ok=True)
            self._sink = _Sink(folder / "raw" / f"{name}.jsonl.zst")
            self._stream = pa.CompressedOutputStream(self._sink, "zstd")

    def count(self) -> int:
        """Count a record that is not kept."""
        self.records += 1
        return self.records

    def write(self, line: bytes) -> int:
        """Append a record; what has the shape of a credential is masked."""
        if hinted(line) and SHAPE_BYTES.search(line):
            line = SHAPE_BYTES.sub(b"[masked]", line)
            self.masked += 1
        self.lines.append(line)
        self.digests += hashlib.sha256(line).digest()
        self.records += 1
        if self._stream is not None and len(self.lines) >= _CHUNK:
            self._flush()
        return self.records

    def take(self, lines: list[bytes] | None, digests: bytes, count: int, masked: int) -> int:
        """Append records that were written elsewhere; return how many there were before."""
        before = self.records
        self.records += count
        self.masked += masked
        self.digests += digests
        if lines is not None:
            self.lines += lines
            if self._stream is not None and len(self.lines) >= _CHUNK:
                self._flush()
        return before

    def _flush(self) -> None:
        block = b"\n".join(self.lines) + b"\n" if self.lines else b""
        self._hash.update(block)
        self._bytes += len(block)
        self._stream.write(block)
        self.lines.clear()

    def close(self) -> PartInfo:
        """Write what is left; return hash, size and lines."""
        self._flush()
        self._stream.close()
        return PartInfo(
            sha256=self._hash.hexdigest(),
            bytes=self._bytes,
            rows=self.records,
            records=over_records(self.digests),
        )

    def abandon(self) -> None:
        """Close without caring for the rest."""
        if self._stream is not None and not self._stream.closed:
            self._sink.lost = True
            self._stream.close()


class _Sink(io.RawIOBase):
    """A file to write, which takes no more once its content is lost: the disk may be full."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self.lost = False

    def writable(self) -> bool:
        """Say so."""
        return True

    def write(self, data: ReadableBuffer) -> int:
        """Write all, or nothing any more."""
        left = memoryview(data)
        size = left.nbytes
        while left and not self.lost:
            left = left[self._file.write(left) :]
        return size

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def over_records(digests: bytes | bytearray) -> str:
    """Hash over the sorted SHA-256 of records, which stand one after the other."""
    size = hashlib.sha256().digest_size
    each = sorted(bytes(digests[at : at + size]) for at in range(0, len(digests), size))
    return hashlib.sha256(b"".join(each)).hexdigest()


def lines_of(data: bytes) -> Iterator[bytes]:
    """Lines of a compressed raw file, of which few are in memory at a time."""
    with _stream(data) as stream:
        for line in stream:
            yield line[:-1]


def hashes(data: bytes, most: int) -> tuple[str, str]:
    """Hash of what a compressed raw file holds, and over its records.

    Both are those of what is too long where there are more than ``most`` bytes: how much
    a few bytes hold is not known before they are unpacked.
    """
    whole, line, digests = hashlib.sha256(), hashlib.sha256(), bytearray()
    with _stream(data) as stream:
        while most >= 0 and (block := stream.read(_BLOCK)):
            most -= len(block)
            whole.update(block)
            first, *others = block.split(b"\n")
            line.update(first)
            for other in others:
                digests += line.digest()
                line = hashlib.sha256(other)
    return whole.hexdigest(), over_records(digests)


def _stream(data: bytes) -> io.BufferedReader:
    import pyarrow as pa

    return io.BufferedReader(pa.CompressedInputStream(pa.BufferReader(data), "zstd"))


def decompressed(data: bytes) -> bytes:
    """Uncompressed bytes of a raw file."""
    with _stream(data) as stream:
        return stream.read()
