"""Table and its rows: declare, build, check.

A table is declared once, as a :class:`Row` struct whose annotated fields are the
columns, each with a sentence::

    class QuotaRow(Trace, kw_only=True):
        namespace: Annotated[str, doc("namespace that the quota bounds")]
        name: Annotated[str, doc("name of the ResourceQuota")]
        pods_limit: Annotated[int | None, doc("spec.hard.pods")] = None

    QUOTAS = Table("quotas", QuotaRow, grain="one ResourceQuota", key=("namespace", "name"))

Collectors yield rows; views compute frames with the same columns. A column without
``| None`` is never null, in a full frame and in an empty one.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

import msgspec

from kaudit.errors import RegistryError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Column", "Resource", "Row", "Table", "Trace", "doc"]


def doc(sentence: str) -> msgspec.Meta:
    """Describe a column: ``Annotated[int, doc("the limit, in bytes")]``."""
    return msgspec.Meta(description=sentence)


RAW = doc("file of the raw record in the evidence, without folder and ending")
RAW_LINE = doc("line of the raw record in that file, from 1")


class Row(msgspec.Struct, gc=False, kw_only=True):
    """Base of the rows of all tables: each field is a column, annotated by :func:`doc`."""


class Trace(Row, kw_only=True):
    """Base of rows that come from one raw record.

    Attributes
    ----------
    raw, raw_line
        The way back to it: :meth:`kaudit.Evidence.record` takes them.
    """

    raw: Annotated[str, RAW]
    raw_line: Annotated[int, RAW_LINE]


class Column(msgspec.Struct, frozen=True):
    """One declared column; its kind is text, flag, integer, number, time or texts."""

    name: str
    kind: str
    nullable: bool
    sentence: str


class Resource(msgspec.Struct, frozen=True):
    """Which columns of a table name the resource that a row is about.

    ``kind`` is a column, or a fixed kind written as ``=Kind``. An empty name means
    that the table has no such part.
    """

    kind: str
    namespace: str = "namespace"
    name: str = "name"
    container: str = ""


_KINDS: dict[object, str] = {
    str: "text",
    bool: "flag",
    int: "integer",
    float: "number",
    datetime: "time",
    list[str]: "texts",
}


def _column(name: str, hint: object) -> Column:
    sentence = ""
    if get_origin(hint) is Annotated:
        hint, *extras = get_args(hint)
        metas = [e for e in extras if isinstance(e, msgspec.Meta)]
        sentence = (metas[0].description or "") if metas else ""
    nullable = False
    if get_origin(hint) in (Union, types.UnionType):
        parts = get_args(hint)
        nullable = type(None) in parts
        (hint,) = (p for p in parts if p is not type(None))
    if isinstance(hint, type) and issubclass(hint, str):
        hint = str
    if hint not in _KINDS:
        raise RegistryError(f"column {name}: {hint!r} is no column kind; use one of {list(_KINDS)}")
    if not sentence:
        raise RegistryError(f"column {name} has no sentence: annotate it with doc(...)")
    return Column(name, _KINDS[hint], nullable, sentence)


@cache
def _hints(row: type) -> dict[str, object]:
    """Annotations of a class itself: those that it inherits are asked of their own class."""
    return inspect.get_annotations(row, eval_str=True)


class Table:
    """A declared table.

    Parameters
    ----------
    name
        Plural noun, unique among tables and views.
    row
        Struct with the columns.
    grain
        What one row is.
    key
        Columns that identify a row; rows are sorted by them.
    resource
        How a row names the resource it is about; None for tables no control judges.
    pods
        True where rows belong to pods: such tables may be held in parts that were cut
        at the same pods.
    summed
        True for a view of pods that may be computed part by part and put together: whoever
        needs all of it need not hold what it is computed from.
    every_kind
        True where a source that lacks any of the kinds that feed it does not speak of it as
        a whole: rights add up over all bindings.
    beyond
        True where what an object says holds beyond its own namespace: what of it could not be
        read in one is missed in all.

    Attributes
    ----------
    names, columns, schema
        Names of the columns, the columns as :class:`Column`, and their Arrow schema, all in
        the declared order with the trace last.

    Raises
    ------
    RegistryError
        On the first use of its columns: one is of no known kind or has no sentence, or the key
        or the resource names none of them.

    Examples
    --------
    >>> from typing import Annotated
    >>> from kaudit.table import Row, doc
    >>> class TeamRow(Row):
    ...     namespace: Annotated[str, doc("namespace that the team owns")]
    ...     team: Annotated[str | None, doc("label team of the namespace")] = None
    >>> teams = ka.Table("teams", TeamRow, grain="one namespace", key=("namespace",))
    >>> teams
    Table('teams': one namespace)
    >>> [(column.name, column.nullable) for column in teams.columns]
    [('namespace', False), ('team', True)]
    >>> teams.arrow([TeamRow(namespace="shop", team="web"), TeamRow(namespace="bank")]).num_rows
    2
    """

    def __init__(
        self,
        name: str,
        row: type[Row],
        *,
        grain: str,
        key: tuple[str, ...],
        resource: Resource | None = None,
        pods: bool = False,
        summed: bool = False,
        every_kind: bool = False,
        beyond: bool = False,
    ) -> None:
        self.name, self.row, self.grain, self.key = name, row, grain, key
        self.resource, self.pods, self.summed = resource, pods, summed
        self.every_kind, self.beyond = every_kind, beyond

    def __repr__(self) -> str:
        return f"Table({self.name!r}: {self.grain})"

    @cached_property
    def names(self) -> list[str]:
        """Names of the columns in their declared order, those of the trace last."""
        return sorted(self.row.__struct_fields__, key=("raw", "raw_line").__contains__)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Columns, in the order of their names."""
        hints = {n: h for base in reversed(self.row.__mro__) for n, h in _hints(base).items()}
        names = {*self.names}
        wanted = set(self.key)
        if self.resource:
            r = self.resource
            wanted |= {n for n in (r.kind, r.namespace, r.name, r.container) if n and n[0] != "="}
        if missing := wanted - names:
            raise RegistryError(f"table {self.name}: no such columns: {sorted(missing)}")
        return tuple(_column(name, hints[name]) for name in self.names)

    @cached_property
    def schema(self) -> pa.Schema:
        """Arrow schema; columns without ``| None`` are not nullable."""
        import pyarrow as pa

        kinds = {
            "text": pa.string(),
            "flag": pa.bool_(),
            "integer": pa.int64(),
            "number": pa.float64(),
            "time": pa.timestamp("us", tz="UTC"),
            "texts": pa.list_(pa.string()),
        }
        return pa.schema(
            [pa.field(c.name, kinds[c.kind], nullable=c.nullable) for c in self.columns]
        )

    def arrow(self, rows: Sequence[Row]) -> pa.Table:
        """Build an Arrow table of rows, in the given order.

        Parameters
        ----------
        rows
            Of the class of the table, or of one with the same fields.

        Returns
        -------
        pyarrow.Table
            Of the schema of the table.
        """
        import pyarrow as pa

        if not rows:
            return self._nothing
        return pa.Table.from_arrays(arrays(rows, self.row, self.schema), schema=self.schema)

    @cached_property
    def _nothing(self) -> pa.Table:
        """No rows: of most tables a small source has none, and all of them are asked for."""
        return self.schema.empty_table()

    def fitted(self, columns: Mapping[str, Any] | pa.Table) -> pa.Table:
        """Build an Arrow table of columns that were computed, in the declared order and kinds.

        Parameters
        ----------
        columns
            Values by the name of their column, of one length; what is not declared is left out.

        Returns
        -------
        pyarrow.Table
            Of the schema of the table.

        Raises
        ------
        KeyError
            A column is missing.
        ValueError
            A value is of another kind, or null where it must not be.
        """
        import pyarrow as pa

        return pa.table({name: columns[name] for name in self.names}).cast(self.schema)

    def sorted(self, table: pa.Table) -> pa.Table:
        """Sort an Arrow table by the key, ties by trace."""
        order = self.order(table)
        return table if order is None else table.take(order)

    def order(self, table: pa.Table) -> pa.Array | None:
        """Row numbers of an Arrow table by the key, ties by trace; None where it is sorted."""
        import pyarrow.compute as pc

        if table.num_rows < 2:
            return None
        trace = [n for n in ("raw", "raw_line") if n in table.column_names and n not in self.key]
        names = (*self.key, *trace)
        keys = table.select(names)
        order = pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in names])
        after = order.to_numpy()
        return None if (after[1:] > after[:-1]).all() else order

    def empty(self) -> pd.DataFrame:
        """Return a frame without rows, with the same dtypes as a full one."""
        return frame(self.arrow(()))

    def check(self, data: pd.DataFrame) -> None:
        """Check that a frame keeps what the table declares.

        Parameters
        ----------
        data
            What a view returned, in any order.

        Raises
        ------
        RegistryError
            Names every fault: columns that are missing or not declared, nulls where none may be.
        """
        faults = []
        names = self.names
        faults += [f"column {n} is missing" for n in names if n not in data.columns]
        faults += [f"column {n} is not declared" for n in data.columns if n not in names]
        for column in self.columns:
            if column.name in data.columns and not column.nullable:
                nulls = int(data[column.name].isna().sum())
                if nulls:
                    faults.append(
                        f"column {column.name} has {nulls} nulls but is declared non-null"
                    )
        if faults:
            raise RegistryError(f"table {self.name}: " + "; ".join(faults))


def frame(table: pa.Table) -> pd.DataFrame:
    """Return a frame with Arrow-backed columns; nothing is copied.

    As ``table.to_pandas(types_mapper=pandas.ArrowDtype)``, in a fifth of its time: a table
    has many columns, and few rows.
    """
    import numpy as np
    import pandas as pd
    from pandas.api.internals import (  # type: ignore[import-not-found]  # not in the stubs
        create_dataframe_from_blocks,
    )
    from pandas.arrays import ArrowExtensionArray

    blocks = [(ArrowExtensionArray(c), np.array([at])) for at, c in enumerate(table.columns)]
    names = pd.Index(table.column_names)
    rows = pd.RangeIndex(table.num_rows)
    return create_dataframe_from_blocks(blocks, rows, names)  # type: ignore[no-any-return]


def arrays(rows: Sequence[Row], row: type[Row], schema: pa.Schema) -> list[pa.Array]:
    """Build the columns of a schema from rows of a class that has fields of these names."""
    order = [row.__struct_fields__.index(name) for name in schema.names]
    columns = list(zip(*map(msgspec.structs.astuple, rows), strict=True)) if rows else []
    return [
        _array(columns[at] if rows else (), field.type)
        for at, field in zip(order, schema, strict=True)
    ]


def _array(values: Sequence[Any], type: pa.DataType) -> pa.Array:
    """Build an array; where all values are one and the same, they are not looked at each."""
    import pyarrow as pa

    first = values[0] if values else None
    if first is None or isinstance(first, str | bool):
        count = len(values)
        if count and values[-1] == first and values.count(first) == count:
            if first is None:
                return pa.nulls(count, type)
            return pa.repeat(pa.scalar(first, type), count)
    return _told(pa.array(values, type))


#: Moments in UTC that Python can tell, in microseconds.
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999


def _told(values: pa.Array) -> pa.Array:
    """Make null a moment that its zone takes out of all years: nobody could read it again."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_timestamp(values.type) or values.null_count == len(values):
        return values
    numbers = values.view(pa.int64())
    inside = pc.and_(pc.greater_equal(numbers, _FIRST), pc.less_equal(numbers, _LAST))
    if pc.all(inside).as_py():
        return values
    return pc.if_else(inside, values, pa.scalar(None, values.type))
