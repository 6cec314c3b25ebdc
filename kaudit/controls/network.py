"""Network policies: default deny, coverage, and rules that allow everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import named, series, where_known
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


_OTHERS = "a policy of another engine, which is not evaluated, may do so"


def _elsewhere(namespaces: pd.DataFrame, policies: pd.DataFrame, direction: str) -> pd.Series[Any]:
    """Namespaces in which policies of other engines work."""
    places = policies[policies[direction].to_numpy(bool)]["namespace"]
    return series(named(places, namespaces["name"]) | bool((places == "").any()), namespaces)


def _denies(policies: pd.DataFrame, direction: str) -> pd.Series[Any]:
    """Policies that select all pods of their namespace and allow nothing in a direction."""
    chosen = policies["selects_all"] & policies[direction] & (policies[f"{direction}_rules"] == 0)
    return policies[chosen.to_numpy(bool)]["namespace"]


@control(
    "KA-NET-002",
    layer="network",
    severity="high",
    expected="a NetworkPolicy that selects all pods and allows no ingress",
    shows=("name",),
    weak=("other_policies",),
    null=_OTHERS,
)
def no_default_deny_ingress(
    namespaces: pd.DataFrame, network_policies: pd.DataFrame, other_policies: pd.DataFrame
) -> pd.Series[Any]:
    """Namespaces deny incoming traffic by default.

    Without it every pod of the cluster reaches every port of the namespace, and a new workload
    is open until somebody thinks of it.

    Remedy:
        Deny all, then allow what is needed.

        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: default-deny-all}
        spec: {podSelector: {}, policyTypes: [Ingress, Egress]}

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-none}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-egress-only}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: bad-egress-only}, spec: {podSelector: {}, policyTypes: [Egress]}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-narrow}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: bad-narrow}, spec: {podSelector: {matchLabels: {app: a}}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-nobody-knows}}
        ---
        {apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: p, namespace: ok-nobody-knows}, spec: {endpointSelector: {}, ingress: [{}]}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-types-unset}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: ok-types-unset}, spec: {podSelector: {}}}
    """
    denied = series(named(_denies(network_policies, "ingress"), namespaces["name"]), namespaces)
    return where_known(~denied, denied | ~_elsewhere(namespaces, other_policies, "ingress"))


@control(
    "KA-NET-003",
    layer="network",
    severity="high",
    expected="a NetworkPolicy that selects all pods and allows no egress",
    shows=("name",),
    weak=("other_policies",),
    null=_OTHERS,
)
def no_default_deny_egress(
    namespaces: pd.DataFrame, network_policies: pd.DataFrame, other_policies: pd.DataFrame
) -> pd.Series[Any]:
    """Namespaces deny outgoing traffic by default.

    Without it a taken pod fetches tools, sends data out and reaches every other service. A
    policy whose types are unset does not deny egress.

    Remedy:
        Deny all, then allow DNS and what is needed.

        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: default-deny-all}
        spec: {podSelector: {}, policyTypes: [Ingress, Egress]}

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-types-unset}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: bad-types-unset}, spec: {podSelector: {}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-both}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: ok-both}, spec: {podSelector: {}, policyTypes: [Ingress, Egress]}}
    """
    denied = series(named(_denies(network_policies, "egress"), namespaces["name"]), namespaces)
    return where_known(~denied, denied | ~_elsewhere(namespaces, other_policies, "egress"))


@control(
    "KA-NET-004",
    layer="network",
    severity="medium",
    applies="governed",
    expected="a policy selects the pod for ingress",
    shows=("ingress",),
    weak=("other_policies",),
    null=_OTHERS,
)
def ingress_not_governed(isolation: pd.DataFrame) -> pd.Series[Any]:
    """A policy governs what reaches each pod.

    A pod that no policy selects accepts everything from everywhere.

    Remedy:
        Select it by a label that its pods carry.

        spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}

    Cases:
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {
          matchExpressions: [{key: app, operator: In, values: [web]}]}, policyTypes: [Ingress]}}
        ---
        {apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: p, namespace: shop}, spec: {
          endpointSelector: {matchLabels: {"k8s:app": db}}, ingress: [{}]}}
        ---
        {apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: p}, specs: [{
          endpointSelector: {matchLabels: {"k8s:io.kubernetes.pod.namespace": bank}}, ingressDeny: [{fromEntities: [world]}]}]}
        ---
        {apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: nodes}, spec: {nodeSelector: {}, ingress: [{}]}}
        ---
        {apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: egress, namespace: other}, spec: {endpointSelector: {}, egress: [{}]}}
        ---
        {apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: p, namespace: calico}, spec: {selector: all()}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-by-cilium, namespace: shop, labels: {app: db}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-by-the-cluster, namespace: bank}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-nobody-knows, namespace: calico}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unlabelled, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-elsewhere, namespace: other, labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-selected, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-host-network, namespace: shop}, spec: {hostNetwork: true, containers: [{name: c, image: i}]}}
    """
    return where_known(~isolation["ingress"], ~isolation["ingress_open"])


@control(
    "KA-NET-004a",
    layer="network",
    severity="medium",
    applies="governed",
    expected="a policy selects the pod for egress",
    shows=("egress",),
    weak=("other_policies",),
    null=_OTHERS,
)
def egress_not_governed(isolation: pd.DataFrame) -> pd.Series[Any]:
    """A policy governs where each pod may connect to.

    A pod that no policy selects for egress reaches the internet, the cloud's metadata service
    and every other pod.

    Remedy:
        Add Egress to the policy types, and allow DNS on UDP and TCP.

        spec: {podSelector: {}, policyTypes: [Egress]}

    Cases:
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {}, egress: [{}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: other}, spec: {podSelector: {}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-ingress-only, namespace: other}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-implied, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
    """
    return where_known(~isolation["egress"], ~isolation["egress_open"])


@control(
    "KA-NET-005",
    layer="network",
    severity="high",
    expected="no rule that allows everything",
    shows=("pod_selector", "allows_all_ingress", "allows_all_egress"),
)
def allows_everything(network_policies: pd.DataFrame) -> pd.Series[Any]:
    """No policy has a rule that allows everything.

    Policies add up: one empty rule undoes every deny for the pods that it selects.

    Remedy:
        Name peers and ports.

        ingress:
          - from: [{podSelector: {matchLabels: {app: frontend}}}]
            ports: [{protocol: TCP, port: 8080}]

    Cases:
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: bad-empty-rule}, spec: {podSelector: {}, ingress: [{}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: bad-all-addresses}, spec: {podSelector: {}, policyTypes: [Egress], egress: [
          {to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ok-ports}, spec: {podSelector: {}, ingress: [{ports: [{port: 443}]}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ok-deny}, spec: {podSelector: {}, policyTypes: [Ingress, Egress]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ok-except}, spec: {podSelector: {}, policyTypes: [Egress], egress: [
          {to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]}]}}
    """
    ingress = network_policies["ingress"] & network_policies["allows_all_ingress"]
    return ingress | (network_policies["egress"] & network_policies["allows_all_egress"])


@control(
    "KA-NET-010",
    layer="network",
    severity="medium",
    expected="pods on the pod network",
    shows=("host_network",),
)
def outside_policy(pod_context: pd.DataFrame) -> pd.Series[Any]:
    """No workload of users escapes network policies by the node's network.

    Policies do not apply to pods on the node's network, and these reach the kubelet, the
    node's loopback and the cloud's metadata service. Components in Kubernetes' own namespaces
    are not meant.

    Remedy:
        Remove hostNetwork.

        spec:
          hostNetwork: false

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-host, namespace: shop}, spec: {hostNetwork: true, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-platform, namespace: kube-system}, spec: {hostNetwork: true, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-pod-network, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
    """
    return pod_context["host_network"] & ~pod_context["platform"]
