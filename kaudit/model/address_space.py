"""Addresses, cut into the ranges that policies tell apart.

Address blocks that policies name, with their exceptions, cut the space of IPv4 (and of IPv6
where a policy names any of it). Addresses that lie in the same blocks behave alike.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network, summarize_address_range
from socket import AF_INET, inet_pton

import msgspec

#: First address of IPv6 in one line with IPv4, and the end of that line.
_V6 = 1 << 32
_END = _V6 + (1 << 128)


class AddressRange(msgspec.Struct, frozen=True, order=True):
    """Addresses in one line, IPv4 before IPv6; the end is not included."""

    start: int
    end: int


class Block(msgspec.Struct, frozen=True):
    """An address block with its exceptions, as a policy names it."""

    cidr: str
    excepts: tuple[str, ...] = ()


@lru_cache(maxsize=65536)
def range_of(cidr: str) -> AddressRange | None:
    """Range of a block, or of a single address; None where the text is neither."""
    try:
        net = ip_network(cidr, strict=False)
    except ValueError:
        return None
    first = int(net.network_address) + (_V6 if net.version == 6 else 0)
    return AddressRange(first, first + net.num_addresses)


def cidrs_of(ranges: Iterable[AddressRange]) -> Iterator[str]:
    """Fewest blocks that hold exactly the addresses of ranges, those that touch put together."""
    merged: list[tuple[int, int]] = []
    for one in sorted(ranges):
        for start, end in ((one.start, min(one.end, _V6)), (max(one.start, _V6), one.end)):
            if start >= end:
                continue
            if merged and merged[-1][1] == start != _V6:
                merged[-1] = (merged[-1][0], end)
            else:
                merged.append((start, end))
    for start, end in merged:
        base = _V6 if start >= _V6 else 0
        kind = "6" if base else "4"
        first, last = (ip_address(_packed(kind, n - base)) for n in (start, end - 1))
        yield from (str(net) for net in summarize_address_range(first, last))


def _packed(kind: str, number: int) -> bytes:
    return number.to_bytes(16 if kind == "6" else 4, "big")


class AddressSpace:
    """Classes of addresses that all given blocks treat alike.

    Those that ``apart`` names are told from the others as well, with the classes of each.

    >>> space = AddressSpace([Block("10.0.0.0/8", ("10.1.0.0/16",))])
    >>> [list(cidrs_of(ranges)) for ranges in space.classes][1]
    ['10.0.0.0/16', '10.2.0.0/15', '10.4.0.0/14', '10.8.0.0/13', '10.16.0.0/12', '10.32.0.0/11', \
'10.64.0.0/10', '10.128.0.0/9']
    """

    def __init__(self, blocks: Iterable[Block], apart: Sequence[str] = ()) -> None:
        self._blocks = list(dict.fromkeys(blocks))
        named = [
            found
            for block in self._blocks
            for text in (block.cidr, *block.excepts)
            if (found := range_of(text))
        ]
        named += [found for text in apart if (found := range_of(text))]
        end = _END if any(one.start >= _V6 for one in named) else _V6
        cuts = {0, _V6, end, *(c for one in named for c in (one.start, one.end))}
        self._end = end
        self._starts = sorted(cuts - {end})
        ends = [*self._starts[1:], end]
        pieces = [AddressRange(s, e) for s, e in zip(self._starts, ends, strict=True)]
        members: list[list[int]] = [[] for _ in pieces]
        for number, block in enumerate(self._blocks):
            inside = self._places(block.cidr) - {
                place for text in block.excepts for place in self._places(text)
            }
            for place in sorted(inside):
                members[place].append(number)
        for number, text in enumerate(apart):
            for place in self._places(text):
                members[place].append(-1 - number)
        alike: dict[tuple[int, ...], int] = {}
        self._class = [alike.setdefault(tuple(some), len(alike)) for some in members]
        self.classes: list[list[AddressRange]] = [[] for _ in alike]
        for piece, number in zip(pieces, self._class, strict=True):
            self.classes[number].append(piece)
        self._of_block: dict[Block, int] = dict.fromkeys(self._blocks, 0)
        self.apart: dict[str, int] = dict.fromkeys(apart, 0)
        for some, number in alike.items():
            for mark in some:
                if mark >= 0:
                    self._of_block[self._blocks[mark]] |= 1 << number
                else:
                    self.apart[apart[-1 - mark]] |= 1 << number

    def _places(self, text: str) -> set[int]:
        found = range_of(text)
        if found is None:
            return set()
        if found.start >= self._end:
            return set()
        first = bisect_right(self._starts, found.start) - 1
        past = bisect_right(self._starts, found.end - 1)
        return set(range(first, past))

    def bits(self, block: Block) -> int:
        """Classes that a block holds, one bit each."""
        return self._of_block[block]

    def union(self, apart: Iterable[str]) -> int:
        """Classes that some of the addresses told apart are in, one bit each."""
        found = 0
        for text in apart:
            found |= self.apart.get(text, 0)
        return found

    def class_of(self, address: str) -> int | None:
        """Class of one address; None where the text is none, or of IPv6 that nobody names."""
        try:  # most are of this kind, and there is one a pod
            start = int.from_bytes(inet_pton(AF_INET, address))
        except (OSError, ValueError):
            found = range_of(address)
            if found is None or found.start >= self._end:
                return None
            start = found.start
        return self._class[bisect_right(self._starts, start) - 1]

    def meeting(self, text: str) -> list[int]:
        """Classes that some address of a block is in."""
        return sorted({self._class[place] for place in self._places(text)})
