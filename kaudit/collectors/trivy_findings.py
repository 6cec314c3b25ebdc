"""Trivy: what its reports found, record by record."""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.model import trivy
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Row
from kaudit.tables.scans import (
    IMAGE_SECRETS,
    LICENSES,
    TOOL_FINDINGS,
    VULNERABILITIES,
    ImageSecretRow,
    LicenseRow,
    ToolFindingRow,
    VulnerabilityRow,
    severity_of,
)

_FIXES = {
    "fixed": "fixed",
    "will_not_fix": "wont_fix",
    "end_of_life": "wont_fix",
    "affected": "not_fixed",
    "fix_deferred": "not_fixed",
    "under_investigation": "not_fixed",
}


@collector(
    Read.of("trivy", "Vulnerability", "vulnerabilities", trivy.FoundVulnerability),
    tables=(VULNERABILITIES,),
)
def trivy_vulnerabilities(found: trivy.FoundVulnerability, at: Place) -> Iterator[Row]:
    """Yield one vulnerability."""
    yield _vulnerability(found, found.finding, at)


@collector(
    Read.of("trivy", "Suppressed", "suppressed", trivy.FoundSuppressed),
    tables=(VULNERABILITIES,),
)
def trivy_suppressed(found: trivy.FoundSuppressed, at: Place) -> Iterator[Row]:
    """Yield one vulnerability that an ignore file, a policy or a VEX document left out."""
    left = found.finding
    why = ": ".join(text for text in (left.source, left.statement or left.status) if text)
    yield _vulnerability(found, left.finding, at, why or "an exception")


def _vulnerability(
    found: trivy.Found, it: trivy.Vulnerability, at: Place, suppressed_by: str | None = None
) -> VulnerabilityRow:
    score, vector = _score(it)
    fixed = [part.strip() for part in (it.fixed_version or "").split(",") if part.strip()]
    return VulnerabilityRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="trivy",
        position=found.position,
        id=it.vulnerability_id,
        aliases=sorted(set(it.vendor_ids or ())),
        package=it.pkg_name or "",
        version=it.installed_version or "",
        package_type=found.type,
        purl=it.pkg_identifier.purl if it.pkg_identifier else None,
        path=it.pkg_path,
        target=found.target,
        severity=severity_of(it.severity),
        severity_written=it.severity,
        severity_source=it.severity_source,
        cvss_score=score,
        cvss_vector=vector,
        fixed_versions=fixed,
        fix="fixed" if fixed else _FIXES.get(it.status or "", "unknown"),
        suppressed=suppressed_by is not None,
        suppressed_by=suppressed_by,
        title=it.title,
        url=it.primary_url,
        published_at=it.published_date,
    )


def _score(it: trivy.Vulnerability) -> tuple[float | None, str | None]:
    """Score of the source that gave the severity, else of NVD, else of the first by name."""
    sources = it.cvss or {}
    for name in (it.severity_source or "", "nvd", *sorted(sources)):
        source = sources.get(name)
        if source and source.best:
            return source.best
    return None, None


@collector(
    Read.of("trivy", "Secret", "secrets", trivy.FoundSecret),
    tables=(IMAGE_SECRETS,),
)
def trivy_secrets(found: trivy.FoundSecret, at: Place) -> Iterator[Row]:
    """Yield one credential: where it is, never what it is."""
    it = found.finding
    yield ImageSecretRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="trivy",
        position=found.position,
        rule=it.rule_id,
        category=it.category,
        title=it.title,
        severity=severity_of(it.severity),
        file=found.target,
        line=it.start_line,
    )


@collector(
    Read.of("trivy", "Misconfiguration", "misconfigurations", trivy.FoundMisconfiguration),
    tables=(TOOL_FINDINGS,),
)
def trivy_misconfigurations(found: trivy.FoundMisconfiguration, at: Place) -> Iterator[Row]:
    """Yield one check of a configuration file or of an object of a cluster."""
    it = found.finding
    yield ToolFindingRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="trivy",
        position=found.position,
        rule=it.id or it.avd_id or "",
        title=it.title,
        status={"FAIL": "fail", "PASS": "pass", "EXCEPTION": "skip"}.get(it.status or "", "fail"),
        severity=severity_of(it.severity),
        severity_written=it.severity,
        message=it.message,
        file=found.target or None,
        line=it.cause_metadata.start_line if it.cause_metadata else None,
        namespace=found.namespace,
        kind=found.kind,
        name=found.name,
        url=it.primary_url,
    )


@collector(
    Read.of("trivy", "License", "licenses", trivy.FoundLicense),
    tables=(LICENSES,),
)
def trivy_licenses(found: trivy.FoundLicense, at: Place) -> Iterator[Row]:
    """Yield one licence."""
    it = found.finding
    yield LicenseRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="trivy",
        position=found.position,
        package=it.pkg_name or "",
        file=it.file_path or found.target or None,
        license=it.name,
        category=it.category,
        severity=severity_of(it.severity),
    )
