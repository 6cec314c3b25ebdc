"""What rules of Kyverno read: patterns, conditions, loops, and the expressions in them.

Source: kyverno/kyverno, ``pkg/engine`` (anchors, variables, foreach) and its documentation of
validate rules. An anchor stands around a name: ``(a)`` and ``<(a)`` are conditions, ``=(a)``
holds where it is set, ``X(a)`` must not be set, ``^(a)`` asks for one element, ``+(a)`` adds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kaudit.model import cel_reads
from kaudit.model.jmespath_reads import ANY, Follower
from kaudit.model.reads import IMAGES, UNKNOWN, Reads, field_of, of_pod, of_reader, written
from kaudit.model.safe_values import SET, TURNED
from kaudit.model.values import (
    EACH,
    NOTHING,
    OPEN,
    Path,
    Reader,
    Unreadable,
    Value,
    at,
    either,
    made_of,
    made_with,
)

#: An expression that holds no other; braces may stand in it by themselves.
_VARIABLE = re.compile(r"(?<!\\)\{\{((?:\{[^{}]*\}|[^{}])*)\}\}")
_NESTED = 8
_ANCHOR = re.compile(r"(?P<anchor>[=^<X+]?)\((?P<name>.*)\)", re.DOTALL)
#: Operators of conditions that order, as signs.
_ORDERS = {
    **dict.fromkeys(("GreaterThan", "DurationGreaterThan"), ">"),
    **dict.fromkeys(("GreaterThanOrEquals", "DurationGreaterThanOrEquals"), ">="),
    **dict.fromkeys(("LessThan", "DurationLessThan"), "<"),
    **dict.fromkeys(("LessThanOrEquals", "DurationLessThanOrEquals"), "<="),
}
#: A side of a condition: what it stands for, and as it is written.
_Side = tuple[Value, Any]
#: What variables that Kyverno knows by itself stand for.
_KNOWN: dict[str, Value] = {
    "request": made_with({"object": at("object"), "oldObject": at("old")}),
    "images": made_with(IMAGES),
    "target": OPEN,
}


class RuleReader:
    """Reads the parts of one rule; what is read comes together.

    Parameters
    ----------
    context
        Variables of the rule by name: their expression, and the value it is of.
    """

    def __init__(self, context: Mapping[str, Any]) -> None:
        self.reader = Reader()
        self.required: set[str] = set()
        self.certain = True
        self.scopes: list[dict[str, Value]] = [dict(_KNOWN)]
        self.context: list[Mapping[str, Any]] = [context]
        self.waiting: set[str] = set()
        self.follower = Follower(self.reader, self.named)

    def reads(self, parts: Mapping[str, Any]) -> Reads:
        """Return what the ways of validating read, by their name on the wire."""
        known = True
        for name, part in parts.items():
            try:
                known = self.part(name, part) and known
            except (Unreadable, RecursionError):
                known = False
        found = of_reader(self.reader, tuple(sorted(self.required)) if self.certain else None)
        return found if known else UNKNOWN + found

    def part(self, name: str, part: Any) -> bool:
        """Read one way; tell whether it is one that can be read."""
        if name == "pattern":
            self.pattern(part, ("object",), required=True)
        elif name == "anyPattern":
            self.certain = False
            self.any_of(_list(part), ("object",))
        elif name == "deny":
            self.certain = False
            self.conditions(part)
        elif name == "foreach":
            for one in _list(part):
                self.loop(one)
        elif name == "cel":
            self.cel(part)
        else:
            return name in ("podSecurity", "manifests")
        return True

    # Patterns

    def pattern(self, node: Any, path: Path, required: bool) -> None:
        """Walk a pattern along the object that it stands for."""
        self.reader.spend()
        if isinstance(node, dict):
            names = [anchored(key) for key in node]
            required = required and not any(anchor in ("(", "<") for anchor, _ in names)
            for (anchor, name), value in zip(names, node.values(), strict=True):
                self.texts(name, path)
                place = (*path, EACH if _holds_part(name) else name)
                self.touch(place)
                if anchor in ("(", "<") and not isinstance(value, dict | list):
                    continue  # a condition demands nothing
                if anchor == "X":
                    self.reader.say(at(*place), accepted=False, texts=[SET])
                with self.reader.muted(anchor in ("(", "<", "X", "+")):
                    self.pattern(value, place, required and anchor in ("", "^"))
        elif isinstance(node, list):
            for value in node:
                if not isinstance(value, dict | list):
                    self.touch((*path, EACH))
                self.pattern(value, (*path, EACH), required)
        else:
            self.leaf(node, path, required)

    def any_of(self, patterns: list[Any], path: Path) -> None:
        """Walk patterns of which one must hold: demanded is what each of them demands."""
        reader, before = self.reader, self.reader.said
        found = []
        for one in patterns:
            reader.said = set()
            self.pattern(one, path, required=False)
            found.append({said: field_of(said[0]) for said in reader.said})
        common = set.intersection(*(set(one.values()) for one in found)) if found else set()
        reader.said = before | {
            said for one in found for said, field in one.items() if field in common
        }

    def touch(self, place: Path) -> None:
        """Remember a place that a pattern names."""
        self.reader.member(Value(frozenset([place[:-1]])), place[-1])

    def leaf(self, node: Any, path: Path, required: bool) -> None:
        """Read the pattern of a value: what is refused if unset, and what images are asked for."""
        if isinstance(node, str):
            self.texts(node, path)
            parts = frozenset(re.split(r"\s*[|&]\s*", node))
            self.reader.compare(at(*path), Value(texts=parts))
            if path[-1] == "image" and any("/" in one and one[0] != "!" for one in parts):
                self.reader.marks.add("registry")
            if "{{" not in node:
                self.valued(path, parts)
        else:
            self.valued(path, [_text(node)])
        refused = isinstance(node, bool | int | float) or (
            isinstance(node, str) and node not in ("", "null") and not node.startswith(("!", "{{"))
        )
        if refused and required and path[:1] == ("object",):
            self.required.add(written(of_pod(path[1:])))

    def valued(self, path: Path, parts: Iterable[str]) -> None:
        """Note which values the pattern of a value accepts; of null that it must not be set."""
        for part in parts:
            value = part.removeprefix("!").strip()
            unset = value == "null"
            accepted = part.startswith("!") == unset
            texts = [SET if unset or value == "?*" else value]
            self.reader.say(at(*path), accepted, texts)

    # Expressions

    def texts(self, text: str, path: Path | None = None) -> Value:
        """Follow the expressions in a text; what it stands for, where it is one and no more."""
        codes, alone = expressions(text)
        found = [self.expression(code, path) for code in codes]
        if not found:
            return Value(texts=frozenset([text]))
        return found[-1] if alone else OPEN

    def expression(self, code: str, path: Path | None = None) -> Value:
        """Follow one expression; ``@`` in it stands for a place of the pattern."""
        self.follower.this = at(*path) if path else NOTHING
        return self.follower.expression(code)

    def named(self, name: str) -> Value | None:
        """Return what a variable stands for: of a loop, of the context, else one Kyverno knows."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        for context in reversed(self.context):
            if name in context:
                return self.variable(name, context[name])
        return None

    def variable(self, name: str, entry: Any) -> Value:
        """Follow a variable of the context when it is first asked for."""
        if name in self.waiting:
            raise Unreadable(f"variable {name} stands for itself")
        self.waiting.add(name)
        found = OPEN
        if isinstance(entry, dict) and isinstance(entry.get("variable"), dict):
            found = self.stated(entry["variable"])
        elif isinstance(entry, dict) and isinstance(entry.get("imageRegistry"), dict):
            self.anything(entry["imageRegistry"].get("reference"))
        self.waiting.discard(name)
        return found

    def stated(self, variable: dict[str, Any]) -> Value:
        """Follow what a variable is of, its expression and its default."""
        value = self.anything(variable["value"]) if "value" in variable else None
        code = variable.get("jmesPath")
        if not isinstance(code, str):
            return value or OPEN
        codes, _ = expressions(code)
        for one in codes:
            self.expression(one)
        found = OPEN if codes else self.follower.expression(code, value)
        return found | self.anything(variable["default"]) if "default" in variable else found

    def anything(self, node: Any) -> Value:
        """Follow the expressions anywhere in JSON."""
        self.reader.spend()
        if isinstance(node, dict):
            return made_with({str(key): self.anything(value) for key, value in node.items()})
        if isinstance(node, list):
            return made_of(either(map(self.anything, node)))
        return self.texts(node) if isinstance(node, str) else NOTHING

    def conditions(self, node: Any) -> None:
        """Read conditions: all that they hold but their messages."""
        self.reader.spend()
        if isinstance(node, list):
            for one in node:
                self.conditions(one)
        elif isinstance(node, dict):
            if "key" in node:
                key, value = self.anything(node["key"]), self.anything(node.get("value"))
                self.reader.compare(key, value, value.each or NOTHING)
                self.reader.compare(value, key, key.each or NOTHING)
                self.registry(str(node.get("operator")), key, value)
                sides = ((key, node["key"]), (value, node.get("value")))
                self.denied(str(node.get("operator")), *sides)
            else:
                for name in ("conditions", "any", "all"):
                    self.conditions(node.get(name))
        elif isinstance(node, str):
            self.texts(node)

    def denied(self, operator: str, key: _Side, value: _Side) -> None:
        """Note which values a condition refuses; those it accepts, where it refuses all others."""
        sign, accepted = _ORDERS.get(operator, ""), "Not" in operator
        for (place, _), (other, node), mark in ((key, value, sign), (value, key, TURNED[sign])):
            texts = {*other.texts, *(other.each.texts if other.each else ()), *_constants(node)}
            for one in (place, place.each or NOTHING):
                self.reader.say(one, accepted, [mark + text for text in texts])

    def registry(self, operator: str, key: Value, value: Value) -> None:
        """Note where an image is refused unless it is one of some texts."""
        named = {*value.texts, *(value.each.texts if value.each else ())}
        of_image = any(path[-1] == "image" for path in key.paths)
        of_image = of_image or bool(key.each and any(p[-1] == "image" for p in key.each.paths))
        if "Not" in operator and of_image and any("/" in one for one in named):
            self.reader.marks.add("registry")

    def loop(self, node: Any, level: int = 0) -> None:
        """Read a loop: its list, then what it asks of each element."""
        if not isinstance(node, dict):
            raise Unreadable("a loop is no object")
        listed = node.get("list")
        of = OPEN
        if isinstance(listed, str):
            of = self.texts(listed) if "{{" in listed else self.expression(listed)
        element = self.reader.element(of)
        self.scopes.append({"element": element, f"element{level}": element})
        self.context.append(context_of(node.get("context")))
        with self.reader.muted():
            self.conditions(node.get("preconditions"))
        places = sorted(element.paths)
        for place in places:
            if "pattern" in node:
                self.pattern(node["pattern"], place, required=True)
            else:
                self.any_of(_list(node.get("anyPattern")), place)
        self.certain = self.certain and "pattern" in node and bool(places)
        self.conditions(node.get("deny"))
        for one in _list(node.get("foreach")):
            self.loop(one, level + 1)
        if "patchStrategicMerge" in node:
            for place in places:
                self.pattern(node["patchStrategicMerge"], _merged(place), required=False)
        self.context.pop()
        self.scopes.pop()

    # Other ways

    def cel(self, node: Any) -> None:
        """Read CEL, whose expressions share variables."""
        if not isinstance(node, dict):
            raise Unreadable("cel is no object")
        variables = _expressions(node.get("variables"))
        follower = cel_reads.Follower(self.reader, cel_reads.NAMES, dict(variables))
        for _, code in _expressions(node.get("expressions")):
            follower.judged(code)
        told = follower.unset.fields(self.reader.paths)
        self.certain = told is not None
        self.required |= {*(told or ())}


def _merged(place: Path) -> Path:
    """Where a merge below a loop starts: at the object itself."""
    return place[:1]


def _holds_part(name: str) -> bool:
    return "*" in name or "?" in name or "{{" in name


def anchored(key: str) -> tuple[str, str]:
    """Split a name of a pattern into its anchor and the name."""
    found = _ANCHOR.fullmatch(key)
    return (found["anchor"] or "(", found["name"]) if found else ("", key)


def _text(node: Any) -> str:
    """Return a constant as patterns write it."""
    return "null" if node is None else str(node).lower()


def _constants(node: Any) -> set[str]:
    """Numbers and truth values of a condition, alone or in a list."""
    listed = node if isinstance(node, list) else [node]
    return {_text(one) for one in listed if isinstance(one, bool | int | float)}


def _list(node: Any) -> list[Any]:
    return node if isinstance(node, list) else []


def _expressions(node: Any) -> Iterator[tuple[str, str]]:
    for one in _list(node):
        if isinstance(one, dict) and isinstance(one.get("expression"), str):
            yield str(one.get("name", "")), one["expression"]


def context_of(node: Any) -> dict[str, Any]:
    """Entries of a context by their name."""
    return {str(one["name"]): one for one in _list(node) if isinstance(one, dict) and "name" in one}


def expressions(text: str) -> tuple[list[str], bool]:
    """Return what stands between ``{{`` and ``}}``, inner ones first, and whether that is all.

    Where an expression holds another, :data:`ANY` stands for what the inner one will be.

    Raises
    ------
    Unreadable
        Some have no end, or there are too many, one in the other.
    """
    found: list[str] = []
    for _ in range(_NESTED):
        inner = _VARIABLE.findall(text)
        if not inner:
            break
        found += [code.strip() for code in inner]
        text = _VARIABLE.sub(ANY, text)
    if "{{" in text.replace("\\{{", ""):
        raise Unreadable("an expression has no end")
    return found, bool(found) and text.strip() == ANY
