"""What policies let workloads reach: the guide's policies, enforcement, and what is not known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kaudit.connections import Cluster
from kaudit.evidence.bundle import Evidence
from kaudit.network.pods import of_all_parts
from kaudit.table import frame
from kaudit.views.network_pods import NETWORK_PODS, NetworkPodRow
from tests.memory_source import evidence_of, rows

AGENT = """
---
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent, namespace: kube-system}, spec: {
  template: {spec: {hostNetwork: true, containers: [{name: c, image: "IMAGE"}]}}}}
"""


def pod(name: str, namespace: str = "production", **more: Any) -> str:
    return (
        f"---\n{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: {namespace}, "
        f"labels: {{app: {name}}}}}, spec: {{containers: [{{name: c, image: i}}]}}, "
        f"status: {{podIP: {more.get('ip', '10.0.0.1')}}}}}\n"
    )


def said(evidence: Evidence, name: str, *columns: str) -> list[Any]:
    found = [r for r in rows(evidence, "network_workloads") if r["owner_name"] == name]
    assert len(found) == 1
    return [found[0][column] for column in columns]


GUIDE = Path(__file__).parents[1] / "guide" / "network-policies.yaml"
PODS = "".join(pod(name) for name in ("api-server", "frontend", "postgres", "other"))
ENDS = ("to_internet", "from_internet", "to_metadata", "from_namespaces")


def test_the_policies_of_the_guide() -> None:
    text = (
        GUIDE.read_text(encoding="utf-8")
        + PODS
        + pod("far", "elsewhere")
        + AGENT.replace("IMAGE", "calico/node:v3")
    )
    evidence = evidence_of(text)
    assert said(evidence, "postgres", *ENDS) == ["denied"] * 4
    assert said(evidence, "frontend", *ENDS) == ["denied"] * 4
    assert said(evidence, "far", *ENDS) == ["allowed", "allowed", "allowed", "denied"]
    assert said(evidence, "postgres", "policies") == [
        ["NetworkPolicy production/database-policy", "NetworkPolicy production/default-deny-all"]
    ]
    pairs = _pairs(evidence)
    assert ("frontend", "api-server") not in pairs  # it may not go out
    assert pairs["api-server", "postgres"] == "TCP 5432"
    assert ("other", "postgres") not in pairs


def _pairs(evidence: Evidence) -> dict[tuple[str, str], str]:
    numbers: dict[int, list[str]] = {}
    for row in rows(evidence, "network_workloads"):
        numbers.setdefault(row["network_class"], []).append(row["owner_name"])
    return {
        (source, target): row["ports"]
        for row in rows(evidence, "network_reachability")
        for source in numbers.get(row["source"], ())
        for target in numbers.get(row["target"], ())
    }


DENY = """
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny, namespace: production},
 spec: {podSelector: {}, policyTypes: [Ingress, Egress]}}
"""


@pytest.mark.parametrize(
    ("image", "enforces", "verdict"),
    [
        ("docker.io/calico/node:v3.30", "yes", "denied"),
        ("quay.io/cilium/cilium:v1.18@sha256:" + "0" * 64, "yes", "denied"),
        ("registry:5000/mirror/antrea-agent-ubuntu", "yes", "denied"),
        ("docker.io/flannel/flannel:v0.26", "no", "unknown"),
        ("602401143452.dkr.ecr.example/amazon-k8s-cni:v1.19", "unknown", "unknown"),
        ("example.com/not-cilium-operator:v1", "unknown", "unknown"),
    ],
)
def test_what_is_denied_is_unknown_where_nothing_enforces_it(
    image: str, enforces: str, verdict: str
) -> None:
    evidence = evidence_of(DENY + pod("a") + AGENT.replace("IMAGE", image))
    assert said(evidence, "a", "enforced", "to_internet") == [enforces, verdict]
    assert rows(evidence, "network_enforcement", "enforces") == [{"enforces": enforces}]


CALICO = AGENT.replace("IMAGE", "calico/node:v3")
FQDN = """
{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: p, namespace: production},
 spec: {endpointSelector: {}, egress: [{toFQDNs: [{matchName: example.com}], toPorts: [
   {ports: [{port: "443", protocol: TCP}]}]}]}}
"""
WORLD = FQDN.replace("toFQDNs: [{matchName: example.com}]", "toEntities: [world]")
DENIED = """
{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: p, namespace: production},
 spec: {endpointSelector: {}, egress: [{toEntities: [all]}], egressDeny: [{toCIDR: [169.254.169.254/32]}]}}
"""
TIER = """
{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: p},
 spec: {order: ORDER, selector: "has(app)", types: [Egress], egress: [{action: Allow, protocol: TCP,
   destination: {nets: [0.0.0.0/0], notNets: [169.254.0.0/16], ports: [443]}}]}}
---
"""


@pytest.mark.parametrize(
    ("policies", "internet", "ports", "metadata"),
    [
        (FQDN, "unknown", "none", "unknown"),
        (WORLD, "allowed", "TCP 443", "allowed"),
        (DENIED, "allowed", "all", "denied"),
        (TIER.replace("ORDER", "10"), "allowed", "TCP 443", "denied"),
        (TIER.replace("ORDER", "10") + DENY, "allowed", "TCP 443", "denied"),
        (TIER.replace("selector: ", "tier: first, selector: ") + DENY, "unknown", "none", "denied"),
        (TIER.replace("has(app)", "has(none)") + DENY, "denied", "none", "denied"),
        (TIER.replace("has(app)", "what is this"), "unknown", "none", "unknown"),
    ],
    ids=["names", "world", "denial", "calico", "beside", "tier", "nobody", "nonsense"],
)
def test_policies_of_other_engines(policies: str, internet: str, ports: str, metadata: str) -> None:
    evidence = evidence_of(policies.replace("ORDER", "10") + pod("a") + CALICO)
    found = said(evidence, "a", "to_internet", "to_internet_ports", "to_metadata")
    assert found == [internet, ports, metadata]


def test_a_pod_on_the_network_of_its_node_is_outside_policy() -> None:
    host = pod("h").replace("containers", "hostNetwork: true, containers")
    evidence = evidence_of(DENY + host + pod("a") + CALICO)
    assert said(evidence, "h", "governed", "isolated_egress", "to_internet") == [
        False,
        "no",
        "allowed",
    ]


def test_labels_of_a_namespace_that_was_not_seen_are_not_known() -> None:
    policy = """
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: production},
 spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: LABELS}}]}]}}
"""
    for labels, known, verdict in (
        ("{team: x}", "", "unknown"),
        ("{kubernetes.io/metadata.name: far}", "", "allowed"),
        ("{team: x}", "---\n{apiVersion: v1, kind: Namespace, metadata: {name: far}}\n", "denied"),
    ):
        text = policy.replace("LABELS", labels) + known + pod("a") + pod("b", "far")
        evidence = evidence_of(text + AGENT.replace("IMAGE", "calico/node:v3"))
        assert said(evidence, "a", "from_namespaces") == [verdict]


def test_a_policy_that_no_cluster_would_take_decides_nothing_for_sure() -> None:
    bad = DENY.replace("Egress]", "Egress], egress: [{to: [{}]}]")
    evidence = evidence_of(bad + pod("a") + CALICO)
    assert rows(evidence, "network_policies", "faults") == [
        {"faults": ["egress[0]: a peer that names nobody"]}
    ]
    assert said(evidence, "a", "isolated_egress", "to_internet") == ["unknown", "unknown"]


USERS = """
{apiVersion: k8s.ovn.org/v1, kind: UserDefinedNetwork, metadata: {name: own, namespace: blue},
 spec: {topology: Layer2, layer2: {role: ROLE}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: blue, labels: {k8s.ovn.org/primary-user-defined-network: ""}}}
"""


@pytest.mark.parametrize(("role", "verdict"), [("Primary", "denied"), ("Secondary", "allowed")])
def test_a_primary_network_cuts_its_namespace_off(role: str, verdict: str) -> None:
    marked = USERS if role == "Primary" else USERS.replace("primary-user", "some-user")
    text = marked.replace("ROLE", role) + pod("a", "blue") + pod("b", "blue") + pod("c")
    evidence = evidence_of(text + CALICO)
    found = said(evidence, "a", "to_namespaces", "from_namespaces", "to_internet")
    assert found == [verdict, verdict, "allowed"]
    pairs = _pairs(evidence)
    assert pairs["a", "b"] == "all"
    assert (("c", "a") in pairs) is (verdict == "allowed")


def test_a_namespace_that_wants_its_own_network_is_not_known_to_be_on_that_of_all() -> None:
    space = "---" + USERS.partition("---")[2]
    text = space + space.replace("blue", "green") + pod("a", "blue") + pod("b", "blue")
    text += pod("c") + pod("d", "green")
    assert said(evidence_of(text + CALICO), "a", "to_namespaces", "from_namespaces") == [
        "unknown",
        "unknown",
    ]
    pairs = {
        (c.src[:6], c.dst[:6]): bool(c.connections)
        for c in Cluster(evidence_of(text)).connections()
        if "/0" not in c.src + c.dst
    }
    assert pairs == {
        ("blue/a", "blue/b"): True,
        ("blue/b", "blue/a"): True,
        ("blue/a", "green/"): False,
        ("blue/b", "green/"): False,
        ("green/", "blue/a"): False,
        ("green/", "blue/b"): False,
    }


@pytest.mark.parametrize(
    ("text", "verdict"), [("x", "unknown"), ('"[x"', "unknown"), ('""', "holds")]
)
def test_a_statement_does_not_hold_where_others_decide(text: str, verdict: str) -> None:
    note = f"annotations: {{k8s.v1.cni.cncf.io/networks: {text}}}, labels:"
    pods = pod("a").replace("labels:", note) + pod("t", "trial").replace("labels:", note)
    for name, env in (("production", "prod"), ("trial", "test")):
        pods += f"---\n{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: "
        pods += f"{{env: {env}}}}}}}\n"
    evidence = evidence_of(DENY + pods + CALICO)
    assert rows(evidence, "segmentation", "says", "verdict") == [
        {"says": "trial never reaches production", "verdict": verdict}
    ]


def test_pods_of_several_parts_are_one_row_under_the_first_name() -> None:
    def row(pod: str, line: int, pods: int, *labels: str) -> NetworkPodRow:
        return NetworkPodRow(
            raw="pods",
            raw_line=line,
            namespace="web",
            owner_kind="Deployment",
            owner_name="shop",
            pod=pod,
            origin="object",
            pods=pods,
            platform=False,
            host_network=False,
            attached=False,
            labels=list(labels),
            named_ports=[],
            addressed=True,
            addresses=["1"],
        )

    parts = [row("shop-2", 1, 3, "app=a"), row("shop-3", 2, 1), row("shop-1", 7, 4, "app=a")]
    merged = of_all_parts(frame(NETWORK_PODS.arrow(parts)))
    found = merged[["pod", "raw_line", "pods"]].to_dict("records")
    assert found == [
        {"pod": "shop-1", "raw_line": 7, "pods": 7},
        {"pod": "shop-3", "raw_line": 2, "pods": 1},
    ]
    alone = frame(NETWORK_PODS.arrow(parts[:2]))
    assert of_all_parts(alone) is alone
