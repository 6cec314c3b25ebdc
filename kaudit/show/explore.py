"""Looking around: tables, controls, findings and records as blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kaudit import registry
from kaudit.assessment import Assessment
from kaudit.cases import faults
from kaudit.evidence.bundle import Evidence
from kaudit.result import Result
from kaudit.show import blocks as b
from kaudit.text import count

if TYPE_CHECKING:
    import pandas as pd


def table(frame: pd.DataFrame, caption: str = "", *, most: int = 100) -> b.Table:
    """Show the first rows of any frame, escaped."""
    import pandas as pd

    columns: dict[str, b.Column | tuple[str, str] | str] = {}
    for name in frame.columns:
        kind = frame[name].dtype
        number = pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)
        label = str(name).replace("_", " ")
        columns[name] = (label, "number") if number else label
    return b.Table.of_frame(
        caption or count(len(frame), "row"), frame.head(most), columns, total=len(frame)
    )


def evidence(found: Evidence) -> b.Stack:
    """Show what evidence holds."""
    manifest = found.manifest
    pairs: tuple[tuple[str, b.Cell], ...] = (
        ("Subject", manifest.label),
        ("Evidence id", manifest.id or "not sealed"),
        ("Facts hold for", b.cell(manifest.as_of) or "not told by the source"),
        ("Kubernetes", manifest.server.git_version if manifest.server else "not told"),
        ("Gaps", len(manifest.gaps)),
    )
    return b.Stack((b.Facts(pairs, "Evidence"), table(found.tables(), "Tables", most=200)))


def control(id: str) -> b.Stack:
    """Show a control of the catalogue, with the cases that test it."""
    found = registry.find_control(id)
    pairs: tuple[tuple[str, b.Cell], ...] = (
        ("Layer", found.layer.value),
        ("Severity", found.severity.value),
        ("Expected", found.expected),
        ("Reads", ", ".join((found.subject, *found.needs))),
    )
    return b.Stack(
        (
            b.Prose((found.rationale,), f"{found.id} {found.title}"),
            b.Facts(pairs),
            b.Code(found.remedy, "yaml", "Remedy"),
            b.Code(found.cases, "yaml", "Cases"),
        )
    )


def cases(id: str) -> b.Callout:
    """Run a control on the cases of its docstring; tell which are not as they say."""
    found = faults(registry.find_control(id))
    if found:
        return b.Callout(b.Tone.DANGER, f"{id} breaks its word", "- " + "\n- ".join(found))
    return b.Callout(b.Tone.OK, f"{id} keeps its word", "Each bad- case fails, and no ok- case.")


def finding(assessment: Assessment, fingerprint: str = "") -> b.Block:
    """Show one result (the worst finding by default) and its way back: record, file, hash."""
    chosen = _chosen(assessment, fingerprint)
    if chosen is None:
        return b.Callout(b.Tone.OK, "Nothing fails here")
    pairs: list[tuple[str, b.Cell]] = [
        (name.replace("_", " "), getattr(chosen, name))
        for name in chosen.__struct_fields__
        if getattr(chosen, name)
    ]
    if chosen.raw:
        origin = assessment.evidence.origin(chosen.raw, chosen.raw_line)
        place = f"{origin['name']}, document {origin['document']}, item {origin['item']}"
        pairs += [("read from", place), ("SHA-256 of that file", origin["sha256"])]
    return b.Facts(tuple(pairs), chosen.fingerprint)


def record(assessment: Assessment, fingerprint: str = "") -> b.Block:
    """Show the redacted raw record behind a result (the worst finding by default)."""
    chosen = _chosen(assessment, fingerprint)
    if chosen is None or not chosen.raw:
        return b.Callout(b.Tone.INFO, "No raw record belongs to it")
    return raw_record(assessment.evidence, chosen.raw, chosen.raw_line)


def raw_record(found: Evidence, raw: str, line: int) -> b.Code:
    """Show one redacted raw record."""
    text = msgspec.json.format(msgspec.json.encode(found.record(raw, line)), indent=1).decode()
    return b.Code(text, "json", f"raw/{raw}.jsonl.zst, line {line}")


def _chosen(assessment: Assessment, fingerprint: str) -> Result | None:
    if not fingerprint and assessment.findings.empty:
        return None
    return assessment.result(fingerprint or assessment.findings["fingerprint"].iloc[0])
