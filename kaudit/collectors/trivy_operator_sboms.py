"""trivy-operator: what images are made of, as it found it in them.

Source: aquasecurity/trivy-operator, ``docs/docs/crds/sbom-report.md``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.model.place import Place
from kaudit.model.sbom import Component, Metadata
from kaudit.model.trivy_operator_sbom import SbomReport
from kaudit.registry import Read, collector
from kaudit.table import Row
from kaudit.tables.supply import SBOM_COMPONENTS, SBOMS, SbomComponentRow, SbomRow

_GROUP = "aquasecurity.github.io"


@collector(
    Read(_GROUP, "SbomReport", "sbomreports", SbomReport, ("v1alpha1",), silent=True),
    Read(
        _GROUP,
        "ClusterSbomReport",
        "clustersbomreports",
        SbomReport,
        ("v1alpha1",),
        namespaced=False,
        silent=True,
    ),
    tables=(SBOMS, SBOM_COMPONENTS),
)
def sbom_reports(found: SbomReport, at: Place) -> Iterator[Row]:
    """Yield one bill of materials and its components."""
    it = found.report
    bom = it.components
    metadata = bom.metadata or Metadata()
    root = metadata.component or Component()
    components = bom.components or []
    digest = it.artifact.digest
    tags = root.values("RepoTag") or ([it.reference] if it.artifact.tag else [])
    yield SbomRow(
        raw=at.raw,
        raw_line=at.line,
        report=at.uid,
        file="/".join(text for text in (at.namespace, at.kind, at.name) if text),
        format="cyclonedx",
        spec_version=None if bom.spec_version is None else str(bom.spec_version),
        name=root.full_name or it.reference,
        kind=root.type,
        digests=sorted({*root.digests, *([digest] if digest else [])}),
        config_digest=next(iter(root.values("ImageID")), None),
        tags=sorted(tags),
        created_at=metadata.timestamp,
        tools=[f"{tool.name or '?'} {tool.version or ''}".strip() for tool in metadata.used],
        components=len(components),
        attested=False,
    )
    for position, component in enumerate(components, start=1):
        yield SbomComponentRow(
            raw=at.raw,
            raw_line=at.line,
            report=at.uid,
            position=position,
            name=component.full_name,
            version=component.version,
            type=component.type,
            purl=component.purl,
            licenses=component.license_names,
        )
