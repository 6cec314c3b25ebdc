"""Popeye: issues of the objects of a cluster.

Source: derailed/popeye, ``internal/rules/level.go`` (0 ok, 1 information, 2 warning, 3 error)
and ``internal/report``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from kaudit.model import popeye
from kaudit.model.moment import moment
from kaudit.model.numbered import Numbered
from kaudit.model.place import Place
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.scans import TOOL_FINDINGS, TOOL_REPORTS, ToolFindingRow, ToolReportRow

_LEVELS = {
    0: ("pass", "negligible", "ok"),
    1: ("warn", "low", "info"),
    2: ("fail", "medium", "warning"),
    3: ("fail", "high", "error"),
}
_CODE = re.compile(r"^\[(?P<code>[A-Z]+-\d+)\]\s*(?P<message>.*)", re.DOTALL)
_KINDS = {
    "configmaps": "ConfigMap",
    "clusterrolebindings": "ClusterRoleBinding",
    "clusterroles": "ClusterRole",
    "cronjobs": "CronJob",
    "daemonsets": "DaemonSet",
    "deployments": "Deployment",
    "horizontalpodautoscalers": "HorizontalPodAutoscaler",
    "ingresses": "Ingress",
    "jobs": "Job",
    "namespaces": "Namespace",
    "networkpolicies": "NetworkPolicy",
    "nodes": "Node",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "persistentvolumes": "PersistentVolume",
    "poddisruptionbudgets": "PodDisruptionBudget",
    "pods": "Pod",
    "replicasets": "ReplicaSet",
    "rolebindings": "RoleBinding",
    "roles": "Role",
    "secrets": "Secret",
    "serviceaccounts": "ServiceAccount",
    "services": "Service",
    "statefulsets": "StatefulSet",
}
_output = msgspec.json.Decoder(popeye.Output).decode
_body = msgspec.json.Decoder(popeye.Body).decode
_section = msgspec.json.Decoder(popeye.Section).decode


@tool(
    "popeye",
    title="Popeye",
    help="Reports of Popeye (-o json).",
    recognise=lambda content: "popeye" in content.keys,
)
def take_popeye(content: Content) -> Iterator[Taken | Lost]:
    """Take the issues out of the sections."""
    raw = _output(content.whole).popeye
    body = _body(raw)
    numbered = Numbered(content.report)
    failed = 0
    for number, part in enumerate([*(body.sections or ()), *(body.sanitizers or ())], start=1):
        try:
            section = _section(part)
        except msgspec.ValidationError as fault:
            yield Lost("Issue", f"section {number}: {fault}")
            continue
        failed += section.failed
        for name, issues in (section.issues or {}).items():
            for issue in issues or ():
                yield numbered.take("Issue", gvr=section.gvr, object=name, issue=issue)
    yield numbered.whole(failed=failed, header=raw)


@collector(Read.of("popeye", "Report", "reports", popeye.Report), tables=(TOOL_REPORTS,))
def popeye_reports(found: popeye.Report, at: Place) -> Iterator[Row]:
    """Yield one report; it is not complete where a kind of object could not be read."""
    yield ToolReportRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="popeye",
        findings=found.findings,
        complete=False if found.failed else None,
        score=found.header.score,
        ended_at=moment(found.header.report_time),
    )


@collector(Read.of("popeye", "Issue", "issues", popeye.FoundIssue), tables=(TOOL_FINDINGS,))
def popeye_issues(found: popeye.FoundIssue, at: Place) -> Iterator[Row]:
    """Yield one issue of an object, or of one of its containers."""
    it = found.issue
    coded = _CODE.match(it.message)
    message = coded["message"] if coded else it.message
    container = it.group if it.group not in (None, "", "__root__") else None
    level = -1 if it.level is None else it.level
    status, severity, word = _LEVELS.get(level, ("unknown", "unknown", str(level)))
    namespace, slash, name = found.object.partition("/")
    resource = (found.gvr or "").rpartition("/")[2]
    yield ToolFindingRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="popeye",
        position=found.position,
        rule=coded["code"] if coded else "",
        status=status,
        severity=severity,
        severity_written=word,
        message=": ".join(text for text in (container, message) if text) or None,
        namespace=namespace if slash else None,
        kind=_KINDS.get(resource, resource) or None,
        name=(name if slash else found.object) or None,
    )
