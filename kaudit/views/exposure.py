"""Ways from outside the cluster to workloads: what offers them, to whom, through which objects.

A workload is offered by a Service of type LoadBalancer or NodePort or with externalIPs, by an
Ingress, by a Gateway API route whose Gateway takes it, or by a port of its node (Kubernetes,
"Service", "Ingress", v1.34). Network policies are not looked at here: what offers a way does
not say that packets pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from kaudit.columns import arrow, looked_up, positions, records
from kaudit.model.meta import pairs_of
from kaudit.model.outside import Reach, ingress_is_internal, reach_of, routed
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class ExposureRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace of the workload")]
    owner_kind: Annotated[str, doc("kind of the workload")]
    owner_name: Annotated[str, doc("name of the workload")]
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]
    way: Annotated[
        str, doc("LoadBalancer, NodePort, ExternalIPs, Ingress, a kind of route, or HostPort")
    ]
    entry_namespace: Annotated[str, doc("namespace of the Service, Ingress, route or workload")]
    entry: Annotated[str, doc("name of the Service, Ingress, route or workload")]
    service: Annotated[str, doc("Service behind as namespace/name; empty: none")]
    ports: Annotated[list[str], doc("ports offered as port/protocol; of an Ingress 80 and 443")]
    hosts: Annotated[list[str], doc("host names that lead here, sorted; empty: any")]
    targets: Annotated[list[str], doc("ports of the pods, number or name, with protocol")]
    encrypted: Annotated[bool | None, doc("the entry speaks TLS; null: it does not say")] = None
    reach: Annotated[
        str, doc("internet, ranges (of addresses), nodes (whoever reaches one), inside")
    ]
    assumed: Annotated[bool, doc("no address is told: an open balancer is taken for public")]
    pods: Annotated[int, doc("pods behind; 0: a template only")]
    chain: Annotated[str, doc("the objects from outside to the workload")]


EXPOSURE = Table(
    "exposure",
    ExposureRow,
    grain="one way from outside the cluster to one workload",
    key=(
        *("namespace", "owner_kind", "owner_name", "way", "entry_namespace", "entry", "service"),
        "chain",
    ),
    resource=Resource("owner_kind", name="owner_name"),
)
_OF_BACKENDS = ("namespace", "service", "owner_kind", "owner_name", "platform", "pods")
_OF_PORTS = ("namespace", "name", "port", "port_name", "protocol", "target_port", "node_port")
_OF_SERVICES = (
    *("namespace", "name", "type", "load_balancer_addresses", "external_ips", "source_ranges"),
    *("internal", "raw", "raw_line"),
)
_SAID = {
    Reach.INTERNET: "internet",
    Reach.RANGES: "some addresses",
    Reach.NODES: "who reaches a node",
    Reach.INSIDE: "inside the network",
}


class _Way(NamedTuple):
    """An entry, and the Service that it leads to."""

    way: str
    namespace: str
    entry: str
    service: str
    ports: tuple[str, ...]
    hosts: tuple[str, ...]
    targets: tuple[str, ...]
    encrypted: bool | None
    reach: Reach
    assumed: bool
    through: str
    raw: str
    raw_line: int

    def to(self, kind: str, namespace: str, name: str, platform: bool, pods: int) -> ExposureRow:
        """Return the row of a workload behind it."""
        return ExposureRow(
            raw=self.raw,
            raw_line=self.raw_line,
            namespace=namespace,
            owner_kind=kind,
            owner_name=name,
            platform=platform,
            way=self.way,
            entry_namespace=self.namespace,
            entry=self.entry,
            service=self.service,
            ports=list(self.ports),
            hosts=list(self.hosts),
            targets=list(self.targets),
            encrypted=self.encrypted,
            reach=self.reach.value,
            assumed=self.assumed,
            pods=pods,
            chain=f"{_SAID[self.reach]} → {self.through} → {kind} {namespace}/{name}",
        )


#: By namespace and name of a Service: its ports by number and by name, to ports of pods.
_Targets = dict[tuple[str, str], dict[str, str]]


@view(
    EXPOSURE,
    joins=(
        *("pods", "ports", "service_ports", "endpoint_slices", "ingresses", "ingress_rules"),
        *("gateway_routes", "gateway_listeners", "reference_grants", "namespaces"),
    ),
)
def exposure(
    services: pd.DataFrame,
    service_ports: pd.DataFrame,
    service_backends: pd.DataFrame,
    ingresses: pd.DataFrame,
    ingress_rules: pd.DataFrame,
    route_attachments: pd.DataFrame,
    pod_context: pd.DataFrame,
    ports: pd.DataFrame,
    nodes: pd.DataFrame,
) -> pd.DataFrame:
    """Follow each entry to the workloads behind it."""
    on_nodes = Reach.INTERNET if _public(nodes) else Reach.NODES
    targets = _targets(service_ports)
    behind: dict[str, list[tuple[str, str, str, bool, int]]] = defaultdict(list)
    for b in records(service_backends, *_OF_BACKENDS):
        found = (b["owner_kind"], b["namespace"], b["owner_name"], b["platform"], b["pods"])
        behind[f"{b['namespace']}/{b['service']}"].append(found)
    rows = [
        way.to(*owner)
        for ways in (
            _of_services(services, service_ports, targets, on_nodes),
            _of_ingresses(ingresses, ingress_rules, targets),
            _of_routes(route_attachments, targets),
        )
        for way in ways
        for owner in behind[way.service]
    ]
    rows += _of_host_ports(pod_context, ports, on_nodes)
    return frame(EXPOSURE.sorted(EXPOSURE.arrow(rows)))


def _public(nodes: pd.DataFrame) -> bool:
    """Whether any node has an address that the internet reaches."""
    texts = {text for addresses in nodes["addresses"] for text in addresses}
    return any(routed(t.partition("=")[2]) for t in texts if t.startswith("ExternalIP="))


def _number(value: Any) -> str:
    return str(int(value)) if isinstance(value, int | float) else ""


def _targets(ports: pd.DataFrame) -> _Targets:
    found: _Targets = defaultdict(dict)
    for p in records(ports, *_OF_PORTS):
        number, key = _number(p["port"]), (p["namespace"], p["name"])
        aim = p["target_port"] if isinstance(p["target_port"], str) else number
        target = f"{aim}/{p['protocol']}"
        found[key][number] = target
        if isinstance(p["port_name"], str):
            found[key][p["port_name"]] = target
    return found


def _of_services(
    services: pd.DataFrame, ports: pd.DataFrame, targets: _Targets, on_nodes: Reach
) -> Iterator[_Way]:
    offered: dict[tuple[str, str], set[str]] = defaultdict(set)
    on_node: dict[tuple[str, str], set[str]] = defaultdict(set)
    for p in records(ports, *_OF_PORTS):
        key = (p["namespace"], p["name"])
        offered[key].add(f"{_number(p['port'])}/{p['protocol']}")
        if _number(p["node_port"]):
            on_node[key].add(f"{_number(p['node_port'])}/{p['protocol']}")
    for s in records(services, *_OF_SERVICES):
        key = (s["namespace"], s["name"])
        balanced, claimed = list(s["load_balancer_addresses"]), list(s["external_ips"])
        entries: list[tuple[str, set[str], Reach, bool]] = []
        if s["type"] == "LoadBalancer":
            ranges, internal = s["source_ranges"], bool(s["internal"])
            reach, assumed = reach_of(balanced, ranges=ranges, internal=internal)
            entries.append(("LoadBalancer", offered[key], reach, assumed))
        if s["type"] == "NodePort" or (s["type"] == "LoadBalancer" and on_node[key]):
            entries.append(("NodePort", on_node[key], on_nodes, False))
        if claimed:
            entries.append(("ExternalIPs", offered[key], reach_of(claimed)[0], False))
        for way, through, reach, assumed in entries:
            name = f"{key[0]}/{key[1]}"
            said = f"{way} {', '.join(sorted(through))}".rstrip()
            yield _Way(
                way=way,
                namespace=key[0],
                entry=key[1],
                service=name,
                ports=tuple(sorted(through)),
                hosts=(),
                targets=tuple(sorted(set(targets[key].values()))),
                encrypted=None,
                reach=reach,
                assumed=assumed,
                through=f"Service {name} ({said})",
                raw=s["raw"],
                raw_line=s["raw_line"],
            )


def _of_ingresses(
    ingresses: pd.DataFrame, rules: pd.DataFrame, targets: _Targets
) -> Iterator[_Way]:
    by_name = {(i["namespace"], i["name"]): i for i in records(ingresses)}
    grouped: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for r in records(rules, "namespace", "name", "service", "host", "port"):
        if isinstance(r["service"], str):
            grouped[r["namespace"], r["name"], r["service"]].append(r)
    for (namespace, name, service), paths in grouped.items():
        i = by_name[namespace, name]
        annotations = pairs_of(i["annotations"])
        given = i["ingress_class"] if isinstance(i["ingress_class"], str) else ""
        cidrs = annotations.get("alb.ingress.kubernetes.io/inbound-cidrs", "")
        ranges = annotations.get("nginx.ingress.kubernetes.io/whitelist-source-range", cidrs)
        reach, assumed = reach_of(
            list(i["load_balancer_addresses"]),
            ranges=[text.strip() for text in ranges.split(",") if text.strip()],
            internal=ingress_is_internal(given, annotations),
        )
        hosts = {r["host"] if isinstance(r["host"], str) else "" for r in paths}
        known = targets[namespace, service]
        asked = {r["port"] for r in paths if isinstance(r["port"], str)}
        yield _Way(
            way="Ingress",
            namespace=namespace,
            entry=name,
            service=f"{namespace}/{service}",
            ports=("443/TCP", "80/TCP") if i["tls"] else ("80/TCP",),
            hosts=() if "" in hosts else tuple(sorted(hosts)),
            targets=tuple(sorted({known[port] for port in asked if port in known})),
            encrypted=bool(i["tls"]),
            reach=reach,
            assumed=assumed,
            through=f"Ingress {namespace}/{name} → Service {namespace}/{service}",
            raw=i["raw"],
            raw_line=i["raw_line"],
        )


def _of_routes(attachments: pd.DataFrame, targets: _Targets) -> Iterator[_Way]:
    led = attachments[(attachments["attached"] & attachments["granted"]).to_numpy(bool)]
    for a in records(led):
        reach, assumed = reach_of(list(a["addresses"]))
        route, service = f"{a['namespace']}/{a['name']}", f"{a['backend_namespace']}/{a['backend']}"
        port = f":{a['backend_port']}" if a["backend_port"] else ""
        at = f"{a['gateway']}#{a['section']}" if a["section"] else a["gateway"]
        target = targets[a["backend_namespace"], a["backend"]].get(a["backend_port"])
        yield _Way(
            way=a["kind"],
            namespace=a["namespace"],
            entry=a["name"],
            service=service,
            ports=tuple(a["ports"]),
            hosts=tuple(a["hosts"]),
            targets=(target,) if target else (),
            encrypted=bool(a["encrypted"]),
            reach=reach,
            assumed=assumed,
            through=f"Gateway {at} → {a['kind']} {route} → Service {service}{port}",
            raw=a["raw"],
            raw_line=a["raw_line"],
        )


def _of_host_ports(
    context: pd.DataFrame, ports: pd.DataFrame, on_nodes: Reach
) -> Iterator[ExposureRow]:
    """Ports that pods take of their nodes; on the node's network, each that they name."""
    import pyarrow as pa
    import pyarrow.compute as pc

    at = positions(ports["pod_uid"], context["pod_uid"])
    shared = pc.fill_null(arrow(looked_up(context, at, "host_network", ports)), False)
    chosen = pc.if_else(shared, arrow(ports["port"]), arrow(ports["host_port"]))
    address = pc.fill_null(arrow(ports["host_ip"]), "")
    local = pc.or_(pc.starts_with(address, "127."), pc.equal(address, "::1"))
    wanted = pc.and_not(pc.fill_null(pc.greater(chosen, 0), False), local)
    names = ("namespace", "owner_kind", "owner_name", "platform", "origin", "raw", "raw_line")
    table = pa.table(
        {name: arrow(looked_up(context, at, name, ports)) for name in names}
        | {"port": chosen, "protocol": arrow(ports["protocol"]), "pod": arrow(ports["pod_uid"])}
    ).filter(wanted)
    lists = ("port", "protocol", "pod", "origin", "raw", "raw_line")
    grouped = table.group_by(["namespace", "owner_kind", "owner_name", "platform"])
    for r in grouped.aggregate([(name, "list") for name in lists]).to_pylist():
        port, protocol, pod, origin, raw, line = (r[f"{name}_list"] for name in lists)
        offered = tuple(sorted({f"{p}/{t}" for p, t in zip(port, protocol, strict=True)}))
        alive = {uid for uid, of in zip(pod, origin, strict=True) if of == "object"}
        first = min(zip(raw, line, strict=True))
        way = _Way(
            way="HostPort",
            namespace=r["namespace"],
            entry=r["owner_name"],
            service="",
            ports=offered,
            hosts=(),
            targets=offered,
            encrypted=None,
            reach=on_nodes,
            assumed=False,
            through=f"port of the node {', '.join(offered)}",
            raw=first[0],
            raw_line=first[1],
        )
        yield way.to(r["owner_kind"], r["namespace"], r["owner_name"], r["platform"], len(alive))
