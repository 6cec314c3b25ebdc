"""Network policies of other engines than Kubernetes' own, and their rules, in one form."""

from __future__ import annotations

from typing import Annotated

from kaudit.model.place import Place
from kaudit.model.policy import PeerRef, PortRef, Rule
from kaudit.table import Resource, Table, Trace, doc


class OtherPolicyRow(Trace, kw_only=True):
    kind: Annotated[str, doc("CiliumNetworkPolicy, GlobalNetworkPolicy, …")]
    group: Annotated[str, doc("API group")]
    namespace: Annotated[str, doc("namespace that it works in; empty: in all")]
    name: Annotated[str, doc("name")]
    position: Annotated[int, doc("place of the rule in spec and specs, from 0")]
    stage: Annotated[int, doc("0: before NetworkPolicy; 1: beside it; 2: after it")] = 1
    order: Annotated[float | None, doc("priority or order; lower comes first; null: last")] = None
    namespace_selector: Annotated[
        str | None, doc("namespaces of the pods that it selects; null: its own, or all")
    ] = None
    pod_selector: Annotated[
        str | None,
        doc("pods that it selects, as JSON or Calico's expression; null: not evaluated"),
    ] = None
    ingress: Annotated[bool, doc("isolates for ingress, or may do so")]
    egress: Annotated[bool, doc("isolates for egress, or may do so")]
    faults: Annotated[list[str], doc("what an API server would refuse")]


class OtherRuleRow(Trace, kw_only=True):
    kind: Annotated[str, doc("kind of the policy")]
    group: Annotated[str, doc("API group of the policy")]
    namespace: Annotated[str, doc("namespace of the policy; empty: none")]
    name: Annotated[str, doc("name of the policy")]
    position: Annotated[int, doc("place in spec and specs, from 0")]
    direction: Annotated[str, doc("ingress or egress")]
    rule: Annotated[int, doc("place of the rule, from 0; denials of Cilium from 10000")]
    peer: Annotated[int, doc("place of the peer, from 0; -1: the rule matches no connection")]
    action: Annotated[str, doc("allow, deny or pass")]
    first: Annotated[bool, doc("comes before all rules of its stage that do not")]
    peer_kind: Annotated[
        str, doc("pods, block, outside: addresses of no pod, nodes, any: all of them, or none")
    ]
    namespace_selector: Annotated[
        str | None, doc("namespaces of the peer; null: those of peer_namespace")
    ] = None
    peer_namespace: Annotated[str, doc("the one namespace of the peer; empty: all")] = ""
    pod_selector: Annotated[str | None, doc("pods of the peer; null: all of them")] = None
    cidr: Annotated[str | None, doc("address block of the peer")] = None
    except_cidrs: Annotated[list[str], doc("exceptions of the block")]
    any_port: Annotated[bool, doc("the rule names no port: all match")]
    ports: Annotated[list[str], doc("protocol/port or protocol/port-end; protocol * for any")]
    unclear: Annotated[str | None, doc("what of the rule is not understood; null: nothing")] = None


OTHER_POLICIES = Table(
    "other_policies",
    OtherPolicyRow,
    grain="one rule of a network policy of another engine",
    key=("kind", "group", "namespace", "name", "position"),
    resource=Resource("kind"),
)
OTHER_RULES = Table(
    "other_policy_rules",
    OtherRuleRow,
    grain="one peer of a rule of a network policy of another engine",
    key=("kind", "group", "namespace", "name", "position", "direction", "rule", "peer"),
    resource=Resource("kind"),
)


def port_text(port: PortRef) -> str:
    """``TCP/80``, ``TCP/80-90``, ``TCP/http``, ``*/http`` or ``TCP/*``."""
    if port.name:
        return f"{port.protocol or '*'}/{port.name}"
    if (port.first, port.last) == (1, 65535):
        return f"{port.protocol}/*"
    end = f"-{port.last}" if port.last != port.first else ""
    return f"{port.protocol}/{port.first}{end}"


def rule_rows(rules: list[tuple[Rule, str]], at: Place, position: int) -> list[OtherRuleRow]:
    """Rows of rules, each with what of it is not understood."""
    found = []
    for rule, unclear in rules:
        peers = list(enumerate(rule.peers)) or [(-1, PeerRef("none"))]
        for place, peer in peers:
            found.append(
                OtherRuleRow(
                    raw=at.raw,
                    raw_line=at.line,
                    kind=at.kind,
                    group=at.group,
                    namespace=at.namespace,
                    name=at.name,
                    position=position,
                    direction=rule.direction,
                    rule=rule.place,
                    peer=place,
                    action=rule.action,
                    first=rule.first,
                    peer_kind=peer.kind,
                    namespace_selector=peer.namespaces,
                    peer_namespace=peer.namespace,
                    pod_selector=peer.pods,
                    cidr=peer.block.cidr if peer.block else None,
                    except_cidrs=list(peer.block.excepts) if peer.block else [],
                    any_port=not rule.ports,
                    ports=[port_text(port) for port in rule.ports],
                    unclear=unclear or None,
                )
            )
    return found
