"""Seal a bundle: nothing is half-written, and nothing secret-shaped goes in."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kaudit.errors import InputError
from kaudit.evidence.manifest import Manifest
from kaudit.model.credential import SHAPES
from kaudit.workshop import Workshop, allowed, locked

if TYPE_CHECKING:
    import pyarrow as pa

_PATTERN = "|".join(SHAPES.values())
_EPOCH = (1980, 1, 1, 0, 0, 0)
_SMALL = 1 << 20  # bytes


class Claim(Workshop):
    """A private folder beside ``out`` to build in.

    Raises
    ------
    InputError
        Something is there already, or nothing can be written there.
    """

    def __init__(self, out: Path) -> None:
        _free(out)
        if not out.parent.is_dir():
            raise InputError("the folder to write into does not exist", where=out.parent)
        try:
            super().__init__(out.parent, out.name)
        except OSError as fault:
            raise InputError(f"cannot write here: {fault.strerror}", where=out.parent) from None


def _free(out: Path) -> None:
    if os.path.lexists(out):
        raise InputError(
            "there is something already", where=out, hint="name a new bundle, or remove it"
        )


def publish(folder: Path, out: Path, manifest: Manifest) -> None:
    """Write the manifest last, make all durable and give the bundle its name."""
    text = msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=1)
    (folder / "evidence.json").write_bytes(text + b"\n")
    if out.name.endswith(".kaudit"):
        archive = folder / "bundle.zip"
        _zip(folder, archive)
        _durable(archive)
        with locked(out.parent):
            _free(out)
            archive.rename(out)
        shutil.rmtree(folder)
    else:
        for path in sorted(folder.rglob("*")):
            _durable(path)
        folder.chmod(allowed(0o777))
        with locked(out.parent):
            _free(out)
            folder.rename(out)
    _durable(out.parent)


def packed(folder: Path, out: Path) -> None:
    """Write the zip form of a bundle that is a folder."""
    replace_file(out, _chunks(folder))


def _chunks(folder: Path) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory() as private:
        archive = Path(private) / "bundle.zip"
        _zip(folder, archive)
        yield archive.read_bytes()


def _zip(folder: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as bundle:
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and p != archive):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            info.external_attr = 0o644 << 16
            bundle.writestr(info, path.read_bytes())


def replace_file(out: Path, chunks: Iterable[bytes]) -> None:
    """Write a file whole or not at all; an existing one is replaced.

    A device, a pipe or our own output is written to.
    """
    if out.is_dir():
        raise InputError("this is a folder", where=out, hint="name a file in it")
    if _is_stream(out):
        with out.open("wb") as stream:
            stream.writelines(chunks)
        return
    if not out.parent.is_dir():
        raise InputError("the folder to write into does not exist", where=out.parent)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    except OSError as fault:
        raise InputError(f"cannot write here: {fault.strerror}", where=out.parent) from None
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            for chunk in chunks:
                stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(stat.S_IMODE(out.stat().st_mode) if out.exists() else allowed(0o666))
        temporary.replace(out)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _is_stream(out: Path) -> bool:
    """Tell what only takes what is written, so that a file in its place would do harm."""
    try:
        found = out.stat()
        return not stat.S_ISREG(found.st_mode) or os.path.samestat(found, os.fstat(1))
    except OSError:  # nothing is there, or we have no output
        return False


def _durable(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def suspicious(tables: Sequence[pa.Table]) -> bool:
    """Tell whether tables are to be masked one by one.

    To prepare a search takes longer than to search a small table: what a small cluster has
    is searched as one.
    """
    if sum(table.nbytes for table in tables) > _SMALL:
        return True
    return _shaped([table.column(at) for table in tables for at in _texts(table)])


def masked_table(table: pa.Table) -> tuple[pa.Table, int]:
    """Mask cells with the shape of a credential; return the table and how many."""
    import pyarrow as pa

    hits = 0
    found = _texts(table)
    small = [n for n in found if table.column(n).nbytes < _SMALL]
    clear = () if _shaped([table.column(n) for n in small]) else small
    for at in sorted({*found} - {*clear}):
        chunks = [_masked(chunk) for chunk in table.column(at).chunks]
        if masked := sum(number for _, number in chunks):
            hits += masked
            field = table.schema.field(at)
            clean = pa.chunked_array([chunk for chunk, _ in chunks], field.type)
            table = table.set_column(at, field, clean)
    return table, hits


def _texts(table: pa.Table) -> list[int]:
    """Where a table has columns of texts, or of lists of them."""
    import pyarrow as pa

    kinds = (pa.string(), pa.list_(pa.string()))
    return [at for at, field in enumerate(table.schema) if field.type in kinds]


def _shaped(columns: Sequence[pa.ChunkedArray]) -> bool:
    """Tell whether any of the texts of columns has the shape of a credential."""
    import pyarrow as pa
    import pyarrow.compute as pc

    chunks = [chunk for column in columns for chunk in column.chunks]
    texts = [(c.values if pa.types.is_list(c.type) else c).unique() for c in chunks]
    if not texts:
        return False
    found = pc.any(pc.match_substring_regex(pa.concat_arrays(texts), _PATTERN))
    return found.as_py() is True


def _masked(texts: pa.Array) -> tuple[pa.Array, int]:
    """Mask texts, or lists of them; each distinct text is searched once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_list(texts.type):
        values, found = _masked(texts.values)
        nulls = texts.is_null() if texts.null_count else None
        whole = pa.ListArray.from_arrays(texts.offsets, values, mask=nulls) if found else texts
        return whole, found
    codes = texts.dictionary_encode()
    wrong = pc.match_substring_regex(codes.dictionary, _PATTERN)
    if not pc.any(wrong).as_py():
        return texts, 0
    found = pc.sum(wrong.take(codes.indices)).as_py()
    return pc.replace_substring_regex(codes.dictionary, _PATTERN, "[masked]").take(
        codes.indices
    ), found
