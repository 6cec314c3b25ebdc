"""Build evidence: raw records and rows come in, a sealed bundle or evidence in memory goes out."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from kaudit import __version__, registry
from kaudit.evidence import facts
from kaudit.evidence.bundle import Evidence
from kaudit.evidence.manifest import Manifest, PartInfo, content_id
from kaudit.evidence.raw import RawFile
from kaudit.evidence.seal import Claim, masked_table, publish
from kaudit.evidence.store import BundleStore, MemoryStore, SpilledPart, Store, on_disk
from kaudit.model.words import Gap
from kaudit.orphans import Orphans
from kaudit.source.events import Access, KindId, Made, Origin, ServerVersion
from kaudit.table import Row, Table

if TYPE_CHECKING:
    import pyarrow as pa

#: Pods in one part. Bounds memory; large enough that whole columns pay.
PART = 20_000
#: Rows of a table that are gathered before they become columns.
_GATHERED = 400
#: Parts that are kept in memory; further ones wait on disk.
_HELD = 1
#: Bytes of a table of others than pods from which it lies on disk.
_LOOSE = 32 << 20
_TRACE = ("raw", "line", "origin", "document", "item")


class Piece(Made, kw_only=True):
    """What one batch gave, with lines counted from 1.

    Attributes
    ----------
    group, version, kind
        Of its objects.
    raw
        Raw file that its records belong to; empty where nobody wants the kind.
    lines, digests
        Redacted records and their SHA-256, None and empty where they are not kept; ``count``
        of them.
    trace
        Document and item of each record.
    tables
        Rows by table, in no order.
    gaps, newest
        What could not be decoded, and the newest creation time.
    orphans
        Controllers that wait for their owners.
    """

    group: str
    version: str
    kind: str
    raw: str = ""
    lines: list[bytes] | None = None
    digests: bytes = b""
    count: int = 0
    masked: int = 0
    trace: dict[str, array[int]] = msgspec.field(default_factory=dict)
    tables: dict[str, Any] = msgspec.field(default_factory=dict)
    gaps: list[Gap] = msgspec.field(default_factory=list)
    newest: datetime | None = None
    orphans: Orphans | None = None


class Builder:
    """Gathers raw records and rows, and seals them.

    Parameters
    ----------
    out
        Bundle to write, or None to keep all in memory.
    keep_raw
        Keep raw records (always so in a bundle).
    """

    def __init__(self, out: Path | None, *, keep_raw: bool = True) -> None:
        self.out = out
        self.origins: list[Origin] = []
        self._claim = Claim(out) if out is not None else None
        self._folder = self._claim.folder if self._claim else None
        self.keep_raw = keep_raw or out is not None
        self._raw: dict[str, RawFile] = {}
        self._order: list[str] = []
        self._trace = {name: array("q") for name in _TRACE}
        self._encode = msgspec.json.Encoder(order=None).encode
        self._tables = {
            table.row: table for c in registry.COLLECTORS.values() for table in c.tables
        }
        self._rows: dict[type[Row], list[Row]] = {row: [] for row in self._tables}
        #: What keeps a row, by its class: for whoever has many.
        self.adders: dict[type[Row], Callable[[Row], None]] = {
            row: rows.append for row, rows in self._rows.items()
        }
        self._pieces: dict[str, list[pa.Table]] = {}
        #: Of tables of others than pods: bytes that are held in memory, and what is on disk.
        self._loose: dict[str, int] = {}
        self._spilled: dict[str, list[pa.Table]] = {}
        self._parts: list[Mapping[str, pa.Table]] = []
        self._controllers: set[str | None] = set()
        self._pod_tables = {row: t for row, t in self._tables.items() if t.pods}
        self._of_pods = {table.name for table in self._pod_tables.values()}
        self._pods = next(
            (self._rows[t.row] for t in self._pod_tables.values() if t.name == "pods"), []
        )

    def record(self, raw: str, found: msgspec.Struct) -> int:
        """Keep one redacted record; return its line, from 1."""
        file = self._file(raw)
        return file.write(self._encode(found)) if self.keep_raw else file.count()

    def trace(self, raw: str, origin: int, positions: Sequence[tuple[int, int]]) -> None:
        """Remember where the last records of a file come from: documents and items of an origin."""
        if not positions:
            return
        file, count = self._file(raw), len(positions)
        documents, items = zip(*positions, strict=True)
        self._trace["raw"].extend([file.number] * count)
        self._trace["line"].extend(range(file.records - count + 1, file.records + 1))
        self._trace["origin"].extend([origin] * count)
        self._trace["document"].extend(documents)
        self._trace["item"].extend(items)

    def _file(self, raw: str) -> RawFile:
        file = self._raw.get(raw)
        if file is None:
            file = self._raw[raw] = RawFile(raw, self._folder, number=len(self._raw))
        return file

    def add(self, row: Row) -> None:
        """Keep one row of any declared table."""
        self.adders[type(row)](row)

    def press(self, tables: Iterable[Table] | None = None) -> None:
        """Turn rows into columns where there are enough, while a processor has them at hand."""
        for table in self._tables.values() if tables is None else tables:
            rows = self._rows[table.row]
            if len(rows) >= _GATHERED:
                self._press(table, rows)

    def _press(self, table: Table, rows: list[Row]) -> None:
        import pyarrow.compute as pc

        piece = table.arrow(rows)
        rows.clear()
        self._held(table.name, piece)
        if "controller_kind" in piece.column_names:
            self._controllers.update(pc.unique(piece["controller_kind"]).to_pylist())

    def cut(self) -> None:
        """Turn what was gathered into a part, once there is enough."""
        self.press()
        gathered = sum(piece.num_rows for piece in self._pieces.get("pods", ()))
        if gathered + len(self._pods) >= PART:
            self._gather()
            self._cut()

    def _gather(self) -> None:
        """Turn all rows at hand into columns."""
        for row, rows in self._rows.items():
            if rows:
                self._press(self._tables[row], rows)

    def _cut(self) -> None:
        import pyarrow as pa

        part = self._all_joined(self._pod_tables.values())
        if len(self._parts) < _HELD:
            self._parts.append(part)
            return
        self._parts.append(SpilledPart(part))
        del part
        pa.default_memory_pool().release_unused()

    def _all_joined(self, tables: Collection[Table], most: float = inf) -> dict[str, pa.Table]:
        """Join tables; where they are not large, two at a time: Arrow sorts and copies alone."""
        gathered = [p.nbytes for t in tables for p in self._pieces.get(t.name, ())]
        if sum(gathered) > 4 * _LOOSE or any(table.name in self._spilled for table in tables):
            return {table.name: self._joined(table, most) for table in tables}
        with ThreadPoolExecutor(2) as pool:
            found = pool.map(partial(self._joined, most=most), tables)
            return dict(zip((table.name for table in tables), found, strict=True))

    def _joined(self, table: Table, most: float = inf) -> pa.Table:
        """Return all of a table, sorted; with more bytes than ``most`` it lies on disk."""
        import pyarrow as pa

        pieces = self._all_of(table.name)
        if not pieces:
            return table.arrow(())
        whole = pa.concat_tables(pieces)
        large = whole.nbytes > most
        order = table.order(whole)
        columns = whole.columns
        del pieces, whole
        for at, field in enumerate(table.schema):  # one by one: there are never two of all
            if order is not None:
                columns[at] = columns[at].take(order)
            if large:
                one = pa.Table.from_arrays([columns[at]], schema=pa.schema([field]))
                columns[at] = on_disk(one.combine_chunks()).column(0)
        found = pa.Table.from_arrays(columns, schema=table.schema)
        if not large:
            return found.combine_chunks()
        pa.default_memory_pool().release_unused()
        return found

    def _all_of(self, name: str) -> list[pa.Table]:
        """All columns of a table that were gathered, which are let go."""
        return self._spilled.pop(name, []) + self._pieces.pop(name, [])

    def _held(self, name: str, piece: pa.Table) -> None:
        """Hold columns of a table; where there are many that no part will take, on disk."""
        import pyarrow as pa

        self._pieces.setdefault(name, []).append(piece)
        if name in self._of_pods:
            return
        self._loose[name] = self._loose.get(name, 0) + piece.nbytes
        if self._loose[name] > _LOOSE:
            loose = pa.concat_tables(self._pieces.pop(name))
            self._spilled.setdefault(name, []).append(on_disk(loose.combine_chunks()))
            self._loose[name] = 0

    def controllers(self) -> set[str]:
        """Kinds that pods and controllers name as what made them."""
        self._gather()
        return {kind for kind in self._controllers if kind}

    def distinct(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Distinct values of columns of a table of pods, of all that was gathered."""
        self._gather()
        names = list(columns)
        found: set[tuple[Any, ...]] = set()
        for piece in (*self._pieces.get(table, ()), *(part[table] for part in self._parts)):
            rows = piece.select(names).group_by(names).aggregate([]).select(names)
            found.update(zip(*(column.to_pylist() for column in rows.columns), strict=True))
        return list(found)

    def alone(self, raws: Sequence[str]) -> set[str]:
        """Names of the origins where records of some raw files stand, and no list of them."""
        import numpy as np

        numbers = [file.number for name, file in self._raw.items() if name in raws]
        raw, origin, item = (
            np.frombuffer(self._trace[name], dtype=np.int64) if self._trace[name] else np.empty(0)
            for name in ("raw", "origin", "item")
        )
        found = np.unique(origin[np.isin(raw, numbers) & (item == 0)])
        return {self.origins[int(number)].name for number in found}

    def fill(self, piece: Piece) -> None:
        """Hand over all that was gathered, of one kind, as a piece for another builder."""
        import pyarrow as pa

        for file in self._raw.values():
            piece.raw = file.name
            piece.lines = file.lines if self.keep_raw else None
            piece.digests = bytes(file.digests)
            piece.masked = file.masked
        piece.count = len(self._trace["line"])
        piece.trace = {name: self._trace[name] for name in _TRACE[3:]}
        self._gather()
        piece.tables = {
            name: pa.concat_tables(self._all_of(name)).combine_chunks()
            for name in {**self._pieces, **self._spilled}
        }

    def join(self, piece: Piece) -> int:
        """Take over what another builder made of a batch; return the raw lines before it."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        file, count = self._file(piece.raw), piece.count
        before = file.take(piece.lines, piece.digests, count, piece.masked)
        items = np.frombuffer(piece.trace["item"], dtype=np.int64) + piece.before
        trace = self._trace
        trace["raw"].frombytes(np.full(count, file.number, dtype=np.int64).tobytes())
        trace["line"].frombytes(np.arange(before + 1, before + count + 1).tobytes())
        trace["origin"].frombytes(np.full(count, piece.origin, dtype=np.int64).tobytes())
        trace["document"].extend(piece.trace["document"])
        trace["item"].frombytes(items.tobytes())
        for name, table in piece.tables.items():
            at = table.schema.get_field_index("raw_line")
            lines = pc.add(table["raw_line"], pa.scalar(before, pa.int64()))
            moved = table.set_column(at, table.schema.field(at), lines)
            self._held(name, moved)
            if "controller_kind" in table.column_names:
                self._controllers.update(pc.unique(table["controller_kind"]).to_pylist())
        self.cut()
        return before

    def finish(
        self,
        *,
        label: str,
        live: bool,
        as_of: datetime | None,
        as_of_told: bool,
        gaps: Sequence[Gap],
        counts: Counter[tuple[str, str, str]],
        wanted: frozenset[KindId],
        version: ServerVersion | None,
        access: Sequence[Access],
        reads: Sequence[facts.ReadRow],
    ) -> Evidence:
        """Seal what was gathered and return it."""
        self._gather()
        if "pods" in self._pieces or not self._parts:
            self._cut()
        whole = self._all_joined([t for t in self._tables.values() if not t.pods], most=_LOOSE)
        whole |= self._facts(label, live, as_of, as_of_told, counts, wanted, version, access)
        whole[facts.READS.name] = facts.READS.sorted(facts.READS.arrow(reads))
        manifest = Manifest(
            kaudit=__version__,
            label=label,
            live=live,
            as_of=as_of,
            server=version,
            kinds=tuple(sorted(".".join(filter(None, (k, g))) for g, k in wanted)),
            gaps=tuple(sorted(set(gaps))),
            origins=tuple(self.origins),
            parts=len(self._parts),
        )
        if self._folder is None:
            raw = {n: f.lines for n, f in self._raw.items()} if self.keep_raw else None
            return Evidence(MemoryStore(self._parts, whole, raw), manifest)
        manifest.raw = {name: file.close() for name, file in sorted(self._raw.items())}
        store = self._write(self._folder, whole, manifest)
        return Evidence(store, manifest)

    def _facts(
        self,
        label: str,
        live: bool,
        as_of: datetime | None,
        as_of_told: bool,
        counts: Counter[tuple[str, str, str]],
        wanted: frozenset[KindId],
        version: ServerVersion | None,
        access: Sequence[Access],
    ) -> dict[str, pa.Table]:
        inventory = [
            facts.InventoryRow(group=g, version=v, kind=k, objects=n, collected=(g, k) in wanted)
            for (g, v, k), n in counts.items()
        ]
        cluster = [
            facts.ClusterRow(
                name=label,
                version=version.git_version if version else None,
                minor=minor_of(version.git_version) if version else None,
                platform=(version.platform or None) if version else None,
                live=live,
                as_of=as_of,
                as_of_told=as_of_told,
            )
        ]
        allowed = [facts.AccessRow(**msgspec.structs.asdict(cell)) for cell in access]
        found: dict[str, pa.Table] = {facts.RECORDS.name: self._records()}
        rows: tuple[tuple[Table, Sequence[Row]], ...] = (
            (facts.INVENTORY, inventory),
            (facts.CLUSTER, cluster),
            (facts.ACCESS, allowed),
        )
        for table, entries in rows:
            found[table.name] = table.sorted(table.arrow(entries))
        return found

    def _records(self) -> pa.Table:
        import numpy as np
        import pyarrow as pa

        names = pa.array(list(self._raw), pa.string())
        trace = {
            name: pa.array(np.frombuffer(values, dtype=np.int64) if values else [], pa.int64())
            for name, values in self._trace.items()
        }
        columns = {
            "raw": names.take(trace["raw"]),
            "raw_line": trace["line"],
            "origin": trace["origin"],
            "document": trace["document"],
            "item": trace["item"],
        }
        schema = facts.RECORDS.schema
        return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)

    def _write(self, bundle: Path, whole: Mapping[str, Any], manifest: Manifest) -> Store:
        import pyarrow.parquet as pq

        folder = bundle / "tables"
        folder.mkdir()
        names = sorted({*whole, *(n for part in self._parts for n in part)})
        masked = 0
        for name in names:
            pieces = [whole[name]] if name in whole else [part[name] for part in self._parts]
            path = folder / f"{name}.parquet"
            with pq.ParquetWriter(path, pieces[0].schema, compression="zstd") as writer:
                for piece in pieces:
                    clean, hits = masked_table(piece)
                    masked += hits
                    writer.write_table(clean, row_group_size=max(1, piece.num_rows))
            data = path.read_bytes()
            manifest.tables[name] = PartInfo(
                sha256=hashlib.sha256(data).hexdigest(),
                bytes=len(data),
                rows=sum(piece.num_rows for piece in pieces),
            )
        manifest.id = content_id(manifest)
        out = self.out or bundle
        publish(bundle, out, manifest)
        self._release()
        return BundleStore.open(out)

    def discard(self) -> None:
        """Leave nothing behind after a failure."""
        for file in self._raw.values():
            file.abandon()
        self._release()

    def _release(self) -> None:
        if self._claim is not None:
            self._claim.release()


def minor_of(git_version: str) -> int | None:
    """Minor version of ``v1.34.2``; None where the text is no version."""
    parts = git_version.removeprefix("v").split(".")
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else None
