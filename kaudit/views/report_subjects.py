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
_OBJECT = ("kind", "namespace", "name", "uid")
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
    import pyarrow as pa
    import pyarrow.compute as pc

    reports, many = policy_reports, len(policy_reports)
    beside = _beside(policy_results, reports)
    nameless = pc.equal(arrow(beside["name"]), "").to_numpy(zero_copy_only=False)
    about_none = beside[nameless]
    alone = np.bincount(about_none["of"], about_none["results"], many).astype(int)
    beside = beside[~nameless]
    _, first = alike(*(beside[name] for name in ("of", *_NAMED)))
    named = frame(pa.concat_tables([_own(reports), _columns(beside.iloc[first])]))
    state = states(named, pods, workloads, namespaces)
    of = named["of"].to_numpy()
    rows = _distinct(named, len(named) - len(first), state)
    held = np.bincount(of[rows], minlength=many)
    unknown = pc.equal(state, UNKNOWN).to_numpy(zero_copy_only=False)[rows]
    unread = np.bincount(of[rows][unknown], minlength=many)
    lost = pc.is_in(state, value_set=pa.array([GONE, REPLACED]))
    of_lost = of[lost.to_numpy(zero_copy_only=False)]
    groups = Groups(pa.array(np.concatenate([np.arange(many), of_lost])))
    missing = groups.texts(pa.concat_arrays([pa.nulls(many, pa.string()), _said(named, lost)]))
    gone = pc.list_value_length(missing).to_numpy() > 0
    told = gone | ((unread == 0) & (held > 0))
    made: dict[str, Any] = {
        "objects": held,
        "missing": missing,
        "unread": unread,
        "unnamed": alone,
        "stale": pa.array(gone, mask=~told),
    }
    made |= {name: arrow(reports[name]) for name in REPORT_SUBJECTS.names if name not in made}
    return frame(REPORT_SUBJECTS.sorted(REPORT_SUBJECTS.fitted(made)))


def _own(reports: pd.DataFrame) -> pa.Table:
    """What reports name themselves, and the row of each."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = {name: arrow(reports[f"scope_{name}"]) for name in _NAMED}
    rows = pc.indices_nonzero(pc.not_equal(columns["name"], ""))
    found = {name: column.take(rows) for name, column in columns.items()}
    return pa.table({"of": rows.cast(pa.int64()), **found})


def _beside(results: pd.DataFrame, reports: pd.DataFrame) -> pd.DataFrame:
    """What results name beside the object of their report, and the row of the report.

    Most of a report are about that object, or one after the other about the same. There may
    be millions, so they are looked at slice by slice.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    traced = _Traced(reports)
    found = []
    for start in range(0, max(len(results), 1), _SLICE):
        some = {n: arrow(results[n].iloc[start : start + _SLICE]) for n in (*_TRACE, *_NAMED)}
        size = len(some["raw"])
        new = np.arange(size) == 0
        for column in some.values() if size else ():
            new[1:] |= pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
        first = np.flatnonzero(new)
        of = traced.rows(*(some[name].take(pa.array(first)) for name in _TRACE))
        own = pc.not_equal(some["name"], "").to_numpy(zero_copy_only=False)[first]
        for name in _NAMED:
            scope = arrow(reports[f"scope_{name}"]).take(pa.array(of, mask=of < 0))
            same = pc.equal(scope, some[name].take(pa.array(first)))
            own &= pc.fill_null(same, False).to_numpy(zero_copy_only=False)
        kept = (of >= 0) & ~own
        counts = np.diff(np.append(first, size))
        named = {name: some[name].take(pa.array(first[kept])) for name in _NAMED}
        found.append(pa.table({"of": of[kept], "results": counts[kept], **named}))
        let_go()
    return frame(pa.concat_tables(found))


class _Traced:
    """Reports, found by raw file and line."""

    def __init__(self, reports: pd.DataFrame) -> None:
        import numpy as np
        import pyarrow.compute as pc

        raw = arrow(reports["raw"])
        self._files = pc.unique(raw)
        key = self._key(raw, arrow(reports["raw_line"]))
        self._order = np.argsort(key, kind="stable")
        self._sorted = key[self._order]

    def _key(self, raw: pa.Array, line: pa.Array) -> Numbers:
        import pyarrow.compute as pc

        number = pc.fill_null(pc.index_in(raw, value_set=self._files), -1).cast("int64")
        found: Numbers = number.to_numpy() << 40 | line.to_numpy()
        return found

    def rows(self, raw: pa.Array, line: pa.Array) -> Numbers:
        """Row of the report of each record; -1 where there is none."""
        import numpy as np

        key = self._key(raw, line)
        place = np.searchsorted(self._sorted, key)
        there = np.append(self._sorted, -1)[place] == key
        return np.where(there & (key >= 0), np.append(self._order, -1)[place], -1)


def _distinct(named: pd.DataFrame, own: int, state: pa.Array) -> Numbers:
    """Rows of different objects of each report; the first are of one report each."""
    import numpy as np
    import pyarrow as pa

    of = named["of"].to_numpy()
    several = np.isin(of, of[own:])
    rows = np.flatnonzero(several)
    objects = (arrow(named[name]).take(pa.array(rows)) for name in ("of", *_OBJECT))
    _, first = alike(*objects, state.take(pa.array(rows)))
    return np.concatenate([np.flatnonzero(~several), rows[first]])


def _columns(beside: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    return pa.table({name: arrow(beside[name]) for name in ("of", *_NAMED)})


def _said(named: pd.DataFrame, chosen: pa.Array) -> pa.Array:
    """Kind, namespace and name of some objects."""
    import pyarrow.compute as pc

    columns = ("kind", "namespace", "name")
    kind, space, name = (arrow(named[column]).filter(chosen) for column in columns)
    there = pc.not_equal(space, "")
    whole = pc.binary_join_element_wise(space, name, "/")
    return pc.binary_join_element_wise(kind, pc.if_else(there, whole, name), " ")
