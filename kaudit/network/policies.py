"""Policies of tables, of all engines in one form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kaudit.columns import arrow
from kaudit.model.address_space import AddressSpace, Block
from kaudit.model.policy import ALLOW, TIERS, PeerRef, Policy, PortRef, Rule
from kaudit.model.spoken import address_space, spoken
from kaudit.model.whole import whole
from kaudit.network.addresses import APART
from kaudit.remembered import remembered

if TYPE_CHECKING:
    import pandas as pd

_Record = tuple[str, int, int]


class PolicyTables(NamedTuple):
    """Tables that hold the policies of a cluster."""

    network_policies: pd.DataFrame
    network_policy_rules: pd.DataFrame
    other_policies: pd.DataFrame
    other_policy_rules: pd.DataFrame


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
    begin, end = whole(first), whole(last or first)
    if begin is not None and end is not None:
        return PortRef(protocol, begin, end)
    return PortRef(protocol, name=port)
