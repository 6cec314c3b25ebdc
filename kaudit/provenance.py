"""Engine: the way back, from a finding to the row, the raw record, the file and its hash."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from kaudit import registry
from kaudit.columns import plain_rows
from kaudit.errors import InputError
from kaudit.model.words import Gap
from kaudit.result import Result

if TYPE_CHECKING:
    from kaudit.assessment import Assessment
    from kaudit.evidence.bundle import Evidence
    from kaudit.registry import Control

#: A record by its file and line, as it is listed and as reports write it.
_RECORD = re.compile(
    r"(?:raw/)?(?P<raw>[\w.-]+?)(?:\.jsonl\.zst)?(?:, line |:)(?P<line>\d{1,18})", re.ASCII
)
_FINGERPRINT = re.compile(r"([\w-]+)\.[0-9a-f]+", re.IGNORECASE)


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """What a result rests on.

    Attributes
    ----------
    finding
        The result; None where a record was asked for.
    table
        What its control judges, a table or a view; empty without a result.
    rows
        The rows of it that stand for the resource, column by column; first that of the record.
    raw, line
        Raw record that they came from; empty and 0 where there is none.
    record
        The record itself, redacted.
    file, sha256, document, item
        What was read: its name, its hash (empty where it is no file), the document and item in
        it, from 1 (0: it is in no list).
    gaps
        What could not be read of the tables that it rests on.
    """

    schema: str = "kaudit/trace/v1"
    finding: Result | None = None
    table: str = ""
    rows: list[dict[str, Any]] = []
    raw: str = ""
    line: int = 0
    record: dict[str, Any] | None = None
    file: str = ""
    sha256: str = ""
    document: int = 0
    item: int = 0
    gaps: tuple[Gap, ...] = ()


def control_of(finding: str) -> str:
    """Id of the control that a fingerprint begins with; empty where the text names a record.

    Raises
    ------
    InputError
        It is neither, or there is no such control.
    """
    if _RECORD.fullmatch(finding):
        return ""
    match = _FINGERPRINT.fullmatch(finding)
    if match is None:
        hint = "give a fingerprint, such as ka-dep-001.c405f100e5865f81, or a record, as pods:12"
        raise InputError(f"{finding!r} names no finding", hint=hint)
    registry.load()
    lower = match[1].lower()
    found = next((id_ for id_ in registry.CONTROLS if id_.lower() == lower), "")
    return found or registry.find_control(match[1].upper()).id


def traced_record(evidence: Evidence, text: str) -> Provenance:
    """Follow a raw record, named by its file and line, to what was read.

    Raises
    ------
    InputError
        There is none of the name.
    """
    match = _RECORD.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} names no record", hint="give its file and line, as pods:12")
    raw, line = match["raw"], int(match["line"])
    reads = {read.raw: read.id for c in registry.COLLECTORS.values() for read in c.reads}
    tables = registry.tables_of(reads[raw]) if raw in reads else ()
    return Provenance(**_origin(evidence, raw, line), gaps=evidence.failed_reads(*tables))


def traced(assessment: Assessment, fingerprint: str) -> Provenance:
    """Follow a result to the rows and the record that it rests on, and to what was read.

    Raises
    ------
    InputError
        No result has the fingerprint.
    """
    found, evidence = assessment.result(fingerprint), assessment.evidence
    origin = _origin(evidence, found.raw, found.raw_line) if found.raw else {}
    control = assessment.by_control[found.control].control
    return Provenance(
        finding=found,
        table=control.subject,
        rows=_rows(evidence, control, found),
        gaps=evidence.failed_reads(control.subject, *control.needs),
        **origin,
    )


def _rows(evidence: Evidence, control: Control, found: Result) -> list[dict[str, Any]]:
    frame, columns = evidence.frames.get(control.subject), registry.resource_of(control)
    for part in ("kind", "namespace", "name", "container"):
        name, value = getattr(columns, part), getattr(found, part)
        if name and not name.startswith("="):
            frame = frame[(frame[name].fillna("") == value).to_numpy(bool)]
    names = list(frame.columns)
    rows = [dict(zip(names, row, strict=True)) for row in plain_rows(frame, *names)]
    return sorted(
        rows, key=lambda r: (r.get("raw"), r.get("raw_line")) != (found.raw, found.raw_line)
    )


def _origin(evidence: Evidence, raw: str, line: int) -> dict[str, Any]:
    origin = evidence.origin(raw, line)
    return {
        "raw": raw,
        "line": line,
        "record": evidence.record(raw, line),
        "file": origin["name"],
        "sha256": origin["sha256"],
        "document": origin["document"],
        "item": origin["item"],
    }
