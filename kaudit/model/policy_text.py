"""Text of policies: code, expressions and patterns, with what looks like a credential masked."""

from __future__ import annotations

import re

import msgspec
from msgspec import Raw

from kaudit.model.credential import by_name, masked

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
#: Fields of a pod that hold containers, as code, expressions and patterns name them.
CONTAINER_FIELDS = ("containers", "ephemeralContainers", "initContainers")


#: A text in quotes; one that is not closed ends with its line, so that none is looked at twice.
_LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"?|`[^`]*`?|\'(?:[^\'\\\n]|\\.)*\'?', re.DOTALL)
_GIVEN = re.compile(r"(\w[\w.-]{0,60})\s{0,8}(?::=|==|!=|=|:)\s{0,8}$", re.ASCII)
_JOINS = re.compile(r"\s{0,8}(?::=|=|:)\s{0,8}")
_MASKED = "[masked: named as a credential]"


def masked_code(code: str) -> str:
    """Mask code piece by piece: what stands in quotes stays in its quotes, so it can be read.

    >>> masked_code('password := "hunter22"; msg := sprintf("on %v", [x])')
    'password := "[masked: named as a credential]"; msg := sprintf("on %v", [x])'
    """
    found: list[str] = []
    place, last = 0, ""
    for literal in _LITERAL.finditer(code):
        before, text = code[place : literal.start()], literal[0]
        end = text[0] if len(text) > 1 and text[-1] == text[0] else ""
        inner = text[1 : len(text) - len(end)]
        given = _GIVEN.search(before[-90:])
        name = last if _JOINS.fullmatch(before) else (given[1] if given else "")
        named = bool(inner) and bool(name) and by_name(name)
        kept = inner.startswith("[masked") or not named
        found += [masked(before), text[0], masked(inner) if kept else _MASKED, end]
        place, last = literal.end(), inner[:90]
    return "".join([*found, masked(code[place:])])


def masked_json(raw: Raw) -> Raw:
    """JSON on one line, each of its strings masked; numbers stay as they are written."""
    return Raw(_STRING.sub(_mask, msgspec.json.format(bytes(raw), indent=-1)))


def _mask(found: re.Match[bytes]) -> bytes:
    text = msgspec.json.decode(found[0], type=str)
    shown = masked_code(text)
    return found[0] if shown == text else msgspec.json.encode(shown)


_PART = re.compile(rb'("(?:[^"\\]|\\.)*")(:?)|-?\d[\d.eE+-]*', re.DOTALL)


def shape(raw: Raw) -> Raw:
    """JSON on one line with its names, but without the texts and numbers that they have."""
    return Raw(_PART.sub(_named, msgspec.json.format(bytes(raw), indent=-1)))


def _named(found: re.Match[bytes]) -> bytes:
    if found[1] is None:
        return b"0"
    return found[0] if found[2] else b'""'
