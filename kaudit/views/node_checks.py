"""Checks of the CIS benchmark that only who is on a node can make, as kube-bench made them.

kube-bench does not name its node: a result stands for the nodes that the report is of. Numbers
are those of the benchmark for Kubernetes; those for EKS, AKS and GKE have the kubelet under 3.
What nobody ran is not known, and stands as one row.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from kaudit.columns import records
from kaudit.model.whole import whole
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class NodeCheckRow(Trace, kw_only=True):
    check: Annotated[str, doc("number in the benchmark; 'none': nobody has run these checks")]
    group: Annotated[str, doc("access, hardening or files")]
    report: Annotated[str, doc("report that names it (tool_reports); empty: none")]
    position: Annotated[int, doc("place in the report, from 1")]
    title: Annotated[str | None, doc("what the check asks for")] = None
    standard: Annotated[str | None, doc("benchmark that was followed")] = None
    message: Annotated[str | None, doc("what kube-bench says of it")] = None
    failed: Annotated[bool | None, doc("it fails; null: not made, or a person must look")] = None
    access: Annotated[bool, doc("who may use the kubelet")]
    hardening: Annotated[bool, doc("settings of the kubelet")]
    files: Annotated[bool, doc("permissions and owners of files")]


NODE_CHECKS = Table(
    "node_checks",
    NodeCheckRow,
    grain="one check of the CIS benchmark on nodes",
    key=("group", "check", "report", "position"),
    resource=Resource("=NodeCheck", namespace="", name="check"),
)
_GROUPS = ("access", "hardening", "files")
_MANAGED = re.compile(r"(?:eks|aks|gke)")


@view(NODE_CHECKS, gathers=("nodes",))
def node_checks(
    tool_findings: pd.DataFrame, tool_reports: pd.DataFrame, nodes: pd.DataFrame
) -> pd.DataFrame:
    """Take the checks on nodes out of what kube-bench found."""
    standards = {one["report"]: one["standard"] for one in records(tool_reports)}
    rows = []
    for one in records(tool_findings[(tool_findings["tool"] == "kube-bench").to_numpy(bool)]):
        standard = standards.get(one["report"])
        group = _group(one["rule"], managed=bool(_MANAGED.search(standard or "")))
        if group:
            rows.append(
                NodeCheckRow(
                    raw=one["raw"],
                    raw_line=one["raw_line"],
                    check=one["rule"],
                    group=group,
                    report=one["report"],
                    position=one["position"],
                    title=one["title"],
                    standard=standard,
                    message=one["message"],
                    failed={"fail": True, "pass": False}.get(one["status"]),
                    access=group == "access",
                    hardening=group == "hardening",
                    files=group == "files",
                )
            )
    made = {row.group for row in rows}
    if len(nodes):
        rows += [_not_made(group, nodes) for group in _GROUPS if group not in made]
    return frame(NODE_CHECKS.sorted(NODE_CHECKS.arrow(rows)))


def _not_made(group: str, nodes: pd.DataFrame) -> NodeCheckRow:
    return NodeCheckRow(
        raw=str(nodes["raw"].iloc[0]),
        raw_line=int(nodes["raw_line"].iloc[0]),
        check="none",
        group=group,
        report="",
        position=0,
        access=group == "access",
        hardening=group == "hardening",
        files=group == "files",
    )


def _group(check: str, *, managed: bool) -> str:
    """Group of a check; empty for what is no matter of nodes.

    >>> _group("4.2.1", managed=False), _group("3.1.1", managed=True)
    ('access', 'files')
    """
    chapter, _, last = check.rpartition(".")
    if (number := whole(last)) is None:
        return ""
    if chapter == ("3.2" if managed else "4.2"):
        return "access" if number <= 4 else "hardening"
    return "files" if chapter in (("3.1",) if managed else ("1.1", "4.1")) else ""
