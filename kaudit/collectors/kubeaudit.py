"""kubeaudit: results, one a line.

Source: Shopify/kubeaudit, ``printer.go``: errors fail, warnings warn, what is information
passes.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import kubeaudit
from kaudit.model.numbered import Numbered
from kaudit.model.place import Place
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.scans import TOOL_FINDINGS, TOOL_REPORTS, ToolFindingRow, ToolReportRow

_LEVELS = {"error": ("fail", "high"), "warning": ("warn", "medium"), "info": ("pass", "low")}
_line = msgspec.json.Decoder(Raw).decode


@tool(
    "kubeaudit",
    title="kubeaudit",
    help="Results of kubeaudit, one a line (-p json).",
    recognise=lambda content: "AuditResultName" in content.keys,
)
def take_kubeaudit(content: Content) -> Iterator[Taken | Lost]:
    """Take the lines apart; one that is no JSON is told."""
    numbered = Numbered(content.report)
    told = 0
    for number, line in enumerate(content.whole.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            raw = _line(line)
        except msgspec.DecodeError as fault:
            told += 1
            yield Lost("Result", f"line {number}: {fault}", number)
            continue
        yield numbered.take("Result", result=raw)
    if told and not numbered.count:
        raise InputError("is no output of kubeaudit", hint="run it with -p json")
    yield numbered.whole()


@collector(Read.of("kubeaudit", "Report", "reports", kubeaudit.Report), tables=(TOOL_REPORTS,))
def kubeaudit_reports(found: kubeaudit.Report, at: Place) -> Iterator[Row]:
    """Yield one run."""
    yield ToolReportRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="kubeaudit",
        findings=found.findings,
    )


@collector(
    Read.of("kubeaudit", "Result", "results", kubeaudit.FoundResult), tables=(TOOL_FINDINGS,)
)
def kubeaudit_results(found: kubeaudit.FoundResult, at: Place) -> Iterator[Row]:
    """Yield one result."""
    it = found.result
    status, severity = _LEVELS.get(it.level or "", ("unknown", "unknown"))
    yield ToolFindingRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="kubeaudit",
        position=found.position,
        rule=it.rule,
        status=status,
        severity=severity,
        severity_written=it.level,
        message=": ".join(text for text in (it.container, it.msg) if text) or None,
        namespace=it.namespace or None,
        kind=it.kind or None,
        name=it.name or None,
    )
