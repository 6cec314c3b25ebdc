"""Exceptions from scanning: VEX statements and the ignore files of scanners.

Sources: openvex/spec, OPENVEX-SPEC.md (v0.0.1 to v0.2.0); aquasecurity/trivy,
docs/configuration/filtering.md; anchore/grype, README, section on ignore rules.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import msgspec
from msgspec import field

from kaudit.model.meta import Time


class Wire(msgspec.Struct, gc=False, omit_defaults=True):
    """Base."""


def _moment(written: str | None) -> datetime | None:
    """Return a day or a moment as written in YAML; a day begins in UTC.

    Raises
    ------
    ValueError
        It is neither.
    """
    if not written:
        return None
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", written):
        day = date.fromisoformat(written)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    found = datetime.fromisoformat(written)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class Identifiers(Wire):
    """identifiers of a product."""

    purl: str | None = None


class Product(Wire):
    """products[] or subcomponents[] of OpenVEX."""

    id: str | None = field(default=None, name="@id")
    identifiers: Identifiers | None = None
    subcomponents: list[Product | str] | None = None

    @property
    def named(self) -> str:
        """Its package URL, else its id."""
        return (self.identifiers and self.identifiers.purl) or self.id or "?"


class Flaw(Wire):
    """vulnerability of OpenVEX."""

    id: str | None = field(default=None, name="@id")
    name: str | None = None
    aliases: list[str] | None = None


class Statement(Wire):
    """statements[] of OpenVEX."""

    vulnerability: Flaw | str | None = None
    products: list[Product | str] | None = None
    subcomponents: list[Product | str] | None = None
    status: str = ""
    justification: str | None = None
    impact_statement: str | None = None
    action_statement: str | None = None
    status_notes: str | None = None
    timestamp: Time | None = None
    last_updated: Time | None = None
    supplier: str | None = None

    @property
    def scope(self) -> list[str]:
        """Products, each with the parts that are meant."""
        found = []
        for product in self.products or ():
            parts = (None if isinstance(product, str) else product.subcomponents) or ()
            parts = parts or self.subcomponents or ()
            name = _named(product)
            found += [f"{name} > {_named(part)}" for part in parts] if parts else [name]
        return found

    @property
    def flaw(self) -> Flaw:
        """The vulnerability, of which older documents give the id alone."""
        found = self.vulnerability
        return found if isinstance(found, Flaw) else Flaw(name=found)


def _named(product: Product | str) -> str:
    return product if isinstance(product, str) else product.named


class FoundStatement(Wire, kw_only=True):
    """Record of one statement of OpenVEX, with what its document says of all."""

    report: str
    file: str
    position: int
    author: str | None = None
    timestamp: Time | None = None
    statement: Statement


class Ignored(Wire, kw_only=True):
    """Record of one entry of Trivy's ignore files.

    Attributes
    ----------
    section
        ``vulnerabilities``, ``misconfigurations``, ``secrets``, ``licenses``; empty in text.
    comment
        Lines above and behind it.
    expired_at
        When it ends, as written.
    """

    report: str
    file: str
    position: int
    section: str = ""
    id: str
    paths: list[str] | None = None
    purls: list[str] | None = None
    statement: str | None = None
    comment: str | None = None
    expired_at: str | None = None

    def __post_init__(self) -> None:
        _moment(self.expired_at)

    @property
    def expires_at(self) -> datetime | None:
        """When it ends."""
        return _moment(self.expired_at)


class RulePackage(Wire):
    """package of an ignore rule of Grype."""

    name: str | None = None
    version: str | None = None
    type: str | None = None
    location: str | None = None
    language: str | None = None
    upstream_name: str | None = field(default=None, name="upstream-name")


class Rule(Wire, rename="kebab"):
    """ignore[] of Grype."""

    vulnerability: str | None = None
    reason: str | None = None
    namespace: str | None = None
    fix_state: str | None = None
    package: RulePackage | None = None
    vex_status: str | None = None
    vex_justification: str | None = None

    @property
    def scope(self) -> list[str]:
        """What must hold besides, as ``name=value``."""
        package = self.package or RulePackage()
        parts = {
            "package": package.name,
            "version": package.version,
            "type": package.type,
            "location": package.location,
            "language": package.language,
            "upstream": package.upstream_name,
            "namespace": self.namespace,
            "fix-state": self.fix_state,
            "vex-status": self.vex_status,
        }
        return [f"{name}={value}" for name, value in parts.items() if value]


class FoundRule(Wire, kw_only=True):
    """Record of one ignore rule of Grype."""

    report: str
    file: str
    position: int
    rule: Rule


_OWNER = re.compile(
    r"(?:owner|author|approved[ -]by|accepted[ -]by|by|team)\s*[:=]\s*(?P<name>[^,;]+)", re.I
)


def owner_in(text: str | None) -> str | None:
    """Whom a comment names as its owner.

    >>> from kaudit.model.exceptions import owner_in
    >>> owner_in("not reachable; owner: team-web")
    'team-web'
    """
    found = _OWNER.search(text or "")
    return found["name"].strip() if found else None
