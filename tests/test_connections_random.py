"""Verdicts on classes are those of a plain evaluator, pair by pair, on random clusters."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kaudit.collect import collect
from kaudit.connections import Cluster
from kaudit.network import Matrix
from tests.memory_source import MemorySource
from tests.slow_network import End, SlowNetwork

Object = dict[str, Any]
KEYS, VALUES, NAMES = ("app", "tier"), ("a", "b", "c"), ("x", "y", "z")
PROTOCOLS = ("TCP", "UDP", "SCTP")
ADDRESSES = ("8.8.8.8", "10.0.0.9", "10.0.1.9", "192.168.0.1")
BLOCKS = ("0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/24", "10.0.1.0/24", "8.8.0.0/16")
PORTS = (53, 80, 85, 90, 8080)

labels = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), max_size=2)
values = st.lists(st.sampled_from(VALUES), min_size=1, max_size=2, unique=True)
term = st.one_of(
    st.builds(
        lambda key, operator, values: {"key": key, "operator": operator, "values": values},
        st.sampled_from(KEYS),
        st.sampled_from(("In", "NotIn")),
        values,
    ),
    st.builds(
        lambda key, operator: {"key": key, "operator": operator},
        st.sampled_from(KEYS),
        st.sampled_from(("Exists", "DoesNotExist")),
    ),
)
selector = st.one_of(
    st.just({}),
    labels.map(lambda some: {"matchLabels": some}),
    term.map(lambda one: {"matchExpressions": [one]}),
)
space_selector = st.one_of(
    selector,
    st.sampled_from(NAMES).map(lambda n: {"matchLabels": {"kubernetes.io/metadata.name": n}}),
)


def block(cidr: str, narrowed: bool) -> Object:
    if not narrowed or cidr.endswith("/24"):
        return {"cidr": cidr}
    return {"cidr": cidr, "except": ["8.8.8.0/24" if cidr[0] == "8" else "10.0.1.0/24"]}


peer = st.one_of(
    selector.map(lambda s: {"podSelector": s}),
    space_selector.map(lambda s: {"namespaceSelector": s}),
    st.builds(lambda s, n: {"podSelector": s, "namespaceSelector": n}, selector, space_selector),
    st.builds(block, st.sampled_from(BLOCKS), st.booleans()).map(lambda b: {"ipBlock": b}),
)
port = st.one_of(
    st.sampled_from(PROTOCOLS).map(lambda p: {"protocol": p}),
    st.sampled_from(PORTS).map(lambda n: {"port": n}),
    st.builds(
        lambda p, n: {"protocol": p, "port": n, "endPort": n + 10},
        st.sampled_from(PROTOCOLS),
        st.sampled_from(PORTS),
    ),
    st.builds(lambda p: {"protocol": p, "port": "web"}, st.sampled_from(PROTOCOLS)),
)


def rules(side: str) -> st.SearchStrategy[list[Object]]:
    rule = st.builds(
        lambda peers, ports: {
            **({side: peers} if peers is not None else {}),
            **({"ports": ports} if ports is not None else {}),
        },
        st.none() | st.lists(peer, max_size=2),
        st.none() | st.lists(port, max_size=2),
    )
    return st.lists(rule, max_size=2)


policy_spec = st.builds(
    lambda chosen, types, ingress, egress: {
        "podSelector": chosen,
        **({"policyTypes": types} if types else {}),
        **({"ingress": ingress} if ingress is not None else {}),
        **({"egress": egress} if egress is not None else {}),
    },
    selector,
    st.sampled_from(([], ["Ingress"], ["Egress"], ["Ingress", "Egress"])),
    st.none() | rules("from"),
    st.none() | rules("to"),
)
subject = st.one_of(
    space_selector.map(lambda s: {"namespaces": s}),
    st.builds(
        lambda n, s: {"pods": {"namespaceSelector": n, "podSelector": s}}, space_selector, selector
    ),
)
network = st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=2, unique=True).map(
    lambda blocks: {"networks": blocks}
)
admin_port = st.one_of(
    st.builds(
        lambda p, n: {"portNumber": {"protocol": p, "port": n}},
        st.sampled_from(PROTOCOLS),
        st.sampled_from(PORTS),
    ),
    st.sampled_from(PROTOCOLS).map(
        lambda p: {"portRange": {"protocol": p, "start": 80, "end": 90}}
    ),
    st.just({"namedPort": "web"}),
)


def admin_rules(side: str, actions: tuple[str, ...]) -> st.SearchStrategy[list[Object]]:
    peers = subject if side == "from" else subject | network
    rule = st.builds(
        lambda action, peers, ports: {
            "action": action,
            side: peers,
            **({"ports": ports} if ports else {}),
        },
        st.sampled_from(actions),
        st.lists(peers, min_size=1, max_size=2),
        st.none() | st.lists(admin_port, min_size=1, max_size=2),
    )
    return st.lists(rule, max_size=3)


def admin_spec(*actions: str) -> st.SearchStrategy[Object]:
    return st.builds(
        lambda chosen, ingress, egress: {"subject": chosen, "ingress": ingress, "egress": egress},
        subject,
        admin_rules("from", actions),
        admin_rules("to", actions),
    )


pod_spec = st.builds(
    lambda name, labels, address, ports: (name, labels, address, ports),
    st.sampled_from(NAMES),
    labels,
    st.none() | st.sampled_from(("10.0.0.1", "10.0.1.1", "172.16.0.1")),
    st.lists(
        st.builds(
            lambda p, n: {"name": "web", "protocol": p, "containerPort": n},
            st.sampled_from(PROTOCOLS),
            st.sampled_from(PORTS),
        ),
        max_size=1,
    ),
)


@st.composite
def clusters(draw: st.DrawFn) -> list[Object]:
    found: list[Object] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n, "labels": draw(labels)}}
        for n in NAMES
    ]
    for number, (space, some, address, ports) in enumerate(
        draw(st.lists(pod_spec, min_size=2, max_size=5))
    ):
        found.append(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": f"p{number}", "namespace": space, "labels": some},
                "spec": {"containers": [{"name": "c", "image": "i", "ports": ports}]},
                **({"status": {"podIP": address}} if address else {}),
            }
        )
    for number, spec in enumerate(draw(st.lists(policy_spec, max_size=3))):
        found.append(
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": f"n{number}", "namespace": draw(st.sampled_from(NAMES))},
                "spec": spec,
            }
        )
    api = "policy.networking.k8s.io/v1alpha1"
    for number, spec in enumerate(draw(st.lists(admin_spec("Allow", "Deny", "Pass"), max_size=2))):
        found.append(
            {
                "apiVersion": api,
                "kind": "AdminNetworkPolicy",
                "metadata": {"name": f"a{number}"},
                "spec": {"priority": 5 - number, **spec},
            }
        )
    found.extend(
        {
            "apiVersion": api,
            "kind": "BaselineAdminNetworkPolicy",
            "metadata": {"name": "default"},
            "spec": spec,
        }
        for spec in draw(st.lists(admin_spec("Allow", "Deny"), max_size=1))
    )
    return found


@settings(max_examples=60)
@given(clusters())
def test_verdicts_are_those_of_a_plain_evaluator(objects: list[Object]) -> None:
    slow, found = SlowNetwork(objects), Cluster(collect(MemorySource(*objects)))
    network = found.network
    ends: list[tuple[End, int]] = [
        (pod, found.nodes(f"{pod['metadata']['namespace']}/{pod['metadata']['name']}")[0])
        for pod in slow.pods
    ]
    ends += [(address, found.nodes(address)[0]) for address in ADDRESSES]
    for source, node in ends:
        for target, other in ends:
            if source is target or (isinstance(source, str) and isinstance(target, str)):
                continue
            allowed, unknown = network.verdict(node, other)
            assert not unknown
            for protocol in PROTOCOLS:
                for number in (*PORTS, 1, 65535):
                    piece = network.ports.containing(protocol, number)
                    wanted = slow.allows(source, target, protocol, number)
                    assert bool(allowed & piece) is wanted, (source, target, protocol, number)
    matrix = Matrix(network)
    listed = {
        (int(source), int(target)): matrix.verdicts[number]
        for pairs in (*matrix.inside(rows=2), matrix.outward(), matrix.inward())
        for source, target, number in zip(*pairs, strict=True)
    }
    every = range(network.nodes)
    assert listed == {
        (source, target): verdict
        for source in every
        for target in every
        if min(source, target) < network.pods
        and (verdict := network.verdict(source, target)) != (0, 0)
    }
    kinds, first = matrix.kinds()
    few = {
        (int(source), int(target)): matrix.verdicts[number]
        for pairs in matrix.inside(first)
        for source, target, number in zip(*pairs, strict=True)
    }
    pods = range(network.pods)
    assert all(
        listed.get((source, target)) == few.get((first[kinds[source]], first[kinds[target]]))
        for source in pods
        for target in pods
    )
