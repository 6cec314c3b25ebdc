"""Certificate signing requests on the wire."""

from __future__ import annotations

from msgspec import field

from kaudit.model.meta import Condition, Int, Part, Resource


class CsrSpec(Part):
    """spec of a CertificateSigningRequest."""

    signer_name: str | None = None
    username: str | None = None
    groups: list[str] | None = None
    usages: list[str] | None = None
    expiration_seconds: Int | None = None


class CsrStatus(Part):
    """status of a CertificateSigningRequest."""

    conditions: list[Condition] | None = None


class CertificateSigningRequest(Resource):
    """certificates.k8s.io CertificateSigningRequest."""

    spec: CsrSpec = field(default_factory=CsrSpec)
    status: CsrStatus = field(default_factory=CsrStatus)
