"""Splitting the code of policies into tokens, in one pass over the text."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from kaudit.model.values import Unreadable

#: Stands where a credential was masked: a value that nobody knows.
MASKED = r"\[masked: [A-Za-z0-9 ,./-]{0,80}\]"
_LONGEST = 400_000


class Token(msgspec.Struct, frozen=True, gc=False):
    """A piece of code: what it is, what it says and where it stands."""

    kind: str
    text: str
    start: int
    end: int


def tokens(pattern: re.Pattern[str], code: str, skipped: tuple[str, ...]) -> Iterator[Token]:
    """Yield the tokens of code; the named groups of the pattern are their kinds.

    Raises
    ------
    Unreadable
        A part is no token, or there is too much code.
    """
    if len(code) > _LONGEST:
        raise Unreadable("it is too long")
    place = 0
    while place < len(code):
        found = pattern.match(code, place)
        if found is None or found.end() == place:
            raise Unreadable(f"no token at {place}")
        kind = found.lastgroup or ""
        if kind not in skipped:
            yield Token(kind, found[0], place, found.end())
        place = found.end()
    yield Token("end", "", place, place)


class Cursor:
    """Looks at tokens one after the other, and keeps count of how deep they are nested."""

    deepest = 80

    def __init__(self, found: Iterator[Token]) -> None:
        self.tokens = list(found)
        self.place = 0
        self.depth = 0

    @property
    def now(self) -> Token:
        """The token that comes next."""
        return self.tokens[self.place]

    def ahead(self, by: int = 1) -> Token:
        """Return a token behind the next one."""
        return self.tokens[min(self.place + by, len(self.tokens) - 1)]

    def take(self) -> Token:
        """Return the next token and go on."""
        found = self.tokens[self.place]
        if found.kind == "end":
            raise Unreadable("it ends too soon")
        self.place += 1
        return found

    def sees(self, *texts: str) -> bool:
        """Tell whether the next token is one of these operators or words."""
        now = self.now
        return now.kind in ("op", "word") and now.text in texts

    def accept(self, *texts: str) -> bool:
        """Go on where the next token is one of these, and tell whether it was."""
        if self.sees(*texts):
            self.place += 1
            return True
        return False

    def expect(self, text: str) -> Token:
        """Go on to what must follow."""
        if not self.sees(text):
            raise Unreadable(f"{text} does not follow at {self.now.start}")
        return self.take()

    def deeper(self) -> None:
        """Go one level down; too many are refused before Python does."""
        self.depth += 1
        if self.depth > self.deepest:
            raise Unreadable("it is nested too deeply")

    def longer(self, steps: int) -> int:
        """Count the steps of a reference; more than any field is deep are refused."""
        if steps > self.deepest:
            raise Unreadable("a reference is too long")
        return steps + 1

    def higher(self) -> None:
        """Come back up one level."""
        self.depth -= 1


def unquoted(text: str) -> str:
    """Return what a quoted text says; escapes that are not common stay as they are."""
    return _ESCAPE.sub(lambda m: _MEANT.get(m[1], m[1]), text)


_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MEANT = {"n": "\n", "t": "\t", "r": "\r"}
