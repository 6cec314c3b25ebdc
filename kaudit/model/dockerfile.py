r"""Dockerfiles, parsed as BuildKit parses them.

Sources: the Dockerfile reference (docs.docker.com); moby/buildkit,
``frontend/dockerfile/parser`` for lines, comments, continuations, heredocs and flags, and
``frontend/dockerfile/shell`` for substitution.

>>> from kaudit.model.dockerfile import parse
>>> found = parse("FROM a AS b\nRUN echo \\\n  # why\n  hello\n")
>>> [(one.name, one.line, one.text) for one in found]
[('FROM', 1, 'a AS b'), ('RUN', 2, 'echo   hello')]
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

INSTRUCTIONS = frozenset(
    ("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL")
) | frozenset(("MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"))
_DIRECTIVE = re.compile(r"^#\s*(?P<name>[A-Za-z][A-Za-z0-9]*)\s*=\s*(?P<value>.+?)\s*$")
_COMMENT = re.compile(r"^\s*#")
_HEREDOC = re.compile(r"^\d*<<(?P<dash>-?)(?P<quote>[\"']?)(?P<name>[^<\"'\s]+)(?P=quote)$")
_FLAG = re.compile(r"^--(?P<name>[a-z][a-z-]*)(?:=(?P<value>.*))?$", re.DOTALL)
_VARIABLE = re.compile(
    r"\$(?:(?P<plain>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?:(?P<how>:?[-+])(?P<word>[^{}]*))?\})"
)
_WITH_HEREDOCS = ("ADD", "COPY", "RUN")
_WITH_FLAGS = ("ADD", "COPY", "FROM", "HEALTHCHECK", "RUN")
_WITH_LISTS = ("ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME")
_WITH_PAIRS = ("ARG", "ENV", "LABEL")
_texts = msgspec.json.Decoder(list[str]).decode


class Fault(ValueError):
    """Something that BuildKit would refuse; the message names the line."""


class Heredoc(msgspec.Struct):
    """A here-document: its name, and the lines up to it."""

    name: str
    text: str


class Instruction(msgspec.Struct):
    """One instruction.

    Attributes
    ----------
    name
        In capitals.
    line
        Where it begins, from 1.
    text
        What follows the flags, on one line.
    flags
        ``--name=value`` before it; several may have one name.
    items
        Texts of the JSON form; None where it is the shell form.
    pairs
        Names and values of ARG, ENV and LABEL; None where an ARG has no default.
    heredocs
        Its here-documents.
    trigger
        True where ONBUILD puts it off until another build.
    """

    name: str
    line: int
    text: str
    flags: list[tuple[str, str]] = []
    items: list[str] | None = None
    pairs: list[tuple[str, str | None]] = []
    heredocs: list[Heredoc] = []
    trigger: bool = False

    def flag(self, name: str) -> str | None:
        """Value of the last flag of a name."""
        return next((value for flag, value in reversed(self.flags) if flag == name), None)


def parse(text: str, faults: list[str] | None = None) -> list[Instruction]:
    """Take a Dockerfile apart.

    Parameters
    ----------
    text
        All of it.
    faults
        Is given what is wrong with single instructions; without it the first is raised.

    Raises
    ------
    Fault
        Names the line.
    """
    reader = _Reader(text)
    found = []
    while (line := reader.logical()) is not None:
        number, content = line
        try:
            found.append(reader.instruction(number, content))
        except Fault as fault:
            if faults is None:
                raise
            faults.append(str(fault))
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self.lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
        self.at = 0
        self.escape = "\\"
        self._directives()
        mark = re.escape(self.escape)
        self.continues = re.compile(rf"(?:(?<!{mark})){mark}[ \t]*$")

    def _directives(self) -> None:
        seen = set()
        for line in self.lines:
            found = _DIRECTIVE.match(line)
            if not found or (name := found["name"].lower()) in seen:
                return
            if name not in ("syntax", "escape", "check"):
                return
            seen.add(name)
            if name == "escape" and found["value"] in ("\\", "`"):
                self.escape = found["value"]

    def logical(self) -> tuple[int, str] | None:
        """Return the next line with its continuations; comments and blanks between are dropped."""
        parts: list[str] = []
        start = 0
        while self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            if _COMMENT.match(line) or not line.strip():
                continue
            if not parts:
                start, line = self.at, line.lstrip()
            if not (end := self.continues.search(line)):
                return start, "".join((*parts, line)).rstrip()
            parts.append(line[: end.start()])
        return (start, "".join(parts).rstrip()) if parts else None

    def instruction(self, line: int, content: str, trigger: bool = False) -> Instruction:
        """Take one logical line apart."""
        name, _, rest = content.replace("\t", " ", 1).partition(" ")
        name, rest = name.upper(), rest.strip()
        if name not in INSTRUCTIONS:
            raise Fault(f"line {line}: {name[:40]!r} is no instruction")
        if name == "ONBUILD":
            if trigger or not rest:
                raise Fault(f"line {line}: ONBUILD needs another instruction")
            return self.instruction(line, rest, trigger=True)
        flags: list[tuple[str, str]] = []
        if name in _WITH_FLAGS:
            rest = self._flags(rest, flags)
        if not rest:
            raise Fault(f"line {line}: {name} needs an argument")
        found = Instruction(name, line, rest, flags, trigger=trigger)
        if name in _WITH_LISTS and rest.startswith("["):
            try:
                found.items = _texts(rest)
            except msgspec.MsgspecError:
                found.items = None  # a shell may know what to do with it
        if name in _WITH_PAIRS:
            found.pairs = self._pairs(name, line, rest)
        if name in _WITH_HEREDOCS and found.items is None and "<<" in rest:
            found.heredocs = self._heredocs(line, rest)
        return found

    def _flags(self, rest: str, flags: list[tuple[str, str]]) -> str:
        while rest.startswith("--"):
            word = self.words(rest, once=True)[0]
            found = _FLAG.match(word)
            if not found:
                break
            flags.append((found["name"], unquoted(found["value"] or "", self.escape)))
            rest = rest[len(word) :].lstrip()
        return rest

    def _pairs(self, name: str, line: int, rest: str) -> list[tuple[str, str | None]]:
        words = self.words(rest)
        if name != "ARG" and "=" not in words[0]:
            key, _, value = rest.partition(" ")  # the old form, with a space
            if not value:
                raise Fault(f"line {line}: {name} needs a name and a value")
            return [(key, value.strip())]
        pairs: list[tuple[str, str | None]] = []
        for word in words:
            key, sign, value = word.partition("=")
            if name != "ARG" and not sign:
                raise Fault(f"line {line}: {word[:40]!r} has no value")
            pairs.append((key, unquoted(value, self.escape) if sign else None))
        return pairs

    def _heredocs(self, line: int, rest: str) -> list[Heredoc]:
        found = []
        for word in self.words(rest):
            if not (mark := _HEREDOC.match(word)):
                continue
            lines: list[str] = []
            while True:
                if self.at >= len(self.lines):
                    raise Fault(f"line {line}: the here-document {mark['name'][:40]!r} has no end")
                row = self.lines[self.at]
                self.at += 1
                if mark["dash"]:
                    row = row.lstrip("\t")
                if row == mark["name"]:
                    break
                lines.append(row)
            found.append(Heredoc(mark["name"], "\n".join(lines)))
        return found

    def words(self, text: str, once: bool = False) -> list[str]:
        """Split at blanks outside of quotes, which are kept; ``once`` gives the first word."""
        found: list[str] = []
        word, quote, escaped = "", "", False
        for sign in text:
            if escaped:
                word, escaped = word + sign, False
            elif sign == self.escape and quote != "'":
                word, escaped = word + sign, True
            elif quote:
                word += sign
                quote = "" if sign == quote else quote
            elif sign in "\"'":
                word, quote = word + sign, sign
            elif sign in " \t":
                if word:
                    found.append(word)
                    if once:
                        return found
                word = ""
            else:
                word += sign
        return [*found, word] if word else found


def unquoted(text: str, escape: str = "\\") -> str:
    """Text without its quotes and escapes."""
    found, quote, escaped = [], "", False
    for sign in text:
        if escaped:
            found.append(sign)
            escaped = False
        elif sign == escape and quote != "'":
            escaped = True
        elif quote:
            if sign == quote:
                quote = ""
            else:
                found.append(sign)
        elif sign in "\"'":
            quote = sign
        else:
            found.append(sign)
    return "".join(found)


def substituted(text: str, values: Mapping[str, str | None]) -> str:
    """Put values in for variables; those without one stay as they are written.

    >>> substituted("node:${VERSION:-20}-$KIND", {"KIND": "alpine"})
    'node:20-alpine'
    """

    def value(found: re.Match[str]) -> str:
        name = found["plain"] or found["name"]
        held = values.get(name)
        how, word = found["how"] or "", found["word"] or ""
        there = bool(held) if how.startswith(":") else held is not None
        if how.endswith("-"):
            return held or "" if there else word
        if how.endswith("+"):
            return word if there else ""
        return found[0] if held is None else held

    return _VARIABLE.sub(value, text)


def has_variable(text: str) -> bool:
    """Tell whether something is still to be put in."""
    return bool(_VARIABLE.search(text))
