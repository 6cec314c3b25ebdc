"""Reading Rego into rules: the language of OPA, as constraint templates hold it.

Source: open-policy-agent/opa, ``docs/docs/policy-reference.md`` (grammar) and
``ast/parser.go`` for what newlines and spaces mean: an index, a member or a call follows
without a space, an operator continues a line. A node is a tuple, its first element says what
it is.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from kaudit.model.tokens import MASKED, Cursor, Token, tokens, unquoted
from kaudit.model.values import Unreadable

Node = tuple[Any, ...]
_TOKEN = re.compile(
    rf"""
    (?P<space>[ \t\r\n\f]+|\#[^\n]*)
    |(?P<masked>{MASKED})
    |(?P<text>\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`)
    |(?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<op>:=|==|!=|<=|>=|[-+*/%<>=|&;:.,()\[\]{{}}])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_LEVELS = (
    (":=", "="),
    ("in",),
    ("==", "!=", "<", "<=", ">", ">="),
    ("|",),
    ("&",),
    ("+", "-"),
    ("*", "/", "%"),
)
_PIPE = 3


class Rule(msgspec.Struct, frozen=True):
    """One definition of a rule or function.

    Attributes
    ----------
    name
        Its name; parts of a longer one with dots.
    arguments
        Patterns of a function; None for a rule.
    key
        Member of a set, or key of an object that it makes.
    value
        What it is where its body holds.
    bodies
        Literals of its bodies, each with the value that belongs to it (``else``).
    """

    name: str
    arguments: tuple[Node, ...] | None
    key: Node | None
    value: Node | None
    bodies: tuple[tuple[Node | None, tuple[Node, ...]], ...]


class Module(msgspec.Struct, frozen=True):
    """A package: its path, what it imports by which name, and its rules."""

    package: tuple[str, ...]
    imports: dict[str, tuple[str, ...]]
    rules: tuple[Rule, ...]


def parsed(code: str) -> Module:
    """Return the rules of a module.

    Raises
    ------
    Unreadable
        It is no Rego.
    """
    return _Parser(tokens(_TOKEN, code, ("space",))).module()


class _Parser(Cursor):
    """Whether ``|`` joins sets here, and whether brackets are open around it."""

    pipes, inside = True, False

    def module(self) -> Module:
        self.expect("package")
        package = self.path()
        imports: dict[str, tuple[str, ...]] = {}
        rules: list[Rule] = []
        while self.now.kind != "end":
            if self.accept("import"):
                path = self.path()
                name = self.take().text if self.accept("as") else path[-1]
                imports[name] = path
            elif not self.accept(";"):
                rules.append(self.rule())
        return Module(package, imports, tuple(rules))

    def path(self) -> tuple[str, ...]:
        found = [self.take().text]
        while self.sees(".", "["):
            if self.accept("["):
                found.append(unquoted(self.take().text[1:-1]))
                self.expect("]")
            else:
                self.take()
                found.append(self.take().text)
        return tuple(found)

    def rule(self) -> Rule:
        fixed = self.accept("default")
        token = self.take()
        if token.kind != "word":
            raise Unreadable(f"no rule at {token.start}")
        name, arguments, key, value = token.text, None, None, None
        while self.touches() and self.accept("."):
            name += f".{self.take().text}"
        if self.touches() and self.accept("("):
            arguments = self.several(")")
        elif self.accept("["):
            key = self.expression()
            self.expect("]")
        elif self.accept("contains"):
            key = self.expression()
        if self.accept(":=", "="):
            value = self.expression()
        if fixed:
            return Rule(name, arguments, key, value, ((value, ()),))
        bodies = [(value, self.body())]
        while self.sees("{", "else"):
            if self.accept("else"):
                other = self.expression() if self.accept(":=", "=") else None
                bodies.append((other, self.body()))
            else:
                bodies.append((value, self.body()))
        return Rule(name, arguments, key, value, tuple(bodies))

    def body(self) -> tuple[Node, ...]:
        """Read what must hold; nothing where there is no body."""
        if self.accept("if") and not self.sees("{"):
            return (self.literal(),)
        return self.query("}") if self.accept("{") else ()

    def query(self, end: str) -> tuple[Node, ...]:
        self.deeper()
        before = self.pipes, self.inside
        self.pipes, self.inside = True, False
        found: list[Node] = []
        while not self.accept(end):
            if not self.accept(";"):
                found.append(self.literal())
        self.pipes, self.inside = before
        self.higher()
        return tuple(found)

    def literal(self) -> Node:
        if self.sees("some") and self.ahead().kind in ("word", "op", "text"):
            return self.some()
        if self.sees("every") and self.ahead().kind == "word":
            self.take()
            names = self.names()
            self.expect("in")
            over = self.expression()
            self.expect("{")
            return ("every", names, over, self.query("}"))
        found: Node = ("not", self.expression()) if self.accept("not") else self.expression()
        while self.accept("with"):
            self.operation(1)
            self.expect("as")
            found = ("with", found, self.operation(1))
        return found

    def some(self) -> Node:
        self.take()
        names = self.names()
        if not self.accept("in"):
            return ("some", names)
        found: Node = ("each", names, self.expression())
        while self.accept("with"):
            self.operation(1)
            self.expect("as")
            found = ("with", found, self.operation(1))
        return found

    def names(self) -> tuple[Node, ...]:
        found = [self.operation(2)]
        while self.accept(","):
            found.append(self.operation(2))
        return tuple(found)

    def expression(self) -> Node:
        self.deeper()
        found = self.operation(0)
        self.higher()
        return found

    def operation(self, level: int) -> Node:
        """Read operators of a level; all of one level in a row make one node."""
        if level == len(_LEVELS):
            return self.term()
        found, named = [self.operation(level + 1)], []
        if level == 1 and self.sees(",") and self.tuple_ahead():
            self.take()
            found = [self.operation(level + 1)]
        while (self.pipes or level != _PIPE) and self.sees(*_LEVELS[level]):
            named.append(self.take().text)
            found.append(self.operation(level + 1))
        return ("op", tuple(named), tuple(found)) if named else found[0]

    def tuple_ahead(self) -> bool:
        """Whether ``, name in`` follows: key and value of a membership."""
        return not self.inside and self.ahead().kind == "word" and self.ahead(2).text == "in"

    def touches(self) -> bool:
        """Whether no space stands before the next token."""
        return self.place > 0 and self.tokens[self.place - 1].end == self.now.start

    def term(self) -> Node:
        if self.accept("-"):
            return self.term()
        found = self.primary(self.take())
        steps = 0
        while self.touches() and self.sees(".", "[", "("):
            steps = self.longer(steps)
            if self.accept("."):
                found = ("at", found, ("text", self.take().text))
            elif self.accept("["):
                found = ("at", found, self.within("]"))
            else:
                self.take()
                found = ("call", found, self.several(")"))
        return found

    def within(self, end: str) -> Node:
        """Read one expression up to a bracket; in it ``|`` joins sets again."""
        before = self.pipes, self.inside
        self.pipes, self.inside = True, True
        found = self.expression()
        self.expect(end)
        self.pipes, self.inside = before
        return found

    def primary(self, token: Token) -> Node:
        if token.kind == "text":
            inner = token.text[1:-1]
            return ("text", inner if token.text[0] == "`" else unquoted(inner))
        if token.kind == "masked":
            return ("masked",)
        if token.kind == "number" or token.text in ("true", "false", "null"):
            return ("number", token.text)
        if token.kind == "word":
            return ("name", token.text)
        if token.text == "(":
            return self.within(")")
        if token.text == "[":
            return self.collection("]", "list")
        if token.text == "{":
            return self.collection("}", "set")
        raise Unreadable(f"no term at {token.start}")

    def collection(self, end: str, kind: str) -> Node:
        """Read a list, set, object or comprehension."""
        if self.accept(end):
            return (kind if kind == "list" else "object", ())
        self.deeper()
        before = self.pipes, self.inside
        self.pipes, self.inside = False, True
        found: list[Node] = []
        pairs: list[tuple[Node, Node]] = []
        while True:
            first = self.expression()
            if kind == "set" and self.accept(":"):
                pairs.append((first, self.expression()))
            else:
                found.append(first)
            if self.accept("|"):
                made: Node = ("all", pairs[0][1] if pairs else first, self.query(end))
                break
            if self.accept(end):
                made = ("object", tuple(pairs)) if pairs else (kind, tuple(found))
                break
            self.expect(",")
            if self.accept(end):
                made = ("object", tuple(pairs)) if pairs else (kind, tuple(found))
                break
        self.pipes, self.inside = before
        self.higher()
        return made

    def several(self, end: str) -> tuple[Node, ...]:
        """Read expressions with commas between them."""
        before = self.pipes, self.inside
        self.pipes, self.inside = True, True
        found: list[Node] = []
        while not self.accept(end):
            found.append(self.expression())
            if not self.sees(end):
                self.expect(",")
        self.pipes, self.inside = before
        return tuple(found)
