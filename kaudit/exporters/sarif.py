"""Results as SARIF 2.1.0, for code scanning and whatever else gathers findings.

Failures are results, and so is what could not be judged: its kind is *open* and not *pass*, as
the standard has it (3.27.9). What passes is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec

from kaudit import __version__
from kaudit.assessment import Assessment
from kaudit.catalogue import references
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Gap, Severity, Status
from kaudit.registry import Control, exporter
from kaudit.result import Result
from kaudit.source.events import Origin
from kaudit.text import visible

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
#: Levels of severities; of others ``note``.
LEVELS = {"critical": "error", "high": "error", "medium": "warning"}
#: Scores that stand for severities where a reader wants numbers.
SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}
_KINDS = {
    Status.FAIL: "fail",
    Status.NOT_ASSESSED: "open",
    Status.ERROR: "open",
    Status.MANUAL: "review",
}
_CHUNK = 2_000


@exporter("sarif", suffix=".sarif")
def results_sarif(assessment: Assessment) -> Iterator[bytes]:
    """Write failures, and what could not be judged, each with the file that it is of."""
    encode = msgspec.json.Encoder().encode
    evidence = assessment.evidence
    rules = {control.id: number for number, control in enumerate(assessment.controls)}
    reasons = {waiver.id: waiver.reason for waiver in assessment.waivers}
    failed = [gap for gap in evidence.gaps if gap.failed]
    counts: Counter[Status] = Counter()
    for by in assessment.by_control.values():
        counts.update(by.counts())
    run = {
        "tool": {
            "driver": {
                "name": "kaudit",
                "version": __version__,
                "rules": [_rule(control) for control in assessment.controls],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not failed,
                "toolExecutionNotifications": [_notification(gap) for gap in failed],
            }
        ],
        "artifacts": [_artifact(origin) for origin in evidence.manifest.origins],
        "properties": {
            "evidence": evidence.id or None,
            "counts": {status.value: counts[status] for status in Status},
        },
    }
    yield encode({"$schema": SCHEMA, "version": "2.1.0"})[:-1] + b',"runs":['
    yield encode(run)[:-1] + b',"results":['
    places = _Places(evidence)
    held: list[bytes] = []
    between = b""
    for result in assessment.iter_results(*_KINDS):
        found = _result(result, rules[result.control], places, reasons)
        held.append(between + encode(found))
        between = b","
        if len(held) == _CHUNK:
            yield b"".join(held)
            held.clear()
    yield b"".join(held) + b"]}]}\n"


def _rule(control: Control) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "tags": ["security", control.layer.value],
        "references": references(control),
    }
    if control.severity in SCORES:
        properties["security-severity"] = SCORES[control.severity]
    return {
        "id": control.id,
        "shortDescription": {"text": control.title},
        "fullDescription": {"text": control.rationale},
        "help": {"text": control.remedy.strip() or control.expected},
        "defaultConfiguration": {"level": _level(control.severity)},
        "properties": properties,
    }


def _level(severity: Severity) -> str:
    return LEVELS.get(severity, "note")


def _notification(gap: Gap) -> dict[str, Any]:
    text = f"{gap.what}: {gap.reason}" + (f" ({gap.detail})" if gap.detail else "")
    return {"level": "error", "message": {"text": visible(text)}}


def _artifact(origin: Origin) -> dict[str, Any]:
    found: dict[str, Any] = {"location": {"uri": _uri(origin)}}
    if origin.bytes:
        found["length"] = origin.bytes
    if origin.sha256:
        found["hashes"] = {"sha-256": origin.sha256}
    return found


def _uri(origin: Origin) -> str:
    return quote(origin.name, safe="/@:", errors="replace")


def _result(result: Result, rule: int, places: _Places, reasons: dict[str, str]) -> dict[str, Any]:
    fails = result.status is Status.FAIL
    found: dict[str, Any] = {
        "ruleId": result.control,
        "ruleIndex": rule,
        "kind": _KINDS[result.status],
        "level": _level(result.severity) if fails else "none",
        "message": {"text": visible(result.told)},
        "locations": places.of(result),
        "partialFingerprints": {"kaudit/v1": result.fingerprint},
    }
    if result.waiver:
        why = visible(f"{result.waiver}: {reasons[result.waiver]}")
        found["suppressions"] = [{"kind": "external", "justification": why}]
    return found


class _Places:
    """Files that raw records come from."""

    def __init__(self, evidence: Evidence) -> None:
        self._origins = evidence.manifest.origins
        #: Number of the origin of each line of a raw file, from 1.
        self._of = {
            str(raw): some.sort_values("raw_line")["origin"].to_numpy()
            for raw, some in evidence["records"].groupby("raw")
        }

    def of(self, result: Result) -> list[dict[str, Any]]:
        """Locations of a result: its file, where it rests on one, and its resource."""
        place: dict[str, Any] = {}
        if result.raw in self._of:
            number = int(self._of[result.raw][result.raw_line - 1])
            uri = _uri(self._origins[number])
            place["physicalLocation"] = {"artifactLocation": {"uri": uri, "index": number}}
        if resource := visible(result.resource):
            place["logicalLocations"] = [{"fullyQualifiedName": resource, "kind": "resource"}]
        return [place] if place else []
