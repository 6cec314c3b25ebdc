"""kube-linter: checks of manifests. It writes what fails, and gives no severities.

Source: stackrox/kube-linter, ``pkg/run`` and ``pkg/diagnostic``.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import kube_linter
from kaudit.model.moment import moment
from kaudit.model.numbered import Numbered, listed, members
from kaudit.model.place import Place
from kaudit.model.taken import Content, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.scans import TOOL_FINDINGS, TOOL_REPORTS, ToolFindingRow, ToolReportRow


@tool(
    "kube-linter",
    title="kube-linter",
    help="Reports of kube-linter (--format json).",
    recognise=lambda content: {"Checks", "Reports"} <= content.keys,
)
def take_kube_linter(content: Content) -> Iterator[Taken]:
    """Take the findings out of the report."""
    numbered = Numbered(content.report)
    parts, rest = content.parted("Reports")
    for part in parts:
        yield numbered.take("Finding", finding=Raw(part.raw))
    body = members(rest.data)
    if "Reports" not in body:
        raise InputError("is no report of kube-linter", hint="run it with --format json")
    for raw in listed(body["Reports"]):
        yield numbered.take("Finding", finding=raw)
    yield numbered.whole(rules=len(listed(body.get("Checks"))), summary=body.get("Summary"))


@collector(Read.of("kube-linter", "Report", "reports", kube_linter.Report), tables=(TOOL_REPORTS,))
def kube_linter_reports(found: kube_linter.Report, at: Place) -> Iterator[Row]:
    """Yield one report."""
    summary = found.summary or kube_linter.Summary()
    yield ToolReportRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="kube-linter",
        tool_version=summary.kube_linter_version,
        findings=found.findings,
        rules=found.rules,
        ended_at=moment(summary.check_end_time),
    )


@collector(
    Read.of("kube-linter", "Finding", "findings", kube_linter.FoundFinding),
    tables=(TOOL_FINDINGS,),
)
def kube_linter_findings(found: kube_linter.FoundFinding, at: Place) -> Iterator[Row]:
    """Yield one finding."""
    it = found.finding
    thing = it.object or kube_linter.Object()
    subject = thing.subject or kube_linter.Subject()
    kind = subject.group_version_kind
    yield ToolFindingRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="kube-linter",
        position=found.position,
        rule=it.check,
        status="fail",
        severity="unknown",
        message=it.diagnostic.message if it.diagnostic else None,
        file=(thing.metadata.file_path if thing.metadata else None) or None,
        namespace=subject.namespace or None,
        kind=(kind.kind if kind else None) or None,
        name=subject.name or None,
    )
