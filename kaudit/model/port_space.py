"""Sets of ports, as whole numbers: the port space is cut once, and each piece is one bit.

A cluster's policies name few ports. Between those they name, all ports are alike, so a set
of them is a handful of bits, and union, intersection and difference are single operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

import msgspec

#: Protocols that policies speak of; others are neither allowed nor denied by them.
PROTOCOLS = ("TCP", "UDP", "SCTP")
LAST = 65535


class PortRange(msgspec.Struct, frozen=True, order=True):
    """Ports of one protocol, both ends included."""

    protocol: str
    from_port: int
    to_port: int

    @property
    def text(self) -> str:
        """``80`` or ``80-90``."""
        one = self.from_port == self.to_port
        return str(self.from_port) if one else f"{self.from_port}-{self.to_port}"


class PortSpace:
    """All ports of all protocols, cut at the ranges that somebody names.

    >>> space = PortSpace([PortRange("TCP", 80, 90)])
    >>> web = space.bits(PortRange("TCP", 80, 90))
    >>> space.text(web), space.text(space.all & ~web)
    ('TCP 80-90', 'TCP 1-79,91-65535, UDP, SCTP')
    """

    def __init__(self, named: Iterable[PortRange] = ()) -> None:
        cuts: dict[str, set[int]] = {protocol: {1, LAST + 1} for protocol in PROTOCOLS}
        for one in named:
            if one.protocol in cuts:
                cuts[one.protocol] |= {max(1, one.from_port), min(LAST, one.to_port) + 1}
        self._pieces: list[PortRange] = []
        self._first: dict[tuple[str, int], int] = {}
        for protocol, ends in cuts.items():
            places = sorted(end for end in ends if end <= LAST + 1)
            for start, end in pairwise(places):
                self._first[protocol, start] = len(self._pieces)
                self._pieces.append(PortRange(protocol, start, end - 1))
            self._first[protocol, LAST + 1] = len(self._pieces)
        self.all = (1 << len(self._pieces)) - 1

    def bits(self, ports: PortRange) -> int:
        """Set of the ports of a range, which must be one of those that were named."""
        start, end = max(1, ports.from_port), min(LAST, ports.to_port) + 1
        if ports.protocol not in PROTOCOLS or start >= end:
            return 0
        first, past = self._first[ports.protocol, start], self._first[ports.protocol, end]
        return (1 << past) - (1 << first)

    def containing(self, protocol: str, port: int) -> int:
        """Set of the piece that holds a port; empty where there is no such port."""
        for place, piece in enumerate(self._pieces):
            if piece.protocol == protocol and piece.from_port <= port <= piece.to_port:
                return 1 << place
        return 0

    def meeting(self, ports: Iterable[PortRange]) -> int:
        """Pieces that hold any port of some ranges."""
        return self._which(
            ports,
            lambda one, piece: one.from_port <= piece.to_port and piece.from_port <= one.to_port,
        )

    def within(self, ports: Iterable[PortRange]) -> int:
        """Pieces that hold no port but those of some ranges."""
        return self._which(
            ports,
            lambda one, piece: one.from_port <= piece.from_port and piece.to_port <= one.to_port,
        )

    def _which(
        self, ports: Iterable[PortRange], fits: Callable[[PortRange, PortRange], bool]
    ) -> int:
        """Pieces that fit any of some ranges of their protocol."""
        chosen = list(ports)
        return sum(
            1 << place
            for place, piece in enumerate(self._pieces)
            if any(one.protocol == piece.protocol and fits(one, piece) for one in chosen)
        )

    def ranges(self, bits: int) -> Iterator[PortRange]:
        """Ranges of a set, those that touch put together."""
        open_: PortRange | None = None
        for place, piece in enumerate(self._pieces):
            if not bits >> place & 1:
                continue
            if open_ and (open_.protocol, open_.to_port + 1) == (piece.protocol, piece.from_port):
                open_ = PortRange(open_.protocol, open_.from_port, piece.to_port)
                continue
            if open_:
                yield open_
            open_ = piece
        if open_:
            yield open_

    def text(self, bits: int) -> str:
        """The set for people: ``all``, ``none`` or ``TCP 80,443, UDP 53``."""
        return described(self.ranges(bits))


def described(ranges: Iterable[PortRange]) -> str:
    """Ranges for people: ``all``, ``none`` or ``TCP 80,443, UDP 53``."""
    found: dict[str, list[str]] = {}
    for one in ranges:
        whole = (one.from_port, one.to_port) == (1, LAST)
        found.setdefault(one.protocol, []).extend([] if whole else [one.text])
    if len(found) == len(PROTOCOLS) and not any(found.values()):
        return "all"
    return (
        ", ".join(
            f"{protocol} {','.join(texts)}" if texts else protocol
            for protocol, texts in found.items()
        )
        or "none"
    )
