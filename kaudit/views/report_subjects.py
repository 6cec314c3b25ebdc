"""What reports of policy engines are about, and whether it is still there.

A report outlives its object where the engine does not see the deletion: its results are of
nothing then, and count for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from kaudit.columns import alike, arrow
from kaudit.groups import Groups
from kaudit.mapped import let_go
from kaudit.registry import view
from kaudit.subjects import GONE, REPLACED, UNKNOWN, states
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from kaudit.columns import Flags

    Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


class ReportSubjectRow(Trace, kw_only=True):
    group: Annotated[str, doc("API group of the report")]
    kind: Annotated[str, doc("kind of the report")]
    namespace: Annotated[str, doc("namespace of the report; empty for cluster scope")]
    name: Annotated[str, doc("name of the report")]
    managed_by: Annotated[str | None, doc("who keeps it")] = None
    results: Annotated[int, doc("results that it holds; 0: it says nothing")]
    objects: Annotated[int, doc("objects that it names, itself or in its results")]
    missing: Annotated[
        list[str], doc("of those, what is gone or replaced by another of its name, sorted")
    ]
    unread: Annotated[int, doc("objects of kinds that the evidence does not hold")]
    unnamed: Annotated[int, doc("results that name no object, nor does the report")]
    stale: Annotated[
        bool | None, doc("an object of it is gone; null: it names none of a kind that was read")
    ] = None


REPORT_SUBJECTS = Table(
    "report_subjects",
    ReportSubjectRow,
    grain="one report of a policy engine, and what it is about",
    key=("group", "kind", "namespace", "name"),
    resource=Resource("kind"),
)
_NAMED = ("kind", "api_version", "namespace", "name", "uid")
_TRACE = ("raw", "raw_line")
#: Results that are looked at together.
_SLICE = 200_000


@view(REPORT_SUBJECTS, naming=("pods", "workloads", "namespaces"))
def report_subjects(
    policy_reports: pd.DataFrame,
    policy_results: pd.DataFrame,
    pods: pd.DataFrame,
    workloads: pd.DataFrame,
    namespaces: pd.DataFrame,
) -> pd.DataFrame:
    """Look for every object that a report names."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    reports = policy_reports
    scopes = reports[[*_TRACE, *(f"scope_{name}" for name in _NAMED)]]
    scopes = scopes.rename(columns={f"scope_{name}": name for name in _NAMED})
    results, counts = _runs(policy_results)
    trace = pd.concat([scopes[[*_TRACE]], results[[*_TRACE]]])
    groups = Groups(trace["raw"], trace["raw_line"])  # those of policy_reports come first
    own, theirs = groups.of[: len(scopes)], groups.of[len(scopes) :]
    nameless = pc.equal(arrow(results["name"]), "").to_numpy(zero_copy_only=False)
    alone = np.bincount(theirs[nameless], counts[nameless], len(groups)).astype(int)[own]
    beside = ~_of_scope(results, scopes, groups.first[theirs])
    named = pd.concat([scopes, results[beside]], ignore_index=True)
    kept = np.flatnonzero(np.append(np.ones(len(scopes), bool), beside))
    of = groups.of[kept]
    _, rows = alike(pa.array(of), *(named[name] for name in _NAMED))
    rows = rows[pc.not_equal(arrow(named["name"]), "").to_numpy(zero_copy_only=False)[rows]]
    named = named.iloc[rows].reset_index(drop=True)
    state = states(named, pods, workloads, namespaces)
    objects = (named[name] for name in ("kind", "namespace", "name", "uid"))
    _, first = alike(pa.array(of[rows]), *objects, state)
    held = np.bincount(of[rows][first], minlength=len(groups))[own]
    unknown = pc.equal(state, UNKNOWN).to_numpy(zero_copy_only=False)[first]
    unread = np.bincount(of[rows][first][unknown], minlength=len(groups))[own]
    lost = pc.is_in(state, value_set=pa.array([GONE, REPLACED]))
    at = np.full(len(groups.of), -1)
    at[kept[rows][lost.to_numpy(zero_copy_only=False)]] = np.arange(lost.true_count)
    missing = groups.texts(_said(named, lost).take(pa.array(at, mask=at < 0))).take(pa.array(own))
    gone = pc.list_value_length(missing).to_numpy() > 0
    told = gone | ((unread == 0) & (held > 0))
    made: dict[str, Any] = {
        "objects": held,
        "missing": missing,
        "unread": unread,
        "unnamed": alone,
        "stale": pa.array(gone, mask=~told),
    }
    schema = REPORT_SUBJECTS.schema
    columns = [made[n] if n in made else arrow(reports[n]) for n in schema.names]
    return frame(REPORT_SUBJECTS.sorted(pa.table(columns, names=schema.names).cast(schema)))


def _runs(results: pd.DataFrame) -> tuple[pd.DataFrame, Numbers]:
    """What results name, and how many in a row name it: most of a report are about one object.

    There may be millions, so they are looked at slice by slice.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    found, counts = [], []
    names = [*_TRACE, *_NAMED]
    for start in range(0, max(len(results), 1), _SLICE):
        some = {n: arrow(results[n].iloc[start : start + _SLICE]) for n in names}
        size = len(some["raw"])
        new = np.arange(size) == 0
        for column in some.values() if size else ():
            new[1:] |= pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
        first = np.flatnonzero(new)
        found.append(pa.table({n: column.take(pa.array(first)) for n, column in some.items()}))
        counts.append(np.diff(np.append(first, size)))
        let_go()
    return frame(pa.concat_tables(found)), np.concatenate(counts)


def _of_scope(results: pd.DataFrame, scopes: pd.DataFrame, at: Numbers) -> Flags:
    """Tell which results name what their report names itself; ``at``: row of the report."""
    import pyarrow as pa
    import pyarrow.compute as pc

    there = at < len(scopes)
    rows = pa.array(at, mask=~there)
    for name in _NAMED:
        same = pc.equal(arrow(scopes[name]).take(rows), arrow(results[name]))
        there &= pc.fill_null(same, False).to_numpy(zero_copy_only=False)
    return there


def _said(named: pd.DataFrame, chosen: pa.Array) -> pa.Array:
    """Kind, namespace and name of some objects."""
    import pyarrow.compute as pc

    columns = ("kind", "namespace", "name")
    kind, space, name = (arrow(named[column]).filter(chosen) for column in columns)
    there = pc.not_equal(space, "")
    whole = pc.binary_join_element_wise(space, name, "/")
    return pc.binary_join_element_wise(kind, pc.if_else(there, whole, name), " ")
