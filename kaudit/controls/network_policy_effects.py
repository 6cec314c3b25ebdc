"""Policies and ways that do not do what they look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import named, over_lists, pairs, series, text_is
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-NET-009",
    layer="network",
    severity="low",
    expected="it selects pods that are there",
    shows=("populated", "selects"),
    weak=("namespaces",),
)
def selects_nothing(policy_effects: pd.DataFrame) -> pd.Series[Any]:
    """Network policies select pods.

    A policy that selects none protects nobody, and its author believes otherwise. One for all pods
    of a namespace is for those to come too.

    Remedy:
        Compare its podSelector with the labels of the pods that it is meant for.

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: bad-typo, namespace: shop}, spec: {podSelector: {matchLabels: {app: wbe}}}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ok-web, namespace: shop}, spec: {podSelector: {matchLabels: {app: web}}}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ok-all, namespace: shop}, spec: {podSelector: {}}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ok-all-to-come, namespace: bank}, spec: {podSelector: {}}}
    """
    return (policy_effects["selects"] == 0) & ~policy_effects["selects_all"]


@control(
    "KA-NET-009a",
    layer="network",
    severity="medium",
    expected="each peer matches a namespace and a pod that are there",
    shows=("inert", "near"),
    null="the source does not speak of the namespaces that a peer may be in",
)
def inert_peer(policy_effects: pd.DataFrame) -> pd.Series[Any]:
    """Peers of network policies exist.

    A rule whose peers match nothing lets nobody in: often a namespace is named by a label that
    nobody has set. Only kubernetes.io/metadata.name is there by itself.

    Remedy:
        Name the namespace by the label that it has.

        - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}]

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: ingress-nginx}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: bad-label, namespace: shop}, spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {name: ingress-nginx}}}]}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: bad-no-such-pod, namespace: shop}, spec: {podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: gone}}}]}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ok-by-name, namespace: shop}, spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}]}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ok-pods, namespace: shop}, spec: {podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}}
    """
    import pandas as pd

    inert = over_lists(policy_effects["inert"], bool)
    return inert.mask(~inert & over_lists(policy_effects["doubtful"], bool), pd.NA)


@control(
    "KA-NET-009b",
    layer="network",
    severity="low",
    expected="DNS on UDP and on TCP",
    shows=("dns_over_udp_only",),
    weak=("namespaces",),
)
def dns_over_udp_only(policy_effects: pd.DataFrame) -> pd.Series[Any]:
    """Where DNS is let out, it is on UDP and TCP.

    Answers that do not fit a packet are asked for again over TCP (RFC 7766); where that is
    denied, names fail now and then.

    Remedy:
        Allow both.

        ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]

    Cases:
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: bad-udp, namespace: shop}, spec: {podSelector: {}, policyTypes: [Egress], egress: [{ports: [{protocol: UDP, port: 53}]}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ok-both, namespace: bank}, spec: {podSelector: {}, policyTypes: [Egress], egress: [{ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ok-no-dns, namespace: desk}, spec: {podSelector: {}, policyTypes: [Egress], egress: [{ports: [{protocol: TCP, port: 443}]}]}}
    """
    return policy_effects["dns_over_udp_only"]


@control(
    "KA-NET-017",
    layer="network",
    severity="low",
    expected="a Service that is there",
    shows=("host", "path", "service"),
    null="the backend is no Service",
)
def dangling_backend(ingress_rules: pd.DataFrame, services: pd.DataFrame) -> pd.Series[Any]:
    """Ingresses lead to Services that are there.

    Whoever makes a Service of that name is handed the traffic of the host.

    Remedy:
        Remove the path, or bring the Service back.

    Cases:
        {apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: bad-gone}, spec: {rules: [{host: a.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: gone, port: {number: 80}}}}]}}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: ok-there}, spec: {rules: [{host: a.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: ok-too}, spec: {rules: [{host: b.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}}
    """
    import pandas as pd

    r = ingress_rules
    key = series(pairs(r["namespace"], r["service"]), r)
    known = series(named(series(pairs(services["namespace"], services["name"]), services), key), r)
    return (~known).mask(r["service"].isna(), pd.NA)


@control(
    "KA-NET-017a",
    layer="network",
    severity="low",
    expected="pods behind the Service",
    shows=("type", "selector"),
    weak=("endpoint_slices",),
)
def service_without_pods(services: pd.DataFrame, service_backends: pd.DataFrame) -> pd.Series[Any]:
    """Services that select pods have some behind them.

    A selector that matches nothing is a typing error, or waits for the first pod that carries
    the label, whoever makes it.

    Remedy:
        Remove the Service, or mend its selector.

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: bad-none}, spec: {selector: {app: gone}, ports: [{port: 80}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: ok-pods}, spec: {selector: {app: web}, ports: [{port: 80}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: ok-by-hand}, spec: {ports: [{port: 80}]}}
    """
    s, b = services, service_backends
    behind = series(pairs(b["namespace"], b["service"]), b)
    own = series(pairs(s["namespace"], s["name"]), s)
    asked = over_lists(s["selector"], bool) & ~text_is(s["type"], "ExternalName")
    return asked & ~series(named(behind, own), s)


@control(
    "KA-NET-018a",
    layer="network",
    severity="medium",
    expected="no address that the internet routes",
    shows=("addresses", "control_plane"),
)
def public_node(nodes: pd.DataFrame) -> pd.Series[Any]:
    """Nodes have no public address.

    The kubelet, node ports and host ports of such a node are one firewall rule away from the
    internet.

    Remedy:
        Give nodes private addresses, and let a load balancer or a gateway stand before them.

    Cases:
        {apiVersion: v1, kind: Node, metadata: {name: bad-public}, status: {addresses: [{type: InternalIP, address: 10.0.0.1}, {type: ExternalIP, address: 203.0.113.9}]}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: ok-private}, status: {addresses: [{type: InternalIP, address: 10.0.0.2}]}}
    """
    from kaudit.model.outside import routed

    return over_lists(
        nodes["addresses"],
        lambda texts: any(
            routed(text.partition("=")[2]) for text in texts if text.startswith("ExternalIP=")
        ),
    )
