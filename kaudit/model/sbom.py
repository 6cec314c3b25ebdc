"""Bills of materials as they arrive: CycloneDX 1.2 to 1.6 and SPDX 2.2 and 2.3.

Sources: CycloneDX/specification, ``schema/bom-*.schema.json``; spdx/spdx-spec,
``schemas/spdx-schema.json``.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec import Raw, field

from kaudit.model.meta import Time

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Wire(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """Base: camelCase on the wire."""


class Named(Wire):
    """A name and a value, or a name and a version: properties, tools."""

    name: str | None = None
    value: str | None = None
    version: str | None = None


class Hash(Wire):
    """hashes[] of CycloneDX, checksums[] of SPDX."""

    alg: str | None = None
    content: str | None = None
    algorithm: str | None = None
    checksum_value: str | None = None


class License(Wire):
    """license of a licences[] entry."""

    id: str | None = None
    name: str | None = None


class Choice(Wire):
    """licenses[] of CycloneDX: a licence or an expression."""

    license: License | None = None
    expression: str | None = None


class Component(Wire):
    """components[] of CycloneDX, without those inside of it."""

    bom_ref: str | None = field(default=None, name="bom-ref")
    type: str | None = None
    group: str | None = None
    name: str | None = None
    version: str | None = None
    purl: str | None = None
    licenses: list[Choice] | None = None
    hashes: list[Hash] | None = None
    properties: list[Named] | None = None

    def __post_init__(self) -> None:
        kept = [p for p in self.properties or () if p.name in _PROPERTIES]
        self.properties = kept or None

    @property
    def full_name(self) -> str:
        """Name behind its group."""
        return f"{self.group}/{self.name or ''}" if self.group else self.name or ""

    @property
    def license_names(self) -> list[str]:
        """Licences, as expressions, ids or names, sorted."""
        said = [(one.expression, one.license or License()) for one in self.licenses or ()]
        return sorted({text for e, one in said if (text := e or one.id or one.name)})

    def values(self, name: str) -> list[str]:
        """Values of Trivy's property of a name."""
        wanted = f"aquasecurity:trivy:{name}"
        return [p.value for p in self.properties or () if p.name == wanted and p.value]

    @property
    def digests(self) -> list[str]:
        """Digests of the image that it is, as far as it says so."""
        if self.type != "container" and not (self.purl or "").startswith("pkg:oci/"):
            return []
        texts = [self.version or "", unquote(self.purl or ""), *self.values("RepoDigest")]
        return sorted({found[0] for text in texts if (found := _DIGEST.search(text))})


_PROPERTIES = {f"aquasecurity:trivy:{name}" for name in ("RepoDigest", "RepoTag", "ImageID")}


class Tools(Wire):
    """metadata.tools since 1.5."""

    components: list[Named] | None = None


class Metadata(Wire):
    """metadata of CycloneDX."""

    timestamp: Time | None = None
    tools: list[Named] | Tools | None = None
    component: Component | None = None
    supplier: Named | None = None
    authors: list[Named] | None = None

    @property
    def by(self) -> str | None:
        """Who answers for it."""
        named = [*(self.authors or ()), *([self.supplier] if self.supplier else ())]
        return next((one.name for one in named if one.name), None)

    @property
    def used(self) -> list[Named]:
        """Tools that made it."""
        if isinstance(self.tools, Tools):
            return self.tools.components or []
        return self.tools or []


class CycloneDx(Wire):
    """A document of CycloneDX without its lists."""

    spec_version: str | None = None
    serial_number: str | None = None
    metadata: Metadata | None = None


class Reference(Wire):
    """externalRefs[] of SPDX."""

    reference_type: str | None = None
    reference_locator: str | None = None


class Package(Wire):
    """packages[] of SPDX; some write the names of the tag format."""

    id: str | None = field(default=None, name="SPDXID")
    name: str | None = None
    package_name: str | None = None
    version_info: str | None = None
    license_concluded: str | None = None
    license_declared: str | None = None
    primary_package_purpose: str | None = None
    external_refs: list[Reference] | None = None
    checksums: list[Hash] | None = None

    @property
    def purl(self) -> str | None:
        """Package URL."""
        refs = self.external_refs or ()
        return next((r.reference_locator for r in refs if r.reference_type == "purl"), None)

    @property
    def digests(self) -> list[str]:
        """Digests of the image that it is, as far as it says so."""
        if not (self.purl or "").startswith("pkg:oci/") and (
            self.primary_package_purpose != "CONTAINER"
        ):
            return []
        texts = [self.version_info or "", unquote(self.purl or "")]
        return sorted({found[0] for text in texts if (found := _DIGEST.search(text))})


class CreationInfo(Wire):
    """creationInfo of SPDX."""

    created: Time | None = None
    creators: list[str | dict[str, str]] | None = None

    @property
    def tools(self) -> list[str]:
        """Tools among the creators."""
        texts = [c for c in self.creators or () if isinstance(c, str)]
        return sorted(c.removeprefix("Tool:").strip() for c in texts if c.startswith("Tool:"))


class Spdx(Wire):
    """A document of SPDX without its lists."""

    spdx_version: str | None = None
    name: str | None = None
    document_namespace: str | None = None
    creation_info: CreationInfo | None = None


class Rating(Wire):
    """ratings[] of a vulnerability."""

    source: Named | None = None
    score: float | None = None
    severity: str | None = None
    method: str | None = None
    vector: str | None = None


class Affected(Wire):
    """affects[] of a vulnerability."""

    ref: str | None = None


class Analysis(Wire):
    """analysis of a vulnerability: what VEX says."""

    state: str | None = None
    justification: str | None = None
    detail: str | None = None
    first_issued: Time | None = None
    last_updated: Time | None = None


class Vulnerability(Wire):
    """vulnerabilities[] of CycloneDX."""

    id: str = ""
    source: Named | None = None
    ratings: list[Rating] | None = None
    published: Time | None = None
    affects: list[Affected] | None = None
    analysis: Analysis | None = None


class Document(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of one bill of materials; ``subjects`` are those of its attestation."""

    report: str
    file: str
    cyclonedx: CycloneDx | None = None
    spdx: Spdx | None = None
    described: Package | None = None
    components: int = 0
    vulnerabilities: int = 0
    subjects: list[str] = []


class FoundScan(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of the scan whose findings are in a bill of materials."""

    report: str
    file: str
    findings: int
    metadata: Metadata | None = None


class FoundComponent(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of one component, or of one package."""

    report: str
    position: int
    component: Component | None = None
    package: Package | None = None


class FoundVulnerability(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of one vulnerability in one component."""

    report: str
    position: int
    tool: str
    finding: Vulnerability
    component: Component


class FoundAnalysis(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of what VEX says of one vulnerability."""

    report: str
    file: str
    position: int
    supplier: str | None = None
    timestamp: Time | None = None
    finding: Vulnerability


class Inner(Wire):
    """Components inside of a component, unread."""

    components: list[Raw] | None = None


class Related(Wire):
    """relationships[] of SPDX."""

    relationship_type: str | None = None
    related_spdx_element: str | None = None
    spdx_element_id: str | None = None


def scanner(tools: list[Any]) -> str:
    """Name of the tool, in small letters; ``unknown`` where none is named."""
    names = [tool.name for tool in tools if tool.name]
    return names[0].lower() if names else "unknown"
