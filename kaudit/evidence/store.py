"""Where the tables and raw records of evidence lie: in memory, in a folder, in a zip."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kaudit.errors import EvidenceError
from kaudit.evidence.manifest import Manifest
from kaudit.evidence.raw import hashes, lines_of
from kaudit.mapped import let_go, mapped

if TYPE_CHECKING:
    import pyarrow as pa

#: Bytes of a table of others than pods from which it lies on disk.
LARGE = 32 << 20


class Store(Protocol):
    """Tables by name and part, raw lines by file."""

    sealed: bool

    def names(self) -> tuple[str, ...]:
        """Names of the tables."""
        ...

    def parts(self, name: str) -> int:
        """Return into how many parts a table is cut."""
        ...

    def rows(self, name: str) -> int:
        """Count the rows of a table."""
        ...

    def read(self, name: str, part: int | None, columns: Sequence[str] | None) -> pa.Table:
        """Read one part of a table, or all, with some columns or all."""
        ...

    def raw(self, name: str, line: int) -> bytes:
        """Raw record in a file, by its line from 1."""
        ...

    def records(self, name: str) -> Iterator[bytes]:
        """Yield the raw records in a file."""
        ...

    def apart(self) -> Store:
        """Return the same store for another process: no file position is shared."""
        ...


class SpilledPart(Mapping[str, "pa.Table"]):
    """Tables of one part, on disk in a private folder until nobody needs them."""

    def __init__(self, part: Mapping[str, pa.Table]) -> None:
        import pyarrow as pa

        self._folder = tempfile.mkdtemp(prefix="kaudit-")
        weakref.finalize(self, _remove, self._folder, os.getpid())
        self._names = tuple(part)
        for name, table in part.items():
            with (
                pa.OSFile(os.fsencode(self._path(name)), "wb") as sink,
                pa.ipc.new_file(sink, table.schema) as file,
            ):
                file.write_table(table)

    def _path(self, name: str) -> str:
        return str(Path(self._folder, name))

    def __getitem__(self, name: str) -> pa.Table:
        if name not in self._names:
            raise KeyError(name)
        return mapped(self._path(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def laid_down(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Return tables that lie on disk, if they can: only what is looked at comes into memory."""
    if sys.platform == "win32":  # there, nobody removes a file that is in use
        return dict(tables)
    try:
        return dict(SpilledPart(tables))
    except OSError:  # no place to write, or no room
        return dict(tables)


def on_disk(table: pa.Table) -> pa.Table:
    """Return a table that lies on disk, if it can, each column in one chunk.

    Each column has a file of its own, and is let go of by itself.
    """
    import pyarrow as pa

    found: list[pa.Table] = []
    for name in table.column_names:
        found += laid_down({name: table.select([name]).combine_chunks()}).values()
        let_go()
    return pa.Table.from_arrays([t.column(0) for t in found], schema=table.schema)


def _remove(folder: str, owner: int) -> None:
    """Remove a folder, unless it is that of the process that this one was forked from."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


class MemoryStore:
    """Unsealed evidence: Arrow tables, and raw lines where they were kept."""

    sealed = False

    def __init__(
        self,
        parts: Sequence[Mapping[str, pa.Table]],
        whole: Mapping[str, pa.Table],
        raw: Mapping[str, Sequence[bytes]] | None,
    ) -> None:
        self._parts, self._whole, self._raw = parts, whole, raw

    def names(self) -> tuple[str, ...]:
        """Names of the tables, sorted."""
        return tuple(sorted({*self._whole, *(n for p in self._parts for n in p)}))

    def parts(self, name: str) -> int:
        """Return into how many parts a table is cut."""
        return 1 if name in self._whole else len(self._parts)

    def rows(self, name: str) -> int:
        """Count the rows of a table."""
        if name in self._whole:
            return int(self._whole[name].num_rows)
        return sum(int(part[name].num_rows) for part in self._parts)

    def read(self, name: str, part: int | None, columns: Sequence[str] | None) -> pa.Table:
        """Read one part of a table, or all."""
        import pyarrow as pa

        if name in self._whole:
            table = self._whole[name]
        elif part is None:
            table = pa.concat_tables([p[name] for p in self._parts])
        else:
            table = self._parts[part][name]
        return table.select(list(columns)) if columns is not None else table

    def raw(self, name: str, line: int) -> bytes:
        """Raw record in a file, by its line from 1."""
        return self._lines(name)[line - 1]

    def records(self, name: str) -> Iterator[bytes]:
        """Yield the raw records in a file."""
        return iter(self._lines(name))

    def _lines(self, name: str) -> Sequence[bytes]:
        if self._raw is None:
            raise EvidenceError(
                "raw records were not kept", hint="collect with raw records, or into a bundle"
            )
        return self._raw[name]

    def apart(self) -> Store:
        """Return the same store for another process."""
        return self


class BundleStore:
    """A bundle on disk: a folder, or a zip whose members are stored uncompressed."""

    sealed = True

    def __init__(self, path: Path, archive: zipfile.ZipFile | None) -> None:
        self.path, self._archive = path, archive
        self._lines: dict[str, list[bytes]] = {}

    @classmethod
    def open(cls, path: Path) -> BundleStore:
        """Open a bundle without checking it.

        Raises
        ------
        EvidenceError
            There is no bundle at the path, or the zip is damaged.
        """
        if path.is_dir():
            return cls(path, None)
        try:
            return cls(path, zipfile.ZipFile(path))
        except FileNotFoundError:
            raise EvidenceError("no such evidence", where=path) from None
        except (zipfile.BadZipFile, OSError) as fault:
            raise EvidenceError(f"not a readable bundle: {fault}", where=path) from None

    def content(self, member: str) -> bytes:
        """Content of one file of the bundle."""
        try:
            if self._archive is not None:
                return self._archive.read(member)
            return (self.path / member).read_bytes()
        except (KeyError, FileNotFoundError):
            raise EvidenceError(f"{member} is missing", where=self.path) from None
        # zipfile has no error of its own for members that are encrypted or packed in odd ways
        except (OSError, zipfile.BadZipFile, RuntimeError, zlib.error) as fault:
            raise EvidenceError(f"{member} cannot be read: {fault}", where=self.path) from None

    def members(self) -> set[str]:
        """Names of all files of the bundle."""
        if self._archive is not None:
            return {i.filename for i in self._archive.infolist() if not i.is_dir()}
        return {p.relative_to(self.path).as_posix() for p in self.path.rglob("*") if p.is_file()}

    def names(self) -> tuple[str, ...]:
        """Names of the tables, sorted."""
        tables = (m for m in self.members() if m.startswith("tables/"))
        return tuple(sorted(Path(m).stem for m in tables))

    def _file(self, name: str) -> pa.parquet.ParquetFile:
        import pyarrow as pa
        import pyarrow.parquet as pq

        member = f"tables/{name}.parquet"
        try:
            # Arrow takes a name for an address where it looks like one, and knows no bytes in it.
            return pq.ParquetFile(
                pa.BufferReader(self.content(member))
                if self._archive
                else pa.OSFile(os.fsencode(self.path / member))
            )
        except FileNotFoundError:
            raise EvidenceError(f"{member} is missing", where=self.path) from None
        except (pa.ArrowInvalid, OSError) as fault:
            raise EvidenceError(f"{member} is damaged: {fault}", where=self.path) from None

    def parts(self, name: str) -> int:
        """Return into how many parts a table is cut: its row groups."""
        with self._file(name) as file:
            return int(file.metadata.num_row_groups)

    def rows(self, name: str) -> int:
        """Count the rows of a table."""
        with self._file(name) as file:
            return int(file.metadata.num_rows)

    def read(self, name: str, part: int | None, columns: Sequence[str] | None) -> pa.Table:
        """Read one part of a table, or all, with some columns or all."""
        import pyarrow as pa

        chosen = list(columns) if columns is not None else None
        try:
            with self._file(name) as file:
                if part is None or file.metadata.num_row_groups == 0:
                    return file.read(columns=chosen)
                return file.read_row_group(part, columns=chosen)
        except (pa.ArrowInvalid, OSError) as fault:
            where = f"tables/{name}.parquet"
            raise EvidenceError(f"{where} is damaged: {fault}", where=self.path) from None

    def raw(self, name: str, line: int) -> bytes:
        """Raw record in a file, by its line from 1."""
        if name not in self._lines:
            self._lines = {name: list(self.records(name))}
        return self._lines[name][line - 1]

    def records(self, name: str) -> Iterator[bytes]:
        """Yield the raw records in a file."""
        return lines_of(self.content(f"raw/{name}.jsonl.zst"))

    def apart(self) -> Store:
        """Return the same store for another process, with a file position of its own."""
        return BundleStore.open(self.path)

    def faults(self, manifest: Manifest) -> list[str]:
        """Say of every file of the bundle what differs from the manifest."""
        import pyarrow as pa

        expected = {f"raw/{n}.jsonl.zst": p for n, p in manifest.raw.items()}
        expected |= {f"tables/{n}.parquet": p for n, p in manifest.tables.items()}
        present = self.members() - {"evidence.json"}
        found = [f"{m} is not in the manifest" for m in sorted(present - set(expected))]
        for member, part in sorted(expected.items()):
            if member not in present:
                found.append(f"{member} is missing")
                continue
            try:
                data = self.content(member)
                if member.startswith("raw/"):
                    whole, records = hashes(data, part.bytes)
                else:
                    whole, records = hashlib.sha256(data).hexdigest(), part.records
            except (EvidenceError, pa.ArrowInvalid, OSError) as fault:
                found.append(f"{member} is damaged: {fault}")
                continue
            if whole != part.sha256:
                found.append(f"{member} differs from its SHA-256 in the manifest")
            elif records != part.records:
                found.append(f"{member}: its records differ from their hash in the manifest")
        return found
