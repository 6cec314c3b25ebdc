"""Commands in shell text, as far as one can tell without running it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import msgspec

_ASSIGNMENT = re.compile(r"^[A-Za-z_]\w*=")
_CONTINUED = re.compile(r"\\\n")
#: Programs that run the rest of their words.
_BEFORE = frozenset(("sudo", "env", "exec", "time", "nice", "nohup", "command", "then", "do", "if"))
#: Options of sudo that take a value in the next word.
_OF_SUDO = ("-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T")
SHELLS = frozenset(("sh", "bash", "ash", "dash", "zsh", "ksh"))
_DEEPEST = 3


class Command(msgspec.Struct):
    """One command.

    Attributes
    ----------
    words
        Program and arguments, without quotes, without assignments before them.
    before, after
        The operator before and after: ``|``, ``||``, ``&&`` or ``;``, which the end of a line is
        too; before the first of a line none.
    sudo
        Run through sudo.
    """

    words: list[str]
    before: str = ""
    after: str = ""
    sudo: bool = False

    @property
    def program(self) -> str:
        """Name of the program without its folder."""
        return self.words[0].rpartition("/")[2]

    @property
    def line(self) -> str:
        """All of it, in one text."""
        return " ".join(self.words)

    def option(self, *names: str) -> str | None:
        """Value of an option, ``--name value`` or ``--name=value``; empty where it has none."""
        for at, word in enumerate(self.words):
            name, sign, value = word.partition("=")
            if name in names:
                return value if sign else next(iter(self.words[at + 1 :]), "")
        return None


def commands(text: str, depth: int = 0) -> Iterator[Command]:
    """Yield the commands of shell text, those that ``sh -c`` runs among them.

    >>> from kaudit.model.shell import commands
    >>> [(c.line, c.after) for c in commands("A=1 curl -s x | sudo bash -e; true")]
    [('curl -s x', '|'), ('bash -e', ';'), ('true', ';')]
    """
    for line in _CONTINUED.sub(" ", text).splitlines():
        words: list[str] = []
        before = ""
        for token in (*_tokens(line), ";"):
            if not set(token) <= set("();<>|&"):
                words.append(token)
                continue
            if token in ("<", ">", ">>", ">&", "&>", "<<", "<<<"):
                words.append(token)
                continue
            operator = token.strip("()") or ";"
            if found := _command(words, before, operator):
                yield found
                if depth < _DEEPEST and found.program in SHELLS and "-c" in found.words:
                    inner = found.words[found.words.index("-c") + 1 :][:1]
                    yield from commands("".join(inner), depth + 1)
            words, before = [], operator


def _tokens(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        tokens = list(lexer)
    except ValueError:
        tokens = line.split()  # quotes that go on in the next line
    comment = next((at for at, token in enumerate(tokens) if token.startswith("#")), len(tokens))
    return tokens[:comment]


def _command(words: list[str], before: str, after: str) -> Command | None:
    sudo = False
    at = 0
    while at < len(words) and (words[at] in _BEFORE or _ASSIGNMENT.match(words[at])):
        sudo = sudo or words[at] == "sudo"
        at += 1
        while sudo and at < len(words) and words[at].startswith("-"):
            at += 2 if words[at] in _OF_SUDO else 1
    words = words[at:]
    if words and words[0] == "xargs":
        words = _after_options(words[1:], ("-I", "-n", "-P", "-L", "-d", "-a"))
    return Command(words, before, after, sudo) if words else None


def _after_options(words: list[str], valued: tuple[str, ...]) -> list[str]:
    """Words behind options, of which some take a value in the next word."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in valued else 1
    return words[at:]
