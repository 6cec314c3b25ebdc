"""Services, ingresses and Gateway API objects: what is offered, and to whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from kaudit.model.network import Gateway, Ingress, IngressBackend, ReferenceGrant, Route, Service
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class ServiceRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always Service")] = "Service"
    type: Annotated[str, doc("ClusterIP, NodePort, LoadBalancer or ExternalName")]
    cluster_ip: Annotated[str | None, doc("spec.clusterIP")] = None
    external_ips: Annotated[list[str], doc("spec.externalIPs")]
    external_name: Annotated[str | None, doc("spec.externalName")] = None
    source_ranges: Annotated[list[str], doc("spec.loadBalancerSourceRanges")]
    traffic_policy: Annotated[str | None, doc("spec.externalTrafficPolicy")] = None
    selector: Annotated[list[str], doc("selector as sorted key=value; empty: none")]
    reached_at: Annotated[list[str], doc("addresses of status.loadBalancer")]
    ports: Annotated[list[str], doc("port:target/protocol, with node port")]
    internal: Annotated[bool, doc("an annotation asks for an internal load balancer")] = False


class IngressRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always Ingress")] = "Ingress"
    ingress_class: Annotated[str | None, doc("class, of the field or the annotation")] = None
    hosts: Annotated[list[str], doc("hosts of its rules, sorted; * for a rule without host")]
    tls_hosts: Annotated[list[str], doc("hosts of its TLS entries")]
    tls: Annotated[bool, doc("has a TLS entry")]
    default_backend: Annotated[bool, doc("has a default backend")] = False
    annotations: Annotated[list[str], doc("kept annotations as sorted key=value")]


class IngressRuleRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name of the Ingress")]
    kind: Annotated[str, doc("always Ingress")] = "Ingress"
    position: Annotated[int, doc("place among all paths, from 0")]
    host: Annotated[str | None, doc("host; null: all")] = None
    path: Annotated[str | None, doc("path; null for the default backend")] = None
    service: Annotated[str | None, doc("name of the Service behind")] = None
    port: Annotated[str | None, doc("port of the Service, number or name")] = None


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
    routes_from: Annotated[str, doc("namespaces whose routes it takes; Same where unset")] = "Same"


class RouteRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name of the route")]
    kind: Annotated[str, doc("HTTPRoute, GRPCRoute, TLSRoute, TCPRoute or UDPRoute")]
    parents: Annotated[list[str], doc("Gateways as namespace/name")]
    hostnames: Annotated[list[str], doc("hostnames; none: all")]
    backends: Annotated[list[str], doc("Services as namespace/name:port")]


class GrantRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name of the ReferenceGrant")]
    kind: Annotated[str, doc("always ReferenceGrant")] = "ReferenceGrant"
    granted_from: Annotated[list[str], doc("who may refer, as namespace/kind")]
    granted_to: Annotated[list[str], doc("what may be referred to, as kind/name")]


SERVICES = Table(
    "services",
    ServiceRow,
    grain="one Service",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
INGRESSES = Table(
    "ingresses",
    IngressRow,
    grain="one Ingress",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
INGRESS_RULES = Table(
    "ingress_rules",
    IngressRuleRow,
    grain="one host and path of an Ingress",
    key=("namespace", "name", "position"),
    resource=Resource("kind"),
)
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
_INTERNAL = {
    "service.beta.kubernetes.io/aws-load-balancer-internal": {"true", "0.0.0.0/0"},
    "service.beta.kubernetes.io/aws-load-balancer-scheme": {"internal"},
    "service.beta.kubernetes.io/azure-load-balancer-internal": {"true"},
    "networking.gke.io/load-balancer-type": {"Internal"},
    "cloud.google.com/load-balancer-type": {"Internal"},
}


@collector(Read("", "Service", "services", Service), tables=(SERVICES,))
def services(found: Service, at: Place) -> Iterator[Row]:
    """Yield one row a Service."""
    spec, meta = found.spec, found.metadata
    ports = []
    for p in spec.ports or ():
        node = f" node {p.node_port}" if p.node_port else ""
        target = p.port if p.target_port is None else p.target_port
        ports.append(f"{p.port}:{target}/{p.protocol or 'TCP'}{node}")
    yield ServiceRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        type=spec.type or "ClusterIP",
        cluster_ip=spec.cluster_ip,
        external_ips=spec.external_ips or [],
        external_name=spec.external_name,
        source_ranges=spec.load_balancer_source_ranges or [],
        traffic_policy=spec.external_traffic_policy,
        selector=sorted(f"{k}={v or ''}" for k, v in (spec.selector or {}).items()),
        reached_at=[r.ip or r.hostname or "" for r in found.status.load_balancer.ingress or ()],
        ports=ports,
        internal=any(meta.annotation(key) in values for key, values in _INTERNAL.items()),
    )


@collector(
    Read("networking.k8s.io", "Ingress", "ingresses", Ingress, ("v1", "v1beta1")),
    tables=(INGRESSES, INGRESS_RULES),
)
def ingresses(found: Ingress, at: Place) -> Iterator[Row]:
    """Yield an Ingress and its paths."""
    spec, meta = found.spec, found.metadata
    default = spec.default_backend or spec.backend
    kept = ((k, meta.annotation(k)) for k in meta.annotation_keys)
    hosts = {rule.host or "*" for rule in spec.rules or ()}
    yield IngressRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        ingress_class=spec.ingress_class_name or meta.annotation("kubernetes.io/ingress.class"),
        hosts=sorted(hosts),
        tls_hosts=sorted(h for t in spec.tls or () for h in t.hosts or ()),
        tls=bool(spec.tls),
        default_backend=default is not None,
        annotations=sorted(f"{k}={v}" for k, v in kept if v is not None),
    )
    paths: list[tuple[str | None, str | None, IngressBackend]] = [
        (rule.host, path.path or "/", path.backend)
        for rule in spec.rules or ()
        for path in (rule.http.paths or () if rule.http else ())
    ]
    if default is not None:
        paths.append((None, None, default))
    for position, (host, path, backend) in enumerate(paths):
        service, port = _backend(backend)
        yield IngressRuleRow(
            raw=at.raw,
            raw_line=at.line,
            namespace=at.namespace,
            name=at.name,
            position=position,
            host=host,
            path=path,
            service=service,
            port=port,
        )


def _backend(backend: IngressBackend) -> tuple[str | None, str | None]:
    if backend.service is not None:
        port = backend.service.port
        chosen = (port.number if port.number is not None else port.name) if port else None
        return backend.service.name, None if chosen is None else str(chosen)
    port_ = backend.service_port
    return backend.service_name, None if port_ is None else str(port_)


@collector(Read(_GATEWAY, "Gateway", "gateways", Gateway, ("v1", "v1beta1")), tables=(LISTENERS,))
def gateway_listeners(found: Gateway, at: Place) -> Iterator[Row]:
    """Yield one row a listener."""
    for position, listener in enumerate(found.spec.listeners or ()):
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
            tls_mode=listener.tls.mode if listener.tls else None,
            routes_from=(allowed.from_ if allowed else None) or "Same",
        )


@collector(
    Read(_GATEWAY, "HTTPRoute", "httproutes", Route, ("v1", "v1beta1")),
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
        hostnames=spec.hostnames or [],
        backends=[
            f"{b.namespace or at.namespace}/{b.name}:{b.port if b.port is not None else ''}"
            for rule in spec.rules or ()
            for b in rule.backend_refs or ()
        ],
    )


@collector(
    Read(_GATEWAY, "ReferenceGrant", "referencegrants", ReferenceGrant, ("v1", "v1beta1")),
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
