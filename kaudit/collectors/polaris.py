"""Polaris: checks of workloads.

Source: FairwindsOps/polaris, ``pkg/validator/output.go`` and ``pkg/config/severity.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import polaris
from kaudit.model.moment import moment
from kaudit.model.numbered import Numbered, listed, members
from kaudit.model.place import Place
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.scans import TOOL_FINDINGS, TOOL_REPORTS, ToolFindingRow, ToolReportRow

_SEVERITIES = {"danger": "high", "error": "high", "warning": "medium", "ignore": "negligible"}
_result = msgspec.json.Decoder(polaris.Result).decode


@tool(
    "polaris",
    title="Polaris",
    help="Audits of Polaris (polaris audit --format json).",
    recognise=lambda content: "PolarisOutputVersion" in content.keys,
)
def take_polaris(content: Content) -> Iterator[Taken | Lost]:
    """Take the checks out of the results."""
    numbered = Numbered(content.report)
    number = 0

    def checks(raw: Raw | bytes) -> Iterator[Taken | Lost]:
        nonlocal number
        number += 1
        try:
            result = _result(raw)
        except msgspec.ValidationError as fault:
            yield Lost("Check", str(fault), number)
            return
        for container, rule, check in result.checks:
            yield numbered.take(
                "Check",
                namespace=result.namespace,
                kind=result.kind,
                name=result.name,
                container=container,
                rule=rule,
                check=check,
            )

    parts, rest = content.parted("Results")
    for part in parts:
        yield from checks(part.raw)
    body = members(rest.data)
    if "Results" not in body:
        raise InputError("is no audit of Polaris", hint="run it with --format json")
    for raw in listed(body.pop("Results")):
        yield from checks(raw)
    yield numbered.whole(header=body)


@collector(Read.of("polaris", "Report", "reports", polaris.Report), tables=(TOOL_REPORTS,))
def polaris_reports(found: polaris.Report, at: Place) -> Iterator[Row]:
    """Yield one audit."""
    header = found.header
    yield ToolReportRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="polaris",
        subject=header.display_name or header.source_name or None,
        findings=found.findings,
        score=header.score,
        ended_at=moment(header.audit_time),
    )


@collector(Read.of("polaris", "Check", "checks", polaris.FoundCheck), tables=(TOOL_FINDINGS,))
def polaris_checks(found: polaris.FoundCheck, at: Place) -> Iterator[Row]:
    """Yield one check of an object, its pod or one of its containers."""
    it = found.check
    severity = it.severity or it.type
    yield ToolFindingRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="polaris",
        position=found.position,
        rule=it.id or found.rule,
        status=_status(it),
        severity=_SEVERITIES.get(severity or "", "unknown"),
        severity_written=severity,
        message=": ".join(text for text in (found.container, it.message) if text) or None,
        namespace=found.namespace or None,
        kind=found.kind or None,
        name=found.name or None,
    )


def _status(it: polaris.Check) -> str:
    passes = it.success if it.success is not None else it.type and it.type == "success"
    if passes is None:
        return "unknown"
    if passes:
        return "pass"
    return "skip" if it.severity == "ignore" else "fail"
