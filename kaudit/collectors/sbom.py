"""Bills of materials: CycloneDX and SPDX, alone or in attestations, and VEX of CycloneDX.

Sources: CycloneDX/specification, 1.2 to 1.6; spdx/spdx-spec, 2.2 and 2.3; aquasecurity/trivy,
docs/supply-chain/sbom.md for its properties.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from kaudit.model import sbom
from kaudit.model.place import Place
from kaudit.model.sbom_parts import taken_apart
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.scans import (
    IMAGE_SCANS,
    VULNERABILITIES,
    ImageScanRow,
    VulnerabilityRow,
    severity_of,
)
from kaudit.tables.supply import (
    SBOM_COMPONENTS,
    SBOMS,
    SCAN_EXCEPTIONS,
    SbomComponentRow,
    SbomRow,
    ScanExceptionRow,
)

_STATUSES = {
    "resolved": "fixed",
    "resolved_with_pedigree": "fixed",
    "exploitable": "affected",
    "in_triage": "under_investigation",
    "false_positive": "not_affected",
    "not_affected": "not_affected",
}
#: Methods of ratings, the one to take first.
_METHODS = ("CVSSv4", "CVSSv31", "CVSSv3", "CVSSv2")
_NONE = ("NOASSERTION", "NONE", "", None)


def _silent(read: Read) -> Read:
    """Read of a kind that a document may well lack: then it says nothing of the tables."""
    return msgspec.structs.replace(read, silent=True)


_DOCUMENT = Read.of("sbom", "Document", "documents", sbom.Document)
_COMPONENT = Read.of("sbom", "Component", "components", sbom.FoundComponent)
_ATTESTED = _silent(Read.of("attestation", "Document", "documents", sbom.Document))
_ATTESTED_COMPONENT = _silent(
    Read.of("attestation", "Component", "components", sbom.FoundComponent)
)


@tool(
    "sbom",
    title="SBOM",
    help="Bills of materials in JSON: CycloneDX (VEX too) and SPDX.",
    recognise=lambda content: (
        content.shape == "object" and bool({"bomFormat", "spdxVersion"} & content.keys)
    ),
    files=("*.cdx", "*.spdx"),
)
def take_sbom(content: Content) -> Iterator[Taken | Lost]:
    """Take a document apart."""
    yield from taken_apart(content, [])


@collector(_DOCUMENT, _ATTESTED, tables=(SBOMS,))
def sboms(found: sbom.Document, at: Place) -> Iterator[Row]:
    """Yield one document; one that only says what VEX says lists nothing and is left out."""
    if found.cyclonedx is not None:
        if not found.components and found.vulnerabilities:
            return
        yield _of_cyclonedx(found, found.cyclonedx, at)
    elif found.spdx is not None:
        yield _of_spdx(found, found.spdx, at)


def _of_cyclonedx(found: sbom.Document, document: sbom.CycloneDx, at: Place) -> SbomRow:
    metadata = document.metadata or sbom.Metadata()
    root = metadata.component or sbom.Component()
    return SbomRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        file=found.file,
        format="cyclonedx",
        spec_version=document.spec_version,
        name=root.full_name or document.serial_number or found.file,
        kind=root.type,
        digests=sorted({*root.digests, *found.subjects}),
        config_digest=next(iter(root.values("ImageID")), None),
        tags=sorted(root.values("RepoTag")),
        created_at=metadata.timestamp,
        tools=[f"{tool.name or '?'} {tool.version or ''}".strip() for tool in metadata.used],
        components=found.components,
        attested=at.group == "attestation",
    )


def _of_spdx(found: sbom.Document, document: sbom.Spdx, at: Place) -> SbomRow:
    info = document.creation_info or sbom.CreationInfo()
    root = found.described or sbom.Package()
    return SbomRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        file=found.file,
        format="spdx",
        spec_version=(document.spdx_version or "").removeprefix("SPDX-") or None,
        name=document.name or found.file,
        kind=(root.primary_package_purpose or "").lower() or None,
        digests=sorted({*root.digests, *found.subjects}),
        tags=[],
        created_at=info.created,
        tools=info.tools,
        components=found.components,
        attested=at.group == "attestation",
    )


@collector(_COMPONENT, _ATTESTED_COMPONENT, tables=(SBOM_COMPONENTS,))
def sbom_components(found: sbom.FoundComponent, at: Place) -> Iterator[Row]:
    """Yield one component, or one package."""
    component, package = found.component, found.package
    if component is not None:
        yield SbomComponentRow(
            raw=at.raw,
            raw_line=at.line,
            report=found.report,
            position=found.position,
            name=component.full_name,
            version=component.version,
            type=component.type,
            purl=component.purl,
            licenses=component.license_names,
        )
    elif package is not None:
        licenses = {package.license_concluded, package.license_declared}
        yield SbomComponentRow(
            raw=at.raw,
            raw_line=at.line,
            report=found.report,
            position=found.position,
            name=package.name or package.package_name or "",
            version=package.version_info,
            type=(package.primary_package_purpose or "").lower() or None,
            purl=package.purl,
            licenses=sorted(text for text in licenses if text not in _NONE and text),
        )


@collector(
    _silent(Read.of("sbom", "Scan", "scans", sbom.FoundScan)),
    tables=(IMAGE_SCANS,),
)
def sbom_scans(found: sbom.FoundScan, at: Place) -> Iterator[Row]:
    """Yield the scan that left its findings in a bill of materials."""
    metadata = found.metadata or sbom.Metadata()
    root = metadata.component or sbom.Component()
    yield ImageScanRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool=sbom.scanner(metadata.used),
        tool_version=next((tool.version for tool in metadata.used if tool.name), None),
        scanned_at=metadata.timestamp,
        artifact=root.full_name or found.file,
        artifact_type={"container": "image", "file": "filesystem"}.get(root.type or "", "sbom"),
        registry_digests=root.digests,
        config_digest=next(iter(root.values("ImageID")), None),
        tags=sorted(root.values("RepoTag")),
        env_credentials=[],
        covered=[],
        packages=True,
        findings=found.findings,
    )


@collector(
    _silent(Read.of("sbom", "Vulnerability", "vulnerabilities", sbom.FoundVulnerability)),
    tables=(VULNERABILITIES,),
)
def sbom_vulnerabilities(found: sbom.FoundVulnerability, at: Place) -> Iterator[Row]:
    """Yield one vulnerability of one component."""
    it, component = found.finding, found.component
    ratings = it.ratings or []
    scored = [r for r in ratings if r.score is not None and 0 <= r.score <= 10]
    order = {method: rank for rank, method in enumerate(_METHODS)}
    best = min(scored, key=lambda r: order.get(r.method or "", len(order)), default=sbom.Rating())
    said = next((r for r in ratings if r.severity), sbom.Rating())
    state = it.analysis.state if it.analysis else None
    passed = _STATUSES.get(state or "") == "not_affected"
    yield VulnerabilityRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool=found.tool,
        position=found.position,
        id=it.id,
        aliases=[],
        package=component.full_name,
        version=component.version or "",
        package_type=(component.purl or "pkg:").removeprefix("pkg:").partition("/")[0],
        purl=component.purl,
        target="",
        severity=severity_of(said.severity),
        severity_written=said.severity,
        severity_source=said.source.name if said.source else None,
        cvss_score=best.score,
        cvss_vector=best.vector,
        fixed_versions=[],
        fix="unknown",
        suppressed=passed,
        suppressed_by=f"analysis: {state}" if passed else None,
        published_at=it.published,
    )


@collector(
    _silent(Read.of("sbom", "Analysis", "analyses", sbom.FoundAnalysis)),
    tables=(SCAN_EXCEPTIONS,),
)
def cyclonedx_analyses(found: sbom.FoundAnalysis, at: Place) -> Iterator[Row]:
    """Yield what VEX says of one vulnerability."""
    it = found.finding
    analysis = it.analysis or sbom.Analysis()
    id = it.id or "*"
    yield ScanExceptionRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        file=found.file,
        position=found.position,
        place=f"{found.position} {id}",
        format="cyclonedx",
        section="vulnerability",
        id=id,
        aliases=[],
        status=_STATUSES.get(analysis.state or "", "unknown"),
        justification=analysis.justification,
        reason=analysis.detail,
        scope=[one.ref for one in it.affects or () if one.ref],
        owner=found.supplier,
        created_at=analysis.last_updated or analysis.first_issued or found.timestamp,
    )
