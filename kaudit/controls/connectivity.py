"""What policies do to connections: whether they are enforced, and what they leave open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import filled, named, pairs, series, text_is, where_known
from kaudit.model.clouds import in_cloud
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-NET-001",
    layer="network",
    severity="high",
    expected="a network plugin that enforces policies, with its agent on every node",
    shows=("plugins", "because", "nodes_without_agent"),
    null="no network plugin is seen, or whether it enforces policies depends on what is not told",
)
def policies_not_enforced(network_enforcement: pd.DataFrame) -> pd.Series[Any]:
    """The network plugin enforces policies.

    A NetworkPolicy that nothing enforces is accepted, shown, and does nothing.

    Remedy:
        Run a plugin that enforces policies, such as Calico, Cilium or Antrea, with its agent on
        every node; on EKS switch the network policy agent of the VPC plugin on.

    Cases:
        # cluster: bad-flannel
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: kube-flannel-ds, namespace: kube-flannel}, spec: {selector: {matchLabels: {app: flannel}}, template: {metadata: {labels: {app: flannel}}, spec: {containers: [{name: kube-flannel, image: "ghcr.io/flannel-io/flannel:v0.26.0"}]}}}}
        # cluster: ok-calico
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: calico-node, namespace: kube-system}, spec: {selector: {matchLabels: {k8s-app: calico-node}}, template: {metadata: {labels: {k8s-app: calico-node}}, spec: {containers: [{name: calico-node, image: "docker.io/calico/node:v3.29.0"}]}}}}
    """
    e = network_enforcement
    partly = filled(e["nodes_without_agent"])
    return where_known(text_is(e["enforces"], "no") | partly, e["enforces"] != "unknown")


@control(
    "KA-NET-006",
    layer="network",
    severity="high",
    applies="governed",
    expected="no way to the internet for what holds Secrets",
    shows=("to_internet_ports", "isolated_egress", "policies"),
    weak=("secrets",),
    null="whether policies keep it from the internet cannot be told",
)
def sensitive_talks_out(
    network_workloads: pd.DataFrame, secret_exposure: pd.DataFrame
) -> pd.Series[Any]:
    """Workloads that hold Secrets cannot reach the whole internet.

    What takes them sends the Secrets away. Firewalls outside of the cluster cannot be seen.

    Remedy:
        Deny egress, and name the addresses that the workload needs.

        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: default-deny-egress}
        spec: {podSelector: {}, policyTypes: [Egress]}

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-open, namespace: shop}, spec: {containers: [{name: c, image: i, envFrom: [{secretRef: {name: s}}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-holds-none, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-kept-in, namespace: shop, labels: {app: db}}, spec: {containers: [{name: c, image: i, envFrom: [{secretRef: {name: s}}]}]}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop}, type: Opaque}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Egress]}}
    """
    w = network_workloads
    s = secret_exposure[secret_exposure["of_workload"].to_numpy(bool)]
    user = series(pairs(s["user_kind"], s["user_namespace"], s["user_name"]), s)
    own = series(pairs(w["owner_kind"], w["namespace"], w["owner_name"]), w)
    holds = series(named(user, own), w) & ~w["platform"]
    allowed = text_is(w["to_internet"], "allowed") & holds
    return where_known(allowed, w["to_internet"].where(holds, "") != "unknown")


@control(
    "KA-NET-007",
    layer="network",
    severity="high",
    expected="no way to the metadata address of the cloud",
    shows=("to_metadata", "host_network", "policies"),
    weak=("nodes",),
    null="whether policies keep it from that address, or whether its node is a cloud's, is not told",
)
def reaches_metadata(network_workloads: pd.DataFrame, nodes: pd.DataFrame) -> pd.Series[Any]:
    """Workloads cannot ask the metadata address of the cloud.

    It hands out the credentials of the node to whoever asks from it. What the cloud itself
    refuses, such as a hop limit of 1, cannot be seen from the cluster; components in
    Kubernetes' own namespaces are not meant.

    Remedy:
        Leave the address out of what egress allows, and let the cloud refuse pods there.

        egress:
          - to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]

    Cases:
        {apiVersion: v1, kind: Node, metadata: {name: n}, spec: {providerID: "aws:///eu-west-1a/i-1"}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-open, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-host, namespace: shop, labels: {app: a}}, spec: {hostNetwork: true, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-platform, namespace: kube-system}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-kept-in, namespace: shop, labels: {app: a}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {matchLabels: {app: a}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]}]}}
    """
    import pandas as pd

    w = network_workloads
    judged = ~w["platform"]
    fault = text_is(w["to_metadata"], "allowed") & judged
    known = w["to_metadata"].where(judged, "") != "unknown"
    if not len(nodes):
        return where_known(fault.mask(fault, pd.NA), known)
    return where_known(fault & in_cloud(nodes["provider_id"]), known)


@control(
    "KA-NET-008",
    layer="network",
    severity="low",
    applies="governed",
    against=("rbac_bindings", "rbac_rules", "roles"),
    expected="no way to the API server or to kubelets for what has no rights there",
    shows=("to_api_server", "api_server", "to_kubelets", "policies"),
    weak=("service_accounts", "rbac_bindings", "rbac_rules", "roles"),
    null="whether policies keep it from the API server's endpoints or from nodes cannot be told",
)
def reaches_control_plane(
    control_plane_reach: pd.DataFrame, api_clients: pd.DataFrame
) -> pd.Series[Any]:
    """Workloads without rights in the API can connect neither to its server nor to kubelets.

    Who breaks in asks there first: what an anonymous caller is told, and for tokens to try. Egress
    policies see the address of an endpoint, not the ClusterIP: one that leaves out the range of
    Services leaves the API server open. Plugins may let a pod reach its own node whatever policies
    say; components in Kubernetes' own namespaces are not meant.

    Remedy:
        Deny egress and allow what the workload needs; leave the endpoints of default/kubernetes
        and the addresses of nodes out of what a block allows.

        egress:
          - to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]

    Cases:
        {apiVersion: v1, kind: Node, metadata: {name: n}, status: {addresses: [{type: InternalIP, address: 10.0.0.7}]}}
        ---
        {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: kubernetes, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}, addressType: IPv4, endpoints: [{addresses: [10.0.0.5]}], ports: [{port: 6443}]}
        ---
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: calico-node, namespace: kube-system}, spec: {selector: {matchLabels: {k8s-app: calico-node}}, template: {metadata: {labels: {k8s-app: calico-node}}, spec: {hostNetwork: true, containers: [{name: calico-node, image: "docker.io/calico/node:v3.29.0"}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-open, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-services-left-out, namespace: shop, labels: {app: services}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: services, namespace: shop}, spec: {podSelector: {matchLabels: {app: services}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.96.0.0/12]}}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-kubelet, namespace: shop, labels: {app: kubelet}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: kubelet, namespace: shop}, spec: {podSelector: {matchLabels: {app: kubelet}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.5/32]}}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-kept-in, namespace: shop, labels: {app: kept}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: kept, namespace: shop}, spec: {podSelector: {matchLabels: {app: kept}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}, {ports: [{port: 53, protocol: UDP}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-has-rights, namespace: shop}, spec: {serviceAccountName: operator, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: reads, namespace: shop}, roleRef: {kind: ClusterRole, name: view}, subjects: [{kind: ServiceAccount, name: operator, namespace: shop}]}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-platform, namespace: kube-system}, spec: {containers: [{name: c, image: i}]}}
    """
    r = control_plane_reach
    own = ("owner_kind", "namespace", "owner_name")
    clients = series(pairs(*(api_clients[name] for name in own)), api_clients)
    judged = ~(r["platform"] | series(named(clients, series(pairs(*(r[n] for n in own)), r)), r))
    ways = [r[name].where(judged, "") for name in ("to_api_server", "to_kubelets")]
    fault = text_is(ways[0], "allowed") | text_is(ways[1], "allowed")
    doubt = (text_is(ways[0], "unknown") | text_is(ways[1], "unknown")) & ~fault
    return fault.mask(doubt)
