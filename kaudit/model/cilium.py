"""Cilium's policies as they arrive on the wire, and as rules, as far as they map exactly.

What Cilium decides above ports (HTTP, DNS names, services, groups) is unclear here: it may
allow less than its ports say. An empty rule matches nothing; a rule with ports alone matches
every peer (Cilium, "Layer 3 Policies" and "Policy Enforcement Modes", 1.18).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from kaudit.model.address_space import Block
from kaudit.model.meta import IntOrText, LabelSelector, Opaque, Part, Resource
from kaudit.model.policy import ALLOW, DENY, PeerRef, PortRef, Rule
from kaudit.model.port_space import PROTOCOLS
from kaudit.model.whole import whole


class DefaultDeny(Part):
    """enableDefaultDeny of a rule."""

    ingress: bool | None = None
    egress: bool | None = None


class CidrRule(Part):
    """fromCIDRSet[] or toCIDRSet[]."""

    cidr: str | None = None
    except_: list[str] | None = msgspec.field(default=None, name="except")


class CiliumPort(Part):
    """toPorts[].ports[]."""

    port: IntOrText | None = None
    end_port: int | None = None
    protocol: str | None = None


class CiliumPorts(Part):
    """toPorts[]."""

    ports: list[CiliumPort] | None = None
    rules: Opaque | None = None
    server_names: list[str] | None = None
    listener: Opaque | None = None


class CiliumSide(Part, rename=None):
    """ingress[], egress[] and their denials: who, and on which ports."""

    endpoints_from: list[LabelSelector] | None = msgspec.field(default=None, name="fromEndpoints")
    endpoints_to: list[LabelSelector] | None = msgspec.field(default=None, name="toEndpoints")
    entities_from: list[str] | None = msgspec.field(default=None, name="fromEntities")
    entities_to: list[str] | None = msgspec.field(default=None, name="toEntities")
    cidrs_from: list[str] | None = msgspec.field(default=None, name="fromCIDR")
    cidrs_to: list[str] | None = msgspec.field(default=None, name="toCIDR")
    sets_from: list[CidrRule] | None = msgspec.field(default=None, name="fromCIDRSet")
    sets_to: list[CidrRule] | None = msgspec.field(default=None, name="toCIDRSet")
    ports: list[CiliumPorts] | None = msgspec.field(default=None, name="toPorts")
    names: list[Opaque] | None = msgspec.field(default=None, name="toFQDNs")
    services: list[Opaque] | None = msgspec.field(default=None, name="toServices")
    groups_from: list[Opaque] | None = msgspec.field(default=None, name="fromGroups")
    groups_to: list[Opaque] | None = msgspec.field(default=None, name="toGroups")
    nodes_from: list[Opaque] | None = msgspec.field(default=None, name="fromNodes")
    nodes_to: list[Opaque] | None = msgspec.field(default=None, name="toNodes")
    requires_from: list[Opaque] | None = msgspec.field(default=None, name="fromRequires")
    requires_to: list[Opaque] | None = msgspec.field(default=None, name="toRequires")
    icmps: list[Opaque] | None = None


class CiliumRule(Part):
    """spec, or one of specs, of Cilium's policies."""

    endpoint_selector: LabelSelector | None = None
    ingress: list[CiliumSide | None] | None = None
    ingress_deny: list[CiliumSide | None] | None = None
    egress: list[CiliumSide | None] | None = None
    egress_deny: list[CiliumSide | None] | None = None
    enable_default_deny: DefaultDeny | None = None


class CiliumPolicy(Resource):
    """cilium.io CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy."""

    spec: CiliumRule | None = None
    specs: list[CiliumRule] | None = None

    @property
    def rules(self) -> list[CiliumRule]:
        """All rules."""
        return [*([self.spec] if self.spec else ()), *(self.specs or ())]


#: Sources of labels that Kubernetes gives: all labels of a pod are of them.
_SOURCES = ("k8s:", "any:")
#: Labels that Cilium makes itself; those of the namespace are known.
_MADE, _OF_NAMESPACE = "io.cilium.", "io.cilium.k8s.namespace.labels."
_NAMESPACE = "io.kubernetes.pod.namespace"
#: Denials are tried before all that is allowed.
_DENIALS = 10_000


def selector_text(selector: LabelSelector | None) -> str | None:
    """Selector by the labels of pods; None where it names what is no label of theirs."""
    selector = selector or LabelSelector()
    labels = {_key(key): value for key, value in (selector.match_labels or {}).items()}
    terms = [
        msgspec.structs.replace(term, key=_key(term.key))
        for term in selector.match_expressions or ()
    ]
    keys = [*labels, *(term.key for term in terms)]
    if any(":" in key or (key.startswith(_MADE) and _OF_NAMESPACE not in key) for key in keys):
        return None
    return LabelSelector(labels, terms).canonical


def _key(text: str) -> str:
    for source in _SOURCES:
        text = text.removeprefix(source)
    return text


def closes(rule: CiliumRule, direction: str) -> bool:
    """Whether a rule denies in a direction what nothing allows."""
    default = rule.enable_default_deny
    chosen = getattr(default, direction) if default else None
    some = getattr(rule, direction) or getattr(rule, f"{direction}_deny")
    return bool(some) if chosen is None else chosen


def rules_of(rule: CiliumRule, namespace: str) -> Iterator[tuple[Rule, str]]:
    """Rules, each with what of it is not understood."""
    for direction in ("ingress", "egress"):
        for denies in (False, True):
            sides = getattr(rule, f"{direction}_deny" if denies else direction) or ()
            for at, side in enumerate(sides):
                peers, unclear = _peers(side or CiliumSide(), direction, namespace)
                ports, above = _ports(side or CiliumSide())
                yield (
                    Rule(
                        direction,
                        at + (_DENIALS if denies else 0),
                        DENY if denies else ALLOW,
                        tuple(peers),
                        tuple(ports),
                        first=denies,
                    ),
                    unclear or above,
                )


def _peers(side: CiliumSide, direction: str, namespace: str) -> tuple[list[PeerRef], str]:
    inward = direction == "ingress"
    endpoints = side.endpoints_from if inward else side.endpoints_to
    entities = side.entities_from if inward else side.entities_to
    cidrs = side.cidrs_from if inward else side.cidrs_to
    sets = side.sets_from if inward else side.sets_to
    found, unclear = [], ""
    for selector in endpoints or ():
        found.append(_endpoint(selector, namespace))
        unclear = "labels that are no pod's" if found[-1].unclear else unclear
    for entity in entities or ():
        found += _ENTITIES.get(entity, (PeerRef("nodes", unclear=True),))
    found += [PeerRef("outside", block=Block(cidr)) for cidr in cidrs or ()]
    for one in sets or ():
        if one.cidr is None:
            found.append(PeerRef("outside", unclear=True))
            unclear = "address groups"
        else:
            found.append(PeerRef("outside", block=Block(one.cidr, tuple(one.except_ or ()))))
    for name, some, kind in (
        ("DNS names", side.names, "outside"),
        ("services", side.services, "any"),
        ("groups of a cloud", side.groups_from or side.groups_to, "outside"),
        ("nodes", side.nodes_from or side.nodes_to, "nodes"),
    ):
        if some:
            found.append(PeerRef(kind, unclear=True))
            unclear = name
    if side.requires_from or side.requires_to:
        unclear = "requirements of peers"
    named = (endpoints, entities, cidrs, sets, side.names, side.services, side.nodes_from)
    rest = (side.nodes_to, side.groups_from, side.groups_to)
    if side.ports and all(some is None for some in (*named, *rest)):
        return [PeerRef("any")], unclear
    return found, unclear


def _endpoint(selector: LabelSelector, namespace: str) -> PeerRef:
    """Pods of a selector: of the policy's own namespace, unless it names one."""
    text = selector_text(selector)
    if text is None:
        return PeerRef("pods", pods=None, unclear=True)
    own = namespace and _NAMESPACE not in text and _OF_NAMESPACE not in text
    return PeerRef("pods", namespace=namespace if own else "", pods=text)


_CLUSTER = (PeerRef("pods", namespaces="{}"), PeerRef("nodes", unclear=True))
_ENTITIES: dict[str, tuple[PeerRef, ...]] = {
    "all": (PeerRef("any"),),
    "world": (PeerRef("outside"),),
    "world-ipv4": (PeerRef("outside", block=Block("0.0.0.0/0")),),
    "world-ipv6": (PeerRef("outside", block=Block("::/0")),),
    "cluster": _CLUSTER,
}


def _ports(side: CiliumSide) -> tuple[list[PortRef], str]:
    if side.icmps and not side.ports:
        return [PortRef("ICMP")], ""
    found: list[PortRef] = []
    unclear = ""
    for group in side.ports or ():
        if group.rules is not None or group.server_names or group.listener is not None:
            unclear = "rules above ports"
        if not group.ports:
            found += [PortRef(protocol) for protocol in PROTOCOLS]
        for port in group.ports or ():
            text, protocol = str(port.port or 0), (port.protocol or "ANY").upper()
            for name in PROTOCOLS if protocol == "ANY" else (protocol,):
                if (number := whole(text)) is None:
                    found.append(PortRef(name, name=text))
                elif number == 0:
                    found.append(PortRef(name))
                else:
                    found.append(PortRef(name, number, port.end_port or number))
    return found, unclear
