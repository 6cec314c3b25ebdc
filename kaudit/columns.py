"""Operations on whole columns that views and controls share.

Columns are Arrow-backed Series. A function that is called with single values is called once
for each distinct value, however many rows there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from kaudit.remembered import once

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]
    Positions: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

#: Stands between the parts of a joined key.
SEPARATOR = "\x1f"


def arrow(column: pd.Series[Any]) -> pa.Array:
    """Arrow array of a column, in one chunk."""
    import pyarrow as pa

    found = pa.array(column.array)
    if not isinstance(found, pa.ChunkedArray):
        return found
    # To combine one chunk alone would copy it.
    return found.chunk(0) if found.num_chunks == 1 else found.combine_chunks()


def total(numbers: Iterable[int | None]) -> int:
    """Sum of numbers that somebody has told, at most what a column holds.

    >>> total([2**63 - 1, None, 2**63 - 1]) == 2**63 - 1
    True
    """
    return min(sum(number or 0 for number in numbers), 2**63 - 1)


def series(values: pa.Array | Flags, like: pd.DataFrame | pd.Series[Any]) -> pd.Series[Any]:
    """Column of an Arrow or NumPy array with the index of another."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    if isinstance(values, np.ndarray):
        values = pa.array(values)
    return pd.Series(pd.arrays.ArrowExtensionArray(values), index=like.index, copy=False)


def positions(keys: pd.Series[Any] | pa.Array, among: pd.Series[Any] | pa.Array) -> Positions:
    """Row of each key in ``among``; -1 where it is null or not there. It must not be changed."""
    import pandas as pd

    def compute() -> tuple[Positions, bool]:
        wanted = arrow(keys) if isinstance(keys, pd.Series) else keys
        values = arrow(among) if isinstance(among, pd.Series) else among
        find = _sought if len(values) > _FAR * len(wanted) else _found
        return find(wanted, values), len(keys) <= _PART

    return once("positions", (keys, among), compute)


#: How many times as many rows are looked through for few keys as are put in a table of hashes.
_FAR = 4


def _found(wanted: pa.Array, values: pa.Array) -> Positions:
    """Row of each text among values, by a table of the values."""
    import pyarrow.compute as pc

    at = pc.fill_null(pc.index_in(wanted, value_set=values, skip_nulls=True), -1)
    return at.to_numpy(zero_copy_only=False).astype("int64")  # type: ignore[no-any-return]


def _sought(wanted: pa.Array, values: pa.Array) -> Positions:
    """The same by a table of what is wanted: each part of the pods seeks in all of a table."""
    import numpy as np
    import pyarrow.compute as pc

    codes = wanted.dictionary_encode()
    number = _found(values, codes.dictionary)
    rows = np.flatnonzero(number >= 0)[::-1]  # the first of those that are alike is set last
    at = np.full(len(codes.dictionary) + 1, -1)
    at[number[rows]] = rows
    found: Positions = at[pc.fill_null(codes.indices, -1).to_numpy()]
    return found


def matched(keys: Sequence[pd.Series[Any]], among: Sequence[pd.Series[Any]]) -> Positions:
    """Row in ``among`` of each row of ``keys``, alike in several columns; else -1.

    Only rows that share the first column with any key are looked at: a part of the pods is of
    few namespaces.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if len(among[0]) <= len(keys[0]):
        return positions(pairs(*keys), pairs(*among))
    codes, texts = _coded(among[0])
    near = pc.is_in(texts, value_set=arrow(keys[0]), skip_nulls=True).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(np.append(near, False)[codes])
    there = (arrow(column).take(pa.array(rows)) for column in among)
    at = positions(pairs(*keys), pc.binary_join_element_wise(*there, SEPARATOR))
    return np.append(rows, -1)[at]


def _coded(column: pd.Series[Any]) -> tuple[Positions, pa.Array]:
    """Number of each text of a column among those that differ, -1 where unset, and they."""
    import pyarrow.compute as pc

    def compute() -> tuple[tuple[Positions, pa.Array], bool]:
        codes = arrow(column).dictionary_encode()
        return (pc.fill_null(codes.indices, -1).to_numpy(), codes.dictionary), True

    return once("coded", (column,), compute)


def looked_up(
    frame: pd.DataFrame, at: Positions, column: str, like: pd.DataFrame
) -> pd.Series[Any]:
    """Values of a column at positions, null where the position is -1."""
    import pyarrow as pa

    index = pa.array(at, mask=at < 0)
    return series(arrow(frame[column]).take(index), like)


def flags(column: pd.Series[Any], unset: bool = False) -> pd.Series[Any]:
    """Return the column without nulls: ``unset`` stands where nothing was set."""
    import pyarrow.compute as pc

    return series(pc.fill_null(arrow(column), unset), column)


def first_set(*columns: pd.Series[Any]) -> pd.Series[Any]:
    """Take the first value that is set, from left to right."""
    import pyarrow.compute as pc

    return series(pc.coalesce(*(arrow(column) for column in columns)), columns[0])


def text_is(column: pd.Series[Any], *values: str) -> pd.Series[Any]:
    """Tell where the text is one of the values; unset is none of them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.is_in(arrow(column), value_set=pa.array(values, pa.string()), skip_nulls=True)
    return series(found, column)


def empty(column: pd.Series[Any]) -> pd.Series[Any]:
    """Tell where there is no text: unset, or of no length."""
    import pyarrow.compute as pc

    return series(pc.equal(pc.fill_null(arrow(column), ""), ""), column)


def filled(column: pd.Series[Any]) -> pd.Series[Any]:
    """Tell which lists hold anything; null where the list is."""
    import pyarrow.compute as pc

    return series(pc.greater(pc.list_value_length(arrow(column)), 0), column)


def listing(column: pd.Series[Any], *names: str) -> pd.Series[Any]:
    """Tell where a text of words with commas between them holds one of the names."""
    return over_texts(column, lambda text: not set(names).isdisjoint(text.split(",")))


def over_texts(
    column: pd.Series[Any],
    compute: Callable[[str], Any],
    *,
    unset: Any = False,
    type_: pa.DataType | None = None,
) -> pd.Series[Any]:
    """Compute once for each distinct text; ``unset`` stands where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    codes = arrow(column).dictionary_encode()
    texts = codes.dictionary.to_pylist()
    verdicts = pa.array([compute(text) for text in texts], type_ or pa.bool_())
    return series(pc.fill_null(verdicts.take(codes.indices), unset), column)


def over_lists(
    column: pd.Series[Any], compute: Callable[[list[str]], Any], type_: pa.DataType | None = None
) -> pd.Series[Any]:
    """Compute once for each distinct list of texts (an unset list is an empty one)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if compute is bool:
        return series(
            pc.fill_null(pc.greater(pc.list_value_length(arrow(column)), 0), False), column
        )
    codes, lists = _distinct_lists(column)
    values = pa.array([compute(texts) for texts in lists], type_ or pa.bool_())
    return series(values.take(codes), column)


#: Distinct lists up to which they are kept.
_FEW = 1_000
#: Rows up to which keys and their places are kept: those of a part of the pods.
_PART = 100_000


def _elements(column: pd.Series[Any]) -> tuple[pa.Array, list[str]]:
    """Texts of all lists as codes, and each of them once."""

    def compute() -> tuple[tuple[pa.Array, list[str]], bool]:
        codes = arrow(column).flatten().dictionary_encode()
        return (codes, codes.dictionary.to_pylist()), True

    return once("elements", (column,), compute)


def _keys(column: pd.Series[Any]) -> tuple[Positions, list[str]]:
    """Number of the key of each distinct label in lists, and the keys by number."""
    import numpy as np

    def compute() -> tuple[tuple[Positions, list[str]], bool]:
        _, labels = _elements(column)
        numbers: dict[str, int] = {}
        keys = (label.partition("=")[0] for label in labels)
        of = np.fromiter((numbers.setdefault(k, len(numbers)) for k in keys), np.int64, len(labels))
        return (of, list(numbers)), True

    return once("keys", (column,), compute)


def _distinct_lists(column: pd.Series[Any]) -> tuple[pa.Array, list[list[str]]]:
    """Number of each row among those with the same list, and the lists by number."""
    import pyarrow as pa

    def compute() -> tuple[tuple[pa.Array, list[list[str]]], bool]:
        lists = arrow(column)
        numbers, first = alike(lists)
        distinct = [texts or [] for texts in lists.take(pa.array(first)).to_pylist()]
        return (pa.array(numbers), distinct), len(distinct) <= _FEW

    return once("lists", (column,), compute)


def any_in_lists(column: pd.Series[Any], test: Callable[[str], Any]) -> pd.Series[Any]:
    """Tell which lists hold a text that passes a test; each distinct text is tested once."""
    import numpy as np
    import pyarrow.compute as pc

    lists = arrow(column)
    codes, texts = _elements(column)
    passes = np.array([bool(test(text)) for text in texts], bool)
    rows = pc.list_parent_indices(lists).to_numpy()[passes[codes.indices.to_numpy()]]
    return series(np.bincount(rows, minlength=len(lists)) > 0, column)


def kept_labels(column: pd.Series[Any], keep: Callable[[str], bool]) -> pa.Array:
    """Lists of labels with only those whose key ``keep`` keeps; an unset list is empty."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    lists = arrow(column)
    codes, _ = _elements(column)
    key_of, keys = _keys(column)
    chosen = np.array([keep(key) for key in keys], bool)[key_of]
    mask = chosen[codes.indices.to_numpy()]
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    before = np.concatenate([[0], np.cumsum(mask)])
    offsets = before[np.concatenate([[0], np.cumsum(lengths)])].astype(np.int32)
    values = codes.filter(pa.array(mask))
    return pa.ListArray.from_arrays(pa.array(offsets), values.dictionary.take(values.indices))


def alike(*columns: pd.Series[Any] | pa.Array) -> tuple[Positions, Positions]:
    """Number of each row among those that differ, and the first row of each number.

    Numbers are in the order of those rows. Lists of texts may be columns; an unset list is as
    an empty one.
    """
    import numpy as np
    import pandas as pd

    codes, size = np.zeros(len(columns[0]), np.int64), 1
    for column in columns:
        own = _numbered(column if not isinstance(column, pd.Series) else arrow(column))
        many = int(own.max(initial=0)) + 2
        if size * many >= 2**63:
            codes, known = pd.factorize(codes)
            size = len(known)
        codes, size = codes * many + own + 1, size * many
    codes, known = pd.factorize(codes)
    first = np.empty(len(known), np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return codes, first


def _numbered(values: pa.Array) -> Positions:
    """Number of each value; -1 where it is unset."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_list(values.type):
        texts = values.flatten().dictionary_encode().indices.cast(pa.string())
        lengths = pc.fill_null(pc.list_value_length(values), 0)
        offsets = pc.cumulative_sum(pa.concat_arrays([pa.array([0], lengths.type), lengths]))
        values = pc.binary_join(pa.ListArray.from_arrays(offsets, texts), ",")
    found = pc.fill_null(values.dictionary_encode().indices, -1).to_numpy(zero_copy_only=False)
    return found.astype("int64")  # type: ignore[no-any-return]


def counted(keys: pd.Series[Any], among: pd.Series[Any]) -> Positions:
    """How many rows of ``keys`` name each row of ``among``, of which no two are alike."""
    import numpy as np

    at = positions(keys, among)
    return np.bincount(at[at >= 0], minlength=len(among))


def named(keys: pd.Series[Any], among: pd.Series[Any]) -> Flags:
    """Tell of each row of ``among`` whether any key names it; rows may be alike."""
    return positions(among, keys) >= 0


def pairs(*columns: pd.Series[Any]) -> pa.Array:
    """Join columns to one key a row; null where any part is null."""
    import pyarrow.compute as pc

    def compute() -> tuple[pa.Array, bool]:
        joined = pc.binary_join_element_wise(*(arrow(c) for c in columns), SEPARATOR)
        return joined, len(joined) <= _PART

    return once("pairs", columns, compute)


#: Digits of a container's id that all sensors tell.
_SHORT = 12


def short_ids(column: pd.Series[Any]) -> pa.Array:
    """First digits of the ids of containers; null where there is none."""
    import pyarrow.compute as pc

    bare = pc.replace_substring_regex(arrow(column), "^[a-z-]+://", "")
    long = pc.greater_equal(pc.utf8_length(bare), _SHORT)
    return pc.if_else(long, pc.utf8_slice_codeunits(bare, 0, _SHORT), None)


def gathered(
    keys: pd.Series[Any], texts: pd.Series[Any] | pa.Array, among: pd.Series[Any]
) -> pd.Series[Any]:
    """Texts of the rows whose key names each row of ``among``, in their order, as lists."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    at = positions(keys, among)
    order = np.argsort(at, kind="stable")
    order = order[at[order] >= 0]
    lengths = np.bincount(at[order], minlength=len(among))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    values = arrow(texts) if isinstance(texts, pd.Series) else texts
    return series(pa.ListArray.from_arrays(pa.array(offsets), values.take(pa.array(order))), among)


def sorted_lists(lists: pa.ChunkedArray) -> pa.Array:
    """Lists with their texts in order, without empty ones; one that is not there is empty."""
    import pyarrow as pa

    texts = [sorted(filter(None, found or ())) for found in lists.to_pylist()]
    return pa.array(texts, pa.list_(pa.string()))


def assembled(like: pd.DataFrame, columns: dict[str, Any], order: Sequence[str]) -> pd.DataFrame:
    """Return a frame of columns in the given order, with the index of another."""
    import pandas as pd

    return pd.DataFrame({name: columns[name] for name in order}, index=like.index)


def where_known(flags: pd.Series[Any], known: pd.Series[Any]) -> pd.Series[Any]:
    """Flags where they can be told, null elsewhere."""
    import pyarrow as pa
    import pyarrow.compute as pc

    nothing = pa.scalar(None, pa.bool_())
    return series(pc.if_else(arrow(known), arrow(flags), nothing), flags)


#: Columns of pod_context that say whose a part of a pod is.
OWNER = ("origin", "owner_kind", "owner_name", "platform")


def owned(parts: pd.DataFrame, pod_context: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    """Owner columns of rows that belong to pods, found by pod_uid."""
    at = positions(parts["pod_uid"], pod_context["pod_uid"])
    return {name: looked_up(pod_context, at, name, parts) for name in OWNER}


def records(frame: pd.DataFrame, *names: str) -> list[dict[str, Any]]:
    """Rows as dictionaries of plain values, None where unset: for tables of few rows.

    Columns may be named; all are there by default.
    """
    columns = names or tuple(map(str, frame))
    cells = [_plain(arrow(frame[name])) for name in columns]
    return [dict(zip(columns, row, strict=True)) for row in zip(*cells, strict=True)]


def plain_rows(frame: pd.DataFrame, *names: str) -> Iterator[tuple[Any, ...]]:
    """Rows of some columns as plain values, None where unset: for tables of few rows."""
    return zip(*(_plain(arrow(frame[name])) for name in names), strict=True)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _plain(values: pa.Array) -> list[Any]:
    """Values of Python; Arrow makes a moment in six times the time."""
    import pyarrow as pa

    if values.type != pa.timestamp("us", "UTC"):
        return values.to_pylist()  # type: ignore[no-any-return]
    ticks = values.view(pa.int64()).to_pylist()
    return [None if n is None else _EPOCH + timedelta(microseconds=n) for n in ticks]


def any_of(frames: Iterable[pd.Series[Any]]) -> pd.Series[Any]:
    """Or of several columns without nulls."""
    first, *rest = frames
    for other in rest:
        first = first | other
    return first


def unlisted(frame: pd.DataFrame, column: str) -> tuple[pd.DataFrame, pa.Array]:
    """Rows of a frame once for each text in a column of lists, and those texts."""
    import pyarrow.compute as pc

    lists = arrow(frame[column])
    rows = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
    return frame.iloc[rows].reset_index(drop=True), pc.list_flatten(lists)
