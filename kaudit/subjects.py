"""Whether the objects that reports name are there: pods, their controllers and namespaces.

Only kinds of which the evidence holds objects are looked for, in namespaces that it speaks of:
of others nobody can say that something is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from kaudit.columns import SEPARATOR, arrow, positions, text_is
from kaudit.mapped import let_go

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

THERE, GONE, REPLACED, UNKNOWN, UNNAMED = "there", "gone", "replaced", "unknown", "unnamed"
#: Namespace of every cluster: a source without it does not speak of all namespaces.
_EVERYWHERE = "kube-system"
#: uids of manifests begin so: they are no cluster's.
_STAND_IN = "m-"
#: Groups whose kinds are looked for.
_GROUPS = ("", "apps", "batch", "extensions")
#: Objects that are looked at together.
_SLICE = 100_000


def states(
    named: pd.DataFrame, pods: pd.DataFrame, workloads: pd.DataFrame, namespaces: pd.DataFrame
) -> pa.Array:
    """State of each object that is named by ``kind``, ``api_version``, ``namespace`` and so on.

    ``there``; ``gone``: none of its name is; ``replaced``: another one has its name;
    ``unknown``: objects of its kind were not read, or not in its namespace; ``unnamed``.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    there = pods, workloads, namespaces
    uid = arrow(named["uid"])
    by_uid = pc.is_in(
        pc.if_else(pc.equal(uid, ""), None, uid),
        value_set=pa.chunked_array([some.uid for some in _known(*there)], pa.string()),
        skip_nulls=True,
    )
    left = pc.invert(by_uid)  # what is there by its uid is most of them
    found = pc.if_else(by_uid, THERE, pa.scalar(None, pa.string()))
    told = _of_names({c: arrow(named[c]).filter(left) for c in _NAMED}, *there)
    found = pc.replace_with_mask(found, left, told)
    return pc.if_else(pc.equal(arrow(named["name"]), ""), UNNAMED, found)


_NAMED = ("kind", "api_version", "namespace", "name", "uid")


class _Known(NamedTuple):
    """Objects that are there, as columns."""

    kind: pa.Array
    namespace: pa.Array
    name: pa.Array
    uid: pa.Array


def _of_names(
    named: dict[str, pa.Array],
    pods: pd.DataFrame,
    workloads: pd.DataFrame,
    namespaces: pd.DataFrame,
) -> pa.Array:
    """State of objects that no uid finds."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kinds, name, uid = _kinds(named), named["name"], named["uid"]
    space = pc.if_else(pc.equal(kinds, "Namespace"), "", named["namespace"])
    near, read = [], set[str]()
    for some in _known(pods, workloads, namespaces):
        near.append(_chosen(some, pc.is_in(some.name, value_set=name)))
        read.update(pc.unique(some.kind).to_pylist())
    keys = [_key(part.kind, part.namespace, part.name) for part in near]
    at = positions(_key(kinds, space, name), pa.concat_arrays(keys))
    spaces = arrow(namespaces["name"])
    whole = pc.any(pc.equal(spaces, _EVERYWHERE)).as_py()
    spoken = pc.or_(pc.is_in(space, value_set=spaces), bool(whole))
    looked = pc.and_(pc.is_in(kinds, value_set=pa.array(sorted(read), pa.string())), spoken)
    index = pa.array(at, mask=at < 0)
    own = pc.fill_null(pa.concat_arrays([part.uid for part in near]).take(index), "")
    alike = pc.or_(pc.equal(uid, ""), pc.starts_with(own, _STAND_IN))
    return pc.case_when(
        pc.make_struct(
            pc.and_(pa.array(at >= 0), alike),
            pc.and_(pa.array(at >= 0), pc.not_equal(uid, "")),
            looked,
        ),
        THERE,
        REPLACED,
        GONE,
        UNKNOWN,
    )


def _chosen(known: _Known, mask: pa.Array) -> _Known:
    return _Known(*(column.filter(mask) for column in known))


def _key(*parts: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(*parts, SEPARATOR)


def _kinds(named: dict[str, pa.Array]) -> pa.Array:
    """Kinds, with the group where that is another's: a Job of Volcano is no Job."""
    import pyarrow as pa
    import pyarrow.compute as pc

    version, kind = named["api_version"].dictionary_encode(), named["kind"]
    groups = [
        text.partition("/")[0] if "/" in text else "" for text in version.dictionary.to_pylist()
    ]
    group = pa.array(groups, pa.string()).take(version.indices)
    own = pc.is_in(group, value_set=pa.array(_GROUPS))
    return pc.if_else(own, kind, pc.binary_join_element_wise(kind, group, "."))


def _known(
    pods: pd.DataFrame, workloads: pd.DataFrame, namespaces: pd.DataFrame
) -> Iterator[_Known]:
    """Pods, their controllers and namespaces that are there, slice by slice."""
    live = pods[["namespace", "pod", "pod_uid", "origin"]]
    for some in _slices(live):
        found = _Known(_repeated("Pod", some), *(arrow(some[c]) for c in live.columns[:3]))
        yield _chosen(found, arrow(text_is(some["origin"], "object")))
    owners = workloads[["kind", "namespace", "name", "uid", "group"]]
    for some in _slices(owners):
        found = _Known(*(arrow(some[c]) for c in owners.columns[:4]))
        yield _chosen(found, arrow(text_is(some["group"], *_GROUPS)))
    n = namespaces
    kind, nowhere = _repeated("Namespace", n), _repeated("", n)
    yield _Known(kind, nowhere, arrow(n["name"]), arrow(n["uid"]))


def _slices(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for start in range(0, len(rows), _SLICE):
        yield rows.iloc[start : start + _SLICE]
        let_go()


def _repeated(text: str, like: pd.DataFrame) -> pa.Array:
    import pyarrow as pa

    return pa.repeat(pa.scalar(text, pa.string()), len(like))
