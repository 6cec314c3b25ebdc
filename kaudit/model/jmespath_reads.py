"""What JMESPath reads, found by following its tree without running it."""

from __future__ import annotations

from collections.abc import Callable

from kaudit.model.jmespath import Node, parsed
from kaudit.model.values import (
    NOTHING,
    OPEN,
    Reader,
    Value,
    either,
    made_of,
    made_with,
    text,
)

#: Stands in an expression for a text that is put in before it is followed.
ANY = "__any__"
#: What a name stands for; None where it is not known.
Named = Callable[[str], Value | None]
#: Functions that give back what they were given, or parts of it.
_PASSES = {
    *("not_null", "merge", "to_array", "sort", "reverse", "max", "min", "parse_json"),
    *("parse_yaml", "to_string", "to_number", "items", "object_from_lists", "trim"),
    *("to_lower", "to_upper", "keys", "truncate", "path_canonicalize", "replace", "replace_all"),
}
_OF_EACH = {"map", "sort_by", "max_by", "min_by", "group_by"}
_COMPARES = {"contains", "starts_with", "ends_with", "regex_match", "pattern_match"}


class Follower:
    """Follows expressions whose names a function resolves; ``this`` is what ``@`` stands for."""

    def __init__(self, reader: Reader, named: Named) -> None:
        self.reader, self.named, self.this = reader, named, NOTHING
        self._follow: dict[str, Callable[[Node, Value | None], Value]] = {
            "member": self._member,
            "index": self._index,
            "flat": self._flat,
            "values": self._flat,
            "filter": self._filter,
            "many": self._many,
            "hash": self._hash,
            "pipe": self._pipe,
            "op": self._operation,
            "call": self._call,
        }

    def expression(self, code: str, here: Value | None = None) -> Value:
        """Follow one expression; ``here`` is what ``@`` stands for."""
        return self.value(parsed(code), here)

    def value(self, node: Node, here: Value | None) -> Value:
        """Return what a node stands for where ``here`` is looked at; None: names are."""
        self.reader.spend()
        kind = node[0]
        if kind == "here":
            return self.this if here is None else here
        if kind in ("text", "literal"):
            said = node[1] if kind == "text" else node[1].strip().strip('"')
            return OPEN if ANY in said else text(said)
        follow = self._follow.get(kind)
        return follow(node, here) if follow else (OPEN if kind in ("root", "masked") else NOTHING)

    def _index(self, node: Node, here: Value | None) -> Value:
        return self.reader.element(self.value(node[1], here))

    def _pipe(self, node: Node, here: Value | None) -> Value:
        return self.value(node[2], self.value(node[1], here))

    def _member(self, node: Node, here: Value | None) -> Value:
        if node[1] == ("here",) and here is None:
            found = OPEN if ANY in node[2] else self.named(node[2])
            return OPEN if found is None else found
        if ANY in node[2]:
            return self.reader.chosen(self.value(node[1], here), OPEN)
        return self.reader.member(self.value(node[1], here), node[2])

    def _flat(self, node: Node, here: Value | None) -> Value:
        found = self.value(node[1], here)
        element = self.reader.element(found)
        if element.each and not element.paths:  # a list of lists that the code made
            element = self.reader.element(element)
        elif element.paths and found.each:
            element = self._one_level(found, element)
        return made_of(element)

    def _one_level(self, found: Value, element: Value) -> Value:
        """Flatten what the code put into a list: lists of the object, not their elements."""
        inner = found.each or NOTHING
        rest = self.reader.element(Value(paths=inner.paths)) if inner.paths else NOTHING
        own = self.reader.element(Value(paths=found.paths)) if found.paths else NOTHING
        return either([rest, own]) if rest != NOTHING else element

    def _filter(self, node: Node, here: Value | None) -> Value:
        found = self.value(node[1], here)
        element = found.each if found.each and not found.paths else self.reader.element(found)
        self.value(node[2], element)
        return made_of(element)

    def _many(self, node: Node, here: Value | None) -> Value:
        of = None if node[1] == ("here",) else self.value(node[1], here)
        return made_of(either(self.value(one, here if of is None else of) for one in node[2]))

    def _hash(self, node: Node, here: Value | None) -> Value:
        of = here if node[1] == ("here",) else self.value(node[1], here)
        return made_with({name: self.value(one, of) for name, one in node[2]})

    def _operation(self, node: Node, here: Value | None) -> Value:
        found = [self.value(node[1], here), self.value(node[2], here)]
        if node[3] in ("==", "!="):
            self.reader.compare(*found)
        return either(found) if node[3] in ("||", "&&") else NOTHING

    def _call(self, node: Node, here: Value | None) -> Value:
        _, name, given = node
        later = [one[1] for one in given if one[0] == "later"]
        found = [self.value(one, here) for one in given if one[0] != "later"]
        if later and name in _OF_EACH:
            each = [self.value(one, self.reader.element(of)) for one in later for of in found]
            return made_of(either(each)) if name == "map" else either(found)
        if name in _COMPARES:
            self.reader.compare(*found)
        if name == "lookup" and len(found) == 2:
            return self.reader.chosen(found[0], found[1])
        if name == "values" and found:
            return made_of(self.reader.element(found[0]))
        return either(found) if name in _PASSES else NOTHING
