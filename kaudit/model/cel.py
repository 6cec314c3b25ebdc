"""Reading CEL into a tree: the Common Expression Language of admission policies.

Source: cel-expr/cel-spec, ``doc/langdef.md``, with optional syntax (``?.``, ``[?]``) and the
object construction of mutations. A node is a tuple, its first element says what it is.
"""

from __future__ import annotations

import re
from typing import Any

from kaudit.model.tokens import MASKED, Cursor, tokens, unquoted
from kaudit.model.values import Unreadable

Node = tuple[Any, ...]
_TOKEN = re.compile(
    rf"""
    (?P<space>[ \t\r\n\f]+|//[^\n]*)
    |(?P<masked>{MASKED})
    |(?P<text>[bBrR]{{0,2}}(?:\"\"\"(?:[^\"\\]|\\.|\"(?!\"\"))*\"\"\"|'''(?:[^'\\]|\\.|'(?!''))*'''
        |\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'))
    |(?P<number>0[xX][0-9a-fA-F]+u?|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?[uU]?)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<quoted>`[^`\n]*`)
    |(?P<op>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{{}}])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_LEVELS = (
    ("||",),
    ("&&",),
    ("<", "<=", ">=", ">", "==", "!=", "in"),
    ("+", "-"),
    ("*", "/", "%"),
)


def parsed(code: str) -> Node:
    """Return the tree of one expression.

    Raises
    ------
    Unreadable
        It is no CEL.
    """
    parser = _Parser(tokens(_TOKEN, code, ("space",)))
    found = parser.expression()
    if parser.now.kind != "end":
        raise Unreadable(f"something follows at {parser.now.start}")
    return found


class _Parser(Cursor):
    def expression(self) -> Node:
        self.deeper()
        found = self.operation(0)
        if self.accept("?"):
            then = self.operation(0)
            self.expect(":")
            found = ("if", found, then, self.expression())
        self.higher()
        return found

    def operation(self, level: int) -> Node:
        """Read operators of a level; all of one level in a row make one node."""
        if level == len(_LEVELS):
            return self.unary()
        found = [self.operation(level + 1)]
        named = []
        while self.sees(*_LEVELS[level]):
            named.append(self.take().text)
            found.append(self.operation(level + 1))
        return ("op", tuple(named), tuple(found)) if named else found[0]

    def unary(self) -> Node:
        signs = 0
        while self.sees("!", "-"):
            signs += self.take().text == "!"
        found = self.primary()
        steps = 0
        while self.sees(".", "[", "{"):
            steps = self.longer(steps)
            found = self.behind(found)
        return ("not", found) if signs % 2 else found

    def behind(self, found: Node) -> Node:
        """Read what follows an operand: a member, a call, an index, fields of an object."""
        if self.accept("{"):
            return ("made", self.pairs("}"))
        if self.accept("["):
            self.accept("?")
            index = self.expression()
            self.expect("]")
            return ("index", found, index)
        self.expect(".")
        self.accept("?")
        name = self.name()
        if self.accept("("):
            return ("call", found, name, self.several(")"))
        return ("member", found, name)

    def name(self) -> str:
        token = self.take()
        if token.kind not in ("word", "quoted"):
            raise Unreadable(f"no name at {token.start}")
        return token.text.strip("`")

    def primary(self) -> Node:
        self.accept(".")
        token = self.take()
        if token.kind == "text":
            quotes = 3 if token.text.lstrip("bBrR")[:3] in ('"""', "'''") else 1
            return ("text", unquoted(token.text.lstrip("bBrR")[quotes:-quotes]))
        if token.kind == "masked":
            return ("masked",)
        if token.kind == "number" or token.text in ("true", "false", "null"):
            return ("number", token.text)
        if token.kind == "word":
            return (
                ("call", None, token.text, self.several(")"))
                if self.accept("(")
                else ("name", token.text)
            )
        if token.text == "(":
            found = self.expression()
            self.expect(")")
            return found
        if token.text == "[":
            return ("list", self.several("]"))
        if token.text == "{":
            return ("made", self.pairs("}"))
        raise Unreadable(f"no operand at {token.start}")

    def several(self, end: str) -> tuple[Node, ...]:
        """Read expressions with commas between them."""
        found: list[Node] = []
        while not self.accept(end):
            self.accept("?")
            found.append(self.expression())
            if not self.sees(end):
                self.expect(",")
        return tuple(found)

    def pairs(self, end: str) -> tuple[tuple[Node, Node], ...]:
        """Read names or keys with what they have."""
        found: list[tuple[Node, Node]] = []
        while not self.accept(end):
            self.accept("?")
            key = self.expression()
            self.expect(":")
            found.append((key, self.expression()))
            if not self.sees(end):
                self.expect(",")
        return tuple(found)
