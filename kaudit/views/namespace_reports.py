"""Which namespaces the background scan of Kyverno should report on, and whether it does.

Asked are rules that certainly are for every pod of a namespace, of policies with background
scans; reports of admission, which do not last, are not counted.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, records, text_is
from kaudit.enforcement import spaces_of
from kaudit.policy_scope import Asked, decide, filtered
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class NamespaceReportRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always Namespace")] = "Namespace"
    name: Annotated[str, doc("namespace")]
    pods: Annotated[int, doc("pods in it")]
    policies: Annotated[list[str], doc("policies that are for all of its pods, sorted")]
    reports: Annotated[int, doc("reports of policy engines in it that last")]
    expected: Annotated[bool, doc("it has pods and policies, and some namespace has reports")]


NAMESPACE_REPORTS = Table(
    "namespace_reports",
    NamespaceReportRow,
    grain="one namespace, and what is reported of it",
    key=("name",),
    resource=Resource("kind", namespace=""),
)


@view(NAMESPACE_REPORTS)
def namespace_reports(
    namespaces: pd.DataFrame,
    pod_context: pd.DataFrame,
    policy_anatomy: pd.DataFrame,
    policy_reports: pd.DataFrame,
    kyverno_filters: pd.DataFrame,
) -> pd.DataFrame:
    """Ask each rule about a pod of which the namespace alone is known."""
    pods = _counted(pod_context, text_is(pod_context["origin"], "object"))
    reports = _counted(policy_reports, ~text_is(policy_reports["group"], "reports.kyverno.io"))
    rules = [rule for rule in records(policy_anatomy) if _scans(rule)]
    filters, spaces = records(kyverno_filters), spaces_of(namespaces)
    rows = []
    for own in records(namespaces[["raw", "raw_line", "name"]]):
        name = own["name"]
        asked = Asked("Pod", name, spaces[name])
        found = {rule["policy"] for rule in rules if decide(rule, asked).applies}
        if filtered(filters, asked) is not None:
            found = set()
        rows.append(
            NamespaceReportRow(
                **own,
                pods=pods[name],
                policies=sorted(found),
                reports=reports[name],
                expected=bool(found and pods[name] and reports.total()),
            )
        )
    return frame(NAMESPACE_REPORTS.sorted(NAMESPACE_REPORTS.arrow(rows)))


def _counted(rows: pd.DataFrame, chosen: pd.Series[Any]) -> Counter[str]:
    """How many of some rows are in each namespace."""
    import pyarrow.compute as pc

    counts = pc.value_counts(arrow(rows["namespace"]).filter(arrow(chosen)))
    return Counter({one["values"]: one["counts"] for one in counts.to_pylist()})


def _scans(rule: dict[str, Any]) -> bool:
    """Whether a rule is evaluated on what exists, whatever else holds."""
    return (
        rule["engine"] == "Kyverno"
        and rule["purpose"] == "validate"
        and rule["background"] is True
        and rule["ready"] is not False
        and not rule["conditions"]
    )
