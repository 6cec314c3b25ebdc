"""What CEL reads, found by following its tree without running it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from kaudit.model.cel import Node, parsed
from kaudit.model.cel_unset import Unset, asks_has, compared, defaulted
from kaudit.model.constants import TRUTH, constants, counted
from kaudit.model.reads import IMAGES, UNKNOWN, Reads, of_reader
from kaudit.model.safe_values import SET, TURNED
from kaudit.model.values import (
    NOTHING,
    OPEN,
    Reader,
    Unreadable,
    Value,
    at,
    either,
    made_of,
    made_with,
    text,
)

#: What names stand for; Gatekeeper has the object, old where there is no new one, as a variable.
NAMES = {
    "object": at("object"),
    "anyObject": at("object"),
    "oldObject": at("old"),
    "params": at("params"),
    "images": made_with(IMAGES),
    "request": made_with({"object": at("object"), "oldObject": at("old")}),
}
#: Calls with a variable of their own, and whether they give back elements or a result.
_KEEPS = {"filter", "sortBy"}
_ONE = {"exists_one", "existsOne"}
_JUDGES = {"all", "exists", *_ONE}
_MAKES = {"map", "transformList", "transformMap", "transformMapEntry"}
_OPTIONAL = {"optMap", "optFlatMap"}
#: Fields that hold names of their own, not a list.
_NAMED = {"labels", "annotations", "limits", "requests", "matchLabels", "nodeSelector", "data"}
#: Signs that make a value of values.
_RECKONS = {"+", "-", "*", "/", "%"}
#: Calls that compare a text with others.
_COMPARES = {"contains", "startsWith", "endsWith", "matches", "find", "findAll"}
#: Calls that give back what they were given, or a part of it.
_PASSES = {
    *("orValue", "or", "value", "flatten", "sort", "distinct", "slice", "reverse", "first"),
    *("last", "dyn", "of", "ofNonZeroValue", "optional", "list", "string", "trim"),
    *("lowerAscii", "upperAscii"),
}


def reads_of(variables: Iterable[tuple[str, str]], validations: Iterable[str]) -> Reads:
    """Return what validations read, and the variables that they lead to."""
    reader = Reader()
    follower = Follower(reader, NAMES, dict(variables))
    try:
        for code in validations:
            follower.judged(code)
    except (Unreadable, RecursionError):
        return UNKNOWN + of_reader(reader)
    return of_reader(reader, follower.unset.fields(reader.paths))


def opposite(wanted: bool | None) -> bool | None:
    """Return what helps of a part whose negation is asked for."""
    return None if wanted is None else not wanted


class Follower:
    """Follows expressions that share names.

    Parameters
    ----------
    reader
        Remembers what is read.
    names
        What names stand for.
    variables
        Text of each of ``variables``, which is followed when it is first used.

    Attributes
    ----------
    sure
        What is followed must hold by itself.
    wanted
        What is followed helps a validation if it holds, or if it does not; None: not told.
    filled
        The same of a list that has any element.
    """

    def __init__(
        self, reader: Reader, names: Mapping[str, Value], variables: Mapping[str, str]
    ) -> None:
        self.reader, self.names, self.variables = reader, dict(names), variables
        self.unset, self.sure = Unset(), False
        self.wanted: bool | None = None
        self.filled: bool | None = None
        self._known: dict[object, Value] = {}
        self._open: set[str] = set()
        self._follow: dict[str, Callable[[Node, dict[str, Value]], Value]] = {
            "name": self._name,
            "member": self._member,
            "index": self._index,
            "call": self._call,
            "op": self._operation,
            "not": self._negation,
            "if": self._choice,
            "list": self._list,
            "made": self._made,
        }

    def expression(self, code: str) -> Value:
        """Follow one expression."""
        return self.value(parsed(code), {})

    def judged(self, code: str) -> None:
        """Follow a validation, which must hold."""
        self.sure = True
        self.holds(parsed(code), {}, wanted=True)
        self.sure = False

    def unsure(self, node: Node, scope: dict[str, Value], filled: bool | None = None) -> Value:
        """Follow a part of which it is not told what it must be; a list: whether it has any."""
        before = self.sure, self.wanted, self.filled
        self.sure, self.wanted, self.filled = False, None, filled
        found = self.value(node, scope)
        self.sure, self.wanted, self.filled = before
        return found

    def holds(self, node: Node, scope: dict[str, Value], wanted: bool | None) -> Value:
        """Follow a part of which that is wanted: a place by itself is asked for being true."""
        before = self.wanted, self.filled
        self.wanted, self.filled = wanted, None
        found = self.value(node, scope)
        if node[0] in ("name", "member", "index", "call"):
            self.reader.say(found, wanted, ["true"])
        self.wanted, self.filled = before
        return found

    def helps(self, node: Node, scope: dict[str, Value], wanted: bool | None) -> Value:
        """Follow a part that need not hold by itself."""
        before, self.sure = self.sure, False
        found = self.holds(node, scope, wanted)
        self.sure = before
        return found

    def value(self, node: Node, scope: dict[str, Value]) -> Value:
        """Return what a node stands for, where ``scope`` holds the variables of calls."""
        self.reader.spend()
        if node[0] == "text":
            return text(node[1])
        follow = self._follow.get(node[0])
        return follow(node, scope) if follow else (OPEN if node[0] == "masked" else NOTHING)

    def _name(self, node: Node, scope: dict[str, Value]) -> Value:
        return scope[node[1]] if node[1] in scope else self.names.get(node[1], NOTHING)

    def _member(self, node: Node, scope: dict[str, Value]) -> Value:
        if node[1] == ("name", "variables") and "variables" not in scope:
            return self._variable(node[2])
        return self.reader.member(self.unsure(node[1], scope), node[2])

    def _variable(self, name: str) -> Value:
        key = name, self.wanted, self.filled
        if key in self._known:
            return self._known[key]
        if name not in self.variables:
            return self.names.get(name, OPEN)
        if name in self._open:
            raise Unreadable(f"variable {name} stands for itself")
        self._open.add(name)
        code = parsed(self.variables[name])
        if self.wanted is None:
            self._known[key] = self.unsure(code, {}, self.filled)
        else:
            self._known[key] = self.helps(code, {}, self.wanted)
        self._open.discard(name)
        return self._known[key]

    def _index(self, node: Node, scope: dict[str, Value]) -> Value:
        of, key = self.unsure(node[1], scope), self.unsure(node[2], scope)
        return self.reader.chosen(of, key)

    def _operation(self, node: Node, scope: dict[str, Value]) -> Value:
        if node[1][0] == "&&":
            for one in node[2]:
                self.holds(one, scope, self.wanted)
            return NOTHING
        if self.sure:
            self._told(node, scope)
        if node[1][0] == "||":
            for one in node[2]:
                self.helps(one, scope, self.wanted)
            return NOTHING
        if node[1][0] in _RECKONS:
            found = [self.unsure(one, scope, self.filled) for one in node[2]]
            return either(found) if node[1][0] == "+" else NOTHING
        sides = self._compared(node, scope)
        if node[1][0] in ("==", "!=", "in"):
            self.reader.compare(*sides, *(one.each for one in sides if one.each))
            if node[1][0] == "in":
                self._membership(*sides[:2])
        return NOTHING

    def _compared(self, node: Node, scope: dict[str, Value]) -> list[Value]:
        """Follow what is compared, and note which values are accepted or refused by that."""
        parts, sign = node[2], node[1][0]
        if len(parts) != 2 or self.wanted is None:
            return [self.unsure(one, scope) for one in parts]
        wanted = self.wanted != (sign == "!=")
        if sign in ("==", "!="):
            for one, other in (parts, parts[::-1]):
                if other in TRUTH:
                    return [self.helps(one, scope, wanted == TRUTH[other]), NOTHING]
        if sized := counted(node):
            listed, filled = sized[0], sized[1] == self.wanted
            self.reader.say(self.unsure(listed, scope, filled), filled, [SET])
            return [NOTHING, NOTHING]
        found = [self.unsure(one, scope) for one in parts]
        left, right = map(constants, parts, found)
        if sign == "in":
            self.reader.say(found[0], wanted, right)
            self.reader.say(found[1], wanted, left)
        else:
            mark = "" if sign in ("==", "!=") else sign
            self.reader.say(found[0], wanted, [mark + one for one in right])
            self.reader.say(found[1], wanted, [TURNED[mark] + one for one in left])
        return found

    def _told(self, node: Node, scope: dict[str, Value]) -> None:
        """Note what a part that must hold makes of fields that are not set."""
        if node[1][0] == "||":
            for one in node[2]:
                asked = asks_has(one[1]) if one[0] == "not" else None
                if asked is not None:
                    self.unset.note(self.unsure(asked, scope), passes=True)
        elif len(node[2]) == 2 and (found := defaulted(node[2][0])):
            passes = compared(node[1][0], found[1], node[2][1])
            if passes is not None:
                self.unset.note(self.unsure(found[0], scope), passes)
        elif node[1] == ("in",) and node[2][0][0] == "text":
            of = self.unsure(node[2][1], scope)
            if of.paths and all(path[-1] in _NAMED for path in of.paths):
                name = node[2][0][1]
                self.unset.note(Value(frozenset((*p, name) for p in of.paths)), passes=False)

    def _membership(self, asked: Value, of: Value) -> None:
        """Take the step of ``in``: to a member of what holds names, else to elements."""
        for path in sorted(of.paths):
            named = path[-1] in _NAMED and bool(asked.texts)
            self.reader.chosen(Value(frozenset([path])), asked if named else NOTHING)

    def _negation(self, node: Node, scope: dict[str, Value]) -> Value:
        asked = asks_has(node[1])
        if self.sure and asked is not None:
            self.unset.note(self.unsure(asked, scope), passes=True)
        self.reader.odd = not self.reader.odd
        self.helps(node[1], scope, opposite(self.wanted))
        self.reader.odd = not self.reader.odd
        return NOTHING

    def _choice(self, node: Node, scope: dict[str, Value]) -> Value:
        asked = asks_has(node[1])
        if self.sure and asked is not None and node[3][0] == "number":
            self.unset.note(self.unsure(asked, scope), passes=node[3][1] == "true")
        self.helps(node[1], scope, self._asked(*node[2:]))
        return self._through(node[2], scope) | self._through(node[3], scope)

    def _asked(self, then: Node, other: Node) -> bool | None:
        """Return what helps of the condition of a choice with a constant."""
        if then in TRUTH:
            return self.wanted if TRUTH[then] else opposite(self.wanted)
        if other in TRUTH:
            return opposite(self.wanted) if TRUTH[other] else self.wanted
        return None

    def _through(self, node: Node, scope: dict[str, Value]) -> Value:
        """Follow a part whose result is that of the whole."""
        if self.wanted is None:
            return self.unsure(node, scope, self.filled)
        return self.helps(node, scope, self.wanted)

    def _list(self, node: Node, scope: dict[str, Value]) -> Value:
        return made_of(either(self.unsure(one, scope) for one in node[1]))

    def _made(self, node: Node, scope: dict[str, Value]) -> Value:
        members: dict[str, Value] = {}
        for key, one in node[1]:
            value = self.unsure(one, scope)
            names = [key[1]] if key[0] in ("name", "text") else [""]
            members |= dict.fromkeys(names, value)
        return made_with(members)

    def _call(self, node: Node, scope: dict[str, Value]) -> Value:
        _, of, name, given = node
        if name == "bind" and of == ("name", "cel") and len(given) == 3 and given[0][0] == "name":
            bound = scope | {given[0][1]: self.unsure(given[1], scope)}
            return self.value(given[2], bound)
        target = self.unsure(of, scope, self._elements(name)) if of else NOTHING
        asked = asks_has(node)
        if self.sure and asked is not None:
            self.unset.note(self.unsure(asked, scope), passes=False)
        if name in ("has", "hasValue"):
            of_has = target if asked is None else self.unsure(asked, scope)
            self.reader.say(of_has, self.wanted, [SET])
        if of and given and given[0][0] == "name" and len(given) > 1:
            if name in _KEEPS | _JUDGES | _MAKES:
                of_default = defaulted(of)
                if self.sure and of_default and of_default[1] == ("list", ()):
                    self.unset.note(self.unsure(of_default[0], scope), passes=name == "all")
                return self._macro(target, name, given, scope)
            if name in _OPTIONAL:
                return self.unsure(given[1], scope | {given[0][1]: target})
        found = [self.unsure(one, scope) for one in given]
        if name in _COMPARES:
            self.reader.compare(target, *found)
            self.reader.say(target, self.wanted, either(found).texts)
            of_image = any(path[-1] == "image" for path in target.paths)
            if of_image and not self.reader.odd and any("/" in t for v in found for t in v.texts):
                self.reader.marks.add("registry")
        return either([target, *found]) if name in _PASSES else NOTHING

    def _elements(self, name: str) -> bool | None:
        """Return whether elements of a list help that a call is made of; None: not told."""
        if name == "all":
            return opposite(self.wanted)
        return self.wanted if name in _JUDGES else self.filled

    def _macro(
        self, target: Value, name: str, given: tuple[Node, ...], scope: dict[str, Value]
    ) -> Value:
        """Follow a call that names its elements: the last argument is its result."""
        element = self.reader.element(target)
        inner = scope | {given[0][1]: element}
        rest = given[1:]
        if len(rest) > 1 and rest[0][0] == "name" and name not in ("map", "filter"):
            inner |= {given[0][1]: NOTHING, rest[0][1]: element}
            rest = rest[1:]
        follow = self.holds if name == "all" else self.helps
        wanted = self.wanted if name in _JUDGES else self.filled
        if (name in _MAKES and len(rest) == 1) or (name in _ONE and not wanted):
            wanted = None
        found = [follow(one, inner, wanted) for one in rest[:1]]
        found += [self.unsure(one, inner) for one in rest[1:]]
        if name in _KEEPS:
            return target
        return made_of(found[-1]) if name in _MAKES else NOTHING
