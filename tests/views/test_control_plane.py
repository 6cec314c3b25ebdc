"""Which workloads may reach the API server and kubelets, by what policies say of addresses."""

from __future__ import annotations

import pytest

from kaudit import registry
from kaudit.columns import arrow
from tests.memory_source import evidence_of, rows
from tests.views.test_network import AGENT, pod

NODE = """
{apiVersion: v1, kind: Node, metadata: {name: n}, status: {addresses: [
  {type: Hostname, address: n}, {type: InternalIP, address: ADDRESS}]}}
---
"""
SLICE = """
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: NAME, namespace: default,
  labels: {kubernetes.io/service-name: SERVICE}}, addressType: IPv4, endpoints: [{addresses: [ADDRESS]}],
 ports: [{port: 6443, protocol: TCP}]}
---
"""
POLICY = """
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: production},
 spec: {podSelector: {}, policyTypes: [Egress], egress: [RULES]}}
---
"""
CILIUM = """
{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: p, namespace: production},
 spec: {endpointSelector: {}, egress: [RULES]}}
---
"""
BOTH = SLICE.replace("NAME", "kubernetes").replace("SERVICE", "kubernetes").replace(
    "ADDRESS", "10.0.0.5"
) + NODE.replace("ADDRESS", "10.0.0.7")
CALICO = "---" + AGENT.replace("IMAGE", "calico/node:v3").partition("---")[2]


def reach(text: str, agent: str = CALICO) -> tuple[str, str]:
    evidence = evidence_of(text + pod("a") + agent)
    (found,) = [r for r in rows(evidence, "control_plane_reach") if r["owner_name"] == "a"]
    return found["to_api_server"], found["to_kubelets"]


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ("{}", ("allowed", "allowed")),
        ("", ("denied", "denied")),
        ("{ports: [{port: 443}]}", ("denied", "denied")),  # a ClusterIP is gone by then
        ("{ports: [{port: 6443}]}", ("allowed", "denied")),
        ("{ports: [{port: 10000, endPort: 11000}]}", ("denied", "allowed")),
        ("{ports: [{port: 6443, protocol: UDP}]}", ("denied", "denied")),
        ("{to: [{ipBlock: {cidr: 10.0.0.5/32}}]}", ("allowed", "denied")),
        ("{to: [{ipBlock: {cidr: 10.96.0.0/12}}]}", ("denied", "denied")),
        ("{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/29]}}]}", ("denied", "denied")),
        ("{to: [{namespaceSelector: {}}]}", ("denied", "denied")),
    ],
)
def test_addresses_of_endpoints_and_nodes_count(rules: str, found: tuple[str, str]) -> None:
    assert reach(BOTH + POLICY.replace("RULES", rules)) == found


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ("{}", "allowed"),
        ("", "denied"),
        ("{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}", "unknown"),
        ("{ports: [{port: 6443}]}", "unknown"),
    ],
)
def test_without_addresses_only_what_is_the_same_for_all_is_known(rules: str, found: str) -> None:
    other = SLICE.replace("NAME", "web").replace("SERVICE", "web").replace("ADDRESS", "10.0.0.5")
    six = NODE.replace("ADDRESS", "fd00::7")
    for text in ("", other, six):
        assert reach(text + POLICY.replace("RULES", rules)) == (found, found)


def test_no_policy_means_allowed_and_none_enforced_means_unknown() -> None:
    assert reach(BOTH) == ("allowed", "allowed")
    assert reach(BOTH + POLICY.replace("RULES", ""), "") == ("unknown", "unknown")


@pytest.mark.parametrize(
    ("policies", "found"),
    [
        ("", ("allowed", "allowed")),
        (POLICY.replace("RULES", ""), ("denied", "denied")),
        (POLICY.replace("RULES", "{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}"), ("unknown", "unknown")),
        (CILIUM.replace("RULES", "{toEntities: [kube-apiserver]}"), ("unknown", "unknown")),
        (CILIUM.replace("RULES", "{toEndpoints: [{}]}"), ("denied", "denied")),
    ],
)
def test_cilium_knows_nodes_by_more_than_their_address(
    policies: str, found: tuple[str, str]
) -> None:
    agent = CALICO.replace("calico/node:v3", "quay.io/cilium/cilium:v1.18")
    assert reach(BOTH + policies, agent) == found


@pytest.mark.parametrize(
    ("rules", "known", "fault"),
    [
        ("{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}", BOTH, True),
        ("", BOTH, False),
        ("{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}", "", None),
        ("{to: [{ipBlock: {cidr: 10.0.0.0/29}}]}", NODE.replace("ADDRESS", "10.0.0.7"), True),
        ("{to: [{ipBlock: {cidr: 10.0.0.0/29}}]}", NODE.replace("ADDRESS", "10.1.0.7"), None),
    ],
)
def test_a_fault_needs_one_way_and_a_pass_needs_both(
    rules: str, known: str, fault: bool | None
) -> None:
    registry.load()
    evidence = evidence_of(known + POLICY.replace("RULES", rules) + pod("a") + CALICO)
    judge = registry.CONTROLS["KA-NET-008"].function
    found = judge(evidence["control_plane_reach"], evidence["api_clients"])
    names = evidence["control_plane_reach"]["owner_name"].tolist()
    assert arrow(found).to_pylist()[names.index("a")] is fault
