"""What reports of policy engines are about, and whether it is still there.

A report outlives its object where the engine does not see the deletion: its results are of
nothing then, and count for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import alike, records
from kaudit.registry import view
from kaudit.subjects import GONE, REPLACED, UNKNOWN, UNNAMED, states
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


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

    scopes = policy_reports[[*_TRACE, *(f"scope_{name}" for name in _NAMED)]]
    scopes = scopes.rename(columns={f"scope_{name}": name for name in _NAMED})
    named = pd.concat([scopes, policy_results[[*_TRACE, *_NAMED]]], ignore_index=True)
    state = states(named, pods, workloads, namespaces)
    reports, _ = alike(named["raw"], named["raw_line"])  # those of policy_reports come first
    many = int(reports.max(initial=-1)) + 1
    told = state.to_numpy(zero_copy_only=False)
    alone = np.bincount(reports[len(scopes) :][told[len(scopes) :] == UNNAMED], minlength=many)
    object_columns = [pa.array(reports), *(named[c] for c in ("kind", "namespace", "name", "uid"))]
    _, first = alike(*object_columns, state)
    first = first[told[first] != UNNAMED]
    objects = np.bincount(reports[first], minlength=many)
    unread = np.bincount(reports[first][told[first] == UNKNOWN], minlength=many)
    lost = first[np.isin(told[first], (GONE, REPLACED))]
    missing: dict[int, set[str]] = {}
    cells = (named[c].iloc[lost].tolist() for c in ("kind", "namespace", "name"))
    for report, kind, space, name in zip(reports[lost].tolist(), *cells, strict=True):
        said = f"{kind} {space}/{name}" if space else f"{kind} {name}"
        missing.setdefault(report, set()).add(said)
    rows = []
    own_names = (*_TRACE, "group", "kind", "namespace", "name", "managed_by", "results")
    for own, number in zip(
        records(policy_reports, *own_names), reports[: len(scopes)].tolist(), strict=True
    ):
        gone = missing.get(number, set())
        rows.append(
            ReportSubjectRow(
                **own,
                objects=int(objects[number]),
                missing=sorted(gone),
                unread=int(unread[number]),
                unnamed=int(alone[number]),
                stale=True if gone else (None if unread[number] or not objects[number] else False),
            )
        )
    return frame(REPORT_SUBJECTS.sorted(REPORT_SUBJECTS.arrow(rows)))
