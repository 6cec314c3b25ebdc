"""Network policies, with selectors that lose nothing: absent and empty stay apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated

from kaudit.model.meta import LabelSelector, selector_text
from kaudit.model.network import NetworkPolicy, Peer, PolicyPort
from kaudit.model.network_selection import POLICY_FOR, selected
from kaudit.model.place import Place
from kaudit.model.policy_faults import of_network_policy
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class PolicyRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace that it works in")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always NetworkPolicy")] = "NetworkPolicy"
    pod_selector: Annotated[str, doc("podSelector as JSON; {} selects all pods")]
    selects_all: Annotated[bool, doc("selects all pods of its namespace")]
    ingress: Annotated[bool, doc("isolates for ingress (policyTypes or its default)")]
    egress: Annotated[bool, doc("isolates for egress (policyTypes or its default)")]
    types_written: Annotated[bool, doc("policyTypes is written")]
    ingress_rules: Annotated[int, doc("how many ingress rules")]
    egress_rules: Annotated[int, doc("how many egress rules")]
    allows_all_ingress: Annotated[bool, doc("an ingress rule allows everything")]
    allows_all_egress: Annotated[bool, doc("an egress rule allows everything")]
    faults: Annotated[list[str], doc("what an API server would refuse")]


class PolicyRuleRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace of the policy")]
    name: Annotated[str, doc("name of the policy")]
    kind: Annotated[str, doc("always NetworkPolicy")] = "NetworkPolicy"
    direction: Annotated[str, doc("ingress or egress")]
    rule: Annotated[int, doc("place of the rule, from 0")]
    peer: Annotated[int, doc("place of the peer, from 0; -1: the rule names none, all match")]
    pod_selector: Annotated[str | None, doc("podSelector as JSON; null: absent")] = None
    namespace_selector: Annotated[str | None, doc("namespaceSelector as JSON; null: absent")] = None
    cidr: Annotated[str | None, doc("ipBlock.cidr")] = None
    except_cidrs: Annotated[list[str], doc("ipBlock.except")]
    any_port: Annotated[bool, doc("the rule names no port: all match")]
    ports: Annotated[list[str], doc("protocol/port or protocol/port-end; * for every port")]


class MultiPolicyRow(PolicyRow, kw_only=True):
    kind: Annotated[str, doc("always MultiNetworkPolicy")] = "MultiNetworkPolicy"
    networks: Annotated[list[str], doc("attachments that it is for, as namespace/name")]


class MultiPolicyRuleRow(PolicyRuleRow, kw_only=True):
    kind: Annotated[str, doc("always MultiNetworkPolicy")] = "MultiNetworkPolicy"


POLICIES = Table(
    "network_policies",
    PolicyRow,
    grain="one NetworkPolicy",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
POLICY_RULES = Table(
    "network_policy_rules",
    PolicyRuleRow,
    grain="one peer of a rule of a NetworkPolicy",
    key=("namespace", "name", "direction", "rule", "peer"),
    resource=Resource("kind"),
)

MULTI_POLICIES = Table(
    "multi_network_policies",
    MultiPolicyRow,
    grain="one MultiNetworkPolicy",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
MULTI_POLICY_RULES = Table(
    "multi_network_policy_rules",
    MultiPolicyRuleRow,
    grain="one peer of a rule of a MultiNetworkPolicy",
    key=("namespace", "name", "direction", "rule", "peer"),
    resource=Resource("kind"),
)


@collector(
    Read("networking.k8s.io", "NetworkPolicy", "networkpolicies", NetworkPolicy),
    tables=(POLICIES, POLICY_RULES),
)
def network_policies(found: NetworkPolicy, at: Place) -> Iterator[Row]:
    """Yield a policy and the peers of its rules.

    Where policyTypes is unset a policy isolates for ingress, and for egress only if it has
    egress rules (NetworkPolicy API, networking.k8s.io/v1).
    """
    yield from _rows(found, at, PolicyRow, PolicyRuleRow)


@collector(
    Read(
        "k8s.cni.cncf.io",
        "MultiNetworkPolicy",
        "multi-networkpolicies",
        NetworkPolicy,
        ("v1beta2", "v1beta1"),
    ),
    tables=(MULTI_POLICIES, MULTI_POLICY_RULES),
)
def multi_network_policies(found: NetworkPolicy, at: Place) -> Iterator[Row]:
    """Yield a policy of networks that pods have beside their primary one, and its peers."""
    networks = selected(found.metadata.annotation(POLICY_FOR), at.namespace) or []
    yield from _rows(found, at, partial(MultiPolicyRow, networks=networks), MultiPolicyRuleRow)


def _rows(
    found: NetworkPolicy,
    at: Place,
    policy: Callable[..., PolicyRow],
    rule_row: Callable[..., PolicyRuleRow],
) -> Iterator[Row]:
    spec = found.spec
    ingress, egress = spec.ingress or [], spec.egress or []
    types = spec.policy_types
    peers = {
        "ingress": [(rule.from_ or [], rule.ports or []) for rule in ingress],
        "egress": [(rule.to or [], rule.ports or []) for rule in egress],
    }
    selector = spec.pod_selector or LabelSelector()
    yield policy(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        pod_selector=selector.canonical,
        selects_all=not (selector.match_labels or selector.match_expressions),
        ingress="Ingress" in types if types else True,
        egress="Egress" in types if types else bool(egress),
        types_written=bool(types),
        ingress_rules=len(ingress),
        egress_rules=len(egress),
        allows_all_ingress=any(_allows_all(*rule) for rule in peers["ingress"]),
        allows_all_egress=any(_allows_all(*rule) for rule in peers["egress"]),
        faults=list(of_network_policy(found)),
    )
    for direction, rules in peers.items():
        for number, (sides, ports) in enumerate(rules):
            for place, side in list(enumerate(sides)) or [(-1, Peer())]:
                block = side.ip_block
                yield rule_row(
                    raw=at.raw,
                    raw_line=at.line,
                    namespace=at.namespace,
                    name=at.name,
                    direction=direction,
                    rule=number,
                    peer=place,
                    pod_selector=selector_text(side.pod_selector),
                    namespace_selector=selector_text(side.namespace_selector),
                    cidr=block.cidr if block else None,
                    except_cidrs=(block.except_ or []) if block else [],
                    any_port=not ports,
                    ports=[_port(port) for port in ports],
                )


def _allows_all(peers: list[Peer], ports: list[PolicyPort]) -> bool:
    if ports:
        return False
    return not peers or any(_everyone(peer) for peer in peers)


def _everyone(peer: Peer) -> bool:
    """All addresses; selectors reach pods only."""
    block = peer.ip_block
    return block is not None and block.cidr in ("0.0.0.0/0", "::/0") and not block.except_


def _port(port: PolicyPort) -> str:
    number = "*" if port.port is None else str(port.port)
    end = f"-{port.end_port}" if port.end_port is not None else ""
    return f"{port.protocol or 'TCP'}/{number}{end}"
