"""trivy-operator: its audits of configuration, rights and infrastructure, and of compliance.

Source: aquasecurity/trivy-operator, ``docs/docs/crds``. Starboard's ConfigAuditReport is of
the same group, with the severities of Polaris.
"""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.model import trivy_operator as model
from kaudit.model.moment import moment
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Row
from kaudit.tables.scans import (
    TOOL_FINDINGS,
    TOOL_REPORTS,
    ToolFindingRow,
    ToolReportRow,
    severity_of,
)

_GROUP = "aquasecurity.github.io"
_WORDS = {"danger": "HIGH", "warning": "MEDIUM"}
_STATUS = {"PASS": "pass", "FAIL": "fail", "WARN": "warn", "MANUAL": "manual"}


def _read(kind: str, *, namespaced: bool) -> Read:
    plural = f"{kind.lower()}s"
    return Read(
        _GROUP, kind, plural, model.AuditReport, ("v1alpha1",), namespaced=namespaced, silent=True
    )


@collector(
    _read("ConfigAuditReport", namespaced=True),
    _read("ClusterConfigAuditReport", namespaced=False),
    _read("RbacAssessmentReport", namespaced=True),
    _read("ClusterRbacAssessmentReport", namespaced=False),
    _read("InfraAssessmentReport", namespaced=True),
    _read("ClusterInfraAssessmentReport", namespaced=False),
    tables=(TOOL_REPORTS, TOOL_FINDINGS),
)
def audit_reports(found: model.AuditReport, at: Place) -> Iterator[Row]:
    """Yield the audit of one object, and its checks."""
    it = found.report
    namespace, kind, name = found.subject
    yield ToolReportRow(
        raw=at.raw,
        raw_line=at.line,
        report=at.uid,
        tool="trivy-operator",
        tool_version=it.scanner.version,
        subject="/".join(text for text in (namespace, kind, name) if text) or None,
        findings=len(it.all),
        ended_at=moment(it.update_timestamp),
    )
    for position, check in enumerate(it.all, start=1):
        severity = check.severity or ""
        yield ToolFindingRow(
            raw=at.raw,
            raw_line=at.line,
            report=at.uid,
            tool="trivy-operator",
            position=position,
            rule=check.check_id,
            title=check.title or None,
            status="pass" if check.success else "fail",
            severity=severity_of(_WORDS.get(severity, severity)),
            severity_written=check.severity,
            message=check.message,
            namespace=namespace,
            kind=kind,
            name=name,
        )


@collector(
    Read(
        _GROUP,
        "ClusterComplianceReport",
        "clustercompliancereports",
        model.ComplianceReport,
        ("v1alpha1",),
        namespaced=False,
        silent=True,
    ),
    tables=(TOOL_REPORTS, TOOL_FINDINGS),
)
def compliance_reports(found: model.ComplianceReport, at: Place) -> Iterator[Row]:
    """Yield what one benchmark comes to: its checks, or where it is only summed, its controls."""
    status = found.status
    compliance = found.spec.compliance or model.Compliance()
    titled = (status.detail_report, status.summary_report, compliance)
    rows = list(_detailed(status, at) if status.detail_report else _summed(status, at))
    yield ToolReportRow(
        raw=at.raw,
        raw_line=at.line,
        report=at.uid,
        tool="trivy-operator",
        standard=next((one.title for one in titled if one and one.title), at.name),
        findings=len(rows),
        complete=None if status.update_timestamp else False,
        ended_at=moment(status.update_timestamp),
    )
    yield from rows


def _detailed(status: model.ComplianceStatus, at: Place) -> Iterator[ToolFindingRow]:
    controls = (status.detail_report.results if status.detail_report else None) or []
    position = 0
    for control in controls:
        checks: list[model.Check | None] = [*(control.checks or ())]
        for check in checks or [None]:
            position += 1
            state = _STATUS.get(control.status or "", "manual")
            if check:
                state = "pass" if check.success else "fail"
            severity = (check.severity if check else None) or control.severity
            yield ToolFindingRow(
                raw=at.raw,
                raw_line=at.line,
                report=at.uid,
                tool="trivy-operator",
                position=position,
                rule=control.id,
                title=control.name,
                status=state,
                severity=severity_of(severity),
                severity_written=severity,
                message=(check.message or check.title) if check else None,
                name=(check.target if check else None) or None,
            )


def _summed(status: model.ComplianceStatus, at: Place) -> Iterator[ToolFindingRow]:
    """Controls of a summary; those that a person must check have no total."""
    controls = (status.summary_report.control_check if status.summary_report else None) or []
    for position, control in enumerate(controls, start=1):
        total = control.total_fail
        yield ToolFindingRow(
            raw=at.raw,
            raw_line=at.line,
            report=at.uid,
            tool="trivy-operator",
            position=position,
            rule=control.id,
            title=control.name,
            status="manual" if total is None else "fail" if total else "pass",
            severity=severity_of(control.severity),
            severity_written=control.severity,
            message=f"{total} failed" if total else None,
        )
