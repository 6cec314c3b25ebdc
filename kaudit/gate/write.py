"""Write a verdict for other programs: JSON, SARIF, JUnit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import msgspec

from kaudit import __version__
from kaudit.errors import InputError
from kaudit.exporters import sarif
from kaudit.gate.verdict import Check, Finding, Outcome, Verdict
from kaudit.text import visible

SCHEMA = "kaudit/gate/v1"


def as_json(verdict: Verdict) -> bytes:
    """Write all of it."""
    document = {
        "schema": SCHEMA,
        "kaudit": __version__,
        "outcome": verdict.outcome,
        "limits": verdict.limits,
        "checks": verdict.checks,
        "findings": verdict.findings,
        "gaps": verdict.gaps,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def as_sarif(verdict: Verdict) -> bytes:
    """Write SARIF 2.1.0: a result a finding, a notification for what could not be looked at."""
    rules: dict[str, Finding] = {}
    for finding in verdict.findings:
        rules.setdefault(f"{finding.tool}/{finding.rule}", finding)
    missing = [check for check in verdict.checks if check.outcome is Outcome.INCOMPLETE]
    run = {
        "tool": {
            "driver": {
                "name": "kaudit gate",
                "version": __version__,
                "rules": [_rule(name, finding) for name, finding in rules.items()],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not missing,
                "exitCode": verdict.code,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": _told(check)}} for check in missing
                ],
            }
        ],
        "results": [_result(finding) for finding in verdict.findings],
    }
    document = {"$schema": sarif.SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _rule(name: str, finding: Finding) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": name,
        "shortDescription": {"text": visible(finding.message or finding.rule)},
        "properties": {"tags": ["security", finding.what]},
    }
    if finding.severity in sarif.SCORES:
        rule["properties"]["security-severity"] = sarif.SCORES[finding.severity]
    if finding.url and finding.url.startswith(("https://", "http://")):
        rule["helpUri"] = finding.url
    return rule


def _result(finding: Finding) -> dict[str, Any]:
    name = f"{finding.tool}/{finding.rule}"
    subject = f"{finding.subject}: " if finding.subject else ""
    place: dict[str, Any] = {
        "artifactLocation": {"uri": quote(finding.file or finding.target, safe="/@:")}
    }
    if finding.line and finding.line > 0:
        place["region"] = {"startLine": finding.line}
    parts = (finding.tool, finding.rule, finding.target, finding.subject, finding.file or "")
    print_ = hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
    result: dict[str, Any] = {
        "ruleId": name,
        "level": sarif.LEVELS.get(finding.severity, "note"),
        "message": {"text": visible(f"{subject}{finding.message or finding.rule}")},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"kaudit/v1": print_[:32]},
    }
    if finding.suppressed:
        why = visible(finding.suppressed)
        result["suppressions"] = [{"kind": "external", "justification": why}]
    return result


def as_junit(verdict: Verdict) -> bytes:
    """Write JUnit: a test a check; what could not be looked at is an error, not a failure."""
    checks = verdict.checks
    top = ElementTree.Element(
        "testsuite",
        name="kaudit gate",
        tests=str(len(checks)),
        failures=str(sum(check.outcome is Outcome.FAIL for check in checks)),
        errors=str(sum(check.outcome is Outcome.INCOMPLETE for check in checks)),
    )
    for check in checks:
        case = ElementTree.SubElement(
            top, "testcase", classname=f"{check.tool}.{check.what}", name=visible(check.target)
        )
        if check.outcome is not Outcome.PASS:
            kind = "failure" if check.outcome is Outcome.FAIL else "error"
            fault = ElementTree.SubElement(case, kind, message=visible(check.why))
            fault.text = visible(", ".join(f"{n} {word}" for word, n in check.counts.items()))
    ElementTree.indent(top)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(top) + b"\n"


def _told(check: Check) -> str:
    return visible(f"{check.tool} {check.what} {check.target}: {check.why}")


WRITERS: dict[str, Callable[[Verdict], bytes]] = {
    "json": as_json,
    "sarif": as_sarif,
    "junit": as_junit,
}
_SUFFIXES = {".json": "json", ".sarif": "sarif", ".xml": "junit"}


def format_of(path: Path) -> str:
    """Name of the format that a file's name asks for.

    Raises
    ------
    InputError
        It asks for none.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(
            "its name tells no format", where=path, hint=f"end it in {', '.join(_SUFFIXES)}"
        )
    return _SUFFIXES[path.suffix.lower()]
