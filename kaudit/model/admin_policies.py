"""The Network Policy API: AdminNetworkPolicy, its baseline, and ClusterNetworkPolicy.

As they arrive on the wire (policy.networking.k8s.io v1alpha1 and v1alpha2), and as rules.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import field

from kaudit.model.address_space import Block
from kaudit.model.meta import Int, LabelSelector, Part, Resource
from kaudit.model.policy import ADMIN, BASELINE, PeerRef, PortRef, Rule
from kaudit.model.policy_faults import in_cidr, in_range, in_selector
from kaudit.model.port_space import PROTOCOLS


class NamespacedPods(Part):
    """subject.pods and a peer's pods."""

    namespace_selector: LabelSelector | None = None
    pod_selector: LabelSelector | None = None


class Subject(Part):
    """subject: namespaces or pods."""

    namespaces: LabelSelector | None = None
    pods: NamespacedPods | None = None


class AdminPeer(Subject):
    """from[] or to[]."""

    nodes: LabelSelector | None = None
    networks: list[str] | None = None
    domain_names: list[str] | None = None


class PortNumber(Part):
    """ports[].portNumber."""

    protocol: str | None = None
    port: Int | None = None


class PortSpan(Part):
    """ports[].portRange, and a protocol's range."""

    protocol: str | None = None
    start: Int | None = None
    end: Int | None = None


class AdminPort(Part):
    """ports[] of v1alpha1: one of three."""

    port_number: PortNumber | None = None
    port_range: PortSpan | None = None
    named_port: str | None = None


class DestinationPort(Part):
    """destinationPort of a protocol: one of two."""

    number: Int | None = None
    range: PortSpan | None = None


class ProtocolPorts(Part):
    """tcp, udp or sctp."""

    destination_port: DestinationPort | None = None


class AdminProtocol(Part):
    """protocols[] of v1alpha2: one of four."""

    tcp: ProtocolPorts | None = None
    udp: ProtocolPorts | None = None
    sctp: ProtocolPorts | None = None
    destination_named_port: str | None = None


class AdminRule(Part):
    """ingress[] or egress[]."""

    name: str | None = None
    action: str = ""
    from_: list[AdminPeer | None] | None = field(default=None, name="from")
    to: list[AdminPeer | None] | None = None
    ports: list[AdminPort | None] | None = None
    protocols: list[AdminProtocol | None] | None = None


class AdminSpec(Part):
    """spec."""

    tier: str | None = None
    priority: Int | None = None
    subject: Subject | None = None
    ingress: list[AdminRule] | None = None
    egress: list[AdminRule] | None = None


class AdminPolicy(Resource):
    """Any of the three kinds."""

    spec: AdminSpec = field(default_factory=AdminSpec)

    @property
    def stage(self) -> int:
        """Before or after NetworkPolicy."""
        last = self.kind.startswith("Baseline") or self.spec.tier == "Baseline"
        return BASELINE if last else ADMIN


#: Actions by how each kind spells them; a baseline has nothing to pass to.
_ACTIONS = {"Allow": "allow", "Accept": "allow", "Deny": "deny", "Pass": "pass"}
_MOST_PRIORITY, _MOST_RULES = 1000, 100


def subject_of(policy: AdminPolicy) -> PeerRef:
    """Pods that a policy is about."""
    return _pods(policy.spec.subject or Subject())


def _pods(chosen: Subject) -> PeerRef:
    if chosen.pods is not None:
        namespaces, pods = chosen.pods.namespace_selector, chosen.pods.pod_selector
        return PeerRef(
            "pods", LabelSelector.text(namespaces or LabelSelector()), "", LabelSelector.text(pods)
        )
    return PeerRef("pods", LabelSelector.text(chosen.namespaces or LabelSelector()))


def rules_of(policy: AdminPolicy) -> list[tuple[Rule, str]]:
    """Rules, each with what of it is not understood."""
    found = []
    for direction, rules in (("ingress", policy.spec.ingress), ("egress", policy.spec.egress)):
        for place, rule in enumerate(rules or ()):
            named = (rule.from_ if direction == "ingress" else rule.to) or ()
            peers = [ref for peer in named if peer for ref in _peers(peer)]
            domains = any(peer and peer.domain_names for peer in named)
            found.append(
                (
                    Rule(
                        direction,
                        place,
                        _ACTIONS.get(rule.action, "pass"),
                        tuple(peers),
                        tuple(_ports(rule)),
                    ),
                    "domain names" if domains else "",
                )
            )
    return found


def _peers(peer: AdminPeer) -> Iterator[PeerRef]:
    if peer.namespaces is not None or peer.pods is not None:
        yield _pods(peer)
    if peer.nodes is not None:
        yield PeerRef("nodes", unclear=True)
    for cidr in peer.networks or ():
        yield PeerRef("block", block=Block(cidr))
    if peer.domain_names:
        yield PeerRef("outside", unclear=True)


def _ports(rule: AdminRule) -> Iterator[PortRef]:
    for port in rule.ports or ():
        if port is None:
            continue
        if port.named_port is not None:
            yield PortRef("", name=port.named_port)
        if (one := port.port_number) is not None:
            number = one.port or 0
            yield PortRef(one.protocol or "TCP", number, number)
        if (span := port.port_range) is not None:
            yield PortRef(span.protocol or "TCP", span.start or 0, span.end or 0)
    for protocol in rule.protocols or ():
        if protocol is None:
            continue
        if protocol.destination_named_port is not None:
            yield PortRef("", name=protocol.destination_named_port)
        for name in PROTOCOLS:
            of: ProtocolPorts | None = getattr(protocol, name.lower())
            if of is None:
                continue
            chosen = of.destination_port
            if chosen is None:
                yield PortRef(name)
            elif chosen.range is not None:
                yield PortRef(name, chosen.range.start or 0, chosen.range.end or 0)
            else:
                yield PortRef(name, chosen.number or 0, chosen.number or 0)


def faults_of(policy: AdminPolicy) -> Iterator[str]:
    """What an API server would refuse, by the validation of the definitions."""
    spec, kind = policy.spec, policy.kind
    if kind == "BaselineAdminNetworkPolicy":
        if policy.metadata.name != "default":
            yield "its name must be default"
    elif spec.priority is None or not 0 <= spec.priority <= _MOST_PRIORITY:
        yield f"its priority must be a number from 0 to {_MOST_PRIORITY}"
    if kind == "ClusterNetworkPolicy" and spec.tier not in ("Admin", "Baseline"):
        yield f"there is no tier {spec.tier!r}"
    yield from _in_choice("subject", spec.subject)
    actions = ["Accept" if kind == "ClusterNetworkPolicy" else "Allow", "Deny", "Pass"]
    if kind == "BaselineAdminNetworkPolicy":
        actions.remove("Pass")
    for direction, rules in (("ingress", spec.ingress), ("egress", spec.egress)):
        if len(rules or ()) > _MOST_RULES:
            yield f"{direction}: more than {_MOST_RULES} rules"
        for at, rule in enumerate(rules or ()):
            where = f"{direction}[{at}]"
            if rule.action not in actions:
                yield f"{where}: there is no action {rule.action!r}"
            peers = rule.from_ if direction == "ingress" else rule.to
            if not peers:
                yield f"{where}: names no peer"
            for peer in peers or ():
                yield from _in_choice(where, peer)
            yield from _in_ports(where, rule)


def _in_choice(where: str, chosen: Subject | None) -> Iterator[str]:
    """Faults of a block that must have exactly one of its fields."""
    names = ["namespaces", "pods"]
    if isinstance(chosen, AdminPeer):
        names += ["nodes", "networks", "domain_names"]
    if chosen is None or sum(getattr(chosen, name) is not None for name in names) != 1:
        yield f"{where}: must name one of {', '.join(names[:2])} and the like"
    if chosen is None:
        return
    yield from in_selector(where, chosen.namespaces)
    if chosen.pods is not None:
        yield from in_selector(where, chosen.pods.namespace_selector)
        yield from in_selector(where, chosen.pods.pod_selector)
    if isinstance(chosen, AdminPeer):
        yield from in_selector(where, chosen.nodes)
        for cidr in chosen.networks or ():
            yield from in_cidr(where, cidr)


def _in_ports(where: str, rule: AdminRule) -> Iterator[str]:
    for port in rule.ports or ():
        parts = (port.port_number, port.port_range, port.named_port) if port else ()
        if sum(part is not None for part in parts) != 1:
            yield f"{where}: a port must be one of portNumber, portRange and namedPort"
    for protocol in rule.protocols or ():
        names = ("tcp", "udp", "sctp", "destination_named_port")
        if protocol is None or sum(getattr(protocol, name) is not None for name in names) != 1:
            yield f"{where}: a protocol must be one of tcp, udp, sctp and destinationNamedPort"
    for meant in _ports(rule):
        if meant.name:
            continue
        if meant.protocol not in PROTOCOLS:
            yield f"{where}: there is no protocol {meant.protocol!r}"
        yield from in_range(where, meant.first, meant.last)
