"""Networks that pods have beside their primary one: who is on them, and what policies allow."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaudit.attached import attached
from kaudit.collect import collect
from kaudit.connection_changes import changes
from kaudit.connections import Cluster
from kaudit.errors import InputError
from kaudit.model.port_space import PortRange, described
from kaudit.model.statement import understood
from kaudit.segmentation import UNKNOWN
from tests.memory_source import MemorySource, evidence_of
from tests.slow_network import SlowNetwork
from tests.test_connections_random import NAMES, PORTS, PROTOCOLS, labels, policy_spec

Object = dict[str, Any]
ASKED, FOR = "k8s.v1.cni.cncf.io/networks", "k8s.v1.cni.cncf.io/policy-for"
DEFINED = """
{apiVersion: k8s.cni.cncf.io/v1, kind: NetworkAttachmentDefinition, metadata: {name: NAME, namespace: SPACE},
 spec: {config: '{"name": "storage", "type": "macvlan"}'}}
---
"""
DEFINITIONS = DEFINED.replace("NAME", "one").replace("SPACE", "a") + DEFINED.replace(
    "NAME", "other"
).replace("SPACE", "b")
POLICY = """
{apiVersion: k8s.cni.cncf.io/v1beta1, kind: MultiNetworkPolicy,
 metadata: {name: p, namespace: a, annotations: {k8s.v1.cni.cncf.io/policy-for: FOR}},
 spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [FROM], ports: [{port: 443}]}]}}
---
"""
MACHINE = """
{apiVersion: kubevirt.io/v1, kind: VirtualMachine, metadata: {name: vm, namespace: b}, spec: {template: {
  metadata: {labels: {app: vm}}, spec: {networks: [{name: n, multus: {networkName: other}}], volumes: [
    {cloudInitNoCloud: {networkData: "ethernets:\\n  eth1:\\n    addresses: [10.9.0.5/24]"}}]}}}}
---
"""


def pod(name: str, asked: str) -> str:
    return (
        f"{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: {name[0]}, "
        f"labels: {{app: {name}}}, annotations: {{{ASKED}: {json.dumps(asked)}}}}}, "
        "spec: {containers: [{name: c, image: i}]}}\n---\n"
    )


def said(text: str) -> dict[tuple[str, str], tuple[str, str, str]]:
    """Ports and unknown ports of each pair on a network beside the primary one."""

    def ports(some: tuple[PortRange, ...]) -> str:
        return described(some) if some else ""

    return {
        (c.src.split("[")[0], c.dst.split("[")[0]): (
            ports(c.connections),
            ports(c.unknown),
            c.network,
        )
        for c in Cluster(evidence_of(text)).connections()
        if c.network
    }


BOTH = pod("a1", "one") + pod("b1", '[{"name": "other"}]')


def test_definitions_in_several_namespaces_lead_to_one_network() -> None:
    every = ("all", "", "storage")
    assert said(DEFINITIONS + BOTH) == {("a/a1", "b/b1"): every, ("b/b1", "a/a1"): every}
    assert said(DEFINITIONS + pod("a1", "one") + pod("b1", "")) == {}


def test_policies_are_about_their_networks_alone() -> None:
    text = DEFINITIONS + BOTH + POLICY.replace("FROM", "{namespaceSelector: {}}")
    assert said(text.replace("FOR", "one"))["b/b1", "a/a1"][0] == "TCP 443"
    assert said(text.replace("FOR", "b/other"))["b/b1", "a/a1"][0] == "TCP 443"
    assert said(text.replace("FOR", "one"))["a/a1", "b/b1"][0] == "all"
    assert said(text.replace("FOR", "elsewhere"))["b/b1", "a/a1"][0] == "all"
    primary = text.replace("FOR", "one").replace("k8s.cni.cncf.io/v1beta1", "networking.k8s.io/v1")
    assert said(primary.replace("MultiNetwork", "Network"))["b/b1", "a/a1"][0] == "all"


def test_machines_are_meant_by_address_alone() -> None:
    text = DEFINITIONS + MACHINE + pod("a1", "one")
    for peer, ports in (
        ("{namespaceSelector: {}}", ""),
        ("{ipBlock: {cidr: 10.9.0.0/24}}", "TCP 443"),
        ("{ipBlock: {cidr: 10.9.1.0/24}}", ""),
    ):
        found = said(text + POLICY.replace("FOR", "one").replace("FROM", peer))
        assert found.get(("b/vm", "a/a1"), ("",))[0] == ports
        assert found["a/a1", "b/vm"][0] == "all"


OWN = """
{apiVersion: k8s.ovn.org/v1, kind: KIND, metadata: {name: blueMORE}, spec: SPEC}
---
{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {team: x}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: b, labels: {team: x}}}
---
"""
SHAPE = "{topology: Layer2, layer2: {role: Secondary}}"


def test_secondary_networks_of_users_make_definitions() -> None:
    pods = pod("a1", "blue") + pod("a2", "blue") + pod("b1", "blue")
    one = OWN.replace("KIND", "UserDefinedNetwork").replace("MORE", ", namespace: a")
    found = said(one.replace("SPEC", SHAPE) + pods)
    assert {pair for pair, (ports, *_) in found.items() if ports} == {
        ("a/a1", "a/a2"),
        ("a/a2", "a/a1"),
    }
    assert found["a/a1", "a/a2"] == ("all", "", "a_blue")
    spec = f"{{namespaceSelector: {{matchLabels: {{team: x}}}}, network: {SHAPE}}}"
    every = OWN.replace("KIND", "ClusterUserDefinedNetwork").replace("MORE", "")
    found = said(every.replace("SPEC", spec) + pods)
    assert found["b/b1", "a/a1"] == ("all", "", "cluster_udn_blue")
    assert len(found) == 6


def test_a_network_without_a_definition_is_unknown() -> None:
    unknown = ("", "all", "a/blue")
    found = said(pod("a1", "blue") + pod("a2", "blue") + pod("b1", "blue"))
    assert found == {("a/a1", "a/a2"): unknown, ("a/a2", "a/a1"): unknown}


def test_an_annotation_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(InputError, match=r"Pod a/a1: its annotation .*networks cannot be read"):
        Cluster(evidence_of(pod("a1", "[one")))


def test_a_statement_does_not_hold_for_what_has_another_network() -> None:
    deny = """
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: d, namespace: a},
 spec: {podSelector: {}, policyTypes: [Ingress, Egress]}}
---
"""
    cluster = Cluster(evidence_of(DEFINITIONS + BOTH + pod("a2", "") + pod("b2", "") + deny))
    says = {
        "a/a1 never reaches b/b1": UNKNOWN,
        "a/a1 never reaches b/b2": "holds",
        "a/a1 never reaches internet": UNKNOWN,
        "a/a2 never reaches b": "holds",
        "a/a2 never reaches b even through others": UNKNOWN,
        "a/a1 accepts only from a": UNKNOWN,
        "a/a2 accepts only from a": "holds",
    }
    found = cluster.tested(understood([(text, text) for text in says]))
    assert {one.says: one.verdict for one in found} == says
    assert found[0].because == "a/a1[Pod] has networks beside its primary one, where others decide"


def test_an_explanation_names_the_networks_on_which_it_is_allowed() -> None:
    deny = POLICY.replace("FOR", "one").replace("FROM", "{namespaceSelector: {}}")
    cluster = Cluster(evidence_of(DEFINITIONS + BOTH + pod("a2", "") + deny))
    for dst, port, networks in (
        ("a/a1", "443", ("storage",)),
        ("a/a1[Pod]", "80", ()),
        ("a/a2", "443", ()),
    ):
        assert cluster.explained("b/b1", dst, port).networks == networks
    assert cluster.explained("8.8.8.8", "a/a1", "443").networks == ()


def test_changes_are_told_network_by_network() -> None:
    states = [
        Cluster(evidence_of(DEFINITIONS + BOTH + more)).connections()
        for more in ("", POLICY.replace("FOR", "one").replace("FROM", "{podSelector: {}}"))
    ]
    (found,) = changes(*states)
    assert (found.change, found.src, found.dst) == ("removed", "b/b1[Pod]", "a/a1[Pod]")
    assert found.network == "storage"


# --- every pair, on random clusters

ADDRESS = st.none() | st.sampled_from(("10.0.0.1", "10.0.1.1", "172.16.0.1"))
attachment = st.dictionaries(st.sampled_from(("red", "blue")), ADDRESS, max_size=2)


@st.composite
def clusters(draw: st.DrawFn) -> list[Object]:
    found: list[Object] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n, "labels": draw(labels)}}
        for n in NAMES
    ]
    found += [
        {
            "apiVersion": "k8s.cni.cncf.io/v1",
            "kind": "NetworkAttachmentDefinition",
            "metadata": {"name": name, "namespace": "x"},
        }
        for name in ("red", "blue")
    ]
    for number in range(draw(st.integers(2, 5))):
        asked = [
            {"name": name, "namespace": "x", **({"ips": [address]} if address else {})}
            for name, address in draw(attachment).items()
        ]
        port = {"name": "web", "protocol": "TCP", "containerPort": draw(st.sampled_from(PORTS))}
        meta = {"name": f"p{number}", "namespace": draw(st.sampled_from(NAMES))}
        found.append(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    **meta,
                    "labels": draw(labels),
                    "annotations": {ASKED: json.dumps(asked)},
                },
                "spec": {"containers": [{"name": "c", "image": "i", "ports": [port]}]},
                "status": {"podIP": "192.168.7.7"},
            }
        )
    for number, spec in enumerate(draw(st.lists(policy_spec, max_size=3))):
        named = draw(st.sampled_from(("x/red", "x/blue", "x/red, x/blue")))
        meta = {"name": f"n{number}", "namespace": draw(st.sampled_from(NAMES))}
        found.append(
            {
                "apiVersion": "k8s.cni.cncf.io/v1beta1",
                "kind": "MultiNetworkPolicy",
                "metadata": {**meta, "annotations": {FOR: named}},
                "spec": spec,
            }
        )
    return found


def seen_on(name: str, objects: list[Object]) -> SlowNetwork:
    """What a network is to a plain evaluator: its pods at their addresses, and its policies."""
    found = []
    for one in copy.deepcopy(objects):
        notes = one["metadata"].get("annotations", {})
        if one["kind"] == "Pod":
            asked = [a for a in json.loads(notes[ASKED]) if a["name"] == name]
            if not asked:
                continue
            one["status"] = {"podIP": asked[0]["ips"][0]} if "ips" in asked[0] else {}
        elif one["kind"] == "MultiNetworkPolicy":
            if f"x/{name}" not in notes[FOR]:
                continue
            one["kind"] = "NetworkPolicy"
        found.append(one)
    return SlowNetwork(found)


@settings(max_examples=60, deadline=None)
@given(clusters())
def test_verdicts_are_those_of_a_plain_evaluator(objects: list[Object]) -> None:
    networks = {one.name: one for one in attached(collect(MemorySource(*objects)))}
    for name in ("red", "blue"):
        slow = seen_on(name, objects)
        pods = {f"{p['metadata']['namespace']}/{p['metadata']['name']}[Pod]": p for p in slow.pods}
        assert (name in networks) == bool(pods)
        if not pods:
            continue
        one = networks[name]
        assert {workload.label for workload, _ in one.members} == set(pods)
        found = {(s.label, d.label): (allowed, unclear) for s, d, allowed, unclear in one.pairs()}
        for src, source in pods.items():
            for dst, target in pods.items():
                if src == dst:
                    continue
                allowed, unclear = found.get((src, dst), (0, 0))
                assert not unclear
                for protocol in PROTOCOLS:
                    for number in (*PORTS, 1, 65535):
                        piece = one.network.ports.containing(protocol, number)
                        wanted = slow.allows(source, target, protocol, number)
                        assert bool(allowed & piece) is wanted, (name, src, dst, protocol, number)
