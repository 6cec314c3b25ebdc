"""Calico's policies as they arrive on the wire, and as rules, as far as they map exactly.

Sources: "Network policy" and "Global network policy" of Calico 3.30. Only the tier
``default``, in which NetworkPolicy has the order 1000, has a known place.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import field

from kaudit.model.address_space import Block
from kaudit.model.calico_selector import SelectorError, parsed
from kaudit.model.meta import IntOrText, Opaque, Part, Resource
from kaudit.model.policy import ALLOW, DENY, PASS, PeerRef, PortRef, Rule
from kaudit.model.port_space import PROTOCOLS
from kaudit.model.whole import whole


class CalicoEntity(Part):
    """source or destination of a rule."""

    nets: list[str] | None = None
    not_nets: list[str] | None = None
    selector: str | None = None
    not_selector: str | None = None
    namespace_selector: str | None = None
    service_accounts: Opaque | None = None
    services: Opaque | None = None
    domains: list[str] | None = None
    ports: list[IntOrText | None] | None = None
    not_ports: list[IntOrText | None] | None = None


class CalicoRule(Part):
    """ingress[] or egress[]."""

    action: str = ""
    protocol: IntOrText | None = None
    not_protocol: IntOrText | None = None
    ip_version: int | None = None
    icmp: Opaque | None = None
    http: Opaque | None = None
    source: CalicoEntity | None = None
    destination: CalicoEntity | None = None


class CalicoSpec(Part):
    """spec."""

    tier: str | None = None
    order: float | None = None
    selector: str | None = None
    namespace_selector: str | None = None
    service_account_selector: str | None = None
    types: list[str] | None = None
    ingress: list[CalicoRule] | None = None
    egress: list[CalicoRule] | None = None
    pre_dnat: bool | None = field(default=None, name="preDNAT")
    do_not_track: bool | None = None
    apply_on_forward: bool | None = None

    @property
    def of_hosts(self) -> bool:
        """It works on the interfaces of nodes only."""
        return bool(self.do_not_track or self.pre_dnat)

    @property
    def understood(self) -> bool:
        """Its place and the pods that it selects are known."""
        if self.tier not in (None, "", "default") or self.service_account_selector:
            return False
        return _is_selector(self.selector) and _is_selector(self.namespace_selector)


class CalicoPolicy(Resource):
    """projectcalico.org NetworkPolicy and GlobalNetworkPolicy."""

    spec: CalicoSpec = field(default_factory=CalicoSpec)


_ACTIONS = {"Allow": ALLOW, "Deny": DENY, "Pass": PASS}
_NUMBERS = {"6": "TCP", "17": "UDP", "132": "SCTP"}
_EVERY = "0.0.0.0/0"


def _is_selector(text: str | None) -> bool:
    try:
        parsed(text or "")
    except SelectorError:
        return False
    return True


def rules_of(policy: CalicoPolicy, namespace: str) -> Iterator[tuple[Rule, str]]:
    """Rules, each with what of it is not understood."""
    for direction in ("ingress", "egress"):
        for at, rule in enumerate(getattr(policy.spec, direction) or ()):
            if rule.action == "Log":
                continue
            source, destination = rule.source or CalicoEntity(), rule.destination or CalicoEntity()
            peer, own = (source, destination) if direction == "ingress" else (destination, source)
            peers, unclear = _peers(peer, namespace)
            ports, above = _ports(rule, destination)
            if source.ports or source.not_ports or not _only_ports(own):
                unclear = "the side of its own pods"
            if rule.action not in _ACTIONS:
                unclear = f"action {rule.action}"
            action = _ACTIONS.get(rule.action, PASS)
            yield Rule(direction, at, action, tuple(peers), tuple(ports)), unclear or above


def _only_ports(entity: CalicoEntity) -> bool:
    return CalicoEntity(ports=entity.ports, not_ports=entity.not_ports) == entity


def _peers(entity: CalicoEntity, namespace: str) -> tuple[list[PeerRef], str]:
    if entity.service_accounts or entity.services or entity.domains:
        return [PeerRef("any", unclear=True)], "accounts, services or domains"
    selectors = (entity.selector, entity.not_selector, entity.namespace_selector)
    if not all(_is_selector(text) for text in selectors):
        return [PeerRef("any", unclear=True)], "its selector"
    if any(text is not None for text in selectors):
        pods = entity.selector or "all()"
        if entity.not_selector:
            pods = f"({pods}) && !({entity.not_selector})"
        spaces = entity.namespace_selector
        chosen = PeerRef("pods", spaces, "" if spaces else namespace, pods)
        if entity.nets or entity.not_nets:
            return [PeerRef("pods", spaces, chosen.namespace, pods, unclear=True)], "nets beside"
        return [chosen], ""
    if entity.nets or entity.not_nets:
        excepts = tuple(entity.not_nets or ())
        nets = entity.nets or [_EVERY, *(["::/0"] if any(":" in net for net in excepts) else ())]
        return [PeerRef("block", block=Block(net, excepts)) for net in nets], ""
    return [PeerRef("any")], ""


def _ports(rule: CalicoRule, destination: CalicoEntity) -> tuple[list[PortRef], str]:
    unclear = ""
    if rule.http is not None:
        unclear = "rules above ports"
    if rule.not_protocol is not None or destination.not_ports or rule.ip_version == 6:
        unclear = "negations"
    if rule.protocol is None and not destination.ports:
        return [], unclear
    named = _NUMBERS.get(str(rule.protocol), str(rule.protocol or "").upper())
    found: list[PortRef] = []
    for protocol in PROTOCOLS if rule.protocol is None else (named,):
        if not destination.ports:
            found.append(PortRef(protocol))
        for port in destination.ports or ():
            first, _, last = str(port).partition(":")
            begin, end = whole(first), whole(last or first)
            if begin is not None and end is not None:
                found.append(PortRef(protocol, begin, end))
            else:
                found.append(PortRef(protocol, name=str(port)))
    return found, unclear
