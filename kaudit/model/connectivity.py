"""Who may connect to whom, on which ports: policies evaluated on classes of pods.

Pods that every policy treats alike, as subject and as peer, are one class; so are addresses
outside that lie in the same blocks. Classes of pods come first, classes of addresses after
them; together they are the *nodes*, of which sets are whole numbers with one bit a node, as
are sets of ports. A connection is allowed where the egress rules of its source and the
ingress rules of its destination both allow it; what a policy that is not understood may
change is *unclear*.

Pods on the network of their node are outside policy. Selectors may or may not match them, as
the network plugin decides (kubernetes.io, "Network Policies", v1.34), and traffic of their
own node is always allowed: where they are denied it is unclear.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import msgspec

from kaudit.model.address_space import AddressSpace, Block
from kaudit.model.label_index import LabelIndex, keys_of, members
from kaudit.model.policy import ALLOW, DENY, PeerRef, Policy, PortRef, Rule
from kaudit.model.port_space import PortRange, PortSpace

DIRECTIONS = ("ingress", "egress")
#: Label that every namespace carries, written or not.
NAME = "kubernetes.io/metadata.name"
#: How Cilium calls the namespace of a pod, and a label of it.
CILIUM_NAME, CILIUM_LABEL = "io.kubernetes.pod.namespace", "io.cilium.k8s.namespace.labels."


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


class Access(msgspec.Struct, frozen=True):
    """Peers that are treated alike in one direction: ports that they may use, or perhaps may."""

    peers: int
    allowed: int
    unclear: int = 0


class Step(msgspec.Struct, frozen=True):
    """A rule against one node: peers, ports and what it does to them."""

    peers: int
    ports: int
    action: str
    clear: bool
    policy: int
    place: int


class Stage(msgspec.Struct, frozen=True):
    steps: tuple[Step, ...]
    closes: bool
    may_close: bool
    policies: tuple[int, ...]


class Network:
    """Classes of pods and addresses, and what may connect.

    Parameters
    ----------
    profiles
        Distinct pods.
    namespaces
        Labels of the namespaces that are known, as ``key=value``.
    policies
        In any order.
    cautious
        Whether what is not known counts as unclear: addresses of pods that do not run, labels
        of namespaces that were not seen. Otherwise such pods are in no address block, and
        such namespaces have no labels but their name.
    addresses
        Classes of addresses that those of the profiles are counted by; see
        :func:`address_space`.
    """

    def __init__(
        self,
        profiles: Sequence[Profile],
        namespaces: Mapping[str, Sequence[str]],
        policies: Iterable[Policy],
        addresses: AddressSpace,
        *,
        cautious: bool = True,
    ) -> None:
        self.profiles, self.cautious = profiles, cautious
        self.policies = sorted(
            policies, key=lambda p: (p.stage, p.tier, p.tier_name, p.order, p.kind, p.label)
        )
        self._known = namespaces
        rules = [rule for policy in self.policies for rule in policy.rules]
        self.addresses = addresses
        self.ports = PortSpace(self._named_ranges(rules))
        self._index()
        self._classify(rules)

    # What policies name --------------------------------------------------------------------

    def _named_ranges(self, rules: Iterable[Rule]) -> Iterable[PortRange]:
        names = set()
        for rule in rules:
            for port in rule.ports:
                if port.name:
                    names.add(port.name)
                else:
                    yield PortRange(port.protocol, port.first, port.last)
        for profile in self.profiles:
            for protocol, name, number in map(_port, profile.ports):
                if name in names:
                    yield PortRange(protocol, number, number)

    def _index(self) -> None:
        names = sorted({profile.namespace for profile in self.profiles} | set(self._known))
        spaces: dict[str, int] = dict.fromkeys(names, 0)
        for place, profile in enumerate(self.profiles):
            spaces[profile.namespace] |= 1 << place
        self._spaces = spaces
        self._names = names
        labels = [[*self._known.get(name, ()), f"{NAME}={name}"] for name in names]
        self._namespace_index = LabelIndex(dict.fromkeys(some) for some in labels)
        self._pod_index = LabelIndex(
            [
                *profile.labels,
                f"{CILIUM_NAME}={profile.namespace}",
                *(CILIUM_LABEL + text for text in self._known.get(profile.namespace, ())),
            ]
            for profile in self.profiles
        )
        self._everybody = (1 << len(self.profiles)) - 1
        self._hosts = sum(1 << at for at, profile in enumerate(self.profiles) if profile.host)
        self._unseen = sum(1 << at for at, name in enumerate(names) if name not in self._known)
        self._spaces_found: dict[int, int] = {}
        self._addressless, self._at_class = 0, dict[int, int]()
        for place, profile in enumerate(self.profiles):
            if profile.addresses is None:
                self._addressless |= 1 << place
            for number in profile.addresses or ():
                self._at_class[number] = self._at_class.get(number, 0) | 1 << place

    def _pods(self, peer: PeerRef) -> tuple[int, int]:
        """Pods that a peer surely, and perhaps, means."""
        doubtful = 0
        if peer.namespaces is not None:
            chosen = self._namespace_index.selected(peer.namespaces)
            sure = self._of_namespaces(chosen)
            if self.cautious and keys_of(peer.namespaces) - {NAME}:
                doubtful = self._of_namespaces(self._unseen)
        elif peer.namespace:
            sure = self._spaces.get(peer.namespace, 0)
        else:
            sure = self._everybody
        if peer.pods is not None:
            selected = self._pod_index.selected(peer.pods)
            sure &= selected
            doubtful &= selected
        return sure & ~doubtful, doubtful

    def _of_namespaces(self, chosen: int) -> int:
        if chosen == self._namespace_index.all:
            return self._everybody
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
        for number in members(self.addresses.bits(block)):
            sure |= self._at_class.get(number, 0)
        return sure, self._addressless if self.cautious else 0

    # Classes -------------------------------------------------------------------------------

    def _classify(self, rules: Sequence[Rule]) -> None:
        """Put profiles together that no policy tells apart."""
        subjects = [self._pods(policy.subject) for policy in self.policies]
        peers = {peer: self._met(peer) for rule in rules for peer in rule.peers}
        named = {port.name for rule in rules for port in rule.ports if port.name}
        sets = dict.fromkeys(
            bits
            for found in (*subjects, *peers.values())
            for bits in found[:2]
            if bits not in (0, self._everybody)
        )
        seen: list[list[int]] = [[] for _ in self.profiles]
        for number, bits in enumerate(sets):
            for at in members(bits):
                seen[at].append(number)
        classes: dict[object, int] = {}
        self.class_of: list[int] = []
        self._ports_of: list[tuple[tuple[str, str, int], ...]] = []
        for profile, some in zip(self.profiles, seen, strict=True):
            spoken = tuple(sorted({p for p in map(_port, profile.ports) if p[1] in named}))
            key = (profile.host, spoken, tuple(some))
            if key not in classes:
                classes[key] = len(classes)
                self._ports_of.append(spoken)
            self.class_of.append(classes[key])
        self.pods = len(classes)
        self.nodes = self.pods + len(self.addresses.classes)
        self.outside = ((1 << self.nodes) - 1) & ~((1 << self.pods) - 1)
        self.everything = (1 << self.nodes) - 1
        self.hosts = self._shrunk(self._hosts)
        self._subjects = [(self._shrunk(sure), self._shrunk(may)) for sure, may in subjects]
        self._peers = {
            peer: (
                self._shrunk(sure) | blocks << self.pods,
                self._shrunk(may) | beyond << self.pods,
            )
            for peer, (sure, may, blocks, beyond) in peers.items()
        }
        self._resolved: dict[tuple[str, str], dict[int, int]] = {}
        for at, ports in enumerate(self._ports_of):
            for protocol, name, number in ports:
                piece = self.ports.bits(PortRange(protocol, number, number))
                for spelt in (protocol, ""):
                    by_ports = self._resolved.setdefault((spelt, name), {})
                    by_ports[piece] = by_ports.get(piece, 0) | 1 << at
        self._selecting: list[list[tuple[int, bool]]] = [[] for _ in range(self.pods)]
        for number, (policy, (sure, may)) in enumerate(
            zip(self.policies, self._subjects, strict=True)
        ):
            for at in members((sure | may) & ~self.hosts):
                clear = bool(sure >> at & 1) and not policy.unclear
                self._selecting[at].append((number, clear))
        self._access: dict[object, tuple[Access, ...]] = {}
        self._open = (Access(self.everything, self.ports.all),)

    def _shrunk(self, bits: int) -> int:
        """Turn a set of profiles that classes do not cut into one of classes."""
        if bits == self._everybody:
            return (1 << self.pods) - 1
        found = 0
        for at in members(bits):
            found |= 1 << self.class_of[at]
        return found

    def _met(self, peer: PeerRef) -> tuple[int, int, int, int]:
        """Pods surely and perhaps meant, and addresses outside surely and perhaps meant."""
        outside = (1 << len(self.addresses.classes)) - 1
        sure, may, blocks = 0, 0, 0
        if peer.kind == "any":
            sure, blocks = self._everybody, outside
        elif peer.kind == "outside":
            blocks = self.addresses.bits(peer.block) if peer.block else outside
        elif peer.kind == "nodes":
            may = self._hosts
        elif peer.kind == "block" and peer.block:
            sure, may = self._in_block(peer.block)
            blocks = self.addresses.bits(peer.block)
        else:
            sure, may = self._pods(peer)
            may |= sure & self._hosts
            sure &= ~self._hosts
        if peer.unclear:
            return 0, sure | may, 0, blocks
        return sure, may, blocks, 0

    # Verdicts ------------------------------------------------------------------------------

    def access(self, node: int, direction: str) -> tuple[Access, ...]:
        """What the policies of a node allow in a direction, peers that are alike together.

        Ingress: who may come in. Egress: where it may go. The groups cover all nodes, and
        nodes that are governed alike share them.
        """
        if node >= self.pods or self.hosts >> node & 1 or not self._selecting[node]:
            return self._open
        ports = self._ports_of[node] if direction == "ingress" else ()
        key = (direction, tuple(self._selecting[node]), ports)
        found = self._access.get(key)
        if found is None:
            found = self._access[key] = self._decided(self.stages(node, direction))
        return found

    def stages(self, node: int, direction: str) -> list[Stage]:
        """Stages that the policies of a class of pods make in a direction."""
        by_stage: dict[tuple[int, float, str], list[tuple[int, bool]]] = {}
        for number, clear in self._selecting[node]:
            policy = self.policies[number]
            place = (policy.stage, policy.tier, policy.tier_name)
            by_stage.setdefault(place, []).append((number, clear))
        found = []
        for place in sorted(by_stage):
            numbers = by_stage[place]
            chosen = [
                (not rule.first, self.policies[number].order, at, rule.place, number, clear, rule)
                for at, (number, clear) in enumerate(numbers)
                for rule in self.policies[number].rules
                if rule.direction == direction
            ]
            chosen.sort(key=lambda one: one[:4])
            closing = [
                clear for number, clear in numbers if getattr(self.policies[number], direction)
            ]
            found.append(
                Stage(
                    tuple(
                        step
                        for *_, number, clear, rule in chosen
                        for step in self._steps(rule, node, direction, number, clear)
                    ),
                    any(closing),
                    bool(closing),
                    tuple(number for number, _ in numbers),
                )
            )
        return found

    def _steps(
        self, rule: Rule, node: int, direction: str, number: int, clear: bool
    ) -> Iterable[Step]:
        sure = may = 0
        for peer in rule.peers:
            one = self._peers[peer]
            sure, may = sure | one[0], may | one[1]
        clear = clear and not rule.unclear
        for peers, certain in ((sure, clear), (may & ~sure, False)):
            if not peers:
                continue
            for some, ports in self._on_ports(rule.ports, peers, node, direction):
                yield Step(some, ports, rule.action, certain, number, rule.place)

    def _on_ports(
        self, ports: Sequence[PortRef], peers: int, node: int, direction: str
    ) -> Iterable[tuple[int, int]]:
        """Peers and the ports that are meant of them: names are the destination's."""
        numbers, names = 0 if ports else self.ports.all, []
        for port in ports:
            if port.name:
                names.append((port.protocol, port.name))
            else:
                numbers |= self.ports.bits(PortRange(port.protocol, port.first, port.last))
        if direction == "ingress":
            for name in names:
                for piece, bearers in self._resolved.get(name, {}).items():
                    numbers |= piece if bearers >> node & 1 else 0
        if numbers:
            yield peers, numbers
        if direction == "egress":
            for name in names:
                for piece, bearers in self._resolved.get(name, {}).items():
                    if peers & bearers:
                        yield peers & bearers, piece

    def _decided(self, stages: Sequence[Stage]) -> tuple[Access, ...]:
        least = self._passed(stages, lenient=False)
        doubtful = any(
            stage.closes != stage.may_close or not all(step.clear for step in stage.steps)
            for stage in stages
        )
        if not doubtful:
            return tuple(Access(peers, ports) for ports, peers in least.items())
        most = self._passed(stages, lenient=True)
        found: dict[tuple[int, int], int] = {}
        for allowed, some in least.items():
            for perhaps, others in most.items():
                if both := some & others:
                    key = (allowed, perhaps & ~allowed)
                    found[key] = found.get(key, 0) | both
        return tuple(Access(peers, *ports) for ports, peers in found.items())

    def _passed(self, stages: Sequence[Stage], *, lenient: bool) -> dict[int, int]:
        """Peers by the ports that they are allowed, at least or at most."""
        groups = {(self.ports.all, 0): self.everything}
        for stage in stages:
            here = {(open_, allowed, 0): peers for (open_, allowed), peers in groups.items()}
            for step in stage.steps:
                action = step.action
                if not step.clear:
                    if (action == ALLOW) != lenient and action != "pass":
                        continue
                    action = ALLOW if lenient else DENY
                here = _stepped(here, step, action)
            closes = stage.closes if lenient else stage.may_close
            groups = {}
            for (open_, allowed, passed), peers in here.items():
                key = (passed if closes else open_ | passed, allowed)
                groups[key] = groups.get(key, 0) | peers
        found: dict[int, int] = {}
        for (open_, allowed), peers in groups.items():
            found[open_ | allowed] = found.get(open_ | allowed, 0) | peers
        return found

    def verdict(self, source: int, target: int) -> tuple[int, int]:
        """Ports on which a node may connect to another, and those where it is unclear."""
        out = next(a for a in self.access(source, "egress") if a.peers >> target & 1)
        into = next(a for a in self.access(target, "ingress") if a.peers >> source & 1)
        allowed = out.allowed & into.allowed
        most = (out.allowed | out.unclear) & (into.allowed | into.unclear)
        if self.hosts >> source & 1 and target < self.pods:
            most |= self.ports.all  # traffic of its own node is always allowed
        return allowed, most & ~allowed

    def selecting(self, node: int) -> list[Policy]:
        """Policies that select a class of pods, or may, in the order they are tried."""
        return [self.policies[number] for number, _ in self._selecting[node]]

    def closed(self, node: int, direction: str) -> bool | None:
        """Whether a policy isolates a class of pods; None where one may."""
        if node >= self.pods or self.hosts >> node & 1:
            return False
        closing = [
            clear
            for number, clear in self._selecting[node]
            if getattr(self.policies[number], direction)
        ]
        return any(closing) or (None if closing else False)

    @cached_property
    def size(self) -> tuple[int, int]:
        """How many classes of pods and of addresses."""
        return self.pods, self.nodes - self.pods


_Groups = dict[tuple[int, int, int], int]


def _stepped(groups: _Groups, step: Step, action: str) -> _Groups:
    """Groups after one rule: those that it cuts come apart."""
    found: _Groups = {}
    for key, peers in groups.items():
        open_, allowed, passed = key
        inside, ports = peers & step.peers, open_ & step.ports
        if not inside or not ports:
            found[key] = found.get(key, 0) | peers
            continue
        if rest := peers & ~step.peers:
            found[key] = found.get(key, 0) | rest
        if action == ALLOW:
            changed = (open_ & ~ports, allowed | ports, passed)
        elif action == DENY:
            changed = (open_ & ~ports, allowed, passed)
        else:
            changed = (open_ & ~ports, allowed, passed | ports)
        found[changed] = found.get(changed, 0) | inside
    return found


def _port(text: str) -> tuple[str, str, int]:
    """Protocol, name and number of ``protocol/name=number``."""
    left, _, number = text.rpartition("=")
    protocol, _, name = left.partition("/")
    return protocol, name, int(number)


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


__all__ = ["DIRECTIONS", "NAME", "Access", "Network", "Profile", "address_space", "spoken"]
