"""Where a record stands, and what it is about."""

from __future__ import annotations

import hashlib

import msgspec


class Place(msgspec.Struct, gc=False):
    """Identity of the record being collected and its place among the raw records.

    Attributes
    ----------
    group, kind, namespace, name, uid
        Of the object; ``uid`` is a stable stand-in where a manifest has none.
    raw, line
        Raw file and line, from 1.
    orphan
        The owner that would stand for it is not in the source.
    """

    group: str
    kind: str
    namespace: str
    name: str
    uid: str
    raw: str
    line: int
    orphan: bool = False


def stand_in(group: str, kind: str, namespace: str, name: str, again: int = 0) -> str:
    """Stable uid for an object that carries none; ``again`` tells duplicates apart."""
    text = "\x00".join((group, kind, namespace, name, str(again) if again else ""))
    return "m-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
