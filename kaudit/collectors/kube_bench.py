"""kube-bench: the CIS benchmark on the nodes.

Source: aquasecurity/kube-bench, ``check/controls.go``: an object with totals (0.6 and later),
a list (``--noTotals``, and before), or one group. Checks have no severity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import kube_bench
from kaudit.model.numbered import Numbered, elements, listed, members
from kaudit.model.place import Place
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.scans import TOOL_FINDINGS, TOOL_REPORTS, ToolFindingRow, ToolReportRow

_STATUS = {"PASS": "pass", "FAIL": "fail", "WARN": "warn", "INFO": "skip"}
_group = msgspec.json.Decoder(kube_bench.Group).decode


def _recognise(content: Content) -> bool:
    keys = content.keys
    return keys >= {"node_type", "tests"} or ("Controls" in keys and keys <= {"Controls", "Totals"})


@tool(
    "kube-bench",
    title="kube-bench",
    help="Results of kube-bench (--json).",
    recognise=_recognise,
)
def take_kube_bench(content: Content) -> Iterator[Taken | Lost]:
    """Take the checks out of the groups."""
    groups = _groups(content.whole, content.shape)
    numbered = Numbered(content.report)
    versions: set[str] = set()
    nodes: set[str] = set()
    for number, raw in enumerate(groups, start=1):
        try:
            group = _group(raw)
        except msgspec.ValidationError as fault:
            yield Lost("Check", f"group {number}: {fault}")
            continue
        versions.add(group.version or "")
        nodes.add(group.node_type or "")
        for section in group.tests or ():
            for check in section.results or ():
                yield numbered.take("Check", check=check)
    yield numbered.whole(versions=sorted(versions - {""}), nodes=sorted(nodes - {""}))


def _groups(data: bytes, shape: str) -> list[Raw]:
    if shape == "text" or re.match(rb"\s*\[[A-Z]+\] ", data):
        raise InputError("is the text of kube-bench, or something else", hint="run it with --json")
    if shape == "list":
        return elements(data)
    body = members(data)
    if "tests" in body:
        return [Raw(data)]
    if "Controls" not in body:
        raise InputError("is no output of kube-bench", hint="run it with --json")
    return listed(body["Controls"])


@collector(Read.of("kube-bench", "Report", "reports", kube_bench.Report), tables=(TOOL_REPORTS,))
def kube_bench_reports(found: kube_bench.Report, at: Place) -> Iterator[Row]:
    """Yield one run."""
    yield ToolReportRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="kube-bench",
        subject=", ".join(found.nodes) or None,
        standard=", ".join(_benchmark(version) for version in found.versions) or None,
        findings=found.findings,
    )


def _benchmark(version: str) -> str:
    """Name of a benchmark: before 0.3 only its number is told."""
    return f"cis-{version}" if version[:1].isdigit() else version


@collector(Read.of("kube-bench", "Check", "checks", kube_bench.FoundCheck), tables=(TOOL_FINDINGS,))
def kube_bench_checks(found: kube_bench.FoundCheck, at: Place) -> Iterator[Row]:
    """Yield one check; one that warns because a person must look is manual."""
    it = found.check
    manual = it.status == "WARN" and it.type == "manual"
    yield ToolFindingRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="kube-bench",
        position=found.position,
        rule=it.test_number,
        title=it.test_desc,
        status="manual" if manual else _STATUS.get(it.status or "", "unknown"),
        severity="unknown",
        message=it.reason or it.expected_result,
    )
