"""Engine: networks that workloads have beside their primary one, and what their policies allow.

Definitions that lead to one network may stand in several namespaces. A MultiNetworkPolicy is
about pods of its own namespace, on the networks that it names. Plugins cannot tell the addresses
of virtual machines from their labels, so that peers mean machines by address alone ("Configuring
multi-network policy", OpenShift 4.19).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from kaudit.columns import plain_rows
from kaudit.evidence.bundle import Evidence
from kaudit.model.connectivity import Network
from kaudit.model.meta import LabelSelector, Requirement
from kaudit.model.own_networks import UserNetwork, definitions
from kaudit.model.policy import PeerRef, Policy, Rule
from kaudit.model.profiles import Profile
from kaudit.model.spoken import address_space
from kaudit.model.statement import Workload
from kaudit.network import (
    APART,
    Matrix,
    PolicyTables,
    distinct,
    namespaces_of,
    policies_of,
    standing,
)

if TYPE_CHECKING:
    import pandas as pd

MACHINES = ("VirtualMachine", "VirtualMachineInstance")
#: Marks machines; no label of Kubernetes can have such a name.
_MARK = "//machine"


class Member(msgspec.Struct, frozen=True):
    """A pod on a network, or what would be one."""

    workload: Workload
    labels: tuple[str, ...]
    ports: tuple[str, ...]
    addresses: tuple[str, ...]


class Attached(msgspec.Struct, frozen=True):
    """One network, and the class of each that is on it.

    Attributes
    ----------
    known
        Whether a definition that leads to it was seen; else it is named by its definition, and
        whether anything is on it is not known.
    """

    name: str
    known: bool
    network: Network
    members: tuple[tuple[Workload, int], ...]

    def pairs(self) -> Iterator[tuple[Workload, Workload, int, int]]:
        """Workloads, the ports that are allowed from one to the other, and those unclear."""
        matrix = Matrix(self.network)
        by_class: dict[int, list[Workload]] = {}
        for workload, number in dict.fromkeys(self.members):
            by_class.setdefault(number, []).append(workload)
        for block in matrix.inside():
            for source, target, number in zip(*(p.tolist() for p in block), strict=True):
                allowed, unclear = matrix.verdicts[number]
                if not self.known:
                    allowed, unclear = 0, allowed | unclear
                for src in by_class.get(source, ()):
                    for dst in by_class.get(target, ()):
                        if src != dst:
                            yield src, dst, allowed, unclear


def attached(evidence: Evidence) -> Iterator[Attached]:
    """Networks of evidence that workloads are on beside their primary one."""
    namespaces = namespaces_of(evidence["namespaces"])
    leads = _leads(evidence, namespaces)
    on: dict[tuple[str, bool], list[Member]] = {}
    for member, definition in _members(evidence):
        known = definition in leads
        on.setdefault((leads.get(definition, definition), known), []).append(member)
    policies = list(_policies(evidence)) if on else []
    for (name, known), members in sorted(on.items(), key=lambda one: one[0]):
        here = [p for p, named in policies if name in (leads.get(one, one) for one in named)]
        space = address_space(here, APART)
        profiles, numbers = distinct(
            Profile(
                m.workload.namespace,
                m.labels,
                m.ports,
                addresses=tuple(
                    sorted({n for a in m.addresses if (n := space.class_of(a)) is not None})
                )
                or None,
            )
            for m in members
        )
        network = Network(profiles, namespaces, here, space, cautious=False)
        classes = [network.class_of[number] for number in numbers]
        workloads = [m.workload for m in members]
        yield Attached(name, known, network, tuple(zip(workloads, classes, strict=True)))


def _leads(evidence: Evidence, namespaces: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Network of each definition, as ``namespace/name``."""
    own = [
        UserNetwork(*r)
        for r in plain_rows(evidence["user_networks"], *UserNetwork.__struct_fields__)
    ]
    found = dict(definitions(own, namespaces))
    columns = ("namespace", "name", "network")
    for namespace, name, network in plain_rows(evidence["network_attachments"], *columns):
        found[f"{namespace}/{name}"] = network
    return found


def _members(evidence: Evidence) -> Iterator[tuple[Member, str]]:
    asked = {uid: some for uid, some in plain_rows(evidence["pods"], "pod_uid", "networks") if some}
    columns = ("namespace", "name", "labels", "networks")
    machines = [row for row in plain_rows(evidence["virtual_machines"], *columns) if row[-1]]
    if not asked and not machines:
        return
    pods = standing(evidence["pod_context"])
    live = set()
    ports = _ports(evidence["ports"], asked)
    owner = ("pod_uid", "namespace", "owner_kind", "owner_name", "labels")
    for uid, namespace, kind, name, labels in plain_rows(pods, *owner):
        workload = Workload(namespace, name, kind or "Pod")
        machine = kind in MACHINES
        if machine:
            live.add((namespace, name))
        yield from _each(workload, labels, ports.get(uid, ()), asked.get(uid, ()), machine)
    for namespace, name, labels, networks in machines:
        if (namespace, name) not in live:
            yield from _each(Workload(namespace, name, MACHINES[0]), labels, (), networks, True)


def _each(
    workload: Workload,
    labels: Iterable[str],
    ports: Iterable[str],
    networks: Iterable[str],
    machine: bool,
) -> Iterator[tuple[Member, str]]:
    mark = (f"{_MARK}=",) if machine else ()
    for text in networks:
        definition, *addresses = text.split("=")
        seen = tuple(sorted((*labels, *mark)))
        yield Member(workload, seen, tuple(ports), tuple(addresses)), definition


def _ports(ports: pd.DataFrame, asked: dict[str, list[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for uid, protocol, name, port in plain_rows(ports, "pod_uid", "protocol", "port_name", "port"):
        if uid in asked and name and port:
            found.setdefault(uid, []).append(f"{protocol}/{name}={port}")
    return found


def _policies(evidence: Evidence) -> Iterator[tuple[Policy, list[str]]]:
    frame = evidence["multi_network_policies"]
    none = evidence["other_policies"].iloc[:0], evidence["other_policy_rules"].iloc[:0]
    found = policies_of(PolicyTables(frame, evidence["multi_network_policy_rules"], *none))
    for policy, (networks,) in zip(found, plain_rows(frame, "networks"), strict=True):
        rules = tuple(msgspec.structs.replace(r, peers=tuple(_peers(r))) for r in policy.rules)
        yield msgspec.structs.replace(policy, rules=rules), networks


def _peers(rule: Rule) -> Iterator[PeerRef]:
    for peer in rule.peers:
        if peer.kind != "pods":
            yield peer
            continue
        pods = msgspec.json.decode(peer.pods or "{}", type=LabelSelector)
        terms = [*(pods.match_expressions or ()), Requirement(_MARK, "DoesNotExist")]
        yield msgspec.structs.replace(peer, pods=LabelSelector(pods.match_labels, terms).canonical)
