"""Whether what policies allow leads to addresses of the control plane: API server and kubelets.

A ClusterIP is turned into the address of an endpoint before egress policies look at it
(kubernetes.io, "Network Policies", v1.34, on ipBlock), so the endpoints are what counts. Cilium
does not match addresses of nodes, nor those of the API server, by blocks, unless told to
("Layer 3 Policies", CIDR-based, 1.18): where its agent runs, what a block allows there is unclear.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from kaudit.model.connectivity import Network
from kaudit.model.policy import Policy, Rule
from kaudit.model.port_space import LAST, PortRange

#: Where kubelets listen (kubelet --port), and the port of an API server that is not known.
KUBELET = 10250


class Target(msgspec.Struct, frozen=True):
    """An address and a port of TCP; no port means that it is not known."""

    address: str
    port: int | None = None

    @property
    def text(self) -> str:
        """``10.0.0.1:6443``."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}:{self.port or '*'}"


class Spot(msgspec.Struct, frozen=True):
    """Where targets are for policies: class of the address and port; None: not known."""

    place: int | None
    port: int | None


def spots(network: Network, targets: Iterable[Target]) -> list[Spot]:
    """Distinct spots of targets; without any target, one of which nothing is known."""
    found = [Spot(network.addresses.class_of(one.address), one.port) for one in targets]
    return list(dict.fromkeys(found)) or [Spot(None, None)]


def reach(network: Network, node: int, targets: Iterable[Spot], *, by_block: bool) -> bool | None:
    """Whether a class of pods may connect to any target; None where it cannot be told.

    Where an address is not known the answer is that for all of them, if it is the same.
    ``by_block`` tells whether blocks mean these addresses.
    """
    verdicts = [_one(network, node, target) for target in targets]
    policies = [p for p in network.selecting(node) if p.egress or _outward(p)]
    if policies:
        nodes = any(peer.kind == "nodes" for p in policies for r in _outward(p) for peer in r.peers)
        doubt = {True: nodes or not by_block, False: nodes, None: False}
        verdicts = [None if doubt[verdict] else verdict for verdict in verdicts]
    return True if True in verdicts else None if None in verdicts else False


def _outward(policy: Policy) -> list[Rule]:
    return [rule for rule in policy.rules if rule.direction == "egress"]


def _one(network: Network, node: int, target: Spot) -> bool | None:
    if target.place is None:
        return _all(network, node)
    return _verdicts(network, node, 1 << target.place, target.port).pop()


def _all(network: Network, node: int) -> bool | None:
    """The verdict for every address on every port, where it is one."""
    found = _verdicts(network, node, (1 << len(network.addresses.classes)) - 1, None)
    return found.pop() if len(found) == 1 else None


def _verdicts(network: Network, node: int, places: int, port: int | None) -> set[bool | None]:
    """Verdicts for classes of addresses; of all ports where the port is not known."""
    ports = network.ports
    meant = ports.containing("TCP", port) if port else ports.meeting([PortRange("TCP", 1, LAST)])
    found: set[bool | None] = set()
    for group in network.access(node, "egress"):  # every class is in one of them
        if group.peers & places << network.pods:
            allowed, unclear = group.allowed & meant, group.unclear & meant
            if not allowed | unclear:
                found.add(False)
            else:
                found.add(True if (allowed == meant if port is None else allowed) else None)
    return found
