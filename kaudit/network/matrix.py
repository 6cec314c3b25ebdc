"""All verdicts of a network, as whole columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from kaudit.model.connectivity import Network
from kaudit.model.stages import Access

if TYPE_CHECKING:
    import numpy as np

    from kaudit.columns import Flags

    Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.int32]]
    Places: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


class Pairs(NamedTuple):
    """Pairs of nodes that may connect: source, target, and place of their verdict."""

    source: Numbers
    target: Numbers
    verdict: Numbers


class _Side:
    """What the policies of every class allow in one direction: distinct rows, and whose they are.

    Attributes
    ----------
    verdicts
        Distinct pairs of the ports that are allowed and those where it is unclear.
    rows
        Number of the verdict on each node, one row for all classes that are governed alike.
    of
        Row of each class.
    """

    def __init__(self, network: Network, direction: str) -> None:
        import numpy as np

        places: dict[int, int] = {}
        alike: list[tuple[Access, ...]] = []
        self.of = np.zeros(network.pods, np.int32)
        for node in range(network.pods):
            groups = network.access(node, direction)
            place = places.setdefault(id(groups), len(places))
            if place == len(alike):
                alike.append(groups)
            self.of[node] = place
        numbers: dict[tuple[int, int], int] = {}
        for groups in alike:
            for group in groups:
                numbers.setdefault((group.allowed, group.unclear), len(numbers))
        self.rows = np.zeros((len(alike), network.nodes), np.min_scalar_type(len(numbers)))
        for row, groups in zip(self.rows, alike, strict=True):
            for group in groups:
                if number := numbers[group.allowed, group.unclear]:
                    np.copyto(row, number, where=_bits(group.peers, network.nodes))
        self.verdicts = list(numbers)


def _bits(members: int, size: int) -> Flags:
    """Tell of each node whether it is in a set."""
    import numpy as np

    packed = np.frombuffer(members.to_bytes((size + 7) // 8, "little"), dtype=np.uint8)
    return np.unpackbits(packed, count=size, bitorder="little").view(bool)


class Matrix:
    """All verdicts of a network that has pods, in blocks of sources.

    Attributes
    ----------
    verdicts
        Distinct pairs of the ports that are allowed and those where it is unclear; the first
        is nothing.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.verdicts: list[tuple[int, int]] = []
        self._numbers: dict[tuple[int, int], int] = {}
        self._number((0, 0))
        self._out, self._into = _Side(network, "egress"), _Side(network, "ingress")

    def _number(self, verdict: tuple[int, int]) -> int:
        number = self._numbers.setdefault(verdict, len(self.verdicts))
        if number == len(self.verdicts):
            self.verdicts.append(verdict)
        return number

    def kinds(self) -> tuple[list[int], list[int]]:
        """Kind of each class of pods, and the first class of each.

        Those of one kind have the same verdicts with all others, as source and as target.
        """
        import numpy as np

        pods, out, into = self.network.pods, self._out, self._into
        ends = np.ascontiguousarray(np.concatenate([out.rows, into.rows]).T[:pods])
        hosts = _bits(self.network.hosts, pods)
        known: dict[object, int] = {}
        first: list[int] = []
        kinds = []
        for node, key in enumerate(zip(out.of, into.of, hosts, map(bytes, ends), strict=True)):
            kinds.append(known.setdefault(key, len(known)))
            if len(first) < len(known):
                first.append(node)
        return kinds, first

    def inside(self, among: Sequence[int] | None = None, rows: int = 256) -> Iterator[Pairs]:
        """Pairs of classes of pods that may connect, by source: of all, or of some, in order."""
        import numpy as np

        out, into = self._out, self._into
        nodes = np.arange(self.network.pods) if among is None else np.array(among, np.int64)
        if not len(nodes):
            return
        table = [self._both(one, other) for one in out.verdicts for other in into.verdicts]
        # What hosts make of verdicts (see _of_host) may be as many again.
        both = np.array(table, np.uint16 if len(self.verdicts) < 2**15 else np.int32)
        kind = np.min_scalar_type(len(table))
        hosts = _bits(self.network.hosts, self.network.nodes)
        goes, takes = out.rows[:, nodes], into.of[nodes]
        for start in range(0, len(nodes), rows):
            here = nodes[start : start + rows]
            forth = goes[out.of[here]].astype(kind)
            back = into.rows[:, here][takes].T
            found = both.take(forth * kind.type(len(into.verdicts)) + back)
            for row in np.flatnonzero(hosts[here]):
                found[row] = self._of_host(found[row])
            yield self._listed(found, here, nodes)

    def _both(self, one: tuple[int, int], other: tuple[int, int]) -> int:
        allowed = one[0] & other[0]
        return self._number((allowed, (one[0] | one[1]) & (other[0] | other[1]) & ~allowed))

    def _of_host(self, row: Numbers) -> Numbers:
        """Traffic of its own node always reaches a pod."""
        import numpy as np

        every = self.network.ports.all
        numbers, at = np.unique(row, return_inverse=True)
        changed = [
            self._number((allowed, every & ~allowed))
            for allowed, _ in map(self.verdicts.__getitem__, numbers)
        ]
        return np.array(changed, np.int32)[at]

    def outward(self) -> Pairs:
        """Classes of pods, and those of addresses that they may connect to."""
        return self._listed(self._beyond(self._out), *self._ends())

    def inward(self) -> Pairs:
        """Classes of addresses, and those of pods that they may connect to."""
        return self._listed(self._beyond(self._into).T, *self._ends()[::-1])

    def _ends(self) -> tuple[Places, Places]:
        """Classes of pods, and those of addresses."""
        import numpy as np

        nodes = np.arange(self.network.nodes)
        return nodes[: self.network.pods], nodes[self.network.pods :]

    def _beyond(self, side: _Side) -> Numbers:
        import numpy as np

        numbers = np.array([self._number(verdict) for verdict in side.verdicts], np.int32)
        return numbers[side.rows[:, self.network.pods :][side.of]]

    def _listed(self, found: Numbers, sources: Places, targets: Places) -> Pairs:
        import numpy as np

        source, target = np.nonzero(found != 0)
        return Pairs(
            sources[source].astype(np.int32),
            targets[target].astype(np.int32),
            found[source, target].astype(np.int32),
        )
