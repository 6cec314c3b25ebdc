"""Reports of trivy-operator, and of Starboard before it, as objects of the API.

Source: aquasecurity/trivy-operator, ``pkg/apis/aquasecurity/v1alpha1``. Matches of secrets,
descriptions and remedies are not declared.
"""

from __future__ import annotations

from msgspec import field

from kaudit.model.bounds import Score
from kaudit.model.credential import masked
from kaudit.model.meta import Int, Part, Resource
from kaudit.model.moment import moment
from kaudit.model.trivy import Cvss


class Scanner(Part):
    """report.scanner."""

    version: str | None = None


class Registry(Part):
    """report.registry."""

    server: str | None = None


class Artifact(Part):
    """report.artifact: the image."""

    repository: str | None = None
    tag: str | None = None
    digest: str | None = None


class Os(Part):
    """report.os."""

    family: str | None = None
    name: str | None = None
    eosl: bool | None = None


class Vulnerability(Part):
    """report.vulnerabilities[]."""

    vulnerability_id: str = field(default="", name="vulnerabilityID")
    resource: str | None = None
    installed_version: str | None = None
    fixed_version: str | None = None
    severity: str | None = None
    score: Score | None = None
    cvss: dict[str, Cvss | None] | None = None
    cvsssource: str | None = None
    title: str | None = None
    target: str | None = None
    class_: str | None = field(default=None, name="class")
    package_type: str | None = None
    package_path: str | None = None
    package_purl: str | None = field(default=None, name="packagePURL")
    primary_link: str | None = None
    published_date: str | None = None

    def __post_init__(self) -> None:
        moment(self.published_date)

    @property
    def vector(self) -> str | None:
        """Vector of the score, where the report has it."""
        told = (one.best for one in (self.cvss or {}).values() if one)
        return next((best[1] for best in told if best and best[0] == self.score), None)


class ExposedSecret(Part):
    """report.secrets[]."""

    rule_id: str = field(default="", name="ruleID")
    category: str | None = None
    severity: str | None = None
    title: str | None = None
    target: str | None = None


class OfImage(Part):
    """What reports on images have in common."""

    artifact: Artifact = field(default_factory=Artifact)
    registry: Registry = field(default_factory=Registry)
    scanner: Scanner = field(default_factory=Scanner)
    os: Os = field(default_factory=Os)
    update_timestamp: str | None = None

    def __post_init__(self) -> None:
        moment(self.update_timestamp)

    @property
    def repository(self) -> str:
        """Repository of the image, with its registry."""
        parts = (self.registry.server, self.artifact.repository)
        return "/".join(part for part in parts if part)

    @property
    def reference(self) -> str:
        """Reference of the image, by tag if it has one."""
        if self.artifact.tag:
            return f"{self.repository}:{self.artifact.tag}"
        digest = self.artifact.digest
        return f"{self.repository}@{digest}" if digest else self.repository


class VulnerabilityData(OfImage):
    """report of a VulnerabilityReport."""

    vulnerabilities: list[Vulnerability] | None = None


class SecretData(OfImage):
    """report of an ExposedSecretReport."""

    secrets: list[ExposedSecret] | None = None


class Report(Resource):
    """What the kinds of reports have in common: the object that they are about."""

    @property
    def subject(self) -> tuple[str | None, str | None, str | None]:
        """Namespace, kind and name of that object: of the labels, else of the owner.

        A name that no label may hold is there as a hash; the owner has it.
        """
        labels, owner = self.metadata.labels or {}, self.metadata.controller

        def told(part: str) -> str | None:
            for prefix in ("trivy-operator", "starboard"):
                if text := labels.get(f"{prefix}.resource.{part}"):
                    return text
            return None

        return (
            told("namespace") or self.metadata.namespace,
            told("kind") or (owner.kind if owner else None),
            told("name") or (owner.name if owner else None),
        )


class VulnerabilityReport(Report):
    """VulnerabilityReport, ClusterVulnerabilityReport."""

    report: VulnerabilityData = field(default_factory=VulnerabilityData)


class ExposedSecretReport(Report):
    """ExposedSecretReport."""

    report: SecretData = field(default_factory=SecretData)


class Check(Part):
    """report.checks[]; of a compliance report with the object that it is about."""

    check_id: str = field(default="", name="checkID")
    severity: str | None = None
    success: bool = False
    title: str | None = None
    messages: list[str] | None = None
    target: str | None = None

    def __post_init__(self) -> None:
        self.messages = [masked(text) for text in self.messages] if self.messages else None

    @property
    def message(self) -> str | None:
        """What was found."""
        return "; ".join(text for text in self.messages or () if text) or None


class AuditData(Part):
    """report of an audit of configuration; Starboard once had only the two other lists."""

    checks: list[Check] | None = None
    pod_checks: list[Check] | None = None
    container_checks: dict[str, list[Check] | None] | None = None
    scanner: Scanner = field(default_factory=Scanner)
    update_timestamp: str | None = None

    def __post_init__(self) -> None:
        moment(self.update_timestamp)

    @property
    def all(self) -> list[Check]:
        """Every check, once."""
        if self.checks is not None:
            return self.checks
        of_containers = (checks or [] for checks in (self.container_checks or {}).values())
        return [*(self.pod_checks or ()), *(one for checks in of_containers for one in checks)]


class AuditReport(Report):
    """ConfigAuditReport, RbacAssessmentReport, InfraAssessmentReport and those of clusters."""

    report: AuditData = field(default_factory=AuditData)


class DetailedControl(Part):
    """status.detailReport.results[]."""

    id: str = ""
    name: str | None = None
    severity: str | None = None
    status: str | None = None
    checks: list[Check] | None = None


class DetailReport(Part):
    """status.detailReport."""

    title: str | None = None
    results: list[DetailedControl] | None = None


class SummedControl(Part):
    """status.summaryReport.controlCheck[]; one that a person must check has no total."""

    id: str = ""
    name: str | None = None
    severity: str | None = None
    total_fail: Int | None = None


class SummaryReport(Part):
    """status.summaryReport."""

    title: str | None = None
    control_check: list[SummedControl] | None = None


class ComplianceStatus(Part):
    """status of a compliance report."""

    detail_report: DetailReport | None = None
    summary_report: SummaryReport | None = None
    update_timestamp: str | None = None

    def __post_init__(self) -> None:
        moment(self.update_timestamp)


class Compliance(Part):
    """spec.compliance."""

    title: str | None = None


class ComplianceSpec(Part):
    """spec of a compliance report."""

    compliance: Compliance | None = None


class ComplianceReport(Resource):
    """ClusterComplianceReport."""

    spec: ComplianceSpec = field(default_factory=ComplianceSpec)
    status: ComplianceStatus = field(default_factory=ComplianceStatus)
