"""Text of policies: code, expressions and patterns, with what looks like a credential masked."""

from __future__ import annotations

import re

import msgspec
from msgspec import Raw

from kaudit.model.credential import masked

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
#: Fields of a pod that hold containers, as code, expressions and patterns name them.
CONTAINER_FIELDS = ("containers", "ephemeralContainers", "initContainers")


def masked_json(raw: Raw) -> Raw:
    """JSON on one line, each of its strings masked; numbers stay as they are written."""
    return Raw(_STRING.sub(_mask, msgspec.json.format(bytes(raw), indent=-1)))


def _mask(found: re.Match[bytes]) -> bytes:
    text = msgspec.json.decode(found[0], type=str)
    shown = masked(text)
    return found[0] if shown == text else msgspec.json.encode(shown)


_PART = re.compile(rb'("(?:[^"\\]|\\.)*")(:?)|-?\d[\d.eE+-]*', re.DOTALL)


def shape(raw: Raw) -> Raw:
    """JSON on one line with its names, but without the texts and numbers that they have."""
    return Raw(_PART.sub(_named, msgspec.json.format(bytes(raw), indent=-1)))


def _named(found: re.Match[bytes]) -> bytes:
    if found[1] is None:
        return b"0"
    return found[0] if found[2] else b'""'
