"""Policies of service meshes, in one form."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from kaudit.table import Resource, Table, Trace, doc


class MeshPolicyRow(Trace, kw_only=True):
    mesh: Annotated[str, doc("Istio or Linkerd")]
    kind: Annotated[str, doc("PeerAuthentication, AuthorizationPolicy, Server, …")]
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    selector: Annotated[str | None, doc("pods that it is about, as JSON; null: all")] = None
    mode: Annotated[str | None, doc("mtls.mode of a PeerAuthentication; null: inherited")] = None
    port_modes: Annotated[list[str], doc("portLevelMtls as port=mode")]
    action: Annotated[str | None, doc("action of Istio's AuthorizationPolicy, ALLOW if unset")] = (
        None
    )
    targets: Annotated[list[str], doc("Kind/name of what it is attached to, sorted")]
    port: Annotated[str | None, doc("port of a Server, number or name")] = None
    access: Annotated[str | None, doc("accessPolicy of a Server as written")] = None
    open: Annotated[bool, doc("it lets everybody in (Istio), or who has no identity (Linkerd)")] = (
        False
    )
    created_at: Annotated[datetime | None, doc("creation time; of two alike the older counts")] = (
        None
    )


MESH_POLICIES = Table(
    "mesh_policies",
    MeshPolicyRow,
    grain="one policy of a service mesh",
    key=("mesh", "kind", "namespace", "name"),
    resource=Resource("kind"),
)
