"""Gateway API: what listens, what is routed, and which references may cross namespaces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from kaudit.model.network import Gateway, ReferenceGrant, Route
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class ListenerRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name of the Gateway")]
    kind: Annotated[str, doc("always Gateway")] = "Gateway"
    gateway_class: Annotated[str | None, doc("gatewayClassName")] = None
    position: Annotated[int, doc("place among the listeners, from 0")]
    listener: Annotated[str | None, doc("name of the listener")] = None
    hostname: Annotated[str | None, doc("hostname; null: all")] = None
    port: Annotated[int | None, doc("port")] = None
    protocol: Annotated[str | None, doc("HTTP, HTTPS, TLS, TCP or UDP")] = None
    tls_mode: Annotated[str | None, doc("tls.mode")] = None
    certificates: Annotated[list[str], doc("Secrets of its TLS as namespace/name")]
    routes_from: Annotated[str, doc("namespaces whose routes it takes; Same where unset")] = "Same"
    routes_selector: Annotated[str | None, doc("selector of those namespaces as JSON")] = None
    addresses: Annotated[list[str], doc("addresses of the Gateway, of its status")]


class RouteRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name of the route")]
    kind: Annotated[str, doc("HTTPRoute, GRPCRoute, TLSRoute, TCPRoute or UDPRoute")]
    parents: Annotated[list[str], doc("Gateways as namespace/name")]
    sections: Annotated[list[str], doc("listeners as namespace/name#section; # for all")]
    hostnames: Annotated[list[str], doc("hostnames; none: all")]
    backends: Annotated[list[str], doc("Services as namespace/name:port")]


class GrantRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name of the ReferenceGrant")]
    kind: Annotated[str, doc("always ReferenceGrant")] = "ReferenceGrant"
    granted_from: Annotated[list[str], doc("who may refer, as namespace/kind")]
    granted_to: Annotated[list[str], doc("what may be referred to, as kind/name")]


LISTENERS = Table(
    "gateway_listeners",
    ListenerRow,
    grain="one listener of a Gateway",
    key=("namespace", "name", "position"),
    resource=Resource("kind"),
)
ROUTES = Table(
    "gateway_routes",
    RouteRow,
    grain="one Gateway API route",
    key=("namespace", "kind", "name"),
    resource=Resource("kind"),
)
GRANTS = Table(
    "reference_grants",
    GrantRow,
    grain="one ReferenceGrant",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
_GATEWAY = "gateway.networking.k8s.io"
_VERSIONS = ("v1", "v1beta1", "v1alpha2")


@collector(
    Read(_GATEWAY, "Gateway", "gateways", Gateway, _VERSIONS),
    tables=(LISTENERS,),
)
def gateway_listeners(found: Gateway, at: Place) -> Iterator[Row]:
    """Yield one row a listener."""
    addresses = [one.value for one in found.status.addresses or ()]
    for position, listener in enumerate(found.spec.listeners or ()):
        tls = listener.tls
        allowed = listener.allowed_routes.namespaces if listener.allowed_routes else None
        yield ListenerRow(
            raw=at.raw,
            raw_line=at.line,
            namespace=at.namespace,
            name=at.name,
            gateway_class=found.spec.gateway_class_name,
            position=position,
            listener=listener.name,
            hostname=listener.hostname,
            port=listener.port,
            protocol=listener.protocol,
            tls_mode=tls.mode if tls else None,
            certificates=[
                f"{ref.namespace or at.namespace}/{ref.name}"
                for ref in (tls.certificate_refs or () if tls else ())
            ],
            routes_selector=allowed.selector.canonical if allowed and allowed.selector else None,
            routes_from=(allowed.from_ if allowed else None) or "Same",
            addresses=addresses,
        )


@collector(
    Read(_GATEWAY, "HTTPRoute", "httproutes", Route, _VERSIONS),
    Read(_GATEWAY, "GRPCRoute", "grpcroutes", Route, ("v1", "v1alpha2")),
    Read(_GATEWAY, "TLSRoute", "tlsroutes", Route, ("v1", "v1alpha3", "v1alpha2")),
    Read(_GATEWAY, "TCPRoute", "tcproutes", Route, ("v1", "v1alpha2")),
    Read(_GATEWAY, "UDPRoute", "udproutes", Route, ("v1", "v1alpha2")),
    tables=(ROUTES,),
)
def gateway_routes(found: Route, at: Place) -> Iterator[Row]:
    """Yield one row a route."""
    spec = found.spec
    yield RouteRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        kind=at.kind,
        parents=[f"{p.namespace or at.namespace}/{p.name}" for p in spec.parent_refs or ()],
        sections=[
            f"{p.namespace or at.namespace}/{p.name}#{p.section_name or ''}"
            for p in spec.parent_refs or ()
        ],
        hostnames=spec.hostnames or [],
        backends=[
            f"{b.namespace or at.namespace}/{b.name}:{b.port if b.port is not None else ''}"
            for rule in spec.rules or ()
            for b in rule.backend_refs or ()
        ],
    )


@collector(
    Read(
        _GATEWAY, "ReferenceGrant", "referencegrants", ReferenceGrant, ("v1", "v1beta1", "v1alpha2")
    ),
    tables=(GRANTS,),
)
def reference_grants(found: ReferenceGrant, at: Place) -> Iterator[Row]:
    """Yield one row a grant."""
    yield GrantRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        granted_from=[f"{g.namespace}/{g.kind}" for g in found.spec.from_ or ()],
        granted_to=[f"{g.kind}/{g.name or '*'}" for g in found.spec.to or ()],
    )
