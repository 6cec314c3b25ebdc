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

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from kaudit.model.address_space import AddressSpace
from kaudit.model.label_index import set_of
from kaudit.model.policy import Policy, PortRef, Rule
from kaudit.model.port_space import PortRange, PortSpace
from kaudit.model.profiles import Places, Profile, Profiles
from kaudit.model.stages import Access, Stage, Step, decided


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
        :func:`kaudit.model.spoken.address_space`.
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
        self.policies = sorted(
            policies, key=lambda p: (p.stage, p.tier, p.tier_name, p.order, p.kind, p.label)
        )
        rules = [rule for policy in self.policies for rule in policy.rules]
        self.addresses = addresses
        self.ports = PortSpace(_named_ranges(rules, profiles))
        meant = Profiles(profiles, namespaces, addresses, cautious=cautious)
        self._classify(rules, profiles, meant)

    # Classes -------------------------------------------------------------------------------

    def _classify(
        self, rules: Sequence[Rule], profiles: Sequence[Profile], meant: Profiles
    ) -> None:
        """Put profiles together that no policy tells apart."""
        peers = dict.fromkeys(peer for rule in rules for peer in rule.peers)
        named = {port.name for rule in rules for port in rule.ports if port.name}
        subjects = map(meant.subject, dict.fromkeys(p.subject for p in self.policies))
        found = chain(subjects, (meant.peer(peer)[:2] for peer in peers))
        seen: list[list[int]] = [[] for _ in profiles]
        for number, places in enumerate(chain.from_iterable(found)):
            for at in places if len(places) < len(seen) else ():
                seen[at].append(number)
        classes: dict[object, int] = {}
        self.class_of: list[int] = []
        self._ports_of: list[tuple[tuple[str, str, int], ...]] = []
        for profile, some in zip(profiles, seen, strict=True):
            spoken = tuple(sorted({p for p in map(_port, profile.ports) if p[1] in named}))
            key = (profile.host, spoken, tuple(some))
            if key not in classes:
                classes[key] = len(classes)
                self._ports_of.append(spoken)
            self.class_of.append(classes[key])
        self.pods = len(classes)
        self.nodes = self.pods + len(self.addresses.classes)
        self.everything = (1 << self.nodes) - 1
        self.hosts = self._shrunk(meant.hosts)
        self._peers = {peer: self._nodes_of(*meant.peer(peer)) for peer in peers}
        self._resolved = self._named_ports()
        self._selecting = self._selections(meant)
        self.governed = self._governed()
        self._access: dict[object, tuple[Access, ...]] = {}
        self._distinct: dict[tuple[Access, ...], tuple[Access, ...]] = {}
        self._open = (Access(self.everything, self.ports.all),)

    def _nodes_of(self, sure: Places, may: Places, blocks: int, beyond: int) -> tuple[int, int]:
        """Nodes that a peer is for sure, and those that it may be."""
        inside, perhaps = self._shrunk(sure), self._shrunk(may)
        return inside | blocks << self.pods, perhaps | beyond << self.pods

    def _named_ports(self) -> dict[tuple[str, str], dict[int, int]]:
        """Protocol (or none) and name of ports to their numbers, and the classes that have each."""
        found: dict[tuple[str, str], dict[int, int]] = {}
        for at, ports in enumerate(self._ports_of):
            for protocol, name, number in ports:
                piece = self.ports.bits(PortRange(protocol, number, number))
                for spelt in (protocol, ""):
                    by_ports = found.setdefault((spelt, name), {})
                    by_ports[piece] = by_ports.get(piece, 0) | 1 << at
        return found

    def _selections(self, meant: Profiles) -> list[list[tuple[int, bool]]]:
        """Policies by number that select each class of pods, and whether they do for sure."""
        found: list[list[tuple[int, bool]]] = [[] for _ in range(self.pods)]
        for number, policy in enumerate(self.policies):
            chosen, others = map(self._classes, meant.subject(policy.subject))
            for at in chosen | others:
                if not self.hosts >> at & 1:
                    clear = at in chosen and not policy.unclear
                    found[at].append((number, clear))
        return found

    def _governed(self) -> list[int]:
        """Number each class of pods: those of one number are selected by the same terms."""
        terms: dict[object, int] = {}
        said = [terms.setdefault(_terms(policy), len(terms)) for policy in self.policies]
        alike: dict[object, int] = {}
        return [
            alike.setdefault(tuple((said[number], clear) for number, clear in some), at)
            for at, some in enumerate(self._selecting)
        ]

    def _classes(self, places: Places) -> set[int]:
        """Classes of profiles that classes do not cut."""
        return {self.class_of[at] for at in places}

    def _shrunk(self, places: Places) -> int:
        """Turn profiles that classes do not cut into a set of classes."""
        if len(places) == len(self.class_of):
            return (1 << self.pods) - 1
        return set_of(self._classes(places))

    # Verdicts ------------------------------------------------------------------------------

    def access(self, node: int, direction: str) -> tuple[Access, ...]:
        """What the policies of a node allow in a direction, peers that are alike together.

        Ingress: who may come in. Egress: where it may go. The groups cover all nodes, and
        nodes that are governed alike share them.
        """
        if node >= self.pods or not self._selecting[node]:
            return self._open
        ports = self._ports_of[node] if direction == "ingress" else ()
        key = (direction, self.governed[node], ports)
        found = self._access.get(key)
        if found is None:
            found = decided(self.stages(node, direction), self.everything, self.ports.all)
            found = self._access[key] = self._distinct.setdefault(found, found)
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
        if node >= self.pods:
            return False
        closing = [
            clear
            for number, clear in self._selecting[node]
            if getattr(self.policies[number], direction)
        ]
        return any(closing) or (None if closing else False)


def _named_ranges(rules: Iterable[Rule], profiles: Iterable[Profile]) -> Iterator[PortRange]:
    """Ranges of ports that rules name, by number or by a name that pods have."""
    names = set()
    for rule in rules:
        for port in rule.ports:
            if port.name:
                names.add(port.name)
            else:
                yield PortRange(port.protocol, port.first, port.last)
    for profile in profiles:
        for protocol, name, number in map(_port, profile.ports):
            if name in names:
                yield PortRange(protocol, number, number)


def _terms(policy: Policy) -> tuple[object, ...]:
    """All that a policy decides of the pods that it selects."""
    place = (policy.stage, policy.tier, policy.tier_name, policy.order)
    return (*place, policy.ingress, policy.egress, policy.rules)


def _port(text: str) -> tuple[str, str, int]:
    """Protocol, name and number of ``protocol/name=number``."""
    left, _, number = text.rpartition("=")
    protocol, _, name = left.partition("/")
    return protocol, name, int(number)
