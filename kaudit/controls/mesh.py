"""Traffic between workloads: who must prove who he is, and what is encrypted on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import text_is
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-NET-019",
    layer="network",
    severity="medium",
    applies="judged",
    expected="in the mesh, with mutual TLS demanded on every port",
    shows=("mesh", "membership", "because", "mode", "weak_ports", "policies"),
    null="its namespace was not seen, or what the mesh demands by default is in no object",
)
def plain_text_accepted(mesh_workloads: pd.DataFrame) -> pd.Series[Any]:
    """Where there is a service mesh, workloads take no connection without mutual TLS.

    A mesh that only offers mutual TLS takes plain connections from whoever does not: the caller is
    then nobody, and the wire is open. So does a workload outside of the mesh, and a port that goes
    past the proxy. Where there is no mesh, KA-NET-019b asks for encryption between nodes.

    Remedy:
        Put its namespace into the mesh, and demand mutual TLS.

        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: default, namespace: istio-system}
        spec: {mtls: {mode: STRICT}}

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bank, labels: {istio.io/dataplane-mode: ambient}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: other}}
        ---
        {apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: default, namespace: bank}, spec: {mtls: {mode: STRICT}}}
        ---
        {apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: strict, namespace: shop}, spec: {selector: {matchLabels: {app: strict}}, mtls: {mode: STRICT}}}
        ---
        {apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: port, namespace: shop}, spec: {selector: {matchLabels: {app: port}}, mtls: {mode: STRICT}, portLevelMtls: {8080: {mode: DISABLE}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-permissive, namespace: shop}, spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-port, namespace: shop}, spec: {template: {metadata: {labels: {app: port}}, spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-past-the-proxy, namespace: shop}, spec: {template: {metadata: {labels: {app: strict}, annotations: {traffic.sidecar.istio.io/excludeInboundPorts: "9090"}}, spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-kept-out, namespace: shop}, spec: {template: {metadata: {labels: {app: strict, sidecar.istio.io/inject: "false"}}, spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-outside, namespace: other}, spec: {template: {metadata: {labels: {app: strict}}, spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-without-proxy, namespace: shop, labels: {app: strict}}, spec: {containers: [{name: c, image: i}]}, status: {phase: Running}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-strict, namespace: shop}, spec: {template: {metadata: {labels: {app: strict}}, spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-ambient, namespace: bank}, spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-linkerd, namespace: other, annotations: {config.linkerd.io/default-inbound-policy: all-authenticated}}, spec: {containers: [{name: c, image: i}, {name: linkerd-proxy, image: cr.l5d.io/linkerd/proxy}]}}
    """
    return ~mesh_workloads["strict"]


@control(
    "KA-NET-019a",
    layer="network",
    severity="medium",
    applies="in_mesh",
    expected="an authorization policy that names who may come",
    shows=("mesh", "mode", "policies"),
    null="policies of routes or Services may decide, or the mesh's default, which is in no object",
)
def everybody_authorized(mesh_workloads: pd.DataFrame) -> pd.Series[Any]:
    """Workloads in a service mesh let in the clients that a policy names.

    Mutual TLS proves who comes, and turns nobody away: without an AuthorizationPolicy that allows,
    or a Server, every workload of the mesh may call every other.

    Remedy:
        Allow nothing in the namespace, then what each workload needs.

        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: allow-nothing}
        spec: {}

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: mail, annotations: {linkerd.io/inject: enabled, config.linkerd.io/default-inbound-policy: all-authenticated}}}
        ---
        {apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: web, namespace: shop}, spec: {selector: {matchLabels: {app: web}}, rules: [{from: [{source: {namespaces: [gate]}}]}]}}
        ---
        {apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: denies, namespace: shop}, spec: {selector: {matchLabels: {app: denies}}, action: DENY, rules: [{from: [{source: {namespaces: [test]}}]}]}}
        ---
        {apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: open, namespace: shop}, spec: {selector: {matchLabels: {app: open}}, rules: [{}]}}
        ---
        {apiVersion: policy.linkerd.io/v1beta3, kind: Server, metadata: {name: smtp, namespace: mail}, spec: {podSelector: {matchLabels: {app: smtp}}, port: smtp}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-none, namespace: shop}, spec: {template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-denies-only, namespace: shop}, spec: {template: {metadata: {labels: {app: denies}}, spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-open, namespace: shop}, spec: {template: {metadata: {labels: {app: open}}, spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-linkerd, namespace: mail}, spec: {template: {metadata: {labels: {app: imap}}, spec: {containers: [{name: c, image: i, ports: [{name: imap, containerPort: 143}]}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-named, namespace: shop}, spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-linkerd, namespace: mail}, spec: {template: {metadata: {labels: {app: smtp}}, spec: {containers: [{name: c, image: i, ports: [{name: smtp, containerPort: 25}]}]}}}}
    """
    return ~mesh_workloads["authorized"]


@control(
    "KA-NET-019b",
    layer="network",
    severity="medium",
    applies="meshless",
    expected="WireGuard or IPsec between all nodes",
    shows=("plugins", "encrypted", "by", "without", "because"),
    null="no network plugin is seen whose settings are read",
)
def nodes_talk_plainly(network_encryption: pd.DataFrame) -> pd.Series[Any]:
    """Where there is no service mesh, the network plugin encrypts what goes from node to node.

    Who listens between the nodes, on a switch or in the cloud's network, reads along and may write.
    Encryption between nodes does not prove who sends; only a mesh, or the programs, do.

    Remedy:
        Switch WireGuard on: for Cilium encryption.enabled and encryption.type of its chart, for
        Calico its FelixConfiguration.

        apiVersion: projectcalico.org/v3
        kind: FelixConfiguration
        metadata: {name: default}
        spec: {wireguardEnabled: true}

    Cases:
        # cluster: bad-off
        {apiVersion: crd.projectcalico.org/v1, kind: FelixConfiguration, metadata: {name: default}, spec: {bpfLogLevel: ""}}
        ---
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: calico-node, namespace: kube-system}, spec: {selector: {matchLabels: {k8s-app: calico-node}}, template: {metadata: {labels: {k8s-app: calico-node}}, spec: {hostNetwork: true, containers: [{name: calico-node, image: "docker.io/calico/node:v3.29.0"}]}}}}
        # cluster: bad-one-node
        {apiVersion: cilium.io/v2, kind: CiliumNode, metadata: {name: a, annotations: {network.cilium.io/wg-pub-key: k}}, spec: {}}
        ---
        {apiVersion: cilium.io/v2, kind: CiliumNode, metadata: {name: b}, spec: {encryption: {}}}
        ---
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: cilium, namespace: kube-system}, spec: {selector: {matchLabels: {k8s-app: cilium}}, template: {metadata: {labels: {k8s-app: cilium}}, spec: {hostNetwork: true, containers: [{name: cilium-agent, image: "quay.io/cilium/cilium:v1.18.1"}]}}}}
        # cluster: ok-ipsec
        {apiVersion: cilium.io/v2, kind: CiliumNode, metadata: {name: a}, spec: {encryption: {key: 3}}}
        ---
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: cilium, namespace: kube-system}, spec: {selector: {matchLabels: {k8s-app: cilium}}, template: {metadata: {labels: {k8s-app: cilium}}, spec: {hostNetwork: true, containers: [{name: cilium-agent, image: "quay.io/cilium/cilium:v1.18.1"}]}}}}
    """
    e = network_encryption["encrypted"]
    return text_is(e, "no").mask(text_is(e, "unknown"))
