"""What is offered to the outside: Services, Ingresses, Gateways."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kaudit.columns import over_lists, text_is
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

#: Last words of annotations that bring configuration: of ingress-nginx, F5's NGINX and HAProxy's.
_SNIPPETS = frozenset(
    [
        *("auth-snippet", "configuration-snippet", "modsecurity-snippet", "server-snippet"),
        *("stream-snippet", "location-snippets", "server-snippets", "stream-snippets"),
        *("backend-config-snippet", "frontend-config-snippet", "global-config-snippet"),
    ]
)
#: Annotations whose value ingress-nginx writes into its configuration.
_WRITTEN_OUT = tuple(
    f"nginx.ingress.kubernetes.io/{name}"
    for name in ("auth-tls-match-cn", "auth-url", "mirror-host", "mirror-target")
)
#: What no URL holds (RFC 3986), and what ends a directive or begins a comment in nginx.
_NO_URL = re.compile(r"[\s\x00-\x1f\"'`\\<>^{}|;#]")


@control(
    "KA-NET-012",
    layer="network",
    severity="high",
    expected="loadBalancerSourceRanges, or an internal load balancer",
    shows=("type", "source_ranges", "load_balancer_addresses", "ports"),
)
def open_load_balancer(services: pd.DataFrame) -> pd.Series[Any]:
    """Load balancers accept only the addresses they are meant for.

    Without source ranges the whole internet reaches the Service.

    Remedy:
        Name the ranges, or keep the balancer internal.

        spec:
          loadBalancerSourceRanges: [203.0.113.0/24]

    Cases:
        {apiVersion: v1, kind: Service, metadata: {name: bad-open}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: bad-all}, spec: {type: LoadBalancer, loadBalancerSourceRanges: [0.0.0.0/0], ports: [{port: 80}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: ok-ranges}, spec: {type: LoadBalancer, loadBalancerSourceRanges: [203.0.113.0/24], ports: [{port: 80}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: ok-internal, annotations: {service.beta.kubernetes.io/aws-load-balancer-scheme: internal}}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: ok-cluster}, spec: {ports: [{port: 80}]}}
    """
    open_ = over_lists(
        services["source_ranges"],
        lambda ranges: not ranges or not {"0.0.0.0/0", "::/0"}.isdisjoint(ranges),
    )
    return text_is(services["type"], "LoadBalancer") & open_ & ~services["internal"]


@control(
    "KA-NET-012a",
    layer="network",
    severity="medium",
    expected="no Service of type NodePort",
    shows=("type", "ports"),
)
def node_port(services: pd.DataFrame) -> pd.Series[Any]:
    """No Service opens a port on every node.

    A node port is reachable wherever a node is, past the load balancer's rules.

    Remedy:
        Use ClusterIP behind an Ingress or Gateway.

        spec:
          type: ClusterIP

    Cases:
        {apiVersion: v1, kind: Service, metadata: {name: bad-node-port}, spec: {type: NodePort, ports: [{port: 80, nodePort: 30080}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: ok-cluster}, spec: {ports: [{port: 80}]}}
    """
    return text_is(services["type"], "NodePort")


@control(
    "KA-NET-013",
    layer="network",
    severity="high",
    expected="no externalIPs",
    shows=("type", "external_ips"),
)
def external_ips(services: pd.DataFrame) -> pd.Series[Any]:
    """No Service claims addresses by externalIPs.

    Whoever may write Services can take over the traffic to any address from inside the cluster
    (CVE-2020-8554).

    Remedy:
        Remove them, and refuse them at admission (DenyServiceExternalIPs).

        spec:
          externalIPs: []

    Cases:
        {apiVersion: v1, kind: Service, metadata: {name: bad-claimed}, spec: {externalIPs: [203.0.113.7], ports: [{port: 80}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: ok-none}, spec: {ports: [{port: 80}]}}
    """
    return over_lists(services["external_ips"], bool)


@control(
    "KA-NET-014",
    layer="network",
    severity="medium",
    expected="a TLS entry",
    shows=("hosts", "tls_hosts", "ingress_class"),
)
def ingress_without_tls(ingresses: pd.DataFrame) -> pd.Series[Any]:
    """Ingresses speak TLS.

    Without it credentials and content cross every network in between in the clear.

    Remedy:
        Name a certificate.

        spec:
          tls: [{hosts: [shop.example.com], secretName: shop-tls}]

    Cases:
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: bad-plain}, spec: {rules: [{host: shop.example.com}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: ok-tls}, spec: {tls: [{hosts: [shop.example.com], secretName: s}], rules: [{host: shop.example.com}]}}
    """
    return ~ingresses["tls"]


@control(
    "KA-NET-014a",
    layer="network",
    severity="medium",
    expected="HTTPS or TLS listeners",
    shows=("listener", "protocol", "port", "hostname"),
)
def plain_listener(gateway_listeners: pd.DataFrame) -> pd.Series[Any]:
    """Gateways listen with TLS.

    A listener for plain HTTP may only redirect; that it does cannot be told from the Gateway.

    Remedy:
        Terminate TLS at the listener.

        listeners:
          - {name: https, port: 443, protocol: HTTPS, tls: {mode: Terminate, certificateRefs: [{name: shop-tls}]}}

    Cases:
        {apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: bad-http}, spec: {gatewayClassName: g, listeners: [{name: h, port: 80, protocol: HTTP}]}}
        ---
        {apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: ok-https}, spec: {gatewayClassName: g, listeners: [{name: h, port: 443, protocol: HTTPS}]}}
    """
    return text_is(gateway_listeners["protocol"], "HTTP")


@control(
    "KA-NET-015",
    layer="network",
    severity="high",
    expected="no snippet annotations",
    shows=("annotations", "annotation_keys"),
)
def ingress_snippets(ingresses: pd.DataFrame) -> pd.Series[Any]:
    """No Ingress brings configuration of its own into the controller.

    Snippets run inside the ingress controller, which holds the certificates and tokens of all
    (CVE-2021-25742). Controllers may go by a prefix of their own; whether one takes snippets at
    all is KA-NET-015b.

    Remedy:
        Remove them, and switch snippets off in the controller.

        metadata:
          annotations: {}

    Cases:
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: bad-snippet, annotations: {nginx.ingress.kubernetes.io/server-snippet: "return 200;"}}, spec: {rules: [{host: a}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: bad-prefix-of-its-own, annotations: {ingress.example.com/configuration-snippet: "return 200;"}}, spec: {rules: [{host: a}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: bad-of-another-controller, annotations: {nginx.org/location-snippets: "return 200;"}}, spec: {rules: [{host: a}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: ok-plain, annotations: {nginx.ingress.kubernetes.io/ssl-redirect: "true"}}, spec: {rules: [{host: a}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: ok-value, annotations: {nginx.ingress.kubernetes.io/rewrite-target: "/x-snippet=1"}}, spec: {rules: [{host: a}]}}
    """
    return over_lists(
        ingresses["annotation_keys"],
        lambda keys: any(key.rpartition("/")[2] in _SNIPPETS for key in keys),
    )


@control(
    "KA-NET-015b",
    layer="network",
    severity="high",
    expected="allow-snippet-annotations: false, or an annotations-risk-level below Critical",
    shows=("allow_snippet_annotations", "annotations_risk_level"),
)
def controller_takes_snippets(ingress_nginx: pd.DataFrame) -> pd.Series[Any]:
    """ingress-nginx takes no snippets of Ingresses.

    Where it does, whoever may write an Ingress in any namespace reads the certificates and
    Secrets of all (CVE-2021-25742). Since v1.12 it takes them only at the level Critical, which
    was the default before; a ConfigMap that says nothing of it is not judged.

    Remedy:
        Switch them off in the ConfigMap of the controller.

        data:
          allow-snippet-annotations: "false"

    Cases:
        {apiVersion: v1, kind: ConfigMap, metadata: {name: bad-allowed, namespace: ingress}, data: {allow-snippet-annotations: "true"}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: bad-critical, namespace: ingress}, data: {allow-snippet-annotations: "true", annotations-risk-level: Critical}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: ok-off, namespace: ingress}, data: {allow-snippet-annotations: "false", annotations-risk-level: Critical}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: ok-level, namespace: ingress}, data: {allow-snippet-annotations: "true", annotations-risk-level: High}}
    """
    return ingress_nginx["snippets"]


@control(
    "KA-NET-015a",
    layer="network",
    severity="high",
    expected="values that are a URL or a name, nothing more",
    shows=("annotations",),
)
def ingress_injection(ingresses: pd.DataFrame) -> pd.Series[Any]:
    r"""No annotation of an Ingress holds what could become configuration.

    ingress-nginx wrote the values of auth-url, auth-tls-match-cn and the mirror annotations
    into its configuration as they are, and ran it before admission (CVE-2025-24514,
    CVE-2025-1097, CVE-2025-1098).

    Remedy:
        Write a plain URL or name; update ingress-nginx.

        metadata:
          annotations: {nginx.ingress.kubernetes.io/auth-url: "https://auth.example.com/check"}

    Cases:
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: bad-directive, annotations: {nginx.ingress.kubernetes.io/auth-url: "http://a/#;\nload_module x"}}, spec: {rules: [{host: a}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: bad-name, annotations: {nginx.ingress.kubernetes.io/auth-tls-match-cn: "CN=a|b #("}}, spec: {rules: [{host: a}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: bad-mirror, annotations: {nginx.ingress.kubernetes.io/mirror-target: "http://a/}"}}, spec: {rules: [{host: a}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: ok-url, annotations: {nginx.ingress.kubernetes.io/auth-url: "https://$host/oauth2/auth?allowed_groups=a%2Cb"}}, spec: {rules: [{host: a}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: ok-other, annotations: {nginx.ingress.kubernetes.io/rewrite-target: "/$2"}}, spec: {rules: [{host: a}]}}
    """
    return over_lists(ingresses["annotations"], lambda texts: any(map(_injects, texts)))


def _injects(annotation: str) -> bool:
    key, _, value = annotation.partition("=")
    return key in _WRITTEN_OUT and bool(_NO_URL.search(value))


@control(
    "KA-NET-014b",
    layer="network",
    severity="low",
    expected="hosts that are named in full",
    shows=("hosts",),
)
def wildcard_host(ingresses: pd.DataFrame) -> pd.Series[Any]:
    """Ingresses name their hosts.

    A rule without a host, or with a wildcard, also answers for names that somebody else may
    claim.

    Remedy:
        Name each host.

        rules: [{host: shop.example.com}]

    Cases:
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: bad-wildcard}, spec: {rules: [{host: "*.example.com"}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: bad-none}, spec: {rules: [{http: {paths: []}}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: ok-named}, spec: {rules: [{host: a.example.com}]}}
    """
    return over_lists(ingresses["hosts"], lambda hosts: any(h.startswith("*") for h in hosts))
