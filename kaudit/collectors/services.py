"""Services, their ports, and the endpoints behind them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from kaudit.model.meta import texts
from kaudit.model.network import EndpointSlice, Service
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
    source_ranges: Annotated[list[str], doc("loadBalancerSourceRanges, else of its annotation")]
    traffic_policy: Annotated[str | None, doc("spec.externalTrafficPolicy")] = None
    selector: Annotated[list[str], doc("selector as sorted key=value; empty: none")]
    load_balancer_addresses: Annotated[list[str], doc("addresses of status.loadBalancer")]
    ports: Annotated[list[str], doc("port:target/protocol, with node port")]
    allocate_node_ports: Annotated[bool | None, doc("allocateLoadBalancerNodePorts as written")] = (
        None
    )
    load_balancer_class: Annotated[str | None, doc("spec.loadBalancerClass")] = None
    load_balancer_ip: Annotated[str | None, doc("spec.loadBalancerIP, deprecated")] = None
    publish_not_ready: Annotated[bool | None, doc("publishNotReadyAddresses as written")] = None
    annotation_keys: Annotated[list[str], doc("keys of its annotations, sorted")]
    internal: Annotated[bool, doc("an annotation asks for an internal load balancer")] = False


class ServicePortRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name of the Service")]
    kind: Annotated[str, doc("always Service")] = "Service"
    position: Annotated[int, doc("place in spec.ports, from 0")]
    port_name: Annotated[str | None, doc("name of the port")] = None
    port: Annotated[int | None, doc("port")] = None
    target_port: Annotated[str | None, doc("targetPort, number or name; null: as port")] = None
    node_port: Annotated[int | None, doc("nodePort")] = None
    protocol: Annotated[str, doc("TCP, UDP or SCTP; TCP where unset")] = "TCP"
    app_protocol: Annotated[str | None, doc("appProtocol")] = None


class EndpointSliceRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name of the EndpointSlice")]
    kind: Annotated[str, doc("always EndpointSlice")] = "EndpointSlice"
    service: Annotated[str | None, doc("Service that it stands for, of its label")] = None
    managed_by: Annotated[str | None, doc("who keeps it, of its label; null: by hand")] = None
    address_type: Annotated[str | None, doc("IPv4, IPv6 or FQDN")] = None
    endpoints: Annotated[int, doc("how many endpoints")]
    ready: Annotated[int, doc("how many are ready; unset counts as ready")]
    pods: Annotated[list[str], doc("pods behind as sorted namespace/name")]
    foreign: Annotated[list[str], doc("addresses that name no object behind, sorted")]
    ports: Annotated[list[str], doc("port/protocol; * for every port")]


SERVICES = Table(
    "services",
    ServiceRow,
    grain="one Service",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
SERVICE_PORTS = Table(
    "service_ports",
    ServicePortRow,
    grain="one port of a Service",
    key=("namespace", "name", "position"),
    resource=Resource("kind"),
)
ENDPOINT_SLICES = Table(
    "endpoint_slices",
    EndpointSliceRow,
    grain="one EndpointSlice",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
_INTERNAL = {
    "service.beta.kubernetes.io/aws-load-balancer-internal": {"true", "0.0.0.0/0"},
    "service.beta.kubernetes.io/aws-load-balancer-scheme": {"internal"},
    "service.beta.kubernetes.io/azure-load-balancer-internal": {"true"},
    "networking.gke.io/load-balancer-type": {"Internal"},
    "cloud.google.com/load-balancer-type": {"Internal"},
}
_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"


@collector(Read("", "Service", "services", Service), tables=(SERVICES, SERVICE_PORTS))
def services(found: Service, at: Place) -> Iterator[Row]:
    """Yield a Service and its ports."""
    spec, meta = found.spec, found.metadata
    ranges = (meta.annotation(_RANGES) or "").split(",")
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
        source_ranges=spec.load_balancer_source_ranges or [r.strip() for r in ranges if r.strip()],
        traffic_policy=spec.external_traffic_policy,
        selector=texts(spec.selector),
        load_balancer_addresses=found.status.addresses,
        ports=ports,
        allocate_node_ports=spec.allocate_load_balancer_node_ports,
        load_balancer_class=spec.load_balancer_class,
        load_balancer_ip=spec.load_balancer_ip,
        publish_not_ready=spec.publish_not_ready_addresses,
        annotation_keys=meta.annotation_keys,
        internal=any(meta.annotation(key) in values for key, values in _INTERNAL.items()),
    )
    for position, p in enumerate(spec.ports or ()):
        yield ServicePortRow(
            raw=at.raw,
            raw_line=at.line,
            namespace=at.namespace,
            name=at.name,
            position=position,
            port_name=p.name,
            port=p.port,
            target_port=None if p.target_port is None else str(p.target_port),
            node_port=p.node_port,
            protocol=p.protocol or "TCP",
            app_protocol=p.app_protocol,
        )


@collector(
    Read("discovery.k8s.io", "EndpointSlice", "endpointslices", EndpointSlice, ("v1", "v1beta1")),
    tables=(ENDPOINT_SLICES,),
)
def endpoint_slices(found: EndpointSlice, at: Place) -> Iterator[Row]:
    """Yield one row a slice."""
    labels, endpoints = found.metadata.labels or {}, found.endpoints or []
    named = [e.target_ref for e in endpoints if e.target_ref is not None]
    yield EndpointSliceRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        service=labels.get("kubernetes.io/service-name"),
        managed_by=labels.get("endpointslice.kubernetes.io/managed-by"),
        address_type=found.address_type,
        endpoints=len(endpoints),
        ready=sum(e.conditions is None or e.conditions.ready is not False for e in endpoints),
        pods=sorted(f"{t.namespace or at.namespace}/{t.name}" for t in named if t.kind == "Pod"),
        foreign=sorted(a for e in endpoints if e.target_ref is None for a in e.addresses or ()),
        ports=[
            f"{'*' if p.port is None else p.port}/{p.protocol or 'TCP'}" for p in found.ports or ()
        ],
    )
