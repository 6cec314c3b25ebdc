"""Certificate signing requests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from kaudit.model.certificate import CertificateSigningRequest
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class CsrRow(Trace, kw_only=True):
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always CertificateSigningRequest")] = "CertificateSigningRequest"
    signer: Annotated[str | None, doc("signerName")] = None
    username: Annotated[str | None, doc("who asked")] = None
    groups: Annotated[list[str], doc("groups of who asked")]
    usages: Annotated[list[str], doc("usages asked for")]
    expiration_seconds: Annotated[int | None, doc("expirationSeconds asked for")] = None
    denied: Annotated[bool, doc("condition Denied is there")] = False
    created_at: Annotated[datetime | None, doc("creation time")] = None
    approved: Annotated[bool, doc("condition Approved is there")]


_NAMELESS = Resource("kind", namespace="")
CSRS = Table(
    "certificate_requests",
    CsrRow,
    grain="one CertificateSigningRequest",
    key=("name",),
    resource=_NAMELESS,
)


@collector(
    Read(
        "certificates.k8s.io",
        "CertificateSigningRequest",
        "certificatesigningrequests",
        CertificateSigningRequest,
        namespaced=False,
    ),
    tables=(CSRS,),
)
def certificate_requests(found: CertificateSigningRequest, at: Place) -> Iterator[Row]:
    """Yield one row a request."""
    conditions = {c.type for c in found.status.conditions or ()}
    yield CsrRow(
        raw=at.raw,
        raw_line=at.line,
        name=at.name,
        signer=found.spec.signer_name,
        username=found.spec.username,
        groups=found.spec.groups or [],
        usages=found.spec.usages or [],
        expiration_seconds=found.spec.expiration_seconds,
        approved="Approved" in conditions,
        denied="Denied" in conditions,
        created_at=found.metadata.creation_timestamp,
    )
