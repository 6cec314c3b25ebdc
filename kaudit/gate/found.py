"""What scans found, finding by finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from kaudit.evidence.bundle import Evidence
from kaudit.gate.verdict import Finding

if TYPE_CHECKING:
    import pandas as pd


def rows(table: pd.DataFrame, *columns: str) -> list[dict[str, Any]]:
    """Rows of a table as dictionaries, null as None."""
    import pyarrow as pa

    found = pa.Table.from_pandas(table[list(columns)], preserve_index=False)
    result: list[dict[str, Any]] = found.to_pylist()
    return result


def findings(evidence: Evidence, targets: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what scans found, also what exceptions left out.

    Parameters
    ----------
    evidence
        With the scans.
    targets
        Report to the name that whoever asked gave to what it is of.
    """
    named = {
        row["report"]: row["artifact"]
        for row in rows(evidence.table("image_scans"), "report", "artifact")
    } | dict(targets)
    keys = ("tool", "report", "position")
    cleared = {
        tuple(row[key] for key in keys): f"VEX: {row['why'] or row['status']}"
        for row in rows(evidence.table("cleared_findings"), *keys, "status", "why")
    }
    for row in rows(
        evidence.table("vulnerabilities"),
        *(*keys, "id", "severity", "package", "version", "title", "url", "suppressed_by"),
    ):
        yield Finding(
            what="vulnerabilities",
            tool=row["tool"],
            target=named.get(row["report"], row["tool"]),
            rule=row["id"],
            severity=row["severity"],
            subject=f"{row['package']} {row['version']}".strip(),
            message=row["title"] or "",
            url=row["url"],
            suppressed=row["suppressed_by"] or cleared.get(tuple(row[key] for key in keys), ""),
        )
    for row in rows(
        evidence.table("image_secrets"),
        *("report", "tool", "rule", "severity", "title", "file", "line"),
    ):
        yield Finding(
            what="credentials",
            tool=row["tool"],
            target=named.get(row["report"], row["tool"]),
            rule=row["rule"],
            severity=row["severity"],
            message=row["title"] or "",
            file=row["file"],
            line=row["line"],
        )
    found = evidence.table("tool_findings")
    for row in rows(
        found[found["status"] == "fail"],
        *("report", "tool", "rule", "severity", "message", "file", "line", "url", "kind", "name"),
    ):
        yield Finding(
            what="score" if row["tool"] == "kubesec" else "findings",
            tool=row["tool"],
            target=named.get(row["report"], row["file"] or row["tool"]),
            rule=row["rule"],
            severity=row["severity"],
            subject="/".join(filter(None, (row["kind"], row["name"]))),
            message=row["message"] or "",
            file=row["file"],
            line=row["line"],
            url=row["url"],
        )
