"""Which of many sets of labels a selector selects, found for all of them at once.

A set of things is a whole number with one bit a thing. Each label, and each key, has the set
of those that carry it, so a selector is a few operations on sets, however many things there
are. The semantics are those of Kubernetes ("Labels and Selectors", v1.34).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from kaudit.model.calico_selector import Has, parsed
from kaudit.model.meta import LabelSelector, Requirement

_decode = msgspec.json.Decoder(LabelSelector).decode


def members(bits: int) -> Iterator[int]:
    """Places of the things in a set, in order."""
    if not bits:
        return
    least = (bits & -bits).bit_length() - 1
    digits = bin(bits >> least)[:1:-1]  # the things of a set mostly lie near each other
    at = 0
    while at >= 0:
        yield least + at
        at = digits.find("1", at + 1)


def set_of(places: Collection[int]) -> int:
    """Set of the things at some places.

    >>> list(members(set_of([12, 3, 3])))
    [3, 12]
    """
    octets = bytearray(max(places, default=-1) // 8 + 1)
    for at in places:
        octets[at >> 3] |= 1 << (at & 7)
    return int.from_bytes(octets, "little")


def keys_of(text: str) -> frozenset[str]:
    """Label keys that a selector speaks of."""
    if not text.startswith("{"):
        heard = _Listener()
        parsed(text)(heard)
        return frozenset(heard.keys)
    found = _decode(text)
    return frozenset(found.match_labels or ()) | {e.key for e in found.match_expressions or ()}


class _Listener:
    """Takes down which keys an expression asks for."""

    def __init__(self) -> None:
        self.all, self.keys = 0, set[str]()

    def having(self, key: str, value: str) -> int:  # noqa: ARG002
        self.keys.add(key)
        return 0

    def matching(self, key: str, test: Has) -> int:  # noqa: ARG002
        self.keys.add(key)
        return 0


class LabelIndex:
    """Labels of many things, each a list of ``key=value``; ``every`` thing may carry some more.

    >>> index = LabelIndex([["app=web"], ["app=db", "tier=back"]])
    >>> list(members(index.selected('{"matchExpressions":[{"key":"tier","operator":"Exists"}]}')))
    [1]
    """

    def __init__(self, labels: Iterable[Iterable[str]], every: Iterable[str] = ()) -> None:
        places: dict[str, list[int]] = {}
        place = -1
        for place, texts in enumerate(labels):
            for text in texts:
                places.setdefault(text, []).append(place)
        self.all = (1 << place + 1) - 1
        self._places: dict[str, Sequence[int]] = {
            **places,
            **dict.fromkeys(every, range(place + 1)),
        }
        self._labels: dict[str, list[str]] = {}
        for text in self._places:
            self._labels.setdefault(text.partition("=")[0], []).append(text)
        self._having: dict[str, int] = {}
        self._found: dict[str, int] = {}

    def selected(self, text: str) -> int:
        """Those that a selector selects: one of Kubernetes as JSON, or Calico's expression.

        An empty selector selects everything, an unknown operator nothing.
        """
        found = self._found.get(text)
        if found is None:
            found = self._selected(text)
            self._found[text] = found
        return found

    def _selected(self, text: str) -> int:
        if not text.startswith("{"):
            return parsed(text)(self)
        selector, found = _decode(text), self.all
        for key, value in (selector.match_labels or {}).items():
            found &= self.having(key, value or "")
        for term in selector.match_expressions or ():
            found &= self._held(term)
        return found

    def _held(self, term: Requirement) -> int:
        if term.operator == "Exists":
            return self._bearing(term.key)
        if term.operator == "DoesNotExist":
            return self.all & ~self._bearing(term.key)
        among = 0
        for value in term.values or ():
            among |= self.having(term.key, value)
        if term.operator == "In":
            return among
        return self.all & ~among if term.operator == "NotIn" else 0

    def having(self, key: str, value: str) -> int:
        """Those that carry a label."""
        text = f"{key}={value}"
        found = self._having.get(text)
        if found is None:
            found = self._having[text] = set_of(self._places.get(text, ()))
        return found

    def _bearing(self, key: str) -> int:
        """Those that carry a label of a key, whatever its value."""
        return set_of([at for text in self._labels.get(key, ()) for at in self._places[text]])

    def matching(self, key: str, test: Has) -> int:
        """Those whose value of a key passes a test."""
        found = 0
        for text in self._labels.get(key, ()):
            value = text.partition("=")[2]
            if test(value):
                found |= self.having(key, value)
        return found
