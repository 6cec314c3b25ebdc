"""What policies see of pods, and which pods their peers and subjects mean.

Sets of pods are whole numbers with one bit a profile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from kaudit.model.address_space import AddressSpace, Block
from kaudit.model.label_index import LabelIndex, keys_of, members, set_of
from kaudit.model.policy import PeerRef

#: Label that every namespace carries, written or not.
NAME = "kubernetes.io/metadata.name"
#: How Cilium calls the namespace of a pod, and a label of it.
_CILIUM_NAME, _CILIUM_LABEL = "io.kubernetes.pod.namespace", "io.cilium.k8s.namespace.labels."


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
    all, hosts
        Every profile, and those on the network of their node.
    """

    def __init__(
        self,
        profiles: Sequence[Profile],
        namespaces: Mapping[str, Sequence[str]],
        addresses: AddressSpace,
        *,
        cautious: bool,
    ) -> None:
        self._addresses, self._cautious = addresses, cautious
        names = sorted({profile.namespace for profile in profiles} | set(namespaces))
        spaces: dict[str, list[int]] = {name: [] for name in names}
        for place, profile in enumerate(profiles):
            spaces[profile.namespace].append(place)
        self._spaces = {name: set_of(places) for name, places in spaces.items()}
        self._names = names
        labels = [[*namespaces.get(name, ()), f"{NAME}={name}"] for name in names]
        self._namespace_index = LabelIndex(dict.fromkeys(some) for some in labels)
        of_cilium = {
            name: (f"{_CILIUM_NAME}={name}", *(_CILIUM_LABEL + t for t in namespaces.get(name, ())))
            for name in names
        }
        self._pod_index = LabelIndex((*p.labels, *of_cilium[p.namespace]) for p in profiles)
        self.all = (1 << len(profiles)) - 1
        self.hosts = set_of([at for at, profile in enumerate(profiles) if profile.host])
        self._unseen = set_of([at for at, name in enumerate(names) if name not in namespaces])
        self._spaces_found: dict[int, int] = {}
        unaddressed = [at for at, profile in enumerate(profiles) if profile.addresses is None]
        self._addressless = set_of(unaddressed)
        at_class: dict[int, list[int]] = {}
        for place, profile in enumerate(profiles):
            for number in profile.addresses or ():
                at_class.setdefault(number, []).append(place)
        self._at_class = {number: set_of(places) for number, places in at_class.items()}

    def subject(self, peer: PeerRef) -> tuple[int, int]:
        """Pods that a reference to pods surely, and perhaps, means."""
        doubtful = 0
        if peer.namespaces is not None:
            chosen = self._namespace_index.selected(peer.namespaces)
            sure = self._of_namespaces(chosen)
            if self._cautious and keys_of(peer.namespaces) - {NAME}:
                doubtful = self._of_namespaces(self._unseen)
        elif peer.namespace:
            sure = self._spaces.get(peer.namespace, 0)
        else:
            sure = self.all
        if peer.pods is not None:
            selected = self._pod_index.selected(peer.pods)
            sure &= selected
            doubtful &= selected
        return sure & ~doubtful, doubtful

    def _of_namespaces(self, chosen: int) -> int:
        if chosen == self._namespace_index.all:
            return self.all
        found = self._spaces_found.get(chosen)
        if found is None:
            found = 0
            for at in members(chosen):
                found |= self._spaces[self._names[at]]
            self._spaces_found[chosen] = found
        return found

    def _in_block(self, block: Block) -> tuple[int, int]:
        """Pods whose address lies in a block, surely and perhaps."""
        sure = 0
        for number in members(self._addresses.bits(block)):
            sure |= self._at_class.get(number, 0)
        return sure, self._addressless if self._cautious else 0

    def peer(self, peer: PeerRef) -> tuple[int, int, int, int]:
        """Pods surely and perhaps meant, and addresses outside surely and perhaps meant."""
        outside = (1 << len(self._addresses.classes)) - 1
        sure, may, blocks = 0, 0, 0
        if peer.kind == "any":
            sure, blocks = self.all, outside
        elif peer.kind == "outside":
            blocks = self._addresses.bits(peer.block) if peer.block else outside
        elif peer.kind == "nodes":
            may = self.hosts
        elif peer.kind == "block" and peer.block:
            sure, may = self._in_block(peer.block)
            blocks = self._addresses.bits(peer.block)
        else:
            sure, may = self.subject(peer)
            may |= sure & self.hosts
            sure &= ~self.hosts
        if peer.unclear:
            return 0, sure | may, 0, blocks
        return sure, may, blocks, 0
