"""What an API server would refuse in a network policy.

Such a policy cannot be in a cluster. In manifests it can, and what it would do is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

from kaudit.model.meta import LabelSelector
from kaudit.model.network import NetworkPolicy, Peer, PolicyPort
from kaudit.model.port_space import LAST, PROTOCOLS

_OPERATORS = {"In": True, "NotIn": True, "Exists": False, "DoesNotExist": False}


def in_selector(where: str, selector: LabelSelector | None) -> Iterator[str]:
    """Faults of a label selector: an operator, or the values that it wants or does not take."""
    for term in (selector.match_expressions or ()) if selector else ():
        if term.operator not in _OPERATORS:
            yield f"{where}: there is no operator {term.operator!r}"
        elif bool(term.values) != _OPERATORS[term.operator]:
            wants = "wants" if _OPERATORS[term.operator] else "takes no"
            yield f"{where}: {term.operator} {wants} values"


def in_cidr(where: str, cidr: str, excepts: Iterable[str] = ()) -> Iterator[str]:
    """Faults of an address block and its exceptions, which must lie inside."""
    whole = _network(cidr)
    if whole is None:
        yield f"{where}: {cidr!r} is no address block"
    for text in excepts:
        part = _network(text)
        if part is None:
            yield f"{where}: {text!r} is no address block"
        elif whole and not (part.version == whole.version and part.subnet_of(whole)):  # type: ignore[arg-type]
            yield f"{where}: {text} does not lie in {cidr}"


def in_range(where: str, first: int | None, last: int | None) -> Iterator[str]:
    """Faults of a range of ports."""
    for port in (first, last):
        if port is not None and not 1 <= port <= LAST:
            yield f"{where}: there is no port {port}"
    if first is not None and last is not None and last < first:
        yield f"{where}: port {last} comes before {first}"


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


def of_network_policy(policy: NetworkPolicy) -> Iterator[str]:
    """Faults of a NetworkPolicy (networking.k8s.io/v1)."""
    spec = policy.spec
    yield from in_selector("podSelector", spec.pod_selector)
    for text in spec.policy_types or ():
        if text not in ("Ingress", "Egress"):
            yield f"policyTypes: there is no type {text!r}"
    for direction, rules in (("ingress", spec.ingress), ("egress", spec.egress)):
        for at, rule in enumerate(rules or ()):
            where = f"{direction}[{at}]"
            for peer in (rule.from_ if direction == "ingress" else rule.to) or ():
                yield from _of_peer(where, peer)
            for port in rule.ports or ():
                yield from _of_port(where, port)


def _of_peer(where: str, peer: Peer) -> Iterator[str]:
    selectors = (peer.pod_selector, peer.namespace_selector)
    if peer.ip_block is None and selectors == (None, None):
        yield f"{where}: a peer that names nobody"
    if peer.ip_block is not None:
        if selectors != (None, None):
            yield f"{where}: ipBlock stands beside a selector"
        yield from in_cidr(where, peer.ip_block.cidr, peer.ip_block.except_ or ())
    for selector in selectors:
        yield from in_selector(where, selector)


def _of_port(where: str, port: PolicyPort) -> Iterator[str]:
    if (port.protocol or "TCP") not in PROTOCOLS:
        yield f"{where}: there is no protocol {port.protocol!r}"
    if isinstance(port.port, int):
        yield from in_range(where, port.port, port.end_port)
    elif port.end_port is not None:
        yield f"{where}: endPort wants a port that is a number"
