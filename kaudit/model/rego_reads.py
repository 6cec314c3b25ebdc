"""What Rego reads, found by following its rules without running them.

Followed is what ``violation`` rests on, as Gatekeeper asks for it: what no such rule leads to
is not run, so it reads nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kaudit.model.constants import constants
from kaudit.model.reads import UNKNOWN, Reads, of_reader, refused
from kaudit.model.rego import Module, Node, Rule, parsed
from kaudit.model.safe_values import TURNED
from kaudit.model.values import (
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
    text,
)

Scope = dict[str, Value]
#: Built-in functions that give back what they were given, or parts of it.
_PASSES = {
    *("array.concat", "array.slice", "array.reverse", "object.union", "object.union_n"),
    *("object.remove", "object.filter", "json.remove", "json.filter", "union", "intersection"),
    *("cast_array", "cast_set", "sort", "max", "min", "numbers.range", "lower", "upper"),
    *("trim", "trim_space", "trim_prefix", "trim_suffix", "trim_left", "trim_right", "to_number"),
}
#: Built-in functions that compare a text with others.
_COMPARES = {
    *("contains", "startswith", "endswith", "regex.match", "re_match", "glob.match"),
    *("strings.any_prefix_match", "strings.any_suffix_match"),
}
_SIGNS = {"=", "==", "!=", "<", "<=", ">", ">=", "in"}
_TRUE = ("number", "true")
_INPUT = {("review", "object"): "object", ("parameters",): "params", ("constraint",): "constraint"}
_PASSES_OF_BODY = 3
#: What is not set is taken for something.
_UNSURE = "unsure"


def reads_of(code: str, libs: Sequence[str]) -> Reads:
    """Return what the rules ``violation`` of a template read."""
    reader = Reader()
    try:
        follower = _Follower(reader, [parsed(code), *map(parsed, libs)])
        follower.start("violation")
    except (Unreadable, RecursionError):
        return UNKNOWN + of_reader(_renamed(reader))
    found = _renamed(reader)
    return of_reader(found, None if _UNSURE in reader.marks else refused(found))


def _renamed(reader: Reader) -> Reader:
    """Name places after what they are: parts of the input are the object, or parameters."""
    found = Reader()
    found.compared, found.marks = reader.compared, reader.marks - {_UNSURE}
    for kind in ("paths", "denied", "gathered"):
        for path in getattr(reader, kind):
            for before, name in _INPUT.items():
                if path[1 : 1 + len(before)] == before:
                    getattr(found, kind).add((name, *path[1 + len(before) :]))
    for path, accepted, value in reader.said:
        if path[1:3] == ("review", "object"):
            found.said.add((("object", *path[3:]), accepted, value))
    return found


class _Follower:
    def __init__(self, reader: Reader, modules: Sequence[Module]) -> None:
        self.reader, self.main = reader, modules[0]
        self.modules: dict[Path, list[Module]] = {}
        self.rules: dict[tuple[Path, str], list[tuple[Module, Rule]]] = {}
        for module in modules:
            self.modules.setdefault(module.package, []).append(module)
            for rule in module.rules:
                key = (module.package, rule.name)
                self.rules.setdefault(key, []).append((module, rule))
        self.done: dict[object, Value] = {}
        self.open: set[object] = set()
        self.follow: dict[str, Callable[[Node, Scope, Module], Value]] = {
            "name": self.name,
            "at": self.step,
            "call": self.call,
            "op": self.operation,
            "list": self.collection,
            "set": self.collection,
            "object": self.made,
            "all": self.comprehension,
            "not": self.negation,
            "with": self.inner,
            "some": lambda *_: NOTHING,
            "each": self.each,
            "every": self.each,
        }

    def start(self, name: str) -> None:
        """Follow the rules of this name in the template's own package."""
        if (self.main.package, name) not in self.rules:
            raise Unreadable(f"no rule {name}")
        self.rule(self.main.package, name, None)

    def value(self, node: Node, scope: Scope, module: Module) -> Value:
        """Return what a node stands for; variables that are bound stay in the scope."""
        self.reader.spend()
        if node[0] == "text":
            return text(node[1])
        follow = self.follow.get(node[0])
        return follow(node, scope, module) if follow else self.plain(node)

    @staticmethod
    def plain(node: Node) -> Value:
        return OPEN if node[0] == "masked" else NOTHING

    def name(self, node: Node, scope: Scope, module: Module) -> Value:
        name = node[1]
        if name in scope:
            return scope[name]
        if name == "input":
            return at("input")
        if (module.package, name) in self.rules:
            return self.rule(module.package, name, None)
        if name in module.imports:
            return self.external(module.imports[name])
        return NOTHING

    def external(self, path: Path) -> Value:
        """Follow a path of data or input that has a name of its own."""
        if path[0] == "input":
            found = at("input")
            for name in path[1:]:
                found = self.reader.member(found, name)
            return found
        if path[0] == "data" and (path[1:-1], path[-1]) in self.rules:
            return self.rule(path[1:-1], path[-1], None)
        return NOTHING

    def step(self, node: Node, scope: Scope, module: Module) -> Value:
        """Follow a member or an index; of a set, what is asked for is a member of it."""
        target = self.target(node, module, scope)
        if target is not None:
            return self.rule(*target, None)
        asked = self.target(node[1], module, scope) if node[1][0] in ("name", "at") else None
        if asked is not None and self.is_set(asked):
            return self.of_set(asked, node[2], scope, module)
        of, key = self.value(node[1], scope, module), node[2]
        if key[0] == "text":
            return self.reader.member(of, key[1])
        if key[0] == "name" and key[1] not in scope and not self.known(key[1], module):
            return self.reader.element(of)
        chosen = self.reader.chosen(of, self.value(key, scope, module))
        if not of.paths:
            self.bind(key, of.each or NOTHING, scope, module)
        return chosen

    def target(self, node: Node, module: Module, scope: Scope) -> tuple[Path, str] | None:
        """Return package and name of the rule that a reference leads to, if it does."""
        names: list[str] = []
        while node[0] == "at" and node[2][0] == "text":
            names.append(node[2][1])
            node = node[1]
        if node[0] != "name" or node[1] in scope:
            return None
        names.reverse()
        first = node[1]
        if first == "data":
            path = tuple(names)
        elif first in module.imports and module.imports[first][0] == "data":
            path = (*module.imports[first][1:], *names)
        else:
            path = (*module.package, first, *names)
        for cut in range(len(path) - 1, 0, -1):
            key = (path[:cut], ".".join(path[cut:]))
            if key in self.rules:
                return key
        return None

    def known(self, name: str, module: Module) -> bool:
        """Whether a name is a rule, an import or the input."""
        rule = (module.package, name) in self.rules
        return rule or name in module.imports or name in ("input", "data")

    def is_set(self, key: tuple[Path, str]) -> bool:
        return any(rule.key is not None for _, rule in self.rules[key])

    def of_set(self, key: tuple[Path, str], asked: Node, scope: Scope, module: Module) -> Value:
        """Follow what is asked of a set: what the question says is known in its rules."""
        free = asked[0] == "name" and asked[1] not in scope
        given = None if free else self.value(asked, scope, module)
        found = self.rule(*key, given if given != NOTHING else None)
        made = any(rule.value is not None for _, rule in self.rules[key])
        element = found.each or NOTHING
        if not made:
            self.bind(asked, element, scope, module)
        return element

    def rule(self, package: Path, name: str, given: Value | None) -> Value:
        """Follow all definitions of a rule; ``given`` is what is asked of a set."""
        return self.defined((package, name), None, given)

    def defined(
        self, key: tuple[Path, str], arguments: tuple[Value, ...] | None, given: Value | None
    ) -> Value:
        done = (key, arguments, given, self.reader.odd, bool(self.reader.inside), self.reader.mute)
        if done in self.done:
            return self.done[done]
        if done in self.open or len(self.open) > 40:
            return OPEN
        self.open.add(done)
        found = NOTHING
        for module, rule in self.rules[key]:
            if (rule.arguments is None) == (arguments is None):
                found |= self.definition(module, rule, arguments or (), given)
        self.open.discard(done)
        self.done[done] = found
        return found

    def definition(
        self, module: Module, rule: Rule, arguments: tuple[Value, ...], given: Value | None
    ) -> Value:
        scope: Scope = {}
        for pattern, value in zip(rule.arguments or (), arguments, strict=False):
            other = pattern[0] == "text" and value.texts and not (value.paths or value.open)
            if other and pattern[1] not in value.texts:
                return NOTHING
            self.bind(pattern, value, scope, module)
        if rule.key is not None and given is not None:
            self.bind(rule.key, given, scope, module)
        found = NOTHING
        for own, body in rule.bodies:
            inner = dict(scope)
            with self.reader.muted(own not in (None, _TRUE)):
                self.body(body, inner, module)
            value = self.value(own, inner, module) if own else NOTHING
            if rule.key is not None:
                key = self.value(rule.key, inner, module)
                value = made_of(value if rule.value else key)
            found |= value
        return found

    def body(self, literals: tuple[Node, ...], scope: Scope, module: Module) -> None:
        """Follow literals until no variable stands for more: their order means nothing."""
        for _ in range(_PASSES_OF_BODY):
            before = dict(scope)
            for literal in literals:
                self.literal(literal, scope, module)
            if scope == before:
                break

    def literal(self, node: Node, scope: Scope, module: Module) -> Value:
        """Follow what must hold: a place that stands there by itself is asked for being true."""
        found = self.value(node, scope, module)
        if node[0] in ("name", "at"):
            self.reader.say(found, self.reader.odd, ["true"])
        return found

    def bind(self, pattern: Node, value: Value, scope: Scope, module: Module) -> None:
        """Let the variables of a pattern stand for (also) what the value has in their place."""
        if pattern[0] == "name":
            known = pattern[1] not in scope and self.known(pattern[1], module)
            if value != NOTHING and pattern[1] != "_" and not known:
                scope[pattern[1]] = scope.get(pattern[1], NOTHING) | value
        elif pattern[0] == "list":
            for one in pattern[1]:
                self.bind(one, self.reader.element(value), scope, module)
        elif pattern[0] == "object":
            for key, one in pattern[1]:
                if key[0] == "text":
                    self.bind(one, self.reader.member(value, key[1]), scope, module)

    def operation(self, node: Node, scope: Scope, module: Module) -> Value:
        _, named, parts = node
        with self.reader.muted(named[0] not in (":=", "=", "in")):
            found = [self.value(one, scope, module) for one in parts]
        if named[0] in _SIGNS and len(parts) == 2:
            self.valued(named[0], parts, found)
        if named[0] in (":=", "=", "in") and len(parts) == 2:
            other = self.reader.element(found[1]) if named[0] == "in" else found[1]
            self.bind(parts[0], other, scope, module)
            if named[0] == "=":
                self.bind(parts[1], found[0], scope, module)
        if named[0] in ("=", "==", "!=", "in"):
            self.reader.compare(*found, *(one.each for one in found if one.each))
        return either(found) if named[0] in ("|", "&", "-") else NOTHING

    def valued(self, sign: str, parts: Sequence[Node], found: list[Value]) -> None:
        """Note which values a comparison refuses, or below a negation accepts."""
        accepted = self.reader.odd != (sign == "!=")
        mark = sign if sign in TURNED else ""
        left, right = map(constants, parts, found)
        self.reader.say(found[0], accepted, [mark + one for one in right])
        self.reader.say(found[1], accepted, [TURNED[mark] + one for one in left])

    def collection(self, node: Node, scope: Scope, module: Module) -> Value:
        return made_of(either(self.value(one, scope, module) for one in node[1]))

    def made(self, node: Node, scope: Scope, module: Module) -> Value:
        named: dict[str, Value] = {}
        rest = NOTHING
        for key, one in node[1]:
            value = self.value(one, scope, module)
            if key[0] == "text":
                named[key[1]] = value
            else:
                self.value(key, scope, module)
                rest |= value
        return made_with(named) | (made_of(rest) if rest != NOTHING else NOTHING)

    def comprehension(self, node: Node, scope: Scope, module: Module) -> Value:
        inner = dict(scope)
        self.reader.inside += 1
        with self.reader.muted():
            self.body(node[2], inner, module)
        self.reader.inside -= 1
        return made_of(self.value(node[1], inner, module))

    def negation(self, node: Node, scope: Scope, module: Module) -> Value:
        self.reader.odd = not self.reader.odd
        found = self.literal(node[1], scope, module)
        self.reader.odd = not self.reader.odd
        return found

    def inner(self, node: Node, scope: Scope, module: Module) -> Value:
        return self.value(node[1], scope, module)

    def each(self, node: Node, scope: Scope, module: Module) -> Value:
        names, over = node[1], self.value(node[2], scope, module)
        self.bind(names[-1], self.reader.element(over), scope, module)
        if node[0] == "every":
            self.body(node[3], scope, module)
        return NOTHING

    def call(self, node: Node, scope: Scope, module: Module) -> Value:
        _, called, given = node
        target = self.target(called, module, scope)
        if target is not None:
            arity = {len(rule.arguments or ()) for _, rule in self.rules[target]}
            values = tuple(self.value(one, scope, module) for one in given)
            found = self.defined(target, values[: max(arity)], None)
            if len(given) > max(arity):  # the last argument takes the result
                self.bind(given[-1], found, scope, module)
            return found
        name = _dotted(called)
        if name == "object.get" and len(given) == 3:
            return self.got(given, scope, module)
        values = tuple(self.value(one, scope, module) for one in given)
        if name == "walk" and given:
            whole = Value(frozenset((*path, "**") for path in values[0].paths))
            self.reader.paths |= whole.paths
            if len(given) == 2:
                self.bind(given[1], whole, scope, module)
            return made_of(whole)
        if name in _COMPARES:
            self.reader.compare(*values, *(one.each for one in values if one.each))
            self.registry(values)
            texts = either(values).texts
            self.reader.say(either(values), self.reader.odd, texts)
        return either(values) if name in _PASSES else NOTHING

    def registry(self, values: tuple[Value, ...]) -> None:
        """Note where an image is refused unless it begins as some text or parameter."""
        image = any(path[-1] == "image" for one in values for path in one.paths)
        given = any(
            path[1:2] == ("parameters",) and "exempt" not in path[2].lower()
            for one in values
            for path in one.paths
            if len(path) > 2
        )
        named = any("/" in text for one in values for text in one.texts)
        if image and (given or named) and (self.reader.odd or self.reader.inside):
            self.reader.marks.add("registry")

    def got(self, given: tuple[Node, ...], scope: Scope, module: Module) -> Value:
        """Follow ``object.get``: by a key, or by a list of keys one after the other."""
        found = self.value(given[0], scope, module)
        if any(path[1:3] == ("review", "object") for path in found.paths):
            self.reader.marks.add(_UNSURE)  # what is not set is taken for something
        keys = given[1][1] if given[1][0] == "list" else (given[1],)
        for key in keys:
            found = self.reader.chosen(found, self.value(key, scope, module))
        return found | self.value(given[2], scope, module)


def _dotted(node: Node) -> str:
    """Return the name of a function as written; empty where it is none."""
    if node[0] == "name":
        return str(node[1])
    if node[0] == "at" and node[2][0] == "text":
        return f"{_dotted(node[1])}.{node[2][1]}"
    return ""
