"""Whether the objects that reports name are there: pods, their controllers and namespaces.

Only kinds of which the evidence holds objects are looked for, in namespaces that it speaks of:
of others nobody can say that something is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    known = _known(pods, workloads, namespaces)
    uid = arrow(named["uid"])
    by_uid = positions(pc.if_else(pc.equal(uid, ""), None, uid), _whole(known["uid"])) >= 0
    left = pa.array(np.flatnonzero(~by_uid))  # what is there by its uid is most of them
    found = pc.if_else(pa.array(by_uid), THERE, pa.scalar(None, pa.string()))
    told = _of_names({c: arrow(named[c]).take(left) for c in _NAMED}, known, namespaces)
    found = pc.replace_with_mask(found, pa.array(~by_uid), told)
    return pc.if_else(pc.equal(arrow(named["name"]), ""), UNNAMED, found)


_NAMED = ("kind", "api_version", "namespace", "name", "uid")


def _of_names(named: dict[str, pa.Array], known: pa.Table, namespaces: pd.DataFrame) -> pa.Array:
    """State of objects that no uid finds."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kinds, name, uid = _kinds(named), named["name"], named["uid"]
    space = pc.if_else(pc.equal(kinds, "Namespace"), "", named["namespace"])
    at = positions(_key(kinds, space, name), _whole(known["key"]))
    spaces = arrow(namespaces["name"])
    whole = pc.any(pc.equal(spaces, _EVERYWHERE)).as_py()
    spoken = pc.or_(pc.is_in(space, value_set=spaces), bool(whole))
    looked = pc.and_(pc.is_in(kinds, value_set=_whole(known["kind"])), spoken)
    index = pa.array(at, mask=at < 0)
    own = pc.fill_null(_whole(known["uid"]).take(index), "")
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


def _whole(column: pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa

    found = column.combine_chunks()
    return found if isinstance(found, pa.Array) else pa.concat_arrays(found.chunks)


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


def _known(pods: pd.DataFrame, workloads: pd.DataFrame, namespaces: pd.DataFrame) -> pa.Table:
    """Kind, key and uid of what is there."""
    import pyarrow as pa

    live = pods[["namespace", "pod", "pod_uid"]]
    live = live[text_is(pods["origin"], "object").to_numpy(dtype=bool)]
    owners = workloads[["kind", "namespace", "name", "uid"]]
    owners = owners[text_is(workloads["group"], *_GROUPS).to_numpy(dtype=bool)]
    blank, space, pod = (
        pa.array([text] * len(frame), pa.string())
        for text, frame in (("", namespaces), ("Namespace", namespaces), ("Pod", live))
    )
    parts = [
        (pod, live["namespace"], live["pod"], live["pod_uid"]),
        (owners["kind"], owners["namespace"], owners["name"], owners["uid"]),
        (space, blank, namespaces["name"], namespaces["uid"]),
    ]
    tables = []
    for kind, *place, uid in (
        [column if isinstance(column, pa.Array) else arrow(column) for column in part]
        for part in parts
    ):
        tables.append(pa.table({"kind": kind, "key": _key(kind, *place), "uid": uid}))
    return pa.concat_tables(tables).combine_chunks()
