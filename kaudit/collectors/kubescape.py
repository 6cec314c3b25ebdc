"""Kubescape: controls on resources, in its second format.

Source: kubescape/opa-utils, ``reporthandling/results/v1`` and ``reporthandling/apis``; the
steps of severity are those of ``ControlSeverityToString``. The first format (a list of
frameworks, before 2.0.150) is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import kubescape
from kaudit.model.moment import moment
from kaudit.model.numbered import Numbered, listed, members
from kaudit.model.place import Place
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.scans import TOOL_FINDINGS, TOOL_REPORTS, ToolFindingRow, ToolReportRow

_LISTS = ("results", "resources")
_BEGINNING = {"clusterAPIServerInfo", "customerGUID"}
_SKIPPED = {"skipped", "excluded", "irrelevant"}
_BY_HAND = {"manual review", "requires review"}
_result = msgspec.json.Decoder(kubescape.Result).decode
_resource = msgspec.json.Decoder(kubescape.Resource).decode
_summary = msgspec.json.Decoder(kubescape.Summary | None).decode


def _recognise(content: Content) -> bool:
    keys = content.keys
    return keys >= _BEGINNING or {"summaryDetails", "results", "resources"} <= keys


@tool(
    "kubescape",
    title="Kubescape",
    help="Kubescape's results (--format json --format-version v2).",
    recognise=_recognise,
)
def take_kubescape(content: Content) -> Iterator[Taken | Lost]:
    """Take the controls out of the results.

    A large file is gone through twice, for resources may stand behind the results.
    """
    if content.shape == "list":
        raise InputError(
            "is Kubescape's first format, or none of it", hint="run it with --format-version v2"
        )
    subjects: dict[str, kubescape.Subject] = {}

    def learn(raw: Raw | bytes) -> None:
        try:
            resource = _resource(raw)
        except msgspec.MsgspecError:
            return  # its results name it by its id
        subjects[resource.resource_id] = resource.subject

    parts, rest = content.parted(*_LISTS)
    for part in parts:
        if part.path == "resources":
            learn(part.raw)
    body = members(rest.data)
    if "summaryDetails" not in body:
        raise InputError("is no report of Kubescape", hint="run it with --format json")
    for raw in listed(body.pop("resources", None)):
        learn(raw)
    controls = (_summary(body["summaryDetails"]) or kubescape.Summary()).controls or {}
    numbered = Numbered(content.report)
    number = 0
    held = listed(body.pop("results", None))
    later = (part.raw for part in content.parted(*_LISTS)[0] if part.path == "results")
    for one in chain(held, later):
        number += 1
        try:
            result = _result(one)
        except msgspec.ValidationError as fault:
            yield Lost("Control", str(fault), number)
            continue
        for control in result.controls or ():
            summed = controls.get(_id(control))
            yield numbered.take(
                "Control",
                resource=result.resource_id,
                subject=subjects.get(result.resource_id, {}),
                factor=summed.score_factor if summed else None,
                control=control,
            )
    yield numbered.whole(rules=len(controls), header=body)


class _Id(msgspec.Struct, gc=False):
    id: str = msgspec.field(default="", name="controlID")


_named = msgspec.json.Decoder(_Id).decode


def _id(raw: Raw) -> str:
    try:
        return _named(raw).id
    except msgspec.MsgspecError:
        return ""  # its record will tell why


@collector(Read.of("kubescape", "Report", "reports", kubescape.Report), tables=(TOOL_REPORTS,))
def kubescape_reports(found: kubescape.Report, at: Place) -> Iterator[Row]:
    """Yield one report; its score is that of compliance, before 2.3 that of risk."""
    header = found.header
    scores = header.summary_details or kubescape.Scores()
    scan = (header.metadata or kubescape.Metadata()).scan_metadata or kubescape.Scan()
    frameworks = [one.name for one in scores.frameworks or () if one.name]
    compliance = scores.compliance_score
    yield ToolReportRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="kubescape",
        tool_version=scan.kubescape_version,
        subject=header.cluster_name or None,
        standard=", ".join(sorted(frameworks or scan.target_names or ())) or None,
        findings=found.findings,
        rules=found.rules,
        score=scores.score if compliance is None else compliance,
        ended_at=moment(header.generation_time),
    )


@collector(
    Read.of("kubescape", "Control", "controls", kubescape.FoundControl), tables=(TOOL_FINDINGS,)
)
def kubescape_controls(found: kubescape.FoundControl, at: Place) -> Iterator[Row]:
    """Yield one control on one resource."""
    it, subject = found.control, found.subject
    yield ToolFindingRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="kubescape",
        position=found.position,
        rule=it.control_id,
        title=it.name,
        status=_status(it),
        severity=_severity(found.factor),
        severity_written=None if found.factor is None else f"{found.factor:g}",
        message=", ".join(it.places) or None,
        file=subject.file,
        namespace=subject.namespace,
        kind=subject.kind,
        name=subject.name or found.resource,
    )


def _status(it: kubescape.Control) -> str:
    """Status; what passes by an exception alone was not judged."""
    outcomes = it.outcomes
    words = {status for status, _ in outcomes}
    kinds = {kind for _, kind in outcomes}
    if "failed" in words:
        return "fail"
    if kinds & _BY_HAND:
        return "manual"
    if words & _SKIPPED or "w/exceptions" in kinds:
        return "skip"
    return "pass" if words == {"passed"} else "unknown"


def _severity(factor: float | None) -> str:
    steps = ((9, "critical"), (7, "high"), (4, "medium"), (1, "low"))
    return next((word for least, word in steps if factor and factor >= least), "unknown")
