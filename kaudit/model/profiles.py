"""What policies see of pods, and which pods their peers and subjects mean.

Most policies mean pods of their own namespace, so each namespace has an index of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

import msgspec

from kaudit.model.address_space import AddressSpace, Block
from kaudit.model.label_index import LabelIndex, keys_of, members, set_of
from kaudit.model.policy import PeerRef

#: Label that every namespace carries, written or not.
NAME = "kubernetes.io/metadata.name"
#: How Cilium calls the namespace of a pod, and a label of it.
_CILIUM_NAME, _CILIUM_LABEL = "io.kubernetes.pod.namespace", "io.cilium.k8s.namespace.labels."
#: Namespaces up to which each is asked by itself.
_FEW = 16

#: Places of profiles, in any order.
Places: TypeAlias = Collection[int]


class Profile(msgspec.Struct, frozen=True):
    """What policies may see of a pod.

    Attributes
    ----------
    labels
        As ``key=value``, sorted; those that no policy speaks of may be left out.
    ports
        Named ports as ``protocol/name=number``.
    host
        On the network of its node.
    addresses
        Classes of its addresses; None where it has none yet.
    """

    namespace: str
    labels: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    host: bool = False
    addresses: tuple[int, ...] | None = None


class Profiles:
    """Profiles of pods, found by labels, namespace and address.

    Parameters
    ----------
    profiles
        Distinct pods.
    namespaces
        Labels of the namespaces that are known, as ``key=value``.
    addresses
        Classes of addresses that those of the profiles are counted by.
    cautious
        Whether what is not known may be meant.

    Attributes
    ----------
    hosts
        Places of those on the network of their node.
    """

    def __init__(
        self,
        profiles: Sequence[Profile],
        namespaces: Mapping[str, Sequence[str]],
        addresses: AddressSpace,
        *,
        cautious: bool,
    ) -> None:
        self._profiles, self._namespaces = profiles, namespaces
        self._addresses, self._cautious = addresses, cautious
        self._names = sorted({profile.namespace for profile in profiles} | set(namespaces))
        labels = [[*namespaces.get(name, ()), f"{NAME}={name}"] for name in self._names]
        self._spaces = LabelIndex(dict.fromkeys(some) for some in labels)
        unseen = [at for at, name in enumerate(self._names) if name not in namespaces]
        self._unseen = set_of(unseen)
        self._places: dict[str, list[int]] = {name: [] for name in self._names}
        self._at_class: dict[int, list[int]] = {}
        for place, profile in enumerate(profiles):
            self._places[profile.namespace].append(place)
            for number in profile.addresses or ():
                self._at_class.setdefault(number, []).append(place)
        self.hosts = frozenset(at for at, profile in enumerate(profiles) if profile.host)
        self._addressless = [at for at, one in enumerate(profiles) if one.addresses is None]
        self._labelled: dict[str, LabelIndex] = {}

    def subject(self, peer: PeerRef) -> tuple[Places, Places]:
        """Pods that a reference to pods surely, and perhaps, means."""
        if peer.namespaces is None:
            if peer.namespace:
                return self._of_space(peer.namespace, peer.pods), ()
            return self._of_spaces(self._spaces.all, peer.pods), ()
        chosen, doubtful = self._spaces.selected(peer.namespaces), 0
        if self._cautious and keys_of(peer.namespaces) - {NAME}:
            doubtful = self._unseen
        return (
            self._of_spaces(chosen & ~doubtful, peer.pods),
            self._of_spaces(doubtful, peer.pods),
        )

    def _of_space(self, name: str, pods: str | None) -> Places:
        """Those of a namespace that a selector selects."""
        places = self._places.get(name, ())
        if pods is None or not places:
            return places
        index = self._labelled.get(name)
        if index is None:
            labels = (self._profiles[at].labels for at in places)
            index = self._labelled[name] = LabelIndex(labels, self._of_cilium(name))
        return [places[at] for at in members(index.selected(pods))]

    def _of_spaces(self, chosen: int, pods: str | None) -> Places:
        """Those of some namespaces that a selector selects."""
        if pods is None and chosen == self._spaces.all:
            return range(len(self._profiles))
        if pods is None or chosen.bit_count() <= _FEW:
            names = (self._names[at] for at in members(chosen))
            return [at for name in names for at in self._of_space(name, pods)]
        selected = members(self._everywhere.selected(pods))
        if chosen == self._spaces.all:
            return [*selected]
        among = {self._names[at] for at in members(chosen)}
        return [at for at in selected if self._profiles[at].namespace in among]

    @cached_property
    def _everywhere(self) -> LabelIndex:
        """Index of all profiles, for what selects pods of many namespaces."""
        of_space = {name: self._of_cilium(name) for name in self._names}
        return LabelIndex((*one.labels, *of_space[one.namespace]) for one in self._profiles)

    def _of_cilium(self, name: str) -> Sequence[str]:
        """Labels that Cilium gives to all pods of a namespace."""
        own = (_CILIUM_LABEL + text for text in self._namespaces.get(name, ()))
        return (f"{_CILIUM_NAME}={name}", *own)

    def _in_block(self, block: Block) -> tuple[Places, Places]:
        """Pods whose address lies in a block, surely and perhaps."""
        numbers = members(self._addresses.bits(block))
        sure = {at for number in numbers for at in self._at_class.get(number, ())}
        return sure, self._addressless if self._cautious else ()

    def peer(self, peer: PeerRef) -> tuple[Places, Places, int, int]:
        """Pods surely and perhaps meant, and addresses outside surely and perhaps meant."""
        outside = (1 << len(self._addresses.classes)) - 1
        sure: Places = ()
        may: Places = ()
        blocks = 0
        if peer.kind == "any":
            sure, blocks = range(len(self._profiles)), outside
        elif peer.kind == "outside":
            blocks = self._addresses.bits(peer.block) if peer.block else outside
        elif peer.kind == "nodes":
            may = self.hosts
        elif peer.kind == "block" and peer.block:
            sure, may = self._in_block(peer.block)
            blocks = self._addresses.bits(peer.block)
        else:
            meant, may = self.subject(peer)
            sure = [at for at in meant if at not in self.hosts]
            may = [*may, *self.hosts.intersection(meant)]
        if peer.unclear:
            return (), {*sure, *may}, 0, blocks
        return sure, may, blocks, 0
