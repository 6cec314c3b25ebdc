"""The resources that rows of a table are about, numbered once for all controls."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from kaudit.columns import arrow
from kaudit.remembered import held
from kaudit.table import Resource

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

_SEPARATOR = "\x1f"
#: Keys from which they rest as a column.
_MANY = 10_000


class Resources:
    """Numbers resources as ``kind, namespace, name, container``, for any number of tables.

    Rows of many pods that one controller owns are about the same resource.
    """

    def __init__(self) -> None:
        self._listed: list[str] = []
        #: The same as a column, where they rest.
        self._resting: pa.Array | None = None
        self._numbers: dict[str, int] = {}
        self._order: Numbers | None = None
        self._kept: dict[int, tuple[pd.DataFrame, Numbers]] = {}
        self._same: list[tuple[list[pa.Array | str], Numbers]] = []
        self._last: tuple[pa.Array, Numbers] | None = None
        self._others: tuple[Resources, Numbers] | None = None

    def __len__(self) -> int:
        return len(self._listed if self._resting is None else self._resting)

    @property
    def keys(self) -> list[str]:
        """Keys of all, by number."""
        return self._listed if self._resting is None else self._resting.to_pylist()

    @property
    def column(self) -> pa.Array:
        """Keys of all, by number, as a column."""
        import pyarrow as pa

        return pa.array(self._listed, pa.string()) if self._resting is None else self._resting

    def key(self, number: int) -> str:
        """Key of a resource."""
        if self._resting is None:
            return self._listed[number]
        return self._resting[number].as_py()  # type: ignore[no-any-return]

    def rest(self) -> None:
        """Keep many keys as a column, until more come: a text of Python takes twice the room."""
        if self._resting is None and len(self._listed) > _MANY:
            self._resting, self._listed, self._numbers = self.column, [], {}

    def _wake(self) -> None:
        if self._resting is not None:
            self._listed, self._resting = self.keys, None
            self._numbers = dict(zip(self._listed, range(len(self._listed)), strict=True))

    def of(self, subject: pd.DataFrame, names: Resource) -> Numbers:
        """Number of the resource of each row, which columns name."""
        kept = self._kept.get(id(subject))
        if kept is not None:
            return kept[1]
        found = self._of_columns(subject, names)
        self._kept[id(subject)] = (subject, found)
        return found

    def _of_columns(self, subject: pd.DataFrame, names: Resource) -> Numbers:
        """Numbers of rows; views of one table mostly share the columns that tell."""
        parts = [held(subject[name]) if _is_column(name) else name for name in _parts(names)]
        for known, numbers in self._same:
            if all(map(_equal, parts, known)):
                return numbers
        codes = _coded(subject, names)
        found: Numbers = self._of_keys(codes.dictionary)[codes.indices.to_numpy()]
        self._same.append((parts, found))
        return found

    def _of_keys(self, keys: pa.Array) -> Numbers:
        """Numbers of keys; views of one table mostly have the same ones, in the same order."""
        if self._last is None or not self._last[0].equals(keys):
            self._last = (keys, self._of_column(keys))
        return self._last[1]

    def _of_column(self, keys: pa.Array) -> Numbers:
        """Numbers of different keys; many that are the first here, or rest here, need no text."""
        import numpy as np

        if not len(self) and len(keys) > _MANY:
            self._resting = keys
        if self._resting is not None and self._resting.equals(keys):
            return np.arange(len(keys))
        return self.numbered(keys.to_pylist())

    def forget(self) -> None:
        """Let go of the frames whose rows were numbered, and of what others have numbered."""
        self._kept.clear()
        self._same.clear()
        self._last = self._others = None

    def numbered(self, keys: Sequence[str]) -> Numbers:
        """Numbers of keys; those that are new get one."""
        import numpy as np

        self._wake()
        known, many = self._numbers, len(self._listed)
        new = dict.fromkeys(key for key in keys if key not in known)
        known.update(zip(new, range(many, many + len(new)), strict=True))
        self._listed += new
        return np.fromiter(map(known.__getitem__, keys), np.int64, len(keys))

    def of_others(self, others: Resources) -> Numbers:
        """Numbers here of the resources that another process has numbered."""
        if self._others is None or self._others[0] is not others:
            self._others = (others, self._of_column(others.column))
        return self._others[1]

    def __getstate__(self) -> dict[str, Any]:
        """Keys alone: who gets them has numbers of its own."""
        self.rest()
        return {"_listed": self._listed, "_resting": self._resting}

    @property
    def order(self) -> Numbers:
        """Numbers of all resources, sorted by kind, namespace, name and container."""
        import pyarrow.compute as pc

        if self._order is None or len(self._order) != len(self):
            self._order = pc.sort_indices(self.column).to_numpy().astype("int64")
        return self._order

    def parts(self, number: int) -> tuple[str, str, str, str]:
        """Kind, namespace, name and container of a resource."""
        return parts_of(self.key(number))


def in_words(kind: str, namespace: str, name: str, container: str) -> str:
    """Name a resource for people; empty where nothing single is meant.

    >>> in_words("Deployment", "shop", "web", "app"), in_words("Node", "", "n1", "")
    ('Deployment shop/web, container app', 'Node n1')
    """
    whole = "/".join(part for part in (namespace, name) if part)
    where = f"{kind} {whole}".strip()
    return f"{where}, container {container}" if container else where


def parts_of(key: str) -> tuple[str, str, str, str]:
    """Kind, namespace, name and container of a resource."""
    kind, namespace, name, container = key.split(_SEPARATOR)
    return kind, namespace, name, container


def digest(key: str) -> str:
    """Hash a resource key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def key_of(kind: str, namespace: str, name: str, container: str = "") -> str:
    """Key of a resource that is not numbered."""
    return _SEPARATOR.join((kind, namespace, name, container))


def _parts(names: Resource) -> tuple[str, str, str, str]:
    return names.kind, names.namespace, names.name, names.container


def _is_column(name: str) -> bool:
    return bool(name) and not name.startswith("=")


def _equal(one: pa.Array | str, other: pa.Array | str) -> bool:
    """Tell equal columns, most of which are the same; a text stands for itself."""
    if isinstance(one, str) or isinstance(other, str):
        return isinstance(one, str) and isinstance(other, str) and one == other
    return one is other or one.equals(other)


def _coded(subject: pd.DataFrame, names: Resource) -> pa.Array:
    """Keys of the resources of rows, each held once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts: list[Any] = []
    for name in _parts(names):
        if _is_column(name):
            parts.append(pc.fill_null(arrow(subject[name]), ""))
        else:
            parts.append(pa.scalar(name[1:], pa.string()))
    joined = pc.binary_join_element_wise(*parts, _SEPARATOR).dictionary_encode()
    found = pc.count_substring(joined.dictionary, _SEPARATOR)
    if pc.all(pc.equal(found, len(parts) - 1)).as_py():
        return joined
    clean = [pc.replace_substring(part, _SEPARATOR, "\ufffd") for part in parts]
    return pc.binary_join_element_wise(*clean, _SEPARATOR).dictionary_encode()


class Scopes:
    """Rows of a subject about resources of a scope; what many gaps share is worked out once."""

    def __init__(self, subject: pd.DataFrame, resource: Resource) -> None:
        self._subject, self._resource = subject, resource
        self._found: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Any] = {}

    @cached_property
    def _names(self) -> frozenset[str]:
        """Names in the subject: most gaps are of things that are not there."""
        import pyarrow.compute as pc

        if self._resource.name.startswith("="):
            return frozenset([self._resource.name[1:]])
        return frozenset(pc.unique(arrow(self._subject[self._resource.name])).to_pylist())

    def within(
        self, namespace: str = "", kinds: tuple[str, ...] = (), names: tuple[str, ...] = ()
    ) -> Any:
        """Tell which rows are about resources of a scope; an empty part narrows nothing.

        Rows of cluster scope are in every namespace, but for namespaces themselves.
        """
        import numpy as np

        if names and self._resource.name:
            names = tuple(name for name in names if name in self._names)
            if not names:
                return np.zeros(len(self._subject), dtype=bool)
        scope = namespace, kinds, names
        if scope not in self._found:
            self._found[scope] = self._rows(*scope)
        return self._found[scope]

    def _rows(self, namespace: str, kinds: tuple[str, ...], names: tuple[str, ...]) -> Any:
        import numpy as np

        subject, resource = self._subject, self._resource
        found = np.ones(len(subject), dtype=bool)
        if namespace and not resource.namespace and not resource.kind.startswith("="):
            found = (
                (subject[resource.kind] != "Namespace") | (subject[resource.name] == namespace)
            ).to_numpy(dtype=bool)
        parts = (
            (resource.namespace, (namespace, "") if namespace else ()),
            (resource.kind, kinds),
            (resource.name, names),
        )
        for column, allowed in parts:
            if allowed and column.startswith("="):
                found &= column[1:] in allowed
            elif allowed and column:
                found &= subject[column].isin(list(allowed)).to_numpy(dtype=bool)
        return found
