"""cert-manager: certificates that are issued and renewed, and who issues them.

Source: cert-manager.io, "API reference", v1.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from kaudit.model.cert_manager import Certificate, Issuer
from kaudit.model.meta import Condition
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc

_GROUP = "cert-manager.io"
#: Secrets of a ClusterIssuer lie where cert-manager itself runs, by default.
_HOME = "cert-manager"


class CertificateRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always Certificate")] = "Certificate"
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    api_version: Annotated[str, doc("apiVersion that it was read in")]
    secret: Annotated[str, doc("Secret that it keeps")]
    issuer: Annotated[str, doc("Kind/name of its issuer")]
    issuer_group: Annotated[str, doc("API group of that kind; cert-manager.io where unset")]
    names: Annotated[list[str], doc("names that it is for, sorted")]
    authority: Annotated[bool, doc("is a certificate authority")]
    duration: Annotated[str, doc("how long it is asked for; empty: unset, 90 days")]
    key_algorithm: Annotated[str, doc("RSA, ECDSA or Ed25519; RSA where unset")]
    key_bits: Annotated[int | None, doc("privateKey.size; null: unset")] = None
    key_rotation: Annotated[str, doc("Always or Never; empty: unset")]
    ready: Annotated[bool | None, doc("condition Ready; null: none is told")] = None
    reason: Annotated[str | None, doc("reason of that condition")] = None
    begins_at: Annotated[datetime | None, doc("begin of its validity")] = None
    expires_at: Annotated[datetime | None, doc("end of its validity")] = None
    renews_at: Annotated[datetime | None, doc("when it is to be renewed")] = None
    failed_at: Annotated[datetime | None, doc("last time that it could not be issued")] = None
    attempts: Annotated[int, doc("failed attempts to issue it, since it last was")] = 0


class IssuerRow(Trace, kw_only=True):
    kind: Annotated[str, doc("Issuer or ClusterIssuer")]
    namespace: Annotated[str, doc("namespace; empty for a ClusterIssuer")]
    name: Annotated[str, doc("name")]
    type: Annotated[str, doc("acme, ca, selfSigned, vault or venafi; empty: another")]
    secrets: Annotated[list[str], doc("namespace/name of Secrets that it uses, sorted")]
    ready: Annotated[bool | None, doc("condition Ready; null: none is told")] = None
    reason: Annotated[str | None, doc("reason of that condition")] = None


CERTIFICATES = Table(
    "certificates",
    CertificateRow,
    grain="one Certificate of cert-manager",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
ISSUERS = Table(
    "certificate_issuers",
    IssuerRow,
    grain="one Issuer or ClusterIssuer of cert-manager",
    key=("kind", "namespace", "name"),
    resource=Resource("kind"),
)


@collector(Read(_GROUP, "Certificate", "certificates", Certificate), tables=(CERTIFICATES,))
def certificates(found: Certificate, at: Place) -> Iterator[Row]:
    """Yield one row a Certificate."""
    spec, status = found.spec, found.status
    issuer, key = spec.issuer_ref, spec.private_key
    yield CertificateRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        api_version=found.api_version,
        secret=spec.secret_name or "",
        issuer=f"{issuer.kind or 'Issuer'}/{issuer.name or ''}",
        issuer_group=issuer.group or _GROUP,
        names=sorted({*(spec.dns_names or ()), *([spec.common_name] if spec.common_name else ())}),
        authority=bool(spec.is_ca),
        duration=spec.duration or "",
        key_algorithm=key.algorithm or "RSA",
        key_bits=key.size,
        key_rotation=key.rotation_policy or "",
        ready=Condition.truth(status.conditions, "Ready"),
        reason=next((c.reason for c in status.conditions or () if c.type == "Ready"), None),
        begins_at=status.not_before,
        expires_at=status.not_after,
        renews_at=status.renewal_time,
        failed_at=status.last_failure_time,
        attempts=status.failed_issuance_attempts or 0,
    )


@collector(
    Read(_GROUP, "Issuer", "issuers", Issuer),
    Read(_GROUP, "ClusterIssuer", "clusterissuers", Issuer, namespaced=False),
    tables=(ISSUERS,),
)
def certificate_issuers(found: Issuer, at: Place) -> Iterator[Row]:
    """Yield one row an issuer."""
    whole = at.kind == "ClusterIssuer"
    home = _HOME if whole else at.namespace
    conditions = found.status.conditions
    named = {f"{r.namespace or home}/{r.name}" for r in found.spec.references if r.kind == "Secret"}
    yield IssuerRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        namespace="" if whole else at.namespace,
        name=at.name,
        type=found.spec.kind,
        secrets=sorted(named),
        ready=Condition.truth(conditions, "Ready"),
        reason=next((c.reason for c in conditions or () if c.type == "Ready"), None),
    )
