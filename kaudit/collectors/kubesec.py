"""kubesec: scores of manifests.

Source: controlplaneio/kubesec, ``pkg/ruler`` (v2). An object of a kind that it has no rules
for is scored 0 with nothing passed and nothing failed: that is no pass.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from kaudit.errors import InputError
from kaudit.model import kubesec
from kaudit.model.numbered import Numbered, elements
from kaudit.model.place import Place
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.scans import (
    KUBESEC_SCORES,
    TOOL_FINDINGS,
    TOOL_REPORTS,
    KubesecScoreRow,
    ToolFindingRow,
    ToolReportRow,
)

_STATUS = {"critical": "fail", "advise": "warn", "passed": "pass"}
_SEVERITIES = {"critical": "critical", "advise": "low", "passed": "unknown"}
_scored = msgspec.json.Decoder(kubesec.Scored).decode
_encode = msgspec.json.Encoder().encode


def _recognise(content: Content) -> bool:
    return content.shape == "list" and {"object", "valid", "scoring"} <= content.keys


@tool(
    "kubesec",
    title="kubesec",
    help="kubesec's scores of manifests (kubesec scan).",
    recognise=_recognise,
)
def take_kubesec(content: Content) -> Iterator[Taken | Lost]:
    """Take a list of objects apart: each of them, and the rules that speak of it."""
    data = content.whole
    try:
        objects = elements(data)
    except msgspec.DecodeError as fault:
        commented = any(line.lstrip().startswith(b"//") for line in data.splitlines())
        hint = "it holds a comment, which JSON has not" if commented else "run: kubesec scan"
        raise InputError(f"is no output of kubesec: {fault}", hint=hint) from None
    rules = Numbered(content.report)
    for position, raw in enumerate(objects, start=1):
        try:
            scored = _scored(raw)
        except msgspec.ValidationError as fault:
            yield Lost("Rule", str(fault), position)
            scored = kubesec.Scored()
        before = rules.count
        for outcome in _STATUS:
            for rule in getattr(scored.scoring, outcome, None) or ():
                yield rules.take(
                    "Rule", outcome=outcome, object=scored.object, file=scored.file_name, rule=rule
                )
        count = rules.count - before
        whole = {"report": content.report, "position": position, "rules": count, "subject": raw}
        yield Taken("Object", _encode(whole), position)
    yield rules.whole()


@collector(Read.of("kubesec", "Report", "reports", kubesec.Report), tables=(TOOL_REPORTS,))
def kubesec_reports(found: kubesec.Report, at: Place) -> Iterator[Row]:
    """Yield one run."""
    yield ToolReportRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="kubesec",
        findings=found.findings,
    )


@collector(Read.of("kubesec", "Object", "objects", kubesec.FoundSubject), tables=(KUBESEC_SCORES,))
def kubesec_objects(found: kubesec.FoundSubject, at: Place) -> Iterator[Row]:
    """Yield one object and its score."""
    it = found.subject
    kind, namespace, name = kubesec.named(it.object)
    yield KubesecScoreRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        position=found.position,
        kind=kind,
        namespace=namespace,
        name=name,
        file=it.file_name or None,
        valid=it.valid,
        judged=it.valid and found.rules > 0,
        score=it.score,
        message=it.message,
    )


@collector(Read.of("kubesec", "Rule", "rules", kubesec.FoundRule), tables=(TOOL_FINDINGS,))
def kubesec_rules(found: kubesec.FoundRule, at: Place) -> Iterator[Row]:
    """Yield what one rule says of one object; kubesec gives points, and no severities."""
    it = found.rule
    kind, namespace, name = kubesec.named(found.object)
    yield ToolFindingRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="kubesec",
        position=found.position,
        rule=it.id or it.selector,
        title=it.selector or None,
        status=_STATUS.get(found.outcome, "unknown"),
        severity=_SEVERITIES.get(found.outcome, "unknown"),
        severity_written=found.outcome,
        message=it.reason,
        file=found.file or None,
        namespace=namespace or None,
        kind=kind or None,
        name=name or None,
    )
