"""Policies and pods of tables, as the network that they make; see kaudit.model.connectivity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from kaudit.columns import arrow, plain_rows, series
from kaudit.model.address_space import AddressSpace, Block
from kaudit.model.connectivity import Network
from kaudit.model.own_networks import UserNetwork, primary_networks
from kaudit.model.policy import ALLOW, TIERS, PeerRef, Policy, PortRef, Rule
from kaudit.model.profiles import Profile
from kaudit.model.spoken import address_space, spoken
from kaudit.model.stages import Access
from kaudit.remembered import remembered

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from kaudit.columns import Flags

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


class PolicyTables(NamedTuple):
    """Tables that hold the policies of a cluster."""

    network_policies: pd.DataFrame
    network_policy_rules: pd.DataFrame
    other_policies: pd.DataFrame
    other_policy_rules: pd.DataFrame


class NetworkTables(NamedTuple):
    """Tables that tell what the network of a cluster is."""

    network_pods: pd.DataFrame
    namespaces: pd.DataFrame
    network_policies: pd.DataFrame
    network_policy_rules: pd.DataFrame
    other_policies: pd.DataFrame
    other_policy_rules: pd.DataFrame
    user_networks: pd.DataFrame

    @property
    def policies(self) -> PolicyTables:
        """Those that hold the policies."""
        return PolicyTables(*(getattr(self, name) for name in PolicyTables._fields))


def policies_of(tables: PolicyTables) -> list[Policy]:
    """Return policies of all engines in the form in which they are evaluated."""
    own = _own_rules(tables.network_policy_rules)
    others = _other_rules(tables.other_policy_rules)
    found = []
    for row in _rows(tables.network_policies):
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
    for row in _rows(tables.other_policies):
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


class Sayings(NamedTuple):
    """Policies, and what they speak of: keys of labels, names of ports, addresses."""

    policies: list[Policy]
    keys: frozenset[str]
    ports: frozenset[str]
    space: AddressSpace


@remembered
def sayings_of(*tables: pd.DataFrame) -> Sayings:
    """Return policies of all engines, those of PolicyTables, and what they speak of."""
    policies = policies_of(PolicyTables(*tables))
    return Sayings(policies, *spoken(policies), address_space(policies, APART))


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


def standing(pods: pd.DataFrame) -> pd.DataFrame:
    """Pods, without templates whose pods are there."""
    import numpy as np

    owner = ("namespace", "owner_kind", "owner_name")
    objects = pods[(pods["origin"] == "object").to_numpy(bool)]
    live = set(plain_rows(objects, *owner))
    here = [
        origin == "object" or (namespace, kind, name) not in live
        for namespace, kind, name, origin in plain_rows(pods, *owner, "origin")
    ]
    return pods[np.array(here, bool)]


def _of_all_parts(pods: pd.DataFrame) -> pd.DataFrame:
    """Pods that several parts of the evidence see alike, as the one row that they are."""
    import numpy as np
    import pyarrow as pa

    owner = ("namespace", "owner_kind", "owner_name", "origin")
    alike = (*owner, "host_network", "addressed", "attached")
    lists = ("labels", "named_ports", "addresses")
    known: dict[tuple[Any, ...], int] = {}
    counts: dict[int, int] = {}
    names = arrow(pods["pod"]).to_pylist()
    for at, (count, *cells) in enumerate(plain_rows(pods, "pods", *alike, *lists)):
        key = (*cells[: len(alike)], *map(tuple, cells[len(alike) :]))
        first = known.setdefault(key, at)
        total = counts.pop(first, 0) + count
        if names[at] < names[first]:
            known[key] = first = at
        counts[first] = total
    if len(counts) == len(pods):
        return pods
    order = sorted(counts)
    merged = pods.iloc[np.array(order)].copy()
    merged["pods"] = series(pa.array([counts[at] for at in order], pa.int64()), merged)
    columns = ["namespace", "owner_kind", "owner_name", "pod"]
    return merged.sort_values(columns, kind="stable").reset_index(drop=True)


def seen(pods: pd.DataFrame) -> Iterator[Profile]:
    """What policies see of each row of the view network_pods."""
    columns = ("namespace", "labels", "named_ports", "host_network", "addressed", "addresses")
    for namespace, labels, ports, host, addressed, addresses in plain_rows(pods, *columns):
        yield Profile(
            namespace,
            tuple(labels),
            tuple(ports),
            host,
            tuple(map(int, addresses)) if addressed else None,
        )


def distinct(pods: Iterable[Profile]) -> tuple[list[Profile], list[int]]:
    """Distinct profiles, and which of them each is."""
    numbers: dict[Profile, int] = {}
    found = [numbers.setdefault(profile, len(numbers)) for profile in pods]
    return list(numbers), found


def networks_of(
    user_networks: pd.DataFrame, namespaces: pd.DataFrame, *, sure: bool
) -> list[Policy]:
    """Primary networks of users, as policies; see kaudit.model.own_networks."""
    found = [UserNetwork(*row) for row in plain_rows(user_networks, *UserNetwork.__struct_fields__)]
    return primary_networks(found, namespaces_of(namespaces), sure=sure)


class Pairs(NamedTuple):
    """Pairs of nodes that may connect: source, target, and place of their verdict."""

    source: Numbers
    target: Numbers
    verdict: Numbers


class Built(NamedTuple):
    """Pods of the view network_pods that count, the class of each, and their network."""

    pods: pd.DataFrame
    classes: list[int]
    network: Network


@remembered
def network_of(*frames: pd.DataFrame) -> Built:
    """Build the network of NetworkTables; what is not known is unclear in it."""
    tables = NetworkTables(*frames)
    said = sayings_of(*tables.policies)
    pods = _of_all_parts(standing(tables.network_pods))
    profiles, numbers = distinct(seen(pods))
    networks = networks_of(tables.user_networks, tables.namespaces, sure=False)
    policies = [*networks, *said.policies]
    network = Network(profiles, namespaces_of(tables.namespaces), policies, said.space)
    return Built(pods, [network.class_of[number] for number in numbers], network)


class _Side:
    """What the policies of every class allow in one direction: distinct rows, and whose they are.

    Attributes
    ----------
    verdicts
        Distinct pairs of the ports that are allowed and those where it is unclear.
    rows
        Number of the verdict on each node, one row for all classes that are governed alike.
    of
        Row of each class.
    """

    def __init__(self, network: Network, direction: str) -> None:
        import numpy as np

        places: dict[int, int] = {}
        alike: list[tuple[Access, ...]] = []
        self.of = np.zeros(network.pods, np.int32)
        for node in range(network.pods):
            groups = network.access(node, direction)
            place = places.setdefault(id(groups), len(places))
            if place == len(alike):
                alike.append(groups)
            self.of[node] = place
        numbers: dict[tuple[int, int], int] = {}
        for groups in alike:
            for group in groups:
                numbers.setdefault((group.allowed, group.unclear), len(numbers))
        # There are as many rows as classes, nearly, and few verdicts.
        self.rows = np.zeros((len(alike), network.nodes), np.min_scalar_type(len(numbers)))
        for row, groups in zip(self.rows, alike, strict=True):
            for group in groups:
                if number := numbers[group.allowed, group.unclear]:
                    row[_bits(group.peers, network.nodes)] = number
        self.verdicts = list(numbers)


def _bits(members: int, size: int) -> Flags:
    """Tell of each node whether it is in a set."""
    import numpy as np

    packed = np.frombuffer(members.to_bytes((size + 7) // 8, "little"), dtype=np.uint8)
    return np.unpackbits(packed, bitorder="little")[:size].astype(bool)


class Matrix:
    """All verdicts of a network that has pods, in blocks of sources.

    Attributes
    ----------
    verdicts
        Distinct pairs of the ports that are allowed and those where it is unclear; the first
        is nothing.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.verdicts: list[tuple[int, int]] = []
        self._numbers: dict[tuple[int, int], int] = {}
        self._number((0, 0))
        self._out, self._into = _Side(network, "egress"), _Side(network, "ingress")

    def _number(self, verdict: tuple[int, int]) -> int:
        number = self._numbers.setdefault(verdict, len(self.verdicts))
        if number == len(self.verdicts):
            self.verdicts.append(verdict)
        return number

    def inside(self, rows: int = 256) -> Iterator[Pairs]:
        """Pairs of classes of pods that may connect, by source."""
        import numpy as np

        pods, out, into = self.network.pods, self._out, self._into
        if not pods:
            return
        both = np.array(
            [[self._both(one, other) for other in into.verdicts] for one in out.verdicts], np.int32
        )
        for start in range(0, pods, rows):
            end = min(start + rows, pods)
            forth = out.rows[:, :pods][out.of[start:end]]
            back = into.rows[:, start:end][into.of].T
            found = both[forth, back]
            for node in range(start, end):
                if self.network.hosts >> node & 1:
                    found[node - start] = self._of_host(found[node - start])
            yield self._listed(found, start, 0)

    def _both(self, one: tuple[int, int], other: tuple[int, int]) -> int:
        allowed = one[0] & other[0]
        return self._number((allowed, (one[0] | one[1]) & (other[0] | other[1]) & ~allowed))

    def _of_host(self, row: Numbers) -> Numbers:
        """Traffic of its own node always reaches a pod."""
        import numpy as np

        every = self.network.ports.all
        numbers, at = np.unique(row, return_inverse=True)
        changed = [
            self._number((allowed, every & ~allowed))
            for allowed, _ in map(self.verdicts.__getitem__, numbers)
        ]
        return np.array(changed, np.int32)[at]

    def outward(self) -> Pairs:
        """Classes of pods, and those of addresses that they may connect to."""
        return self._listed(self._beyond(self._out), 0, self.network.pods)

    def inward(self) -> Pairs:
        """Classes of addresses, and those of pods that they may connect to."""
        return self._listed(self._beyond(self._into).T, self.network.pods, 0)

    def _beyond(self, side: _Side) -> Numbers:
        import numpy as np

        numbers = np.array([self._number(verdict) for verdict in side.verdicts], np.int32)
        return numbers[side.rows[:, self.network.pods :][side.of]]

    def _listed(self, found: Numbers, first_row: int, first_column: int) -> Pairs:
        import numpy as np

        source, target = np.nonzero(found)
        return Pairs(
            (source + first_row).astype(np.int32),
            (target + first_column).astype(np.int32),
            found[source, target],
        )


def namespaces_of(namespaces: pd.DataFrame) -> dict[str, Sequence[str]]:
    """Labels of the namespaces that are known."""
    names, labels = (arrow(namespaces[c]).to_pylist() for c in ("name", "labels"))
    return dict(zip(names, labels, strict=True))
