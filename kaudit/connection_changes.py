"""Engine: how the connections of two states differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import msgspec

from kaudit.connections import Connection
from kaudit.model.address_space import AddressRange, cidrs_of, range_of
from kaudit.model.port_space import PortRange
from kaudit.model.words import Gap

_Ports = tuple[tuple[PortRange, ...], tuple[PortRange, ...]]
_NONE: _Ports = ((), ())


class Change(msgspec.Struct, frozen=True):
    """One pair whose connections differ.

    Attributes
    ----------
    change
        ``added``: there were none; ``removed``: there are none; ``changed``.
    before, after
        Ports that were and are allowed; ``unknown_`` those on which it was and is unknown.
    network
        Network beside the primary ones; empty: a primary one.
    gap
        What could not be read, of an entry ``unread_before`` or ``unread_after``, which stands
        for the pairs that it may hide; else None.
    """

    change: str
    src: str
    dst: str
    before: tuple[PortRange, ...]
    after: tuple[PortRange, ...]
    unknown_before: tuple[PortRange, ...] = ()
    unknown_after: tuple[PortRange, ...] = ()
    network: str = ""
    gap: Gap | None = None


def changes(old: Iterable[Connection], new: Iterable[Connection]) -> list[Change]:
    """Differences, by source and destination; addresses are compared range by range."""
    before, after = _by_pair(old), _by_pair(new)
    found = []
    for pair in sorted(before.keys() | after.keys()):
        src, dst, network = pair
        for ranges, was, now in _differing(before.get(pair, []), after.get(pair, [])):
            for cidr in cidrs_of(ranges) if ranges else ("",):
                change = "added" if was == _NONE else "removed" if now == _NONE else "changed"
                ends = (src or cidr, dst or cidr)
                found.append(Change(change, *ends, was[0], now[0], was[1], now[1], network))
    return sorted(found, key=lambda one: (one.src, one.dst, one.network))


_Spans = list[tuple[AddressRange | None, _Ports]]


def _by_pair(found: Iterable[Connection]) -> dict[tuple[str, str, str], _Spans]:
    """Ports by the workloads at both ends; an end outside is empty, with its addresses beside."""
    pairs: dict[tuple[str, str, str], _Spans] = {}
    for one in found:
        src, dst = range_of(one.src), range_of(one.dst)
        key = ("" if src else one.src, "" if dst else one.dst, one.network)
        pairs.setdefault(key, []).append((src or dst, (one.connections, one.unknown)))
    return pairs


def _differing(
    before: _Spans, after: _Spans
) -> Iterator[tuple[list[AddressRange], _Ports, _Ports]]:
    both = [*before, *after]
    if all(span is None for span, _ in both):
        was, now = (spans[0][1] if spans else _NONE for spans in (before, after))
        if was != now:
            yield [], was, now
        return
    cuts = sorted({cut for span, _ in both if span for cut in (span.start, span.end)})
    alike: dict[tuple[_Ports, _Ports], list[AddressRange]] = {}
    for start, end in pairwise(cuts):
        was, now = _at(before, start), _at(after, start)
        if was != now:
            alike.setdefault((was, now), []).append(AddressRange(start, end))
    for (was, now), ranges in alike.items():
        yield ranges, was, now


def _at(spans: _Spans, address: int) -> _Ports:
    inside = (ports for span, ports in spans if span and span.start <= address < span.end)
    return next(inside, _NONE)
