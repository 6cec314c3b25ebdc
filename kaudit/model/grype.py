"""Reports of Grype as they arrive (anchore/grype, grype/presenter/models).

Descriptions, CPEs and layers are not declared. Before 0.8 a vulnerability has ``cvssV2``,
``cvssV3`` and ``fixedInVersion`` in the place of ``cvss`` and ``fix``.
"""

from __future__ import annotations

import base64
import re

import msgspec
from msgspec import Raw, field

from kaudit.model.bounds import Count, Score, Share
from kaudit.model.image_config import ImageConfig
from kaudit.model.moment import moment

_config = msgspec.json.Decoder(ImageConfig).decode


class _Part(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """Base: fields in Grype's spelling."""


class Target(_Part):
    """source.target of an image; its configuration arrives in base64."""

    user_input: str | None = None
    image_id: str | None = field(default=None, name="imageID")
    manifest_digest: str | None = None
    tags: list[str] | None = None
    repo_digests: list[str] | None = None
    image_size: Count | None = None
    architecture: str | None = None
    config: ImageConfig | str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.config, str):
            text = self.config
            self.config = _config(base64.b64decode(text, validate=True)) if text else None

    @property
    def image_config(self) -> ImageConfig | None:
        """The configuration, where there is one."""
        return self.config if isinstance(self.config, ImageConfig) else None


class Source(_Part):
    """source: what was scanned; a path where it is no image."""

    type: str | None = None
    target: Target | str | None = None


class Distro(_Part):
    """distro."""

    name: str | None = None
    version: str | None = None


class DatabaseStatus(_Part):
    """descriptor.db.status, from 0.88 on."""

    schema_version: str | int | None = None
    built: str | None = None

    def __post_init__(self) -> None:
        moment(self.built)


class Database(DatabaseStatus):
    """descriptor.db; before 0.88 it is the status itself."""

    status: DatabaseStatus | None = None


class Descriptor(_Part):
    """descriptor: the program."""

    version: str | None = None
    timestamp: str | None = None
    db: Database | None = None

    def __post_init__(self) -> None:
        moment(self.timestamp)


class Header(_Part):
    """The report without its matches."""

    source: Source | None = None
    distro: Distro | None = None
    descriptor: Descriptor | None = None


class Report(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of one report; ``types`` are those of its packages."""

    report: str
    header: Header
    types: list[str] = []
    findings: int = 0
    suppressed: int = 0


class Metrics(_Part):
    """metrics of a CVSS."""

    base_score: Score | None = None


class Cvss(_Part):
    """cvss[]."""

    version: str | None = None
    vector: str | None = None
    metrics: Metrics | None = None

    @property
    def age(self) -> tuple[int, ...]:
        """The version, in an order of versions."""
        return tuple(int(part) for part in re.findall(r"\d{1,4}", self.version or ""))


class OldCvss(_Part):
    """cvssV2, cvssV3."""

    base_score: Score | None = None
    vector: str | None = None


class Epss(_Part):
    """epss[]."""

    epss: Share | None = None


class KnownExploited(_Part):
    """knownExploited[]."""

    cve: str | None = None


class Fix(_Part):
    """fix."""

    versions: list[str] | None = None
    state: str | None = None


class Flaw(_Part):
    """What an own and a related vulnerability have in common."""

    id: str = ""
    cvss: list[Cvss] | None = None
    epss: list[Epss] | None = None
    known_exploited: list[KnownExploited] | None = None

    @property
    def best(self) -> tuple[float, str | None] | None:
        """Score and vector of the newest version of CVSS."""
        for one in sorted(self.cvss or (), key=lambda cvss: cvss.age, reverse=True):
            if one.metrics and one.metrics.base_score is not None:
                return one.metrics.base_score, one.vector
        return None

    @property
    def probability(self) -> float | None:
        """EPSS; the highest where an advisory stands for several flaws."""
        told = [one.epss for one in self.epss or () if one.epss is not None]
        return max(told, default=None)


class Vulnerability(Flaw):
    """matches[].vulnerability."""

    data_source: str | None = None
    namespace: str | None = None
    severity: str | None = None
    fix: Fix | None = None
    fixed_in_version: str | None = None
    cvss_v2: OldCvss | None = field(default=None, name="cvssV2")
    cvss_v3: OldCvss | None = field(default=None, name="cvssV3")

    @property
    def best(self) -> tuple[float, str | None] | None:
        """Score and vector of the newest version of CVSS."""
        for old in (self.cvss_v3, self.cvss_v2):
            if old and old.base_score is not None:
                return old.base_score, old.vector
        return super().best


class Location(_Part):
    """artifact.locations[]."""

    path: str | None = None


class Artifact(_Part):
    """matches[].artifact: the package."""

    name: str | None = None
    version: str | None = None
    type: str | None = None
    purl: str | None = None
    locations: list[Location] | None = None


class Rule(_Part):
    """appliedIgnoreRules[]."""

    vulnerability: str | None = None
    reason: str | None = None
    fix_state: str | None = field(default=None, name="fix-state")
    vex_status: str | None = field(default=None, name="vex-status")
    vex_justification: str | None = field(default=None, name="vex-justification")


class Match(_Part):
    """matches[], ignoredMatches[]."""

    vulnerability: Vulnerability
    artifact: Artifact = field(default_factory=Artifact)
    related_vulnerabilities: list[Flaw] | None = None
    applied_ignore_rules: list[Rule] | None = None


class FoundMatch(msgspec.Struct, gc=False, kw_only=True):
    """Record of one match."""

    report: str
    position: int
    match: Match


class _Package(msgspec.Struct, gc=False):
    type: str | None = None


class _Typed(msgspec.Struct, gc=False):
    artifact: _Package | None = None


_typed = msgspec.json.Decoder(_Typed).decode


def package_type(raw: Raw | bytes) -> str:
    """Type of the package of a match; empty where it does not tell."""
    try:
        found = _typed(raw).artifact
    except msgspec.MsgspecError:
        return ""  # its record will tell why
    return (found.type if found else None) or ""
