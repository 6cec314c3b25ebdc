"""Rows of all tables: they become columns while they come, and pods are cut into parts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from kaudit import registry
from kaudit.evidence.store import LARGE, SpilledPart, on_disk
from kaudit.mapped import let_go
from kaudit.table import Row, Table

if TYPE_CHECKING:
    import pyarrow as pa

#: Pods in one part. Bounds memory; large enough that whole columns pay.
PART = 20_000
#: Bytes of tables that are joined before a thread for them has begun.
_LITTLE = 1 << 20
#: Rows of a table that are gathered before they become columns: more than a span of a list has.
_GATHERED = 6_000


class Gathered:
    """Rows and columns of the tables that collectors feed.

    Attributes
    ----------
    adders
        What keeps a row, by its class: for whoever has many.
    parts
        Tables of pods that were cut off, by name.
    """

    def __init__(self) -> None:
        self._tables = {
            table.row: table for c in registry.COLLECTORS.values() for table in c.tables
        }
        self._rows: dict[type[Row], list[Row]] = {row: [] for row in self._tables}
        self.adders: dict[type[Row], Callable[[Row], None]] = {
            row: rows.append for row, rows in self._rows.items()
        }
        self.parts: list[Mapping[str, pa.Table]] = []
        self._pieces: dict[str, list[pa.Table]] = {}
        #: Of tables of others than pods: bytes that are held in memory, and what is on disk.
        self._loose: dict[str, int] = {}
        self._spilled: dict[str, list[pa.Table]] = {}
        self._controllers: set[str | None] = set()
        self._of_pods = {table.name: table for table in self._tables.values() if table.pods}

    def add(self, row: Row) -> None:
        """Keep one row of any declared table."""
        self.adders[type(row)](row)

    def take(self, name: str, columns: pa.Table) -> None:
        """Keep rows of a table that are columns already."""
        import pyarrow.compute as pc

        self._hold(name, columns)
        if "controller_kind" in columns.column_names:
            self._controllers.update(pc.unique(columns["controller_kind"]).to_pylist())

    def take_all(self, found: Iterable[tuple[str, pa.Table]]) -> None:
        """Keep rows of tables, by name, that are columns already."""
        for name, columns in found:
            self.take(name, columns)

    def press(self, tables: Iterable[Table] | None = None) -> None:
        """Turn rows into columns where there are enough, while a processor has them at hand."""
        for table in self._tables.values() if tables is None else tables:
            rows = self._rows[table.row]
            if len(rows) >= _GATHERED:
                self._press(table, rows)

    def _press(self, table: Table, rows: list[Row]) -> None:
        columns = table.arrow(rows)
        rows.clear()
        self.take(table.name, columns)

    def _press_all(self) -> None:
        for row, rows in self._rows.items():
            if rows:
                self._press(self._tables[row], rows)

    def cut(self) -> None:
        """Turn what was gathered into a part, once there is enough."""
        self.press()
        if sum(piece.num_rows for piece in self._pieces.get("pods", ())) >= PART:
            self._press_all()
            self._cut()

    def _cut(self) -> None:
        import pyarrow as pa

        if len(self.parts) == 1:  # one part alone is kept in memory, of several none
            self.parts = [SpilledPart(self.parts[0])]
        part = self._all_joined(self._of_pods.values())
        self.parts.append(SpilledPart(part) if self.parts else part)
        del part
        let_go()
        pa.default_memory_pool().release_unused()

    def whole(self) -> dict[str, pa.Table]:
        """Cut off the last part, and return the tables of others than pods."""
        self._press_all()
        if "pods" in self._pieces or not self.parts:
            self._cut()
        return self._all_joined([t for t in self._tables.values() if not t.pods], most=LARGE)

    def pieces(self) -> dict[str, pa.Table]:
        """Return all that was gathered, in no order, for another one to take."""
        import pyarrow as pa

        self._press_all()
        names = {**self._pieces, **self._spilled}
        return {n: pa.concat_tables(self._all_of(n)).combine_chunks() for n in names}

    def _all_joined(self, tables: Collection[Table], most: float = inf) -> dict[str, pa.Table]:
        """Join tables, two at a time where that pays: Arrow sorts and copies alone.

        Of a few rows threads cost more than they spare, of large tables memory.
        """
        gathered = sum(p.nbytes for t in tables for p in self._pieces.get(t.name, ()))
        spilled = any(table.name in self._spilled for table in tables)
        if spilled or not _LITTLE < gathered < 4 * LARGE:
            return {table.name: self._joined(table, most) for table in tables}
        with ThreadPoolExecutor(2) as pool:
            found = pool.map(partial(self._joined, most=most), tables)
            return dict(zip((table.name for table in tables), found, strict=True))

    def _joined(self, table: Table, most: float) -> pa.Table:
        """Return all of a table, sorted; with more bytes than ``most`` it lies on disk."""
        import pyarrow as pa

        pieces = self._all_of(table.name)
        if not pieces:
            return table.arrow(())
        whole = pa.concat_tables(pieces)
        large = whole.nbytes > most
        order = table.order(whole)
        if large:
            let_go()
        columns = whole.columns
        del pieces, whole
        for at, field in enumerate(table.schema):  # one by one: there are never two of all
            if order is not None:
                columns[at] = columns[at].take(order)
            if large:
                one = pa.Table.from_arrays([columns[at]], schema=pa.schema([field]))
                columns[at] = on_disk(one.combine_chunks()).column(0)
                let_go()
        found = pa.Table.from_arrays(columns, schema=table.schema)
        if not large:
            return found.combine_chunks()
        pa.default_memory_pool().release_unused()
        return found

    def _all_of(self, name: str) -> list[pa.Table]:
        """All columns of a table that were gathered, which are let go."""
        return self._spilled.pop(name, []) + self._pieces.pop(name, [])

    def _hold(self, name: str, columns: pa.Table) -> None:
        """Hold columns of a table; where there are many that no part will take, on disk."""
        import pyarrow as pa

        self._pieces.setdefault(name, []).append(columns)
        if name in self._of_pods:
            return
        self._loose[name] = self._loose.get(name, 0) + columns.nbytes
        if self._loose[name] > LARGE:
            loose = pa.concat_tables(self._pieces.pop(name))
            self._spilled.setdefault(name, []).append(on_disk(loose))
            self._loose[name] = 0
            let_go()

    def controllers(self) -> set[str]:
        """Kinds that pods and controllers name as what made them."""
        self._press_all()
        return {kind for kind in self._controllers if kind}

    def distinct(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Distinct values of columns of a table of pods, of all that was gathered."""
        self._press_all()
        names = list(columns)
        found: set[tuple[Any, ...]] = set()
        for piece in (*self._pieces.get(table, ()), *(part[table] for part in self.parts)):
            rows = piece.select(names).group_by(names).aggregate([]).select(names)
            found.update(zip(*(column.to_pylist() for column in rows.columns), strict=True))
        return list(found)
