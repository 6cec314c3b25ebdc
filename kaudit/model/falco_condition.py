"""Conditions of Falco's rules, read far enough to know what they refer to.

Source: falcosecurity/libs, ``userspace/libsinsp/filter/parser.h`` (the grammar). Nothing is
evaluated: macros, words that may be lists, and fields are gathered, and what is no condition is
told with its place.
"""

from __future__ import annotations

import re

import msgspec

_SIGN = re.compile(
    r"""\s*(?:(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
    r"""|(?P<sign><=|>=|!=|==|[=<>(),])"""
    r"""|(?P<word>(?:[^\s()=<>!,"'\[]|!(?!=)|\[(?:[^\]"']|"[^"]*"|'[^']*')*\])+))""",
)
_COMPARISONS = frozenset(
    [
        *("=", "==", "!=", "<", "<=", ">", ">=", "in", "intersects", "pmatch", "regex"),
        *("contains", "icontains", "bcontains", "startswith", "bstartswith", "endswith"),
        *("glob", "iglob"),
    ]
)
_JOIN = re.compile(r"^\s*(?:and|or)\b")
_OF_LISTS = frozenset(["in", "intersects", "pmatch"])
_FUNCTIONS = frozenset(
    ["toupper", "tolower", "b64", "basename", "len", "join", "concat", "getopt", "val", "storage"]
)
_DEEPEST = 100


class Condition(msgspec.Struct, frozen=True):
    """What a condition refers to, sorted; ``fault`` where it is none."""

    macros: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    fault: str = ""


class _Wrong(Exception):
    pass


def read(text: str, *, adds: bool = False) -> Condition:
    """Read a condition; one that adds to another may begin with ``and`` or ``or``.

    >>> read("spawned_process and not proc.name in (shells, sh)").macros
    ('spawned_process',)
    >>> read("proc.name = ").fault
    'a value is missing at the end'
    """
    reader = _Reader(_JOIN.sub("", text) if adds else text)
    try:
        reader.whole()
    except _Wrong as wrong:
        return Condition(fault=str(wrong))
    return Condition(
        tuple(sorted(reader.macros)), tuple(sorted(reader.words)), tuple(sorted(reader.fields))
    )


class _Reader:
    def __init__(self, text: str) -> None:
        self.macros: set[str] = set()
        self.words: set[str] = set()
        self.fields: set[str] = set()
        self._signs: list[tuple[str, int]] = []
        at, end = 0, len(text.rstrip())
        while at < end:
            found = _SIGN.match(text, at)
            if found is None:
                self._signs.append(("\0", at))
                break
            self._signs.append((found[0].strip(), found.end() - len(found[0].strip())))
            at = found.end()
        self._at = 0

    @property
    def _next(self) -> str:
        return self._signs[self._at][0] if self._at < len(self._signs) else ""

    def _take(self, what: str) -> str:
        sign = self._next
        if not sign:
            raise _Wrong(f"{what} is missing at the end")
        if sign == "\0":
            raise _Wrong(f"unreadable sign at {self._signs[self._at][1] + 1}")
        self._at += 1
        return sign

    def _wrong(self, sign: str, expected: str) -> _Wrong:
        place = self._signs[self._at - 1][1] + 1
        return _Wrong(f"{sign[:40]!r} at {place} where {expected} is expected")

    def whole(self) -> None:
        self._either(0)
        if self._next:
            sign = self._take("nothing")
            raise self._wrong(sign, "and, or, or the end")

    def _either(self, depth: int) -> None:
        if depth > _DEEPEST:
            raise _Wrong("nested too deeply")
        self._term(depth)
        while self._next in ("and", "or"):
            self._take("")
            self._term(depth)

    def _term(self, depth: int) -> None:
        sign = self._take("a check")
        while sign == "not":
            sign = self._take("a check")
        if sign == "(":
            self._either(depth + 1)
            self._close()
        elif (sign[0] in "\"'=<>!,)" and sign != "!") or sign in ("and", "or"):
            raise self._wrong(sign, "a check")
        else:
            self._check(sign)

    def _close(self) -> None:
        sign = self._take(")")
        if sign != ")":
            raise self._wrong(sign, ")")

    def _check(self, word: str) -> None:
        if word in _FUNCTIONS and self._next == "(":
            self._function()
        elif self._next == "exists" or self._next in _COMPARISONS:
            self.fields.add(word)
        else:
            self.macros.add(word)
            return
        operator = self._take("an operator")
        if operator == "exists":
            return
        if operator not in _COMPARISONS:
            raise self._wrong(operator, "an operator")
        if operator in _OF_LISTS and self._next == "(":
            self._values()
            return
        value = self._take("a value")
        if value in _FUNCTIONS and self._next == "(":
            self._function()
        elif value == "(":
            self._at -= 1
            self._values()
        elif value in (")", ","):
            raise self._wrong(value, "a value")

    def _function(self) -> None:
        """Arguments of a function: fields, values, functions."""
        self._take("(")
        depth = 1
        while depth:
            sign = self._take(")")
            depth += (sign == "(") - (sign == ")")
            if "." in sign and sign[0] not in "\"'":
                self.fields.add(sign)

    def _values(self) -> None:
        self._take("(")
        while True:
            sign = self._take(")")
            if sign == ")":
                return
            if sign == "(":
                self._at -= 1
                self._values()
            elif sign != "," and sign[0] not in "\"'":
                self.words.add(sign)
