"""Policies of Istio."""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.model.istio import IstioAuthorization, PeerAuthentication
from kaudit.model.meta import LabelSelector
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Row
from kaudit.tables.mesh import MESH_POLICIES, MeshPolicyRow

_GROUP, _VERSIONS = "security.istio.io", ("v1", "v1beta1")


@collector(
    Read(_GROUP, "PeerAuthentication", "peerauthentications", PeerAuthentication, _VERSIONS),
    tables=(MESH_POLICIES,),
)
def peer_authentications(found: PeerAuthentication, at: Place) -> Iterator[Row]:
    """Yield one row a policy; an unset mode and UNSET are the same."""
    mode = found.spec.mtls.mode if found.spec.mtls else None
    yield MeshPolicyRow(
        raw=at.raw,
        raw_line=at.line,
        mesh="Istio",
        kind=at.kind,
        namespace=at.namespace,
        name=at.name,
        selector=LabelSelector.text(found.spec.selector),
        mode=None if mode == "UNSET" else mode,
        port_modes=found.port_modes,
        targets=[],
        created_at=found.metadata.creation_timestamp,
    )


@collector(
    Read(_GROUP, "AuthorizationPolicy", "authorizationpolicies", IstioAuthorization, _VERSIONS),
    tables=(MESH_POLICIES,),
)
def istio_authorizations(found: IstioAuthorization, at: Place) -> Iterator[Row]:
    """Yield one row a policy."""
    yield MeshPolicyRow(
        raw=at.raw,
        raw_line=at.line,
        mesh="Istio",
        kind=at.kind,
        namespace=at.namespace,
        name=at.name,
        selector=LabelSelector.text(found.spec.selector),
        port_modes=[],
        action=found.spec.action or "ALLOW",
        targets=found.targets,
        open=found.open,
        created_at=found.metadata.creation_timestamp,
    )
