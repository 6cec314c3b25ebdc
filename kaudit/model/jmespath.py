"""Reading JMESPath into a tree, as Kyverno's variables hold it.

Source: the JMESPath specification (jmespath.org/specification.html), and kyverno/go-jmespath
for what Kyverno adds. A node is a tuple, its first element says what it is.
"""

from __future__ import annotations

import re
from typing import Any

from kaudit.model.tokens import MASKED, Cursor, Token, tokens, unquoted
from kaudit.model.values import Unreadable

Node = tuple[Any, ...]
_TOKEN = re.compile(
    rf"""
    (?P<space>\s+)
    |(?P<masked>{MASKED})
    |(?P<quoted>\"(?:[^\"\\]|\\.)*\")
    |(?P<text>'(?:[^'\\]|\\.)*')
    |(?P<literal>`(?:[^`\\]|\\.)*`)
    |(?P<number>-?\d+)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<op>&&|\|\||==|!=|<=|>=|\[\]|\[\?|\.\*|[-+*/%<>!|&@.,:()\[\]{{}}$])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
#: How strongly operators between two operands bind.
_POWER = {
    "|": 1,
    "||": 2,
    "&&": 3,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 5),
    **dict.fromkeys(("+", "-"), 6),
    **dict.fromkeys(("*", "/", "%"), 7),
}
_NOT = 45


def parsed(code: str) -> Node:
    """Return the tree of one expression.

    Raises
    ------
    Unreadable
        It is no JMESPath.
    """
    parser = _Parser(tokens(_TOKEN, code, ("space",)))
    found = parser.expression(0)
    if parser.now.kind != "end":
        raise Unreadable(f"something follows at {parser.now.start}")
    return found


class _Parser(Cursor):
    def expression(self, power: int) -> Node:
        self.deeper()
        found = self.behind(self.first())
        while self.now.kind == "op" and _POWER.get(self.now.text, 0) > power:
            token = self.take()
            other = self.expression(_POWER[token.text])
            found = self.behind(("pipe" if token.text == "|" else "op", found, other, token.text))
        self.higher()
        return found

    def first(self) -> Node:
        token = self.take()
        if token.kind == "word" and self.accept("("):
            return ("call", token.text, self.several(")"))
        if token.kind in ("word", "quoted"):
            return ("member", ("here",), _name(token))
        if token.kind == "text":
            return ("text", unquoted(token.text[1:-1]))
        if token.kind == "literal":
            return ("literal", token.text[1:-1])
        if token.kind in ("number", "masked"):
            return (token.kind,)
        return self.operand(token)

    def operand(self, token: Token) -> Node:
        if token.text == "@":
            return ("here",)
        if token.text == "$":
            return ("root",)
        if token.text == "&":
            return ("later", self.expression(0))
        if token.text in ("!", "-", "+"):
            return ("op", self.expression(_NOT), ("number",), token.text)
        if token.text == "(":
            found = self.expression(0)
            self.expect(")")
            return found
        if token.text == "{":
            return ("hash", ("here",), self.pairs())
        if token.text in ("[", "[]", "[?"):
            return self.bracket(("here",), token.text)
        if token.text in ("*", ".*"):
            return ("values", ("here",))
        raise Unreadable(f"no operand at {token.start}")

    def behind(self, found: Node) -> Node:
        """Read the members, indexes and filters that follow."""
        steps = 0
        while True:
            steps = self.longer(steps)
            if self.accept(".*"):
                found = ("values", found)
            elif self.accept("."):
                found = self.dotted(found)
            elif self.sees("[", "[]", "[?"):
                found = self.bracket(found, self.take().text)
            else:
                return found

    def dotted(self, found: Node) -> Node:
        token = self.take()
        if token.kind in ("word", "quoted"):
            if token.kind == "word" and self.accept("("):
                return ("pipe", found, ("call", token.text, self.several(")")), "|")
            return ("member", found, _name(token))
        if token.text == "{":
            return ("hash", found, self.pairs())
        if token.text == "[":
            return ("many", found, self.several("]"))
        raise Unreadable(f"no member at {token.start}")

    def bracket(self, found: Node, text: str) -> Node:
        if text == "[]":
            return ("flat", found)
        if text == "[?":
            test = self.expression(0)
            self.expect("]")
            return ("filter", found, test)
        if self.accept("*"):
            self.expect("]")
            return ("flat", found)
        if self.now.kind in ("number",) or self.sees(":"):
            sliced = False
            while not self.accept("]"):
                sliced = self.take().text == ":" or sliced
            return ("flat", found) if sliced else ("index", found)
        return ("many", found, self.several("]"))

    def several(self, end: str) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self.accept(end):
            found.append(self.expression(0))
            if not self.sees(end):
                self.expect(",")
        return tuple(found)

    def pairs(self) -> tuple[tuple[str, Node], ...]:
        found: list[tuple[str, Node]] = []
        while not self.accept("}"):
            name = _name(self.take())
            self.expect(":")
            found.append((name, self.expression(0)))
            if not self.sees("}"):
                self.expect(",")
        return tuple(found)


def _name(token: Token) -> str:
    if token.kind == "word":
        return token.text
    if token.kind != "quoted":
        raise Unreadable(f"no name at {token.start}")
    return unquoted(token.text[1:-1])
