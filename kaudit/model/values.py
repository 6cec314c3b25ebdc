"""What an expression of a policy may stand for: paths into the object, texts, or made of both.

Code of policies is not run. It is followed: an expression stands for every value that it may
have, and each step from a path to a longer one is a read. What is too large to follow raises
:class:`Unreadable`, so that nobody takes half of the reads for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec

Path = tuple[str, ...]
#: Step to an element of a list or to any member; step to a member whose name is not known.
EACH, SOME = "[]", "?"
_DEEP, _MANY = 24, 400


class Unreadable(Exception):
    """Code that cannot be followed: its syntax is not known, or it is too large."""


class Value(msgspec.Struct, frozen=True):
    """What an expression may stand for.

    Attributes
    ----------
    paths
        Places in what is judged.
    texts
        Constant texts.
    each
        What elements of a collection that the code makes may stand for.
    members
        What named members of an object that the code makes may stand for.
    open
        It may be something else, which is not followed.
    depth
        How many collections and objects, that the code makes, are one in the other.
    """

    paths: frozenset[Path] = frozenset()
    texts: frozenset[str] = frozenset()
    each: Value | None = None
    members: tuple[tuple[str, Value], ...] = ()
    open: bool = False
    depth: int = 0

    def __or__(self, other: Value) -> Value:
        if self == other or other == NOTHING:
            return self
        if self == NOTHING:
            return other
        paths, texts = self.paths | other.paths, self.texts | other.texts
        if len(paths) > _MANY or len(texts) > _MANY:
            raise Unreadable("it stands for too many things")
        each = self.each | other.each if self.each and other.each else self.each or other.each
        members = dict(self.members)
        for name, value in other.members:
            members[name] = members[name] | value if name in members else value
        if len(members) > _MANY:
            raise Unreadable("it has too many members")
        named = tuple(sorted(members.items()))
        depth = max(self.depth, other.depth)
        return Value(paths, texts, each, named, self.open or other.open, depth)


NOTHING = Value()
OPEN = Value(open=True)


def at(*path: str) -> Value:
    """Return a place in what is judged."""
    return Value(frozenset([path]))


def text(*texts: str) -> Value:
    """Return constant texts."""
    return Value(texts=frozenset(texts))


def made_of(each: Value) -> Value:
    """Return a collection of such elements."""
    return Value(each=each, depth=_deeper(each.depth))


def made_with(members: dict[str, Value]) -> Value:
    """Return an object with such members."""
    depth = _deeper(max((value.depth for value in members.values()), default=0))
    return Value(members=tuple(sorted(members.items())), depth=depth)


def _deeper(depth: int) -> int:
    if depth >= _DEEP:
        raise Unreadable("what it makes is nested too deeply")
    return depth + 1


def either(values: Iterable[Value]) -> Value:
    """Return what any of the values stands for."""
    found = NOTHING
    for value in values:
        found |= value
    return found


class Reader:
    """Takes steps, and remembers each place that was reached.

    Attributes
    ----------
    paths
        Places that were read.
    denied
        Places that were read below an odd number of negations: there, what is not set counts.
    gathered
        Places that were read for a collection: what is not set may count there, or may not.
    compared
        Texts that something was compared with.
    marks
        What a language tells of a comparison, in words of its own.
    said
        Places with values that are accepted there, or refused.
    odd, inside
        What follows stands below an odd number of negations; makes a collection.
    mute
        What follows does not tell which values are accepted.
    """

    def __init__(self) -> None:
        self.paths: set[Path] = set()
        self.denied: set[Path] = set()
        self.gathered: set[Path] = set()
        self.inside = 0
        self.compared: set[str] = set()
        self.marks: set[str] = set()
        self.said: set[tuple[Path, bool, str]] = set()
        self.odd, self.mute = False, False
        self._left = 20_000

    @contextmanager
    def muted(self, when: bool = True) -> Iterator[None]:
        """Follow what does not tell which values are accepted."""
        before, self.mute = self.mute, self.mute or when
        try:
            yield
        finally:
            self.mute = before

    def spend(self) -> None:
        """Count one step of work; more than any policy needs is too much."""
        self._left -= 1
        if self._left < 0:
            raise Unreadable("it takes too long to follow")

    def member(self, value: Value, name: str) -> Value:
        """Step to a named member; of a collection that was made, to that of each element."""
        self.spend()
        found = self._step(value, name)
        for known, of_name in value.members:
            if known == name:
                found |= of_name
        if value.each:
            found |= made_of(self.member(value.each, name))
        return found

    def element(self, value: Value) -> Value:
        """Step to the elements of a list, or to the members of an object."""
        self.spend()
        found = self._step(value, EACH)
        if value.each:
            self.paths |= value.each.paths
        return either([found, *(it for _, it in value.members), value.each or NOTHING])

    def chosen(self, value: Value, key: Value) -> Value:
        """Step to what a key stands for: constant texts name members, nothing stands for any."""
        if key.texts and not (key.paths or key.open):
            return either(self.member(value, name) for name in sorted(key.texts))
        if key.paths or key.open:
            held = [value.each or NOTHING, *(it for _, it in value.members)]
            return either([self._step(value, SOME), *held])
        return self.element(value)

    def compare(self, *values: Value) -> None:
        """Remember constants that are compared with what is judged."""
        if any(value.paths or value.each for value in values):
            for value in values:
                self.compared |= value.texts

    def say(self, value: Value, accepted: bool | None, texts: Iterable[str]) -> None:
        """Remember values that are accepted in the places of a value, or refused."""
        if accepted is not None and not self.mute:
            self.said.update((path, accepted, text) for text in texts for path in value.paths)
        if len(self.said) > 10 * _MANY:
            raise Unreadable("it names too many values")

    def _step(self, value: Value, name: str) -> Value:
        paths = frozenset((*path, name) for path in value.paths)
        if any(len(path) > _DEEP for path in paths):
            raise Unreadable("it goes too deep")
        self.paths |= paths
        if self.odd:
            self.denied |= paths
        if self.inside:
            self.gathered |= paths
        if len(self.paths) > 10 * _MANY:
            raise Unreadable("it reads too much")
        return Value(paths, open=value.open)


def longest(paths: Iterable[Path]) -> Iterator[Path]:
    """Paths that no other path goes on from, sorted."""
    ordered = sorted(set(paths))
    for path, after in zip(ordered, [*ordered[1:], ()], strict=False):
        if after[: len(path)] != path:
            yield path
