"""What was computed of frames and columns, kept as long as they are there."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

T = TypeVar("T")


def remembered(compute: Callable[..., T]) -> Callable[..., T]:
    """Keep what a function of frames returned last, as long as the frames are there.

    Views of pods are computed part by part, and several rest on the same policies.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = remembered(lambda frame: [len(frame)])
    >>> few, many = pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1, 2]})
    >>> rows(few) is rows(few), rows(many)
    (True, [2])
    """
    last: list[tuple[tuple[weakref.ref[pd.DataFrame], ...], T]] = []

    @wraps(compute)
    def found(*frames: pd.DataFrame) -> T:
        for kept, known in last:
            if len(kept) == len(frames) and all(
                ref() is frame for ref, frame in zip(kept, frames, strict=True)
            ):
                return known
        made = compute(*frames)
        last[:] = [(tuple(weakref.ref(frame, forget) for frame in frames), made)]
        return made

    def forget(_: object) -> None:
        last.clear()

    return found


#: What was found of columns that several ask about.
_FOUND: dict[tuple[str | int, ...], tuple[tuple[weakref.ref[Any], ...], Any]] = {}


def held(column: pd.Series[Any] | pa.Array) -> Any:
    """Values of a column, the same ones as long as a frame has them: views share columns."""
    array: Any = getattr(column, "array", None)
    return column if array is None else array.__arrow_array__()


def once(
    what: str,
    columns: Sequence[pd.Series[Any] | pa.Array],
    compute: Callable[[], tuple[T, bool]],
) -> T:
    """Compute once for some columns, and keep it where that is said beside it.

    It is kept as long as all the columns are.
    """
    values = [held(column) for column in columns]
    key: tuple[str | int, ...] = (what, *map(id, values))
    known = _FOUND.get(key)
    if known is not None and all(ref() is one for ref, one in zip(known[0], values, strict=True)):
        return known[1]  # type: ignore[no-any-return]  # of the same what
    found, kept = compute()
    if kept:
        pop = _FOUND.pop  # when an interpreter ends, names of modules go before columns do
        refs = tuple(weakref.ref(one, lambda _: pop(key, None)) for one in values)
        _FOUND[key] = (refs, found)
    return found
