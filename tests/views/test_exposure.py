"""What leads from outside to workloads, entry by entry."""

import pytest

from kaudit.model.outside import Reach, ingress_is_internal, names_meet, reach_of, routed
from tests.memory_source import evidence_of, rows

POD = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: example.com/web, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {tier: front}}
---
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop%s}
spec: {type: %s, selector: {app: web}, ports: [{name: web, port: 80, targetPort: http, nodePort: 30080}]%s}
%s
---
"""
CLUSTER = SERVICE % ("", "ClusterIP", "", "")


def ways(text: str, *columns: str) -> list[dict[str, object]]:
    return rows(evidence_of(POD + text), "exposure", *columns)


def test_a_load_balancer_and_its_node_port() -> None:
    status = "status: {loadBalancer: {ingress: [{ip: 203.0.113.9}]}}"
    found = ways(
        SERVICE % ("", "LoadBalancer", "", status), "way", "ports", "reach", "assumed", "chain"
    )
    assert found == [
        {
            "way": "LoadBalancer",
            "ports": ["80/TCP"],
            "reach": "internet",
            "assumed": False,
            "chain": "internet → Service shop/web (LoadBalancer 80/TCP) → Pod shop/web",
        },
        {
            "way": "NodePort",
            "ports": ["30080/TCP"],
            "reach": "nodes",
            "assumed": False,
            "chain": "who reaches a node → Service shop/web (NodePort 30080/TCP) → Pod shop/web",
        },
    ]


@pytest.mark.parametrize(
    ("annotations", "spec", "status", "reach", "assumed"),
    [
        ("", "", "", "internet", True),
        ("", ", loadBalancerSourceRanges: [198.51.100.0/24]", "", "ranges", False),
        ("", ", loadBalancerSourceRanges: [0.0.0.0/0]", "", "internet", True),
        (
            ", annotations: {networking.gke.io/load-balancer-type: Internal}",
            "",
            "",
            "inside",
            False,
        ),
        ("", "", "status: {loadBalancer: {ingress: [{ip: 10.0.0.4}]}}", "inside", False),
        (
            "",
            "",
            "status: {loadBalancer: {ingress: [{hostname: a.elb.example}]}}",
            "internet",
            False,
        ),
    ],
)
def test_who_reaches_a_load_balancer(
    annotations: str, spec: str, status: str, reach: str, assumed: bool
) -> None:
    found = ways(SERVICE % (annotations, "LoadBalancer", spec, status), "way", "reach", "assumed")
    assert found[0] == {"way": "LoadBalancer", "reach": reach, "assumed": assumed}


def test_node_ports_are_public_where_a_node_is() -> None:
    node = """
apiVersion: v1
kind: Node
metadata: {name: n}
status: {addresses: [{type: InternalIP, address: 10.0.0.1}, {type: ExternalIP, address: %s}]}
"""
    service = SERVICE % ("", "NodePort", "", "")
    assert ways(service + node % "203.0.113.1", "reach") == [{"reach": "internet"}]
    assert ways(service + node % "10.9.9.9", "reach") == [{"reach": "nodes"}]


def test_a_service_of_the_cluster_offers_nothing_outside() -> None:
    assert ways(CLUSTER, "way") == []


def test_an_ingress_names_hosts_ports_and_targets() -> None:
    text = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: edge, namespace: shop}
spec:
  tls: [{hosts: [b.example.com]}]
  rules:
    - host: b.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: web}}}}]}
    - host: a.example.com
      http: {paths: [{path: /x, pathType: Prefix, backend: {service: {name: gone, port: {number: 1}}}}]}
"""
    assert ways(CLUSTER + text, "way", "service", "hosts", "targets", "encrypted", "chain") == [
        {
            "way": "Ingress",
            "service": "shop/web",
            "hosts": ["b.example.com"],
            "targets": ["http/TCP"],
            "encrypted": True,
            "chain": "internet → Ingress shop/edge → Service shop/web → Pod shop/web",
        }
    ]


GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: infra}
spec: {listeners: [{name: web, port: 443, protocol: HTTPS, hostname: "*.example.com", allowedRoutes: {namespaces: %s}}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec:
  hostnames: [%s]
  parentRefs: [{name: gw, namespace: infra%s}]
  rules: [{backendRefs: [{name: web, namespace: %s, port: 80}]}]
---
"""


@pytest.mark.parametrize(
    ("allowed", "host", "section", "attached"),
    [
        ("{from: All}", "a.example.com", "", True),
        ("{from: Same}", "a.example.com", "", False),
        ("{from: None}", "a.example.com", "", False),
        ("{from: Selector, selector: {matchLabels: {tier: front}}}", "a.example.com", "", True),
        ("{from: Selector, selector: {matchLabels: {tier: back}}}", "a.example.com", "", False),
        ("{from: All}", "a.example.org", "", False),
        ("{from: All}", "a.example.com", ", sectionName: web", True),
        ("{from: All}", "a.example.com", ", sectionName: other", False),
    ],
)
def test_a_route_leads_in_where_a_listener_takes_it(
    allowed: str, host: str, section: str, attached: bool
) -> None:
    text = CLUSTER + GATEWAY % (allowed, host, section, "shop")
    found = ways(text, "way", "ports", "targets", "encrypted")
    way = {"way": "HTTPRoute", "ports": ["443/TCP"], "targets": ["http/TCP"], "encrypted": True}
    assert found == ([way] if attached else [])


def test_a_backend_elsewhere_needs_a_grant() -> None:
    text = CLUSTER + GATEWAY.replace(
        "namespace: shop}\nspec:\n  host", "namespace: other}\nspec:\n  host"
    )
    text %= ("{from: All}", "a.example.com", "", "shop")
    grant = """
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: g, namespace: shop}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: %s}]
  to: [{group: "", kind: Service}]
"""
    assert ways(text, "way") == []
    assert ways(text + grant % "other", "way") == [{"way": "HTTPRoute"}]
    assert ways(text + grant % "third", "way") == []


def test_ports_of_nodes() -> None:
    text = """
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: shop}
spec:
  hostNetwork: true
  containers: [{name: c, image: i, ports: [{containerPort: 9100}, {containerPort: 53, protocol: UDP}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: local, namespace: shop}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 1, hostPort: 1, hostIP: 127.0.0.1}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: proxy, namespace: shop}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 8080, hostPort: 80}]}]}
"""
    assert ways(text, "owner_name", "way", "ports") == [
        {"owner_name": "agent", "way": "HostPort", "ports": ["53/UDP", "9100/TCP"]},
        {"owner_name": "proxy", "way": "HostPort", "ports": ["80/TCP"]},
    ]


def test_a_service_without_selector_is_what_its_endpoints_name() -> None:
    text = """
apiVersion: v1
kind: Service
metadata: {name: by-hand, namespace: shop}
spec: {type: LoadBalancer, ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: by-hand-1, namespace: shop, labels: {kubernetes.io/service-name: by-hand}}
addressType: IPv4
endpoints:
  - {addresses: [10.0.0.1], targetRef: {kind: Pod, namespace: shop, name: web}}
  - {addresses: [10.0.0.2], targetRef: {kind: Pod, namespace: other, name: web}}
"""
    assert ways(text, "owner_name", "namespace", "pods") == [
        {"owner_name": "web", "namespace": "shop", "pods": 1}
    ]


def test_pods_that_ended_stand_behind_nothing() -> None:
    text = POD.replace("---", "status: {phase: Succeeded}\n---", 1) + SERVICE % (
        "",
        "NodePort",
        "",
        "",
    )
    assert rows(evidence_of(text), "exposure", "way") == []


def test_addresses_and_classes() -> None:
    assert [routed(a) for a in ("8.8.8.8", "10.0.0.1", "100.64.3.2", "fd00::1", "2600::1")] == [
        *(True, False, False, False, True)
    ]
    assert not routed("internal-a.elb.amazonaws.com")
    assert not routed("")
    assert reach_of(["10.0.0.1", "203.0.113.5"]) == (Reach.INTERNET, False)
    assert ingress_is_internal("alb", {})
    assert not ingress_is_internal("alb", {"alb.ingress.kubernetes.io/scheme": "internet-facing"})
    assert ingress_is_internal("", {"appgw.ingress.kubernetes.io/use-private-ip": "true"})
    assert names_meet("*.example.com", "*.shop.example.com")
    assert not names_meet("*.example.com", "example.com")
