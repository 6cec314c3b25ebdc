"""Policies and pods of tables, as the network that they make; see kaudit.model.connectivity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from kaudit.columns import arrow
from kaudit.model.address_space import Block
from kaudit.model.connectivity import Access, Network
from kaudit.model.policy import (
    ALLOW,
    TIERS,
    PeerRef,
    Policy,
    PortRef,
    Rule,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.int32]]

#: Where clouds answer for the identity of a machine.
METADATA = ("169.254.169.254/32", "fd00:ec2::254/128", "100.100.100.200/32", "168.63.129.16/32")
#: Addresses that are not of the internet (RFC 6890).
PRIVATE = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/3",
)
#: Addresses to tell apart, whatever policies name; those of IPv6 where a policy names any.
APART = (METADATA[0], *METADATA[2:], *PRIVATE)

_Record = tuple[str, int, int]


def policies_of(
    network_policies: pd.DataFrame,
    network_policy_rules: pd.DataFrame,
    other_policies: pd.DataFrame,
    other_policy_rules: pd.DataFrame,
) -> list[Policy]:
    """Return policies of all engines in the form in which they are evaluated."""
    own, others = _own_rules(network_policy_rules), _other_rules(other_policy_rules)
    found = []
    for row in _rows(network_policies):
        directions = {d for d in ("ingress", "egress") if row[d]}
        rules = own.get((row["raw"], row["raw_line"], 0), [])
        found.append(
            Policy(
                row["kind"],
                row["namespace"],
                row["name"],
                TIERS,
                PeerRef("pods", namespace=row["namespace"], pods=row["pod_selector"]),
                row["ingress"],
                row["egress"],
                tuple(rule for rule in rules if rule.direction in directions),
                unclear=bool(row["faults"]),
            )
        )
    for row in _rows(other_policies):
        rules = others.get((row["raw"], row["raw_line"], row["position"]), [])
        if row["group"].endswith("projectcalico.org"):
            rules = [rule for rule in rules if row[rule.direction]]
        last = float("inf")
        among = row["stage"] == TIERS
        found.append(
            Policy(
                row["kind"],
                row["namespace"],
                row["name"],
                row["stage"],
                PeerRef("pods", row["namespace_selector"], row["namespace"], row["pod_selector"]),
                row["ingress"] and among,
                row["egress"] and among,
                tuple(rules),
                order=last if row["order"] is None else row["order"],
                unclear=row["pod_selector"] is None or bool(row["faults"]),
            )
        )
    return found


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    columns = {str(name): arrow(frame[name]).to_pylist() for name in frame.columns}
    names = list(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _own_rules(frame: pd.DataFrame) -> dict[_Record, list[Rule]]:
    parts: dict[tuple[str, int, str, int], tuple[list[PeerRef], tuple[PortRef, ...]]] = {}
    for row in _rows(frame):
        key = (row["raw"], row["raw_line"], row["direction"], row["rule"])
        if key not in parts:
            parts[key] = ([], tuple(_port(text) for text in row["ports"]))
        if row["peer"] < 0:
            peer = PeerRef("any")
        elif row["cidr"] is not None:
            peer = PeerRef("block", block=Block(row["cidr"], tuple(row["except_cidrs"])))
        else:
            spaces = row["namespace_selector"]
            own = "" if spaces is not None else row["namespace"]
            peer = PeerRef("pods", spaces, own, row["pod_selector"])
        parts[key][0].append(peer)
    found: dict[_Record, list[Rule]] = {}
    for (raw, line, direction, place), (peers, ports) in parts.items():
        rule = Rule(direction, place, ALLOW, tuple(peers), ports)
        found.setdefault((raw, line, 0), []).append(rule)
    return found


def _other_rules(frame: pd.DataFrame) -> dict[_Record, list[Rule]]:
    parts: dict[tuple[_Record, str, int], tuple[list[PeerRef], dict[str, Any]]] = {}
    for row in _rows(frame):
        record = (row["raw"], row["raw_line"], row["position"])
        peers, _ = parts.setdefault((record, row["direction"], row["rule"]), ([], row))
        if row["peer"] < 0:
            continue
        cidr = row["cidr"]
        peers.append(
            PeerRef(
                row["peer_kind"],
                row["namespace_selector"],
                row["peer_namespace"],
                row["pod_selector"],
                None if cidr is None else Block(cidr, tuple(row["except_cidrs"])),
            )
        )
    found: dict[_Record, list[Rule]] = {}
    for (record, direction, place), (peers, row) in parts.items():
        rule = Rule(
            direction,
            place,
            row["action"],
            tuple(peers),
            tuple(_port(text) for text in row["ports"]),
            unclear=row["unclear"] is not None,
            first=row["first"],
        )
        found.setdefault(record, []).append(rule)
    return found


def _port(text: str) -> PortRef:
    protocol, _, port = text.partition("/")
    protocol = "" if protocol == "*" else protocol
    if port == "*":
        return PortRef(protocol)
    first, _, last = port.partition("-")
    if first.isdigit() and (not last or last.isdigit()):
        return PortRef(protocol, int(first), int(last or first))
    return PortRef(protocol, name=port)


class Pairs(NamedTuple):
    """Pairs of nodes that may connect: source, target, and place of their verdict."""

    source: Numbers
    target: Numbers
    verdict: Numbers


class Matrix:
    """All verdicts of a network between classes of pods, in blocks of sources.

    Attributes
    ----------
    verdicts
        Distinct pairs of the ports that are allowed and those where it is unclear.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.verdicts: list[tuple[int, int]] = []
        self._numbers: dict[tuple[int, int], int] = {}
        self._combined: dict[tuple[int, int], int] = {}
        self._rows: dict[int, Numbers] = {}
        self._kept: list[tuple[Access, ...]] = []
        self._out = self._side("egress")
        self._into = self._side("ingress")

    def _side(self, direction: str) -> Numbers:
        import numpy as np

        network = self.network
        found = np.zeros((network.pods, network.nodes), np.int32)
        for node in range(network.pods):
            found[node] = self._row(network.access(node, direction))
        return found

    def _row(self, groups: tuple[Access, ...]) -> Numbers:
        """Number of the verdict on each node; equal groups are laid out once."""
        import numpy as np

        found = self._rows.get(id(groups))
        if found is None:
            nodes = self.network.nodes
            found = np.zeros(nodes, np.int32)
            for group in groups:
                packed = np.frombuffer(
                    group.peers.to_bytes((nodes + 7) // 8, "little"), dtype=np.uint8
                )
                mask = np.unpackbits(packed, bitorder="little")[:nodes].astype(bool)
                found[mask] = self._number((group.allowed, group.unclear))
            self._rows[id(groups)] = found
            self._kept.append(groups)
        return found

    def _number(self, verdict: tuple[int, int]) -> int:
        number = self._numbers.setdefault(verdict, len(self.verdicts))
        if number == len(self.verdicts):
            self.verdicts.append(verdict)
        return number

    def inside(self, rows: int = 256) -> Iterator[Pairs]:
        """Pairs of classes of pods that may connect, by source."""
        import numpy as np

        network = self.network
        for start in range(0, network.pods, rows):
            end = min(start + rows, network.pods)
            out = self._out[start:end, : network.pods].astype(np.int64)
            code = (out << 32) | self._into[:, start:end].T
            codes, at = np.unique(code, return_inverse=True)
            both = [self._both(int(c) >> 32, int(c) & 0xFFFFFFFF) for c in codes]
            found = np.array(both, np.int32)[at.reshape(code.shape)]
            for node in range(start, end):
                if network.hosts >> node & 1:
                    found[node - start] = self._of_host(found[node - start])
            yield self._listed(found, start, 0)

    def _both(self, out: int, into: int) -> int:
        key = (out, into)
        if key not in self._combined:
            (a, b), (c, d) = self.verdicts[out], self.verdicts[into]
            self._combined[key] = self._number((a & c, (a | b) & (c | d) & ~(a & c)))
        return self._combined[key]

    def _of_host(self, row: Numbers) -> Numbers:
        """Traffic of its own node always reaches a pod."""
        import numpy as np

        every = self.network.ports.all
        numbers, at = np.unique(row, return_inverse=True)
        changed = [
            self._number((a, every & ~a)) for a, _ in map(self.verdicts.__getitem__, numbers)
        ]
        return np.array(changed, np.int32)[at]

    def outward(self) -> Pairs:
        """Classes of pods, and those of addresses that they may connect to."""
        return self._listed(self._out[:, self.network.pods :], 0, self.network.pods)

    def inward(self) -> Pairs:
        """Classes of addresses, and those of pods that they may connect to."""
        turned = self._into[:, self.network.pods :].T
        return self._listed(turned, self.network.pods, 0)

    def _listed(self, found: Numbers, first_row: int, first_column: int) -> Pairs:
        import numpy as np

        nothing = [n for n, verdict in enumerate(self.verdicts) if verdict == (0, 0)]
        source, target = np.nonzero(~np.isin(found, nothing))
        return Pairs(
            (source + first_row).astype(np.int32),
            (target + first_column).astype(np.int32),
            found[source, target],
        )


def namespaces_of(namespaces: pd.DataFrame) -> dict[str, Sequence[str]]:
    """Labels of the namespaces that are known."""
    names, labels = (arrow(namespaces[c]).to_pylist() for c in ("name", "labels"))
    return dict(zip(names, labels, strict=True))


__all__ = ["APART", "METADATA", "PRIVATE", "Matrix", "namespaces_of", "policies_of"]
