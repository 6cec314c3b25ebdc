"""Take files of runtime events apart: one object a line, also between text, or documents.

A sensor's log is what a container wrote: text of its start, objects of several tools, lines cut
where a file was rotated, and lines of two writers in one. What can be read is; the rest is
counted, by line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import BufferedReader, BytesIO
from typing import Any

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model.taken import Content

#: Longest line that is decoded.
LONGEST = 16 << 20
#: Longest line in which objects are searched for, where it is none.
_SALVAGED = 1 << 20
_BUFFER = 1 << 18
#: Bytes by which it is told whether objects span lines, and those that may be held then.
_EDGE, _HELD = 1 << 16, 1 << 29
_OPENING = re.compile(rb'\{\s*"')
_OPENING_TEXT = re.compile(r'\{\s*"')
_NEXT = re.compile(r"\n\s{0,8}\{")
_scan = json.JSONDecoder().raw_decode
_elements = msgspec.json.Decoder(list[Raw]).decode


class Unread(msgspec.Struct):
    """A line, or a document, that is no object: text, or broken."""

    broken: bool


def pieces(content: Content) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of content, or its documents, with their number from 1; none is empty.

    Raises
    ------
    InputError
        Objects span lines, and there is more of them than can be held.
    """
    with _opened(content) as stream:
        documents = _documents(stream.read(_EDGE))
    with _opened(content) as stream:
        if not documents:
            yield from _lines(stream)
            return
        data = stream.read(_HELD + 1)
        if len(data) > _HELD:
            hint = "write one a line: jq -c ."
            raise InputError("is too large for objects that span lines", hint=hint)
        yield from enumerate(_split(data), start=1)


def _opened(content: Content) -> BufferedReader:
    opened: Any = content.opened() if content.opened else BytesIO(content.data)
    return BufferedReader(opened, _BUFFER)


def _documents(data: bytes) -> bool:
    """Tell whether objects span lines, by the first one."""
    first = next((line for line in data.splitlines() if line.strip()), b"").strip()
    if first[:1] == b"[":
        return first == b"[" or first[1:].lstrip()[:1] in (b"{", b"]")
    return first[:1] == b"{" and first[-1:] in (b"{", b",", b"[")


def _lines(stream: BufferedReader) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := stream.readline(LONGEST):
        number += 1
        if len(line) == LONGEST and line[-1:] != b"\n":
            line = line[:64]
            while (rest := stream.readline(_BUFFER)) and rest[-1:] != b"\n":
                pass
        if not line.isspace():
            yield number, line


def _split(data: bytes) -> Iterator[bytes]:
    """Documents of text, one after the other or in a list; one that is broken is yielded too."""
    try:
        yield from map(bytes, _elements(data))
        return
    except msgspec.MsgspecError:
        text = data.decode("utf-8", "surrogateescape")
    at = 0
    while (start := text.find("{", at)) >= 0:
        try:
            _, end = _scan(text, start)
        except (ValueError, RecursionError):
            found = _NEXT.search(text, start + 1)
            end = found.start() if found else len(text)
        yield text[start:end].encode("utf-8", "surrogateescape")
        at = max(end, start + 1)


def objects_in(line: bytes) -> Iterator[bytes | Unread]:
    """Objects in a line that is none itself; what is broken, or mere text, is told last."""
    opening = _OPENING.search(line)
    if opening is None:
        yield Unread(line.lstrip()[:1] == b"{")
        return
    if len(line) > _SALVAGED:
        yield Unread(True)
        return
    text = line.decode("utf-8", "surrogateescape")
    whole = text == line.decode("utf-8", "replace")
    at, tried, broken = 0, 0, not whole
    while (found := _OPENING_TEXT.search(text, at)) is not None and tried < 64:
        tried += 1
        try:
            _, end = _scan(text, found.start())
        except (ValueError, RecursionError):
            broken, at = True, found.end()
            continue
        yield text[found.start() : end].encode("utf-8", "surrogateescape")
        at = end
    if broken:
        yield Unread(True)
