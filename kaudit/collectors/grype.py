"""Grype: reports on images, directories and bills of materials.

Source: anchore/grype, ``grype/presenter/models`` and ``schema/grype/json``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import grype
from kaudit.model.image_config import REVISION, SOURCE, ImageConfig, Settings
from kaudit.model.moment import moment
from kaudit.model.numbered import listed, members
from kaudit.model.place import Place
from kaudit.model.taken import Content, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.scans import (
    IMAGE_SCANS,
    VULNERABILITIES,
    ImageScanRow,
    VulnerabilityRow,
    severity_of,
)

_LISTS = {"matches": "Match", "ignoredMatches": "Ignored"}
_TYPES = {
    "image": "image",
    "directory": "filesystem",
    "file": "filesystem",
    "sbom": "sbom",
}
_FIXES = {"fixed": "fixed", "not-fixed": "not_fixed", "wont-fix": "wont_fix"}
#: What a program says that was built without its version.
_UNTOLD = "[not provided]"
#: Types of packages of operating systems; all others are of languages, or binaries.
_OF_SYSTEMS = {"alpm", "apk", "deb", "linux-kernel", "nix", "portage", "rpm"}
_encode = msgspec.json.Encoder().encode


def _recognise(content: Content) -> bool:
    if content.shape != "object" or "matches" not in content.keys:
        return False
    return content.keys == {"matches"} or bool({"source", "distro", "descriptor"} & content.keys)


@tool(
    "grype",
    title="Grype",
    help="Grype's JSON reports (-o json).",
    recognise=_recognise,
)
def take_grype(content: Content) -> Iterator[Taken]:
    """Take a report apart: itself, its matches and those that a rule left out."""
    counts = dict.fromkeys(_LISTS, 0)
    types: set[str] = set()
    number = 0

    def found(path: str, raw: Raw | bytes) -> Taken:
        nonlocal number
        number += 1
        counts[path] += 1
        if path == "matches":
            types.add(grype.package_type(raw))
        record = {"report": content.report, "position": number, "match": Raw(raw)}
        return Taken(_LISTS[path], _encode(record), number)

    parts, rest = content.parted(*_LISTS)
    for part in parts:
        yield found(part.path, part.raw)
    body = members(rest.data)
    if "matches" not in body:
        raise InputError("is no report of Grype", hint="run it with -o json")
    held = {path: listed(body.pop(path, None)) for path in _LISTS}
    yield from [found(path, raw) for path, raws in held.items() for raw in raws]
    record: dict[str, Any] = {
        "report": content.report,
        "header": body,
        "types": sorted(types - {""}),
        "findings": counts["matches"],
        "suppressed": counts["ignoredMatches"],
    }
    yield Taken("Report", _encode(record))


@collector(Read.of("grype", "Report", "reports", grype.Report), tables=(IMAGE_SCANS,))
def grype_reports(found: grype.Report, at: Place) -> Iterator[Row]:
    """Yield what was scanned."""
    header = found.header
    source = header.source or grype.Source()
    descriptor = header.descriptor or grype.Descriptor()
    database = descriptor.db or grype.Database()
    status = database.status or database
    distro = header.distro or grype.Distro()
    target = source.target if isinstance(source.target, grype.Target) else grype.Target()
    config = target.image_config or ImageConfig()
    settings = config.config or Settings()
    labels = settings.labels or {}
    tags = target.tags or []
    named = source.target if isinstance(source.target, str) else target.user_input
    yield ImageScanRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="grype",
        tool_version=None if descriptor.version == _UNTOLD else descriptor.version,
        database_version=None if status.schema_version is None else str(status.schema_version),
        database_built_at=moment(status.built),
        scanned_at=moment(descriptor.timestamp),
        artifact=named or next(iter(tags), ""),
        artifact_type=_TYPES.get(source.type or "", "unknown"),
        registry_digests=sorted({d.rpartition("@")[2] for d in target.repo_digests or ()}),
        manifest_digest=target.manifest_digest or None,
        config_digest=target.image_id or None,
        tags=sorted(tags),
        os_family=distro.name or None,
        os_version=distro.version or None,
        architecture=target.architecture or config.architecture,
        image_created_at=config.created,
        image_user=(settings.user or "") if target.image_config else None,
        image_source=labels.get(SOURCE),
        image_revision=labels.get(REVISION),
        size_bytes=target.image_size,
        env_credentials=config.credentials,
        history_credentials=config.telling_steps,
        covered=sorted({"os-pkgs" if t in _OF_SYSTEMS else "lang-pkgs" for t in found.types}),
        # It does not list packages: one of a known system has some.
        packages=bool(found.findings or found.suppressed or distro.name),
        findings=found.findings,
        suppressed=found.suppressed,
    )


@collector(Read.of("grype", "Match", "matches", grype.FoundMatch), tables=(VULNERABILITIES,))
def grype_matches(found: grype.FoundMatch, at: Place) -> Iterator[Row]:
    """Yield one vulnerability of one package."""
    yield _vulnerability(found, at)


@collector(Read.of("grype", "Ignored", "ignored", grype.FoundMatch), tables=(VULNERABILITIES,))
def grype_ignored(found: grype.FoundMatch, at: Place) -> Iterator[Row]:
    """Yield one vulnerability that a rule of the configuration or a VEX document left out."""
    rules = found.match.applied_ignore_rules or []
    why = sorted({_why(rule) for rule in rules} - {""})
    yield _vulnerability(found, at, "; ".join(why) or "an ignore rule")


def _why(rule: grype.Rule) -> str:
    if rule.vex_status:
        return ": ".join(text for text in ("VEX", rule.vex_status, rule.vex_justification) if text)
    return rule.reason or (f"fix state {rule.fix_state}" if rule.fix_state else "")


def _vulnerability(
    found: grype.FoundMatch, at: Place, suppressed_by: str | None = None
) -> VulnerabilityRow:
    """Row of a match; what it does not tell of the flaw, the related ones may (NVD)."""
    it, package = found.match.vulnerability, found.match.artifact
    flaws = [it, *(found.match.related_vulnerabilities or ())]
    score, vector = next((flaw.best for flaw in flaws if flaw.best), (None, None))
    told = (flaw.probability for flaw in flaws)
    fixed = list(it.fix.versions or ()) if it.fix else []
    if not fixed and it.fixed_in_version:
        fixed = [it.fixed_in_version]
    state = it.fix.state if it.fix else None
    path = next((one.path for one in package.locations or () if one.path), None)
    return VulnerabilityRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="grype",
        position=found.position,
        id=it.id,
        aliases=sorted({flaw.id for flaw in flaws} - {it.id, ""}),
        package=package.name or "",
        version=package.version or "",
        package_type=package.type or "",
        purl=package.purl or None,
        path=path,
        target=path or "",
        severity=severity_of(it.severity),
        severity_written=it.severity,
        severity_source=it.namespace,
        cvss_score=score,
        cvss_vector=vector,
        fixed_versions=fixed,
        fix=_FIXES.get(state or "", "fixed" if fixed else "unknown"),
        epss=next((one for one in told if one is not None), None),
        known_exploited=True if any(flaw.known_exploited for flaw in flaws) else None,
        suppressed=suppressed_by is not None,
        suppressed_by=suppressed_by,
        url=it.data_source or None,
    )
