"""Linkerd's policies as they arrive on the wire.

Source: "Authorization Policy", reference of Linkerd 2.18.
"""

from __future__ import annotations

from msgspec import field

from kaudit.model.istio import TargetRef
from kaudit.model.meta import IntOrText, LabelSelector, Opaque, Part, Resource


class ServerSpec(Part):
    """spec."""

    pod_selector: LabelSelector | None = None
    external_workload_selector: Opaque | None = None
    port: IntOrText | None = None
    access_policy: str | None = None


class Server(Resource):
    """policy.linkerd.io Server."""

    spec: ServerSpec = field(default_factory=ServerSpec)


class LinkerdAuthorizationSpec(Part):
    """spec."""

    target_ref: TargetRef = field(default_factory=TargetRef)
    required_authentication_refs: list[TargetRef] | None = None


class LinkerdAuthorization(Resource):
    """policy.linkerd.io AuthorizationPolicy."""

    spec: LinkerdAuthorizationSpec = field(default_factory=LinkerdAuthorizationSpec)

    @property
    def open(self) -> bool:
        """It lets in who has no identity: none of what it requires, all of it at once, asks one."""
        refs = self.spec.required_authentication_refs or ()
        return not any(ref.kind in ("MeshTLSAuthentication", "ServiceAccount") for ref in refs)


class MeshTls(Part):
    """client.meshTLS."""

    unauthenticated_tls: bool | None = field(default=None, name="unauthenticatedTLS")


class Client(Part):
    """client."""

    unauthenticated: bool | None = None
    mesh_tls: MeshTls | None = field(default=None, name="meshTLS")


class ServerRef(Part):
    """server."""

    name: str | None = None
    selector: Opaque | None = None


class ServerAuthorizationSpec(Part):
    """spec."""

    server: ServerRef = field(default_factory=ServerRef)
    client: Client = field(default_factory=Client)


class ServerAuthorization(Resource):
    """policy.linkerd.io ServerAuthorization."""

    spec: ServerAuthorizationSpec = field(default_factory=ServerAuthorizationSpec)

    @property
    def open(self) -> bool:
        """It lets in who has no identity."""
        tls = self.spec.client.mesh_tls
        return bool(self.spec.client.unauthenticated or (tls and tls.unauthenticated_tls))
