"""kube-hunter: weaknesses that were found from within or without.

Source: aquasecurity/kube-hunter, ``kube_hunter/modules/report``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.errors import InputError
from kaudit.model import kube_hunter
from kaudit.model.numbered import Numbered, listed, members
from kaudit.model.place import Place
from kaudit.model.taken import Content, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.scans import (
    TOOL_FINDINGS,
    TOOL_REPORTS,
    ToolFindingRow,
    ToolReportRow,
    severity_of,
)


@tool(
    "kube-hunter",
    title="kube-hunter",
    help="Reports of kube-hunter (--report json).",
    recognise=lambda content: {"nodes", "services", "vulnerabilities"} <= content.keys,
)
def take_kube_hunter(content: Content) -> Iterator[Taken]:
    """Take the weaknesses out of the report."""
    body = members(content.whole)
    if "vulnerabilities" not in body:
        raise InputError("is no report of kube-hunter", hint="run it with --report json")
    numbered = Numbered(content.report)
    for raw in listed(body["vulnerabilities"]):
        yield numbered.take("Weakness", weakness=raw)
    yield numbered.whole()


@collector(Read.of("kube-hunter", "Report", "reports", kube_hunter.Report), tables=(TOOL_REPORTS,))
def kube_hunter_reports(found: kube_hunter.Report, at: Place) -> Iterator[Row]:
    """Yield one hunt."""
    yield ToolReportRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="kube-hunter",
        findings=found.findings,
    )


@collector(
    Read.of("kube-hunter", "Weakness", "weaknesses", kube_hunter.FoundWeakness),
    tables=(TOOL_FINDINGS,),
)
def kube_hunter_weaknesses(found: kube_hunter.FoundWeakness, at: Place) -> Iterator[Row]:
    """Yield one weakness; those without a number are known by what they are called."""
    it = found.weakness
    numbered = it.vid not in (None, "", "None")
    yield ToolFindingRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="kube-hunter",
        position=found.position,
        rule=it.vid if it.vid and numbered else it.vulnerability,
        title=it.vulnerability or None,
        status="fail",
        severity=severity_of(it.severity),
        severity_written=it.severity,
        message=it.description,
        name=it.location or None,
        url=(it.avd_reference if numbered else None) or None,
    )
