"""Calico's selector expressions, such as ``role == 'db' && !has(debug)``.

The grammar is that of Calico's documentation ("Selectors", Calico 3.30): ``all()``,
``global()``, ``has(k)``, ``k == 'v'``, ``k != 'v'``, ``k in {…}``, ``k not in {…}``,
``k contains 'v'``, ``k starts with 'v'``, ``k ends with 'v'``, ``!``, ``&&``, ``||`` and
parentheses. A label that is not there equals nothing, is in no set and differs from all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

#: Test of a label's value.
Has = Callable[[str], bool]


class Labelled(Protocol):
    """Things with labels, of which sets are whole numbers."""

    all: int

    def having(self, key: str, value: str) -> int:
        """Those that carry a label."""

    def matching(self, key: str, test: Has) -> int:
        """Those whose value of a key passes a test."""


#: Computes the set that an expression selects.
Selection = Callable[[Labelled], int]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'[^']*'|\"[^\"]*\")|(?P<mark>&&|\|\||==|!=|[!(){},])"
    r"|(?P<word>[A-Za-z0-9_./-]+))"
)
_MOST = 200


class SelectorError(ValueError):
    """The expression is none of Calico's."""


@lru_cache(maxsize=4096)
def parsed(text: str) -> Selection:
    """Return what computes the set that an expression selects.

    Raises
    ------
    SelectorError
        The text is no such expression.
    """
    tokens, at = [], 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None:
            raise SelectorError(f"{text[at : at + 20]!r} means nothing in a selector")
        tokens.append(found.group().strip())
        at = found.end()
    if len(tokens) > _MOST:
        raise SelectorError(f"a selector of more than {_MOST} words")
    reader = _Reader(tokens)
    chosen = reader.either() if tokens else _everything
    reader.end()
    return chosen


def _everything(things: Labelled) -> int:
    return things.all


def _nothing(_: Labelled) -> int:
    return 0


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens, self._at = tokens, 0

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1] if self._at <= len(self._tokens) else ""

    def _expect(self, mark: str) -> None:
        if (found := self._next()) != mark:
            raise SelectorError(f"{mark!r} expected, not {found!r}")

    def end(self) -> None:
        """Raise SelectorError where something is left."""
        if self._peek():
            raise SelectorError(f"{self._peek()!r} is one too many")

    def either(self) -> Selection:
        """Read terms with ``||`` between them."""
        terms = [self._both()]
        while self._peek() == "||":
            self._next()
            terms.append(self._both())

        def any_of(things: Labelled) -> int:
            found = 0
            for term in terms:
                found |= term(things)
            return found

        return any_of

    def _both(self) -> Selection:
        terms = [self._one()]
        while self._peek() == "&&":
            self._next()
            terms.append(self._one())

        def all_of(things: Labelled) -> int:
            found = things.all
            for term in terms:
                found &= term(things)
            return found

        return all_of

    def _one(self) -> Selection:
        if self._peek() == "!":
            self._next()
            inner = self._one()
            return lambda things: things.all & ~inner(things)
        if self._peek() == "(":
            self._next()
            inside = self.either()
            self._expect(")")
            return inside
        word = self._next()
        if word in ("all", "global", "has") and self._peek() == "(":
            self._next()
            key = self._next() if word == "has" else ""
            self._expect(")")
            if word == "has":
                return lambda things: things.matching(key, lambda _: True)
            return _everything if word == "all" else _nothing
        if not word or not re.match(r"[A-Za-z0-9]", word):
            raise SelectorError(f"a label expected, not {word!r}")
        return self._compared(word)

    def _compared(self, key: str) -> Selection:
        sign = self._next()
        if sign in ("==", "!="):
            value = self._text()
            if sign == "==":
                return lambda things: things.having(key, value)
            return lambda things: things.all & ~things.having(key, value)
        if sign in ("in", "not"):
            if sign == "not":
                self._expect("in")
            values = self._texts()
            if sign == "in":
                return lambda things: things.matching(key, values.__contains__)
            return lambda things: things.all & ~things.matching(key, values.__contains__)
        if sign == "contains":
            part = self._text()
            return lambda things: things.matching(key, lambda value: part in value)
        if sign in ("starts", "ends"):
            self._expect("with")
            part = self._text()
            if sign == "starts":
                return lambda things: things.matching(key, lambda value: value.startswith(part))
            return lambda things: things.matching(key, lambda value: value.endswith(part))
        raise SelectorError(f"{sign!r} is no comparison")

    def _text(self) -> str:
        word = self._next()
        if word[:1] not in ("'", '"'):
            raise SelectorError(f"a text in quotes expected, not {word!r}")
        return word[1:-1]

    def _texts(self) -> frozenset[str]:
        self._expect("{")
        found: list[str] = []
        while self._peek() != "}":
            found.append(self._text())
            if self._peek() == ",":
                self._next()
        self._expect("}")
        return frozenset(found)
