"""Services, ingresses, Gateway API and network policies on the wire."""

from __future__ import annotations

from msgspec import field

from kaudit.model.meta import Int, IntOrText, LabelSelector, Opaque, Part, Resource


class ServicePort(Part):
    """spec.ports[] of a Service."""

    name: str | None = None
    port: Int | None = None
    target_port: IntOrText | None = None
    node_port: Int | None = None
    protocol: str | None = None
    app_protocol: str | None = None


class ServiceSpec(Part):
    """spec of a Service."""

    type: str | None = None
    cluster_ip: str | None = field(default=None, name="clusterIP")
    external_ips: list[str] | None = field(default=None, name="externalIPs")
    external_name: str | None = None
    load_balancer_source_ranges: list[str] | None = None
    external_traffic_policy: str | None = None
    selector: dict[str, str | None] | None = None
    ports: list[ServicePort] | None = None
    load_balancer_ip: str | None = field(default=None, name="loadBalancerIP")
    load_balancer_class: str | None = None
    allocate_load_balancer_node_ports: bool | None = None
    publish_not_ready_addresses: bool | None = None


class Reached(Part):
    """status.loadBalancer.ingress[]."""

    ip: str | None = None
    hostname: str | None = None


class Balancer(Part):
    """status.loadBalancer."""

    ingress: list[Reached] | None = None


class Balanced(Part):
    """status of a Service or Ingress."""

    load_balancer: Balancer = field(default_factory=Balancer)

    @property
    def addresses(self) -> list[str]:
        """Addresses and names at which it is reached."""
        return [one.ip or one.hostname or "" for one in self.load_balancer.ingress or ()]


class Service(Resource):
    """core v1 Service."""

    spec: ServiceSpec = field(default_factory=ServiceSpec)
    status: Balanced = field(default_factory=Balanced)


class IngressPort(Part):
    """backend.service.port."""

    number: Int | None = None
    name: str | None = None


class IngressService(Part):
    """backend.service."""

    name: str | None = None
    port: IngressPort | None = None


class IngressResource(Part):
    """backend.resource."""

    kind: str | None = None
    name: str | None = None


class IngressBackend(Part):
    """A backend, in the v1 and the older form."""

    service: IngressService | None = None
    resource: IngressResource | None = None
    service_name: str | None = None
    service_port: IntOrText | None = None


class IngressPath(Part):
    """http.paths[]."""

    path: str | None = None
    path_type: str | None = None
    backend: IngressBackend = field(default_factory=IngressBackend)


class IngressHttp(Part):
    """rules[].http."""

    paths: list[IngressPath] | None = None


class IngressRule(Part):
    """rules[]."""

    host: str | None = None
    http: IngressHttp | None = None


class IngressTls(Part):
    """tls[]."""

    hosts: list[str] | None = None
    secret_name: str | None = None


class IngressSpec(Part):
    """spec of an Ingress."""

    ingress_class_name: str | None = None
    tls: list[IngressTls] | None = None
    rules: list[IngressRule] | None = None
    default_backend: IngressBackend | None = None
    backend: IngressBackend | None = None


class Ingress(Resource):
    """networking.k8s.io Ingress."""

    spec: IngressSpec = field(default_factory=IngressSpec)
    status: Balanced = field(default_factory=Balanced)


class PolicyPort(Part):
    """ports[] of a rule."""

    protocol: str | None = None
    port: IntOrText | None = None
    end_port: Int | None = None


class IpBlock(Part):
    """ipBlock."""

    cidr: str = ""
    except_: list[str] | None = field(default=None, name="except")


class Peer(Part):
    """from[] or to[]: absent and empty selectors differ."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IpBlock | None = None


class PolicyRule(Part):
    """ingress[] or egress[]."""

    from_: list[Peer] | None = field(default=None, name="from")
    to: list[Peer] | None = None
    ports: list[PolicyPort] | None = None


class PolicySpec(Part):
    """spec of a NetworkPolicy."""

    pod_selector: LabelSelector | None = None
    policy_types: list[str] | None = None
    ingress: list[PolicyRule] | None = None
    egress: list[PolicyRule] | None = None


class NetworkPolicy(Resource):
    """networking.k8s.io NetworkPolicy."""

    spec: PolicySpec = field(default_factory=PolicySpec)


class CertificateRef(Part):
    """certificateRefs[]."""

    kind: str | None = None
    namespace: str | None = None
    name: str | None = None


class ListenerTls(Part):
    """listeners[].tls."""

    mode: str | None = None
    certificate_refs: list[CertificateRef] | None = None


class RouteNamespaces(Part):
    """allowedRoutes.namespaces."""

    from_: str | None = field(default=None, name="from")
    selector: LabelSelector | None = None


class AllowedRoutes(Part):
    """listeners[].allowedRoutes."""

    namespaces: RouteNamespaces | None = None


class Listener(Part):
    """listeners[]."""

    name: str | None = None
    hostname: str | None = None
    port: Int | None = None
    protocol: str | None = None
    tls: ListenerTls | None = None
    allowed_routes: AllowedRoutes | None = None


class GatewaySpec(Part):
    """spec of a Gateway."""

    gateway_class_name: str | None = None
    listeners: list[Listener] | None = None


class GatewayAddress(Part):
    """status.addresses[]."""

    value: str = ""


class GatewayStatus(Part):
    """status of a Gateway."""

    addresses: list[GatewayAddress] | None = None


class Gateway(Resource):
    """gateway.networking.k8s.io Gateway."""

    spec: GatewaySpec = field(default_factory=GatewaySpec)
    status: GatewayStatus = field(default_factory=GatewayStatus)


class RouteParent(Part):
    """parentRefs[]."""

    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    section_name: str | None = None


class RouteBackend(Part):
    """backendRefs[]."""

    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    port: Int | None = None


class RouteRule(Part):
    """rules[]."""

    backend_refs: list[RouteBackend] | None = None
    filters: list[Opaque] | None = None


class RouteSpec(Part):
    """spec of any route."""

    parent_refs: list[RouteParent] | None = None
    hostnames: list[str] | None = None
    rules: list[RouteRule] | None = None


class Route(Resource):
    """HTTPRoute, GRPCRoute, TLSRoute, TCPRoute or UDPRoute."""

    spec: RouteSpec = field(default_factory=RouteSpec)


class EndpointConditions(Part):
    """endpoints[].conditions."""

    ready: bool | None = None


class EndpointTarget(Part):
    """endpoints[].targetRef."""

    kind: str | None = None
    namespace: str | None = None
    name: str | None = None


class Endpoint(Part):
    """endpoints[]."""

    addresses: list[str] | None = None
    conditions: EndpointConditions | None = None
    target_ref: EndpointTarget | None = None


class EndpointSlice(Resource):
    """discovery.k8s.io EndpointSlice."""

    address_type: str | None = None
    endpoints: list[Endpoint] | None = None
    ports: list[ServicePort] | None = None


class Granted(Part):
    """from[] or to[] of a ReferenceGrant."""

    group: str | None = None
    kind: str | None = None
    namespace: str | None = None
    name: str | None = None


class GrantSpec(Part):
    """spec of a ReferenceGrant."""

    from_: list[Granted] | None = field(default=None, name="from")
    to: list[Granted] | None = None


class ReferenceGrant(Resource):
    """gateway.networking.k8s.io ReferenceGrant."""

    spec: GrantSpec = field(default_factory=GrantSpec)
