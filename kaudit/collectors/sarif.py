"""SARIF 2.1.0: results of any tool that writes it.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0"; the scores
and words of severity are those of GitHub's "SARIF support for code scanning", and of Trivy
and roxctl, which write a word among the tags.

What a scanner of images writes as SARIF becomes findings, not vulnerabilities: packages and
versions stand in it as prose. Its JSON has them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import sarif
from kaudit.model.moment import moment
from kaudit.model.place import Place
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.scans import (
    TOOL_FINDINGS,
    TOOL_REPORTS,
    ToolFindingRow,
    ToolReportRow,
    severity_of,
)

_LEVELS = {"error": "high", "warning": "medium", "note": "low", "none": "negligible"}
_STATUS = {
    "fail": "fail",
    "pass": "pass",
    "open": "unknown",
    "review": "manual",
    "notApplicable": "skip",
    "informational": "skip",
}
_PATH = "runs[].results"
_log = msgspec.json.Decoder(sarif.Log).decode
_held = msgspec.json.Decoder(sarif.Held).decode
_rule = msgspec.json.Decoder(sarif.Rule).decode
_pointer = msgspec.json.Decoder(sarif.Pointer).decode
_encode = msgspec.json.Encoder().encode


def _recognise(content: Content) -> bool:
    return "runs" in content.keys and bool({"version", "$schema"} & content.keys)


@tool(
    "sarif",
    title="SARIF",
    help="Results of any tool in SARIF 2.1.0 (*.sarif).",
    recognise=_recognise,
    files=("*.sarif",),
)
def take_sarif(content: Content) -> Iterator[Taken | Lost]:
    """Take a file apart: its runs, and each of their results with its rule.

    A large file is gone through twice, for the rules may stand behind the results.
    """
    early: Counter[int] = Counter()
    parts, rest = content.parted(_PATH)
    for part in parts:
        early[part.places[0]] += 1
    log = _log(rest.data)
    if log.version != "2.1.0":
        raise InputError(f"is SARIF {log.version}" if log.version else "tells no version of SARIF")
    runs: dict[int, _Run] = {}
    position = 0
    for number, raw in enumerate(log.runs or ()):
        try:
            run = _Run(content.report, number, raw)
        except msgspec.ValidationError as fault:
            yield Lost("Report", str(fault), number + 1)
            yield from [Lost("Result", f"run {number + 1}: {fault}")] * early[number]
            continue
        runs[number] = run
        yield run.record(early[number])
        for result in run.held.results or ():
            position += 1
            yield run.result(result, position)
    for part in content.parted(_PATH)[0]:
        if run_of := runs.get(part.places[0]):
            position += 1
            yield run_of.result(part.raw, position)


class _Run:
    """One run and its rules."""

    def __init__(self, report: str, number: int, raw: Raw) -> None:
        self.id = f"{report}-{number + 1}" if number else report
        self.held = _held(raw)
        driver = self.held.tool.driver
        self.tool = (driver.name or "").strip().lower() or "unknown"
        components = [driver, *(self.held.tool.extensions or ())]
        known = [[_known(rule) for rule in component.rules or ()] for component in components]
        self._ids = [[id for id, _ in rules] for rules in known]
        self._places = [[rule for _, rule in rules] for rules in known]
        self._named: dict[str, Raw] = {
            name: rule
            for ids, rules in zip(self._ids, self._places, strict=True)
            for name, rule in zip(ids, rules, strict=True)
        }
        self._told = any(component.rules is not None for component in components)

    def record(self, early: int) -> Taken:
        """Return the record of the run."""
        driver, results = self.held.tool.driver, self.held.results
        record = {
            "report": self.id,
            "tool": self.tool,
            "version": driver.semantic_version or driver.version or None,
            "run": {"invocations": self.held.invocations},
            "findings": len(results or ()) + early,
            "rules": sum(map(len, self._places)) if self._told else None,
            "silent": results is None,
        }
        return Taken("Report", _encode(record))

    def result(self, raw: Raw | bytes, position: int) -> Taken:
        """Return the record of one of its results."""
        record = {
            "report": self.id,
            "position": position,
            "tool": self.tool,
            "rule": self._rule_of(raw),
            "result": Raw(raw),
        }
        return Taken("Result", _encode(record), position)

    def _rule_of(self, raw: Raw | bytes) -> Raw | None:
        """Rule of a result: that at its place, unless it is named otherwise, or by its name.

        An id may be that of the rule with a part of its own behind a slash (§3.27.5).
        """
        try:
            pointer = _pointer(raw)
        except msgspec.MsgspecError:
            return None  # its record will tell why
        named, (component, place) = pointer.named, pointer.place
        if 0 <= component < len(self._ids) and 0 <= place < len(self._ids[component]):
            id = self._ids[component][place]
            if not named or named == id or named.startswith(f"{id}/"):
                return self._places[component][place]
        return self._named.get(named) or self._named.get(named.rpartition("/")[0])


def _known(raw: Raw) -> tuple[str, Raw]:
    """Id of a rule, and what is declared of it: its help may be long, and each result has it."""
    try:
        rule = _rule(raw)
    except (msgspec.MsgspecError, ValueError):
        return "", raw  # the records of its results will tell why
    return rule.id, Raw(_encode(rule))


@collector(Read.of("sarif", "Report", "reports", sarif.Report), tables=(TOOL_REPORTS,))
def sarif_reports(found: sarif.Report, at: Place) -> Iterator[Row]:
    """Yield one run."""
    runs = found.run.invocations or []
    said = [run.execution_successful for run in runs if run.execution_successful is not None]
    started = [when for run in runs if (when := moment(run.start_time_utc))]
    ended = [when for run in runs if (when := moment(run.end_time_utc))]
    yield ToolReportRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool=found.tool,
        tool_version=found.version,
        findings=found.findings,
        rules=found.rules,
        complete=False if found.silent else all(said) if said else None,
        started_at=min(started, default=None),
        ended_at=max(ended, default=None),
    )


@collector(Read.of("sarif", "Result", "results", sarif.FoundResult), tables=(TOOL_FINDINGS,))
def sarif_results(found: sarif.FoundResult, at: Place) -> Iterator[Row]:
    """Yield one result, at the first of its locations."""
    it, rule = found.result, found.rule or sarif.Rule()
    severity, written = _severity(it, rule)
    titles = (rule.short_description, rule.full_description)
    where = next((one.physical_location for one in it.locations or ()), None)
    file = where.artifact_location if where else None
    yield ToolFindingRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool=found.tool,
        position=found.position,
        rule=it.named or rule.id,
        title=next((one.text for one in titles if one and one.text), rule.name),
        status=_status(it),
        severity=severity,
        severity_written=written,
        message=it.message.filled(rule.message_strings) if it.message else None,
        file=(file.uri if file else None) or None,
        line=where.region.start_line if where and where.region else None,
        url=rule.help_uri,
    )


def _status(it: sarif.Result) -> str:
    """Status; what was waived, or is known only from before, was not judged."""
    waived = it.suppressions and all(s.status in (None, "accepted") for s in it.suppressions)
    if waived or it.baseline_state == "absent":
        return "skip"
    return _STATUS.get(it.kind or "fail", "unknown")


def _severity(it: sarif.Result, rule: sarif.Rule) -> tuple[str, str | None]:
    """Severity, and what it was told by: a score, a word among the tags, or the level."""
    bags = [bag for bag in (it.properties, rule.properties) if bag]
    for bag in bags:
        if bag.score is not None:
            return _of_score(bag.score), str(bag.security_severity)
    for tag in (tag for bag in bags for tag in bag.tags or ()):
        if tag.isupper() and (word := severity_of(tag)) != "unknown":
            return word, tag
    standing = rule.default_configuration.level if rule.default_configuration else None
    default = "warning" if (it.kind or "fail") == "fail" else "none"
    level = it.level or standing or default
    return _LEVELS.get(level, "unknown"), level


def _of_score(score: float) -> str:
    """Word of a score, in the steps of CVSS."""
    steps = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.1, "low"))
    return next((word for least, word in steps if score >= least), "negligible")
