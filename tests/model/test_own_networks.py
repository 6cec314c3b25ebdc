"""Networks of users: who is cut off from whom, and which definitions secondary ones make."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kaudit.model import user_networks
from kaudit.model.connectivity import Network
from kaudit.model.own_networks import UserNetwork, definitions, primary_networks, primary_spaces
from kaudit.model.profiles import Profile
from kaudit.model.spoken import address_space

BOTH = "topology: Layer2, layer2: {role: Primary}"
CLUSTER = "namespaceSelector: {}, network: {topology: %s, %s}"


@pytest.mark.parametrize(
    ("namespace", "spec", "fault"),
    [
        ("blue", BOTH, ""),
        ("blue", "topology: Layer3, layer3: {role: Secondary}", ""),
        ("blue", "topology: Localnet, localnet: {role: Secondary}", "no topology 'Localnet'"),
        ("blue", "topology: Layer3, layer2: {role: Primary}", "Layer3 wants layer3"),
        ("blue", f"{BOTH}, layer3: {{role: Primary}}", "Layer2 takes no layer3"),
        ("blue", f"{BOTH}, layer3: null", ""),
        ("blue", "topology: Layer2, layer2: {role: Third}", "no role 'Third'"),
        ("blue", "layer2: {role: Primary}", "no topology None"),
        ("kube-system", BOTH, "cannot have a network of its own"),
        ("", CLUSTER % ("Layer2", "layer2: {role: Primary}"), ""),
        ("", CLUSTER % ("Localnet", "localnet: {role: Secondary}"), ""),
        ("", CLUSTER % ("Localnet", "localnet: {role: Primary}"), "no role 'Primary'"),
        ("", f"network: {{{BOTH}}}", "wants namespaceSelector"),
        ("", f"namespaceSelector: {{}}, {BOTH}", "wants network"),
    ],
)
def test_what_the_server_would_refuse(namespace: str, spec: str, fault: str) -> None:
    network = msgspec.convert({"spec": yaml.safe_load(f"{{{spec}}}")}, user_networks.UserNetwork)
    found = " ".join(user_networks.faults_of(network, namespace, "own"))
    assert fault in found
    assert bool(fault) == bool(found)


def test_two_primary_networks_of_one_namespace_are_told() -> None:
    labels = {"a": [MARK, "team=x"], "b": [MARK], "c": ["team=x"]}
    own_ = UserNetwork("UserDefinedNetwork", "a", "u", None, "Primary", [])
    every = UserNetwork("ClusterUserDefinedNetwork", "", "all", TEAM, "Primary", [])
    assert list(primary_spaces([own_, every], labels)) == ["a", "a"]


MARK = "k8s.ovn.org/primary-user-defined-network="
NAMES = ("a", "b", "c", "d")
TEAM = '{"matchLabels":{"team":"x"}}'

spaces = st.fixed_dictionaries(
    {name: st.lists(st.sampled_from((MARK, "team=x")), unique=True) for name in NAMES}
)
network = st.one_of(
    st.builds(
        lambda space, role, bad: UserNetwork(
            "UserDefinedNetwork", space, f"u-{space}", None, role, ["bad"] if bad else []
        ),
        st.sampled_from(NAMES),
        st.sampled_from(("Primary", "Secondary", None)),
        st.booleans(),
    ),
    st.builds(
        lambda chosen, role: UserNetwork("ClusterUserDefinedNetwork", "", "all", chosen, role, []),
        st.sampled_from((TEAM, "{}", None)),
        st.sampled_from(("Primary", "Secondary")),
    ),
)


def own(networks: list[UserNetwork], labels: Mapping[str, list[str]], name: str) -> set[str]:
    """Primary networks of a namespace, told plainly; ``?``: one that was not seen."""
    if MARK not in labels[name]:
        return {"default"}
    found = set()
    for one in networks:
        if one.role != "Primary" or one.faults:
            continue
        chosen = one.namespace_selector
        every = one.kind != "UserDefinedNetwork" and (chosen != TEAM or "team=x" in labels[name])
        if every or one.namespace == name:
            found.add(one.name)
    return found or {f"?{name}"}


@given(st.lists(network, max_size=1), spaces, st.booleans())
def test_pods_meet_where_their_namespaces_are_on_one_network(
    networks: list[UserNetwork], labels: dict[str, list[str]], sure: bool
) -> None:
    policies = primary_networks(networks, labels, sure=sure)
    found = Network(
        [Profile(name) for name in NAMES], labels, policies, address_space(policies, ())
    )
    everything = found.ports.all
    for source, src in zip(NAMES, found.class_of[: len(NAMES)], strict=True):
        for target, dst in zip(NAMES, found.class_of[: len(NAMES)], strict=True):
            one, other = (own(networks, labels, name) for name in (source, target))
            verdict = found.verdict(src, dst)
            unseen = [n.startswith("?") for n in one | other]
            seen = any(not n.startswith("?") and n != "default" for n in one | other)
            if source == target or one == other:
                assert verdict == (everything, 0)
            elif seen or not any(unseen):
                assert verdict == (0, 0)  # one that was seen is the other's, or is not
            elif all(unseen) or not sure:
                assert verdict == (0, everything)
            else:
                assert verdict == (0, 0)


@given(st.lists(network, max_size=3), spaces)
def test_definitions_of_secondary_networks(
    networks: list[UserNetwork], labels: dict[str, list[str]]
) -> None:
    expected = {
        (f"{name}/{one.name}", one.network)
        for one in networks
        if one.role == "Secondary" and not one.faults
        for name in NAMES
        if one.namespace == name
        or (
            one.kind != "UserDefinedNetwork"
            and (one.namespace_selector != TEAM or "team=x" in labels[name])
        )
    }
    assert set(definitions(networks, labels)) == expected
