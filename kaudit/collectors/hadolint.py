"""Hadolint: what it says of Dockerfiles.

Source: hadolint/hadolint, ``docs/`` and ``src/Hadolint/Formatter/Json.hs``. The list holds the
findings of all files that were given; files without any are not in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Raw

from kaudit.model import hadolint
from kaudit.model.numbered import Numbered, streamed
from kaudit.model.place import Place
from kaudit.model.taken import Content, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.scans import TOOL_FINDINGS, TOOL_REPORTS, ToolFindingRow, ToolReportRow

_SEVERITIES = {"error": "high", "warning": "medium", "info": "low", "style": "negligible"}
_PAGES = (
    ("DL", "https://github.com/hadolint/hadolint/wiki/"),
    ("SC", "https://www.shellcheck.net/wiki/"),
)


def _recognise(content: Content) -> bool:
    return content.shape == "list" and {"code", "level", "line", "message"} <= content.keys


@tool(
    "hadolint",
    title="Hadolint",
    help="Hadolint's findings in Dockerfiles (-f json).",
    recognise=_recognise,
)
def take_hadolint(content: Content) -> Iterator[Taken]:
    """Take a list of findings apart."""
    numbered = Numbered(content.report)
    for raw in streamed(content):
        yield numbered.take("Finding", finding=Raw(raw))
    yield numbered.whole()


@collector(Read.of("hadolint", "Report", "reports", hadolint.Report), tables=(TOOL_REPORTS,))
def hadolint_reports(found: hadolint.Report, at: Place) -> Iterator[Row]:
    """Yield one run; it does not say of which version, nor which files it looked at."""
    yield ToolReportRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="hadolint",
        findings=found.findings,
    )


@collector(
    Read.of("hadolint", "Finding", "findings", hadolint.FoundFinding), tables=(TOOL_FINDINGS,)
)
def hadolint_findings(found: hadolint.FoundFinding, at: Place) -> Iterator[Row]:
    """Yield one finding."""
    it = found.finding
    page = next((page for start, page in _PAGES if it.code.startswith(start)), None)
    yield ToolFindingRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="hadolint",
        position=found.position,
        rule=it.code,
        status="fail",
        severity=_SEVERITIES.get(it.level or "", "unknown"),
        severity_written=it.level,
        message=it.message,
        file=it.file,
        line=it.line,
        url=page + it.code if page else None,
    )
