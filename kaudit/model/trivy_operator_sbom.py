"""SbomReport and ClusterSbomReport of trivy-operator: a bill of materials within a report."""

from __future__ import annotations

from msgspec import field

from kaudit.model.meta import Part
from kaudit.model.sbom import Component, Metadata
from kaudit.model.trivy_operator import OfImage, Report


class Bom(Part):
    """report.components: CycloneDX; its version may stand without quotes."""

    spec_version: str | float | None = None
    serial_number: str | None = None
    metadata: Metadata | None = None
    components: list[Component] | None = None


class SbomData(OfImage):
    """report."""

    components: Bom = field(default_factory=Bom)


class SbomReport(Report):
    """SbomReport, ClusterSbomReport."""

    report: SbomData = field(default_factory=SbomData)
