"""Reports of Trivy as they arrive (schema versions 1 and 2; aquasecurity/trivy, pkg/types).

Descriptions, code excerpts and matches of secrets are not declared: they are long, or they
are what must not be kept.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, field

from kaudit.model.bounds import Count, Score
from kaudit.model.image_config import ImageConfig
from kaudit.model.meta import Int, Time


class _Part(msgspec.Struct, gc=False, omit_defaults=True, rename="pascal"):
    """Base: fields in Trivy's spelling."""


class Os(_Part):
    """Metadata.OS."""

    family: str | None = None
    name: str | None = None
    eosl: bool | None = field(default=None, name="EOSL")


class Metadata(_Part):
    """Metadata of a report, or of an image of a cluster's resource."""

    size: Count | None = None
    os: Os | None = field(default=None, name="OS")
    image_id: str | None = field(default=None, name="ImageID")
    repo_tags: list[str] | None = None
    repo_digests: list[str] | None = None
    reference: str | None = None
    image_config: ImageConfig | None = None


class Version(_Part):
    """Trivy: the program."""

    version: str | None = None


class Header(_Part):
    """The report without its results."""

    schema_version: Int | None = None
    created_at: Time | None = None
    artifact_name: str | None = None
    artifact_type: str | None = None
    trivy: Version | None = None
    metadata: Metadata | list[Metadata] | None = None
    namespace: str | None = None
    kind: str | None = None
    name: str | None = None


class ResultHead(_Part):
    """Results[] without what they hold."""

    target: str = ""
    class_: str = field(default="", name="Class")
    type: str = ""


class Report(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of one report: what it says of the artifact and of itself."""

    report: str
    header: Header
    results: list[ResultHead] = []
    findings: int = 0
    suppressed: int = 0
    checks: int = 0


class Cvss(_Part):
    """CVSS of one source."""

    v2_score: Score | None = field(default=None, name="V2Score")
    v2_vector: str | None = field(default=None, name="V2Vector")
    v3_score: Score | None = field(default=None, name="V3Score")
    v3_vector: str | None = field(default=None, name="V3Vector")
    v40_score: Score | None = field(default=None, name="V40Score")
    v40_vector: str | None = field(default=None, name="V40Vector")

    @property
    def best(self) -> tuple[float, str | None] | None:
        """Score and vector of the newest version of CVSS."""
        for score, vector in (
            (self.v40_score, self.v40_vector),
            (self.v3_score, self.v3_vector),
            (self.v2_score, self.v2_vector),
        ):
            if score is not None:
                return score, vector
        return None


class Identifier(_Part):
    """PkgIdentifier."""

    purl: str | None = field(default=None, name="PURL")


class Vulnerability(_Part):
    """Results[].Vulnerabilities[]."""

    vulnerability_id: str = field(default="", name="VulnerabilityID")
    vendor_ids: list[str] | None = field(default=None, name="VendorIDs")
    pkg_name: str | None = None
    pkg_path: str | None = None
    pkg_identifier: Identifier | None = None
    installed_version: str | None = None
    fixed_version: str | None = None
    status: str | None = None
    severity: str | None = None
    severity_source: str | None = None
    cvss: dict[str, Cvss | None] | None = field(default=None, name="CVSS")
    title: str | None = None
    primary_url: str | None = field(default=None, name="PrimaryURL")
    published_date: Time | None = None


class Suppressed(_Part):
    """Results[].ExperimentalModifiedFindings[]: what an exception left out."""

    type: str | None = None
    status: str | None = None
    statement: str | None = None
    source: str | None = None
    finding: Vulnerability = field(default_factory=Vulnerability)


class Secret(_Part):
    """Results[].Secrets[]."""

    rule_id: str = field(default="", name="RuleID")
    category: str | None = None
    severity: str | None = None
    title: str | None = None
    start_line: Int | None = None


class Cause(_Part):
    """CauseMetadata of a misconfiguration."""

    start_line: Int | None = None


class Misconfiguration(_Part):
    """Results[].Misconfigurations[]."""

    id: str = field(default="", name="ID")
    avd_id: str | None = field(default=None, name="AVDID")
    title: str | None = None
    message: str | None = None
    severity: str | None = None
    status: str | None = None
    primary_url: str | None = field(default=None, name="PrimaryURL")
    cause_metadata: Cause | None = None


class License(_Part):
    """Results[].Licenses[]."""

    name: str = ""
    pkg_name: str | None = None
    file_path: str | None = None
    category: str | None = None
    severity: str | None = None


class Found(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """What a record of one finding says beside it: where it stands."""

    report: str
    position: int
    target: str = ""
    class_: str = field(default="", name="class")
    type: str = ""
    namespace: str | None = None
    kind: str | None = None
    name: str | None = None


class FoundVulnerability(Found, kw_only=True):
    """Record of one vulnerability."""

    finding: Vulnerability


class FoundSuppressed(Found, kw_only=True):
    """Record of one vulnerability that an exception left out."""

    finding: Suppressed


class FoundSecret(Found, kw_only=True):
    """Record of one credential."""

    finding: Secret


class FoundMisconfiguration(Found, kw_only=True):
    """Record of one misconfiguration."""

    finding: Misconfiguration


class FoundLicense(Found, kw_only=True):
    """Record of one licence."""

    finding: License


class Result(_Part):
    """Results[], with its findings unread."""

    target: str | None = None
    class_: str | None = field(default=None, name="Class")
    type: str | None = None
    vulnerabilities: list[Raw] | None = None
    misconfigurations: list[Raw] | None = None
    secrets: list[Raw] | None = None
    licenses: list[Raw] | None = None
    modified: list[Raw] | None = field(default=None, name="ExperimentalModifiedFindings")
