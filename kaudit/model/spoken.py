"""What policies speak of: labels, ports and addresses; nothing else tells pods apart for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kaudit.model.address_space import AddressSpace
from kaudit.model.label_index import keys_of
from kaudit.model.policy import Policy


def address_space(policies: Iterable[Policy], apart: Sequence[str] = ()) -> AddressSpace:
    """Classes of the addresses that policies tell apart."""
    peers = (peer for policy in policies for rule in policy.rules for peer in rule.peers)
    return AddressSpace((peer.block for peer in peers if peer.block), apart)


def spoken(policies: Iterable[Policy]) -> tuple[frozenset[str], frozenset[str]]:
    """Label keys of pods, and names of ports, that any policy speaks of."""
    selectors, names = set(), set()
    for policy in policies:
        selectors.add(policy.subject.pods)
        for rule in policy.rules:
            selectors |= {peer.pods for peer in rule.peers}
            names |= {port.name for port in rule.ports if port.name}
    keys: frozenset[str] = frozenset()
    return keys.union(*(keys_of(text) for text in selectors if text)), frozenset(names)
