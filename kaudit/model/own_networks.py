"""Networks of users: primary ones as policies that cut off, secondary ones as definitions.

A namespace with the label is never on the network of all pods: its pods do not start until it
has a network of its own, by a UserDefinedNetwork, a ClusterUserDefinedNetwork or a definition
with the role primary (OVN-Kubernetes "User Defined Networks"; OpenShift 4.19 "Primary
networks"). Where none of these was seen, another namespace of that sort may be on the same one.
For a secondary network the plugin makes a definition of its name in each of its namespaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from kaudit.model.label_index import LabelIndex, members
from kaudit.model.meta import LabelSelector, Requirement
from kaudit.model.policy import DENY, NETWORKS, PeerRef, Policy, Rule
from kaudit.model.profiles import NAME

#: Label that a namespace must carry to have a primary network of its own.
_LABEL = "k8s.ovn.org/primary-user-defined-network"
_MARKED = LabelSelector(None, [Requirement(_LABEL, "Exists")]).canonical
_DIRECTIONS = ("ingress", "egress")


class UserNetwork(msgspec.Struct, frozen=True):
    """A network of users, as the table of them says."""

    kind: str
    namespace: str
    name: str
    namespace_selector: str | None
    role: str | None
    faults: Sequence[str]

    def spaces(self, index: LabelIndex, names: Sequence[str]) -> Iterator[str]:
        """Namespaces that it is for, among those of an index."""
        if self.kind == "UserDefinedNetwork":
            yield from (name for name in names if name == self.namespace)
        else:
            chosen = index.selected(self.namespace_selector or "{}")
            yield from (names[at] for at in members(chosen))

    @property
    def network(self) -> str:
        """Name of the network in the definitions that the plugin makes for it."""
        if self.kind == "UserDefinedNetwork":
            return f"{self.namespace}_{self.name}"
        return f"cluster_udn_{self.name}"


def _indexed(namespaces: Mapping[str, Sequence[str]]) -> tuple[list[str], LabelIndex]:
    """Names of namespaces, and the labels of each, its name among them."""
    names = sorted(namespaces)
    return names, LabelIndex([*namespaces[name], f"{NAME}={name}"] for name in names)


def primary_spaces(
    networks: Iterable[UserNetwork], namespaces: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Namespaces of primary networks, as often as there is one for them."""
    names, index = _indexed(namespaces)
    marked = {names[at] for at in members(index.selected(_MARKED))}
    for one in networks:
        if one.role == "Primary":
            spaces = [one.namespace] if one.namespace else one.spaces(index, names)
            yield from (name for name in spaces if one.namespace or name in marked)


def definitions(
    networks: Iterable[UserNetwork], namespaces: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, str]]:
    """Definitions that the plugin makes for secondary networks, and the network of each."""
    names, index = _indexed(namespaces)
    for one in networks:
        if one.role == "Secondary" and not one.faults:
            spaces = [one.namespace] if one.namespace else one.spaces(index, names)
            yield from ((f"{space}/{one.name}", one.network) for space in spaces)


def primary_networks(
    networks: Iterable[UserNetwork], namespaces: Mapping[str, Sequence[str]], *, sure: bool
) -> list[Policy]:
    """Policies that deny the pods of all other namespaces.

    ``sure`` tells whether the label is enough: without a network that was seen, the plugin may
    be one that does not know it.
    """
    names, index = _indexed(namespaces)
    marked = {names[at]: None for at in members(index.selected(_MARKED))}
    left = dict(marked)
    found = []
    for network in networks:
        if network.role != "Primary" or network.faults:
            continue
        inside = [name for name in network.spaces(index, names) if name in marked]
        for name in inside:
            left.pop(name, None)
        if inside:
            found.append(_cut_off(network.kind, network.namespace, network.name, inside))
    for name in left:
        others = [other for other in left if other != name]
        found.append(_cut_off("Namespace", "", name, [name], others, sure=sure))
    return found


def _cut_off(
    kind: str,
    namespace: str,
    name: str,
    inside: list[str],
    perhaps: Sequence[str] = (),
    *,
    sure: bool = True,
) -> Policy:
    """Deny to namespaces what is not of them; whether ``perhaps`` are is not known."""
    # What serves Ingresses has no namespace here, and is not cut off.
    rules = [(_spaces("NotIn", [*inside, *perhaps, ""]), not sure)]
    rules += [(_spaces("In", list(perhaps)), True)] if perhaps else []
    return Policy(
        kind,
        namespace,
        name,
        NETWORKS,
        _spaces("In", inside),
        ingress=False,
        egress=False,
        rules=tuple(
            Rule(direction, place, DENY, (peer,), unclear=unclear)
            for direction in _DIRECTIONS
            for place, (peer, unclear) in enumerate(rules)
        ),
    )


def _spaces(operator: str, names: list[str]) -> PeerRef:
    return PeerRef("pods", LabelSelector(None, [Requirement(NAME, operator, names)]).canonical)
