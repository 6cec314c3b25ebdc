"""Objects of cert-manager as they arrive on the wire.

Source: cert-manager/cert-manager, ``pkg/apis/certmanager/v1``. Of an issuer's settings only what
it points at is kept.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, field

from kaudit.model.meta import ABSENT, Condition, Int, Part, Resource, Time
from kaudit.model.store_references import Reference, reduced, references


class IssuerRef(Part):
    """spec.issuerRef."""

    name: str | None = None
    kind: str | None = None
    group: str | None = None


class PrivateKey(Part):
    """spec.privateKey."""

    algorithm: str | None = None
    size: Int | None = None
    rotation_policy: str | None = None


class CertificateSpec(Part):
    """spec of a Certificate."""

    secret_name: str | None = None
    issuer_ref: IssuerRef = field(default_factory=IssuerRef)
    common_name: str | None = None
    dns_names: list[str] | None = None
    is_ca: bool | None = field(default=None, name="isCA")
    duration: str | None = None
    renew_before: str | None = None
    private_key: PrivateKey = field(default_factory=PrivateKey)


class CertificateStatus(Part):
    """status of a Certificate."""

    conditions: list[Condition] | None = None
    not_before: Time | None = None
    not_after: Time | None = None
    renewal_time: Time | None = None
    last_failure_time: Time | None = None
    failed_issuance_attempts: Int | None = None


class Certificate(Resource):
    """cert-manager.io Certificate."""

    spec: CertificateSpec = field(default_factory=CertificateSpec)
    status: CertificateStatus = field(default_factory=CertificateStatus)


class Authority(Part):
    """spec.ca of an issuer: a key pair of its own."""

    secret_name: str | None = None


class IssuerSpec(Part):
    """spec of an issuer: which kind it is, and what it points at."""

    acme: Raw = ABSENT
    ca: Authority | None = None
    self_signed: Raw = ABSENT
    vault: Raw = ABSENT
    venafi: Raw = ABSENT

    def __post_init__(self) -> None:
        for name in ("acme", "self_signed", "vault", "venafi"):
            setattr(self, name, reduced(getattr(self, name)))

    @property
    def kind(self) -> str:
        """Name of its only setting; empty where it has none."""
        given = ((f.name, f.encode_name) for f in msgspec.structs.fields(IssuerSpec))
        return next((wire for name, wire in given if getattr(self, name) not in (None, ABSENT)), "")

    @property
    def references(self) -> list[Reference]:
        """What its settings point at."""
        found = [r for raw in (self.acme, self.vault, self.venafi) for r in references(raw)]
        if self.ca and self.ca.secret_name:
            found.append(Reference("ca.secretName", "Secret", "", self.ca.secret_name))
        return found


class IssuerStatus(Part):
    """status of an issuer."""

    conditions: list[Condition] | None = None


class Issuer(Resource):
    """cert-manager.io Issuer and ClusterIssuer."""

    spec: IssuerSpec = field(default_factory=IssuerSpec)
    status: IssuerStatus = field(default_factory=IssuerStatus)
