"""Whether policies keep what an auditor states of the network's segmentation.

See :mod:`kaudit.model.statement` for what can be stated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from kaudit.errors import InputError
from kaudit.model.address_space import cidrs_of, range_of
from kaudit.model.connectivity import Network
from kaudit.model.label_index import members
from kaudit.model.port_space import PortRange
from kaudit.model.statement import MUST, NEVER, ONLY_FROM, Statement, Who, Workload, understood
from kaudit.network import METADATA, PRIVATE

HOLDS, VIOLATED, UNKNOWN = "holds", "violated", "unknown"


class Judgement(msgspec.Struct, frozen=True):
    """What became of a statement.

    Attributes
    ----------
    verdict
        ``holds``, ``violated`` or ``unknown``.
    path
        Shortest way that violates it, or may: workloads and addresses, from source to target.
    ports
        Ports of the last step of the way.
    because
        Why it is unknown, else empty.
    """

    id: str
    says: str
    verdict: str
    path: tuple[str, ...] = ()
    ports: str = ""
    because: str = ""


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    says: str


class _File(msgspec.Struct, forbid_unknown_fields=True):
    statements: list[_Entry]


def load_statements(path: Path) -> tuple[Statement, ...]:
    """Read a YAML file with a list ``statements``, each with ``id`` and ``says``.

    Raises
    ------
    InputError
        It cannot be read, is of another form, or a sentence means nothing.
    """
    from kaudit.model.yaml_stream import one

    try:
        content = one(path.read_bytes(), str(path))
        entries = msgspec.convert(content, _File).statements
    except OSError as fault:
        raise InputError(f"cannot be read: {fault.strerror}", where=path) from None
    except msgspec.ValidationError as fault:
        hint = "statements: [{id: PCI-1, says: pci accepts only from frontend on 443}]"
        raise InputError(str(fault), where=path, hint=hint) from None
    return understood([(entry.id, entry.says) for entry in entries])


class Segmentation:
    """Tests statements on a network.

    Parameters
    ----------
    network
        What policies make.
    classes
        Classes of the pods of each workload.
    enforced
        Whether what policies deny is known to be denied.
    attached
        Workloads that have networks beside their primary one, where the network does not decide.
    """

    def __init__(
        self,
        network: Network,
        classes: Mapping[Workload, set[int]],
        *,
        enforced: bool,
        attached: Collection[Workload] = (),
    ) -> None:
        self.network, self.classes, self.enforced = network, classes, enforced
        self.attached = sorted(attached)
        self._bearers: dict[int, list[Workload]] = {}
        for workload in sorted(classes):
            for number in classes[workload]:
                self._bearers.setdefault(number, []).append(workload)

    def tested(self, statement: Statement) -> Judgement:
        """Say whether a statement holds, with the shortest way that violates it."""
        for side in (statement.subject, statement.peers):
            for who in side:
                if not who.outside and not any(map(who.means, self.classes)):
                    text = f"{who.namespace}/{who.name}" if who.name != "*" else who.namespace
                    because = f"no workload is {text}"
                    return Judgement(statement.id, statement.says, UNKNOWN, because=because)
        doubt: Judgement | None = None
        for path, allowed, unclear in self._ways(statement):
            verdict = VIOLATED if allowed else UNKNOWN
            ports = self.network.ports.text(allowed or unclear)
            because = "" if allowed else "a policy is not understood, or who it means not known"
            found = Judgement(statement.id, statement.says, verdict, path, ports, because)
            if allowed:
                return found
            doubt = doubt or found
        if doubt:
            return doubt
        if not self.enforced and statement.verb != MUST:
            because = "the network plugin may not enforce policies"
            return Judgement(statement.id, statement.says, UNKNOWN, because=because)
        if statement.verb != MUST and (label := self._beside(statement)):
            because = f"{label} has networks beside its primary one, where others decide"
            return Judgement(statement.id, statement.says, UNKNOWN, because=because)
        return Judgement(statement.id, statement.says, HOLDS)

    def _beside(self, statement: Statement) -> str:
        """Name of one that may be reached, or reach others, over another network."""
        own, peers = (self._attached(side) for side in (statement.subject, statement.peers))
        if statement.through:
            own = self.attached if len(self.attached) > 1 else own
        elif statement.verb == NEVER:
            outside = any(
                who.outside for side in (statement.subject, statement.peers) for who in side
            )
            own = own or peers if outside or (own and peers) else []
        return own[0].label if own else ""

    def _attached(self, side: Sequence[Who]) -> list[Workload]:
        return [w for w in self.attached if any(who.means(w) for who in side)]

    def _ways(self, statement: Statement) -> Iterator[tuple[tuple[str, ...], int, int]]:
        """Ways that violate a statement: their ends, ports where they do, and where they may."""
        if statement.verb == NEVER:
            yield from self._never(statement)
        elif statement.verb == MUST:
            yield from self._must(statement)
        else:
            yield from self._only(statement)

    def _never(self, statement: Statement) -> Iterator[tuple[tuple[str, ...], int, int]]:
        meant = self._touching(statement.ports)
        starts = list(self._ends(statement.subject))
        targets = list(self._ends(statement.peers))
        for source, src in starts:
            for target, dst in targets:
                if src == dst:
                    continue
                allowed, unclear = self.network.verdict(source, target)
                if (allowed | unclear) & meant:
                    yield (src, dst), allowed & meant, unclear & meant
        if statement.through:
            yield from self._through(starts, dict(targets), meant)

    def _through(
        self, starts: Sequence[tuple[int, str]], targets: Mapping[int, str], meant: int
    ) -> Iterator[tuple[tuple[str, ...], int, int]]:
        """Shortest way over other workloads: any port for all steps but the last."""
        network = self.network
        before: dict[int, tuple[str, ...]] = {node: (label,) for node, label in starts}
        todo = [node for node in before if node < network.pods]
        while todo:
            after: list[int] = []
            for source in todo:
                for target in self._next(source):
                    allowed, _ = network.verdict(source, target)
                    if target in targets and targets[target] != before[source][-1]:
                        if allowed & meant:
                            yield (*before[source], targets[target]), allowed & meant, 0
                            return
                    elif allowed and target not in before and target in self._bearers:
                        before[target] = (*before[source], self._bearers[target][0].label)
                        after.append(target)
            todo = after

    def _next(self, source: int) -> Iterator[int]:
        """Classes of pods that a class may go to, as far as its own policies decide."""
        groups = self.network.access(source, "egress")
        found = 0
        for group in groups:
            found |= group.peers if group.allowed else 0
        return members(found & ((1 << self.network.pods) - 1))

    def _must(self, statement: Statement) -> Iterator[tuple[tuple[str, ...], int, int]]:
        meant = self._touching(statement.ports)
        for source, src in self._ends(statement.subject):
            for target, dst in self._ends(statement.peers):
                if src == dst:
                    continue
                allowed, unclear = self.network.verdict(source, target)
                if missing := meant & ~allowed:
                    yield (src, dst), missing & ~unclear, missing & unclear

    def _only(self, statement: Statement) -> Iterator[tuple[tuple[str, ...], int, int]]:
        network, inward = self.network, statement.verb == ONLY_FROM
        inside = network.ports.all & ~self._within(statement.ports)
        agreed = self._outside(statement.peers, whole=True)
        for node, label in self._ends(statement.subject):
            for other in range(network.nodes):
                pair = (other, node) if inward else (node, other)
                allowed, unclear = network.verdict(*pair)
                if not allowed | unclear:
                    continue
                for name, known in self._strangers(statement, other, agreed):
                    beyond = inside if known else network.ports.all
                    if (allowed | unclear) & beyond:
                        path = (name, label) if inward else (label, name)
                        yield path, allowed & beyond, unclear & beyond

    def _strangers(
        self, statement: Statement, node: int, agreed: int
    ) -> Iterator[tuple[str, bool]]:
        """Names of a node outside of a statement's subject, and whether its peers hold them."""
        if node >= self.network.pods:
            yield self._address(node), bool(agreed >> node & 1)
            return
        for workload in self._bearers.get(node, ()):
            if not any(who.means(workload) for who in statement.subject):
                yield workload.label, any(who.means(workload) for who in statement.peers)

    def _ends(self, side: Sequence[Who]) -> Iterator[tuple[int, str]]:
        """Nodes that are meant, each with the name of one that is."""
        for workload in sorted(self.classes):
            if any(who.means(workload) for who in side):
                for number in sorted(self.classes[workload]):
                    yield number, workload.label
        for node in members(self._outside(side, whole=False)):
            yield node, self._address(node)

    def _outside(self, side: Sequence[Who], *, whole: bool) -> int:
        """Classes of addresses that lie in what is meant, wholly or in part."""
        space, found = self.network.addresses, 0
        for who in side:
            if who.outside == "internet":
                everywhere = (1 << len(space.classes)) - 1
                found |= everywhere & ~space.union((*PRIVATE, *METADATA))
            elif who.outside:
                block = range_of(who.outside)
                for number in space.meeting(who.outside):
                    ranges = space.classes[number]
                    inside = block and all(
                        block.start <= one.start and one.end <= block.end for one in ranges
                    )
                    found |= 1 << number if inside or not whole else 0
        return found << self.network.pods

    def _address(self, node: int) -> str:
        return next(cidrs_of(self.network.addresses.classes[node - self.network.pods]))

    def _touching(self, ports: Sequence[PortRange]) -> int:
        return self.network.ports.meeting(ports) if ports else self.network.ports.all

    def _within(self, ports: Sequence[PortRange]) -> int:
        return self.network.ports.within(ports) if ports else self.network.ports.all
