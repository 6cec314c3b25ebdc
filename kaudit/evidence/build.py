"""Build evidence: raw records and rows come in, a sealed bundle or evidence in memory goes out."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from kaudit import __version__
from kaudit.evidence import facts
from kaudit.evidence.bundle import Evidence
from kaudit.evidence.gathered import Gathered
from kaudit.evidence.manifest import Manifest, PartInfo, content_id, seal_of
from kaudit.evidence.raw import RawFile
from kaudit.evidence.seal import Claim, masked_table, publish, suspicious
from kaudit.evidence.store import LARGE, BundleStore, MemoryStore, Store, on_disk
from kaudit.model.whole import minor_of
from kaudit.model.words import Gap
from kaudit.orphans import Orphans
from kaudit.source.events import Access, KindId, Made, Origin, ServerVersion
from kaudit.table import Row, Table

if TYPE_CHECKING:
    import pyarrow as pa

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
        self._trace = {name: array("q") for name in _TRACE}
        self._encode = msgspec.json.Encoder(order=None).encode
        self.gathered = Gathered()

    @property
    def empty(self) -> bool:
        """Whether no record was kept yet."""
        return not self._trace["line"]

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
        for file in self._raw.values():
            piece.raw = file.name
            piece.lines = file.lines if self.keep_raw else None
            piece.digests = bytes(file.digests)
            piece.masked = file.masked
        piece.count = len(self._trace["line"])
        piece.trace = {name: self._trace[name] for name in _TRACE[3:]}
        piece.tables = self.gathered.pieces()

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
            self.gathered.take(name, moved)
        self.gathered.cut()
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
        whole = self.gathered.whole()
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
            parts=len(self.gathered.parts),
        )
        if self._folder is None:
            raw = {n: f.lines for n, f in self._raw.items()} if self.keep_raw else None
            return Evidence(MemoryStore(self.gathered.parts, whole, raw), manifest)
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
        found = pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)
        return on_disk(found) if found.nbytes > LARGE else found

    def _write(self, bundle: Path, whole: Mapping[str, Any], manifest: Manifest) -> Store:
        import pyarrow as pa
        import pyarrow.parquet as pq

        folder = bundle / "tables"
        folder.mkdir()
        parts = self.gathered.parts
        names = sorted({*whole, *(n for part in parts for n in part)})
        # With several parts it is no small cluster, and most of them lie on disk.
        closer = len(parts) > 1 or suspicious([t for of in (whole, *parts) for t in of.values()])
        masked = 0
        for name in names:
            pieces = (
                [whole[name]] if name in whole else [part[name] for part in self.gathered.parts]
            )
            path = folder / f"{name}.parquet"
            with (
                pa.OSFile(os.fsencode(path), "wb") as sink,
                pq.ParquetWriter(sink, pieces[0].schema, compression="zstd") as writer,
            ):
                for piece in pieces:
                    clean, hits = masked_table(piece) if closer else (piece, 0)
                    masked += hits
                    writer.write_table(clean, row_group_size=max(1, piece.num_rows))
            data = path.read_bytes()
            manifest.tables[name] = PartInfo(
                sha256=hashlib.sha256(data).hexdigest(),
                bytes=len(data),
                rows=sum(piece.num_rows for piece in pieces),
            )
        manifest.id = content_id(manifest)
        manifest.seal = seal_of(manifest)
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
