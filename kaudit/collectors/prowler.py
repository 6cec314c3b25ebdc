"""Prowler: findings in OCSF.

Source: prowler-cloud/prowler, ``prowler/lib/outputs/ocsf`` and ``examples/output``; OCSF 1.4,
class 2004 (Detection Finding).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec
from msgspec import Raw

from kaudit.model import prowler
from kaudit.model.numbered import Numbered, streamed
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

_STATUS = {"FAIL": "fail", "PASS": "pass", "MANUAL": "manual", "MUTED": "skip"}
_head = msgspec.json.Decoder(prowler.Head).decode


@tool(
    "prowler",
    title="Prowler",
    help="Findings of Prowler in OCSF (*.ocsf.json).",
    recognise=lambda content: {"finding_info", "status_code", "severity"} <= content.keys,
)
def take_prowler(content: Content) -> Iterator[Taken]:
    """Take the findings out of the list."""
    numbered = Numbered(content.report)
    versions: set[str] = set()
    times: list[datetime] = []
    for raw in streamed(content):
        yield numbered.take("Finding", finding=Raw(raw))
        try:
            head = _head(raw)
        except msgspec.MsgspecError:
            continue  # its record will tell why
        product = head.metadata.product if head.metadata else None
        versions |= {product.version} if product and product.version else set()
        times += [head.at] if head.at else []
    version = ", ".join(sorted(versions)) or None
    yield numbered.whole(version=version, ended=max(times, default=None))


@collector(Read.of("prowler", "Report", "reports", prowler.Report), tables=(TOOL_REPORTS,))
def prowler_reports(found: prowler.Report, at: Place) -> Iterator[Row]:
    """Yield one run."""
    yield ToolReportRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="prowler",
        tool_version=found.version,
        findings=found.findings,
        ended_at=found.ended,
    )


@collector(Read.of("prowler", "Finding", "findings", prowler.FoundFinding), tables=(TOOL_FINDINGS,))
def prowler_findings(found: prowler.FoundFinding, at: Place) -> Iterator[Row]:
    """Yield one finding, on the first of its resources; one that is muted was not judged."""
    it = found.finding
    resource = next(iter(it.resources or ()), prowler.Resource())
    muted = it.status == "Suppressed"
    yield ToolFindingRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="prowler",
        position=found.position,
        rule=(it.metadata.event_code if it.metadata else None) or "",
        title=it.finding_info.title if it.finding_info else None,
        status="skip" if muted else _STATUS.get(it.status_code or "", "unknown"),
        severity=severity_of(it.severity),
        severity_written=it.severity,
        message=it.status_detail or it.message,
        namespace=resource.namespace or None,
        kind=resource.type or None,
        name=resource.name or None,
        url=(it.unmapped.related_url if it.unmapped else None) or None,
    )
