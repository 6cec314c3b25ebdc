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
#: A value without quotes: it may hold signs that elsewhere compare.
_BARE = re.compile(r"""\s*[^()"'\s=,]+""")
#: Comparisons of texts, which may be with any or all of a list: ``startswith oneof (a, b)``.
OF_TEXTS = frozenset(
    [
        *("=", "==", "!=", "contains", "icontains", "bcontains", "startswith", "bstartswith"),
        *("endswith", "glob", "iglob", "regex"),
    ]
)
OF_LISTS = frozenset(["in", "intersects", "pmatch"])
COMPARISONS = OF_TEXTS | OF_LISTS | {"<", "<=", ">", ">="}
MODIFIERS = frozenset(["oneof", "anyof", "allof"])
_JOIN = re.compile(r"^\s*(?:and|or)\b")
_FUNCTIONS = frozenset(
    ["toupper", "tolower", "b64", "basename", "len", "join", "concat", "getopt", "val", "storage"]
)
_DEEPEST = 200


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
        self._text = text.rstrip()
        self._at = self._began = 0

    @property
    def _next(self) -> str:
        """The next sign, empty at the end; a null character where none can be read."""
        return self._sign(_SIGN)[0]

    def _sign(self, pattern: re.Pattern[str]) -> tuple[str, int]:
        if self._at >= len(self._text):
            return "", self._at
        found = pattern.match(self._text, self._at)
        return (found[0].strip(), found.end()) if found else ("\0", self._at)

    def _take(self, what: str, *, value: bool = False) -> str:
        sign, end = self._sign(_SIGN)
        if value and sign and sign[0] not in "\"'(":
            bare, after = self._sign(_BARE)
            sign, end = (bare, after) if bare != "\0" else (sign, end)
        if not sign:
            raise _Wrong(f"{what} is missing at the end")
        if sign == "\0":
            raise _Wrong(f"unreadable sign at {self._at + 1}")
        self._began, self._at = end - len(sign), end
        return sign

    def _wrong(self, sign: str, expected: str) -> _Wrong:
        return _Wrong(f"{sign[:40]!r} at {self._began + 1} where {expected} is expected")

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
        elif self._next == "exists" or self._next in COMPARISONS:
            self.fields.add(word)
        else:
            self.macros.add(word)
            return
        operator = self._take("an operator")
        if operator == "exists":
            return
        if operator not in COMPARISONS:
            raise self._wrong(operator, "an operator")
        if operator in OF_TEXTS and self._of_many():
            operator = "in"
        if self._next == "(":
            if operator not in OF_LISTS:
                raise self._wrong(self._take("a value"), "a value")
            self._values()
            return
        value = self._take("a value", value=True)
        if value in _FUNCTIONS and self._next == "(":
            self._function()
        elif value[0] in "),=":
            raise self._wrong(value, "a value")
        elif operator in OF_LISTS and value[0] not in "\"'":
            self.words.add(value)

    def _of_many(self) -> bool:
        """Take ``oneof``, ``anyof`` or ``allof`` where a list, or the name of one, follows."""
        before = self._at
        if self._next not in MODIFIERS:
            return False
        self._take("a value")
        after = self._next
        if after == "(" or (after[:1].isalpha() and after not in ("and", "or")):
            return True
        self._at = before
        return False

    def _function(self) -> None:
        """Arguments of a function: fields, values, functions, lists; and one of its own in []."""
        self._take("(")
        depth = 1
        while depth:
            sign = self._take(")")
            depth += (sign == "(") - (sign == ")")
            if "." in sign and sign[0] not in "\"'" and not sign[0].isdigit():
                self.fields.add(sign)
        if self._text[self._at : self._at + 1] == "[":
            self._take("]")

    def _values(self) -> None:
        self._take("(")
        while True:
            sign = self._take(")", value=True)
            if sign == ")":
                return
            if sign == "(":
                self._at -= 1
                self._values()
            elif sign != "," and sign[0] not in "\"'":
                self.words.add(sign)
