"""Policies of Linkerd."""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.model.linkerd import LinkerdAuthorization, Server, ServerAuthorization
from kaudit.model.meta import LabelSelector
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Row
from kaudit.tables.mesh import MESH_POLICIES, MeshPolicyRow

_GROUP = "policy.linkerd.io"


@collector(
    Read(_GROUP, "Server", "servers", Server, ("v1beta3", "v1beta2", "v1beta1", "v1alpha1")),
    tables=(MESH_POLICIES,),
)
def linkerd_servers(found: Server, at: Place) -> Iterator[Row]:
    """Yield one row a Server that selects pods."""
    spec = found.spec
    if spec.external_workload_selector is not None:
        return
    yield MeshPolicyRow(
        raw=at.raw,
        raw_line=at.line,
        mesh="Linkerd",
        kind=at.kind,
        namespace=at.namespace,
        name=at.name,
        selector=LabelSelector.text(spec.pod_selector),
        port_modes=[],
        targets=[],
        port=None if spec.port is None else str(spec.port),
        access=spec.access_policy,
        created_at=found.metadata.creation_timestamp,
    )


@collector(
    Read(
        _GROUP, "AuthorizationPolicy", "authorizationpolicies", LinkerdAuthorization, ("v1alpha1",)
    ),
    tables=(MESH_POLICIES,),
)
def linkerd_authorizations(found: LinkerdAuthorization, at: Place) -> Iterator[Row]:
    """Yield one row a policy."""
    target = found.spec.target_ref
    yield _authorization(at, f"{target.kind}/{target.name}", found)


@collector(
    Read(
        _GROUP,
        "ServerAuthorization",
        "serverauthorizations",
        ServerAuthorization,
        ("v1beta1", "v1alpha1"),
    ),
    tables=(MESH_POLICIES,),
)
def linkerd_server_authorizations(found: ServerAuthorization, at: Place) -> Iterator[Row]:
    """Yield one row a policy; the Servers that its selector means are not looked up."""
    server = found.spec.server
    yield _authorization(at, f"Server/{server.name}" if server.name else "Servers/", found)


def _authorization(
    at: Place, target: str, found: LinkerdAuthorization | ServerAuthorization
) -> MeshPolicyRow:
    return MeshPolicyRow(
        raw=at.raw,
        raw_line=at.line,
        mesh="Linkerd",
        kind=at.kind,
        namespace=at.namespace,
        name=at.name,
        port_modes=[],
        targets=[target],
        open=found.open,
        created_at=found.metadata.creation_timestamp,
    )
