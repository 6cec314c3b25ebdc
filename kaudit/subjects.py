"""Whether the objects that reports name are there: pods, their controllers and namespaces.

Only kinds of which the evidence holds objects are looked for, in namespaces that it speaks of:
of others nobody can say that something is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from kaudit.columns import SEPARATOR, arrow, positions, text_is

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


def states(
    named: pd.DataFrame, pods: pd.DataFrame, workloads: pd.DataFrame, namespaces: pd.DataFrame
) -> pa.Array:
    """State of each object that is named by ``kind``, ``api_version``, ``namespace`` and so on.

    ``there``; ``gone``: none of its name is; ``replaced``: another one has its name;
    ``unknown``: objects of its kind were not read, or not in its namespace; ``unnamed``.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    known = _known(pods, workloads, namespaces)
    uid = arrow(named["uid"])
    by_uid = pc.is_in(
        pc.if_else(pc.equal(uid, ""), None, uid),
        value_set=pa.concat_arrays([part.uid for part in known]),
        skip_nulls=True,
    )
    left = pc.invert(by_uid)  # what is there by its uid is most of them
    found = pc.if_else(by_uid, THERE, pa.scalar(None, pa.string()))
    told = _of_names({c: arrow(named[c]).filter(left) for c in _NAMED}, known, namespaces)
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
    named: dict[str, pa.Array], known: Sequence[_Known], namespaces: pd.DataFrame
) -> pa.Array:
    """State of objects that no uid finds."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kinds, name, uid = _kinds(named), named["name"], named["uid"]
    space = pc.if_else(pc.equal(kinds, "Namespace"), "", named["namespace"])
    near = [_chosen(part, pc.is_in(part.name, value_set=name)) for part in known]
    keys = [_key(part.kind, part.namespace, part.name) for part in near]
    at = positions(_key(kinds, space, name), pa.concat_arrays(keys))
    spaces = arrow(namespaces["name"])
    whole = pc.any(pc.equal(spaces, _EVERYWHERE)).as_py()
    spoken = pc.or_(pc.is_in(space, value_set=spaces), bool(whole))
    read = pa.concat_arrays([pc.unique(part.kind) for part in known])
    looked = pc.and_(pc.is_in(kinds, value_set=read), spoken)
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
) -> tuple[_Known, ...]:
    """Pods, their controllers and namespaces that are there."""
    import pyarrow as pa

    def like(text: str, column: pd.Series[Any]) -> pa.Array:
        return pa.repeat(pa.scalar(text, pa.string()), len(column))

    p, w, n = pods, workloads, namespaces
    live = _Known(like("Pod", p["pod"]), *(arrow(p[c]) for c in ("namespace", "pod", "pod_uid")))
    owners = _Known(*(arrow(w[c]) for c in ("kind", "namespace", "name", "uid")))
    spaces = (like("Namespace", n["name"]), like("", n["name"]), arrow(n["name"]), arrow(n["uid"]))
    return (
        _chosen(live, arrow(text_is(p["origin"], "object"))),
        _chosen(owners, arrow(text_is(w["group"], *_GROUPS))),
        _Known(*spaces),
    )
