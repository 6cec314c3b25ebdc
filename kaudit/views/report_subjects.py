"""What reports of policy engines are about, and whether it is still there.

A report outlives its object where the engine does not see the deletion: its results are of
nothing then, and count for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import records
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
    import pandas as pd

    scopes = policy_reports[[*_TRACE, *(f"scope_{name}" for name in _NAMED)]]
    scopes = scopes.rename(columns={f"scope_{name}": name for name in _NAMED})
    named = pd.concat([scopes, policy_results[[*_TRACE, *_NAMED]]], ignore_index=True)
    named["state"] = states(named, pods, workloads, namespaces).to_pylist()
    unnamed = named[len(scopes) :]
    unnamed = unnamed[(unnamed["state"] == UNNAMED).to_numpy(dtype=bool)]
    alone = unnamed.groupby([*_TRACE]).size().to_dict()
    about: dict[tuple[str, int], dict[str, str]] = {}
    once = named[(named["state"] != UNNAMED).to_numpy(dtype=bool)].drop_duplicates()
    for raw, line, kind, space, name, uid, state in zip(
        *(once[c].tolist() for c in (*_TRACE, "kind", "namespace", "name", "uid", "state")),
        strict=True,
    ):
        said = f"{kind} {space}/{name}" if space else f"{kind} {name}"
        about.setdefault((raw, line), {})[f"{said}\x1f{uid}"] = state
    rows = []
    for own in records(policy_reports):
        trace = (own["raw"], own["raw_line"])
        found = about.get(trace, {})
        missing = {key.partition("\x1f")[0] for key, s in found.items() if s in (GONE, REPLACED)}
        unread = sum(state == UNKNOWN for state in found.values())
        rows.append(
            ReportSubjectRow(
                raw=own["raw"],
                raw_line=own["raw_line"],
                group=own["group"],
                kind=own["kind"],
                namespace=own["namespace"],
                name=own["name"],
                managed_by=own["managed_by"],
                results=own["results"],
                objects=len(found),
                missing=sorted(missing),
                unread=unread,
                unnamed=alone.get(trace, 0),
                stale=True if missing else (None if unread or not found else False),
            )
        )
    return frame(REPORT_SUBJECTS.sorted(REPORT_SUBJECTS.arrow(rows)))
