"""Lists that are too large to hold: their items are read through a window.

A dump of a large cluster is one JSON list of gigabytes. Its head and its end tell what it is;
between them, text is cut where the decoder confirms that whole items end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader
from typing import BinaryIO

import msgspec
from msgspec import Raw

from kaudit.model.words import Reason
from kaudit.source.documents import (
    EmptyList,
    Found,
    Other,
    broken_item,
    head_of,
    items_of,
    of_list,
    part_of_list,
    split_version,
    whole_objects,
)

#: Bytes of a file from which it is worth a window.
LARGE = 32 << 20
_WINDOW = 4 << 20
_EDGE = 1 << 16
_SEARCHED = 1 << 18
_TRIES = 64
_OPENING = re.compile(rb'"items"\s*:\s*\[(\s*)')
_items = msgspec.json.Decoder(list[Raw]).decode


class Frame(msgspec.Struct):
    """Where the items of a list lie in a file, and what the list says of them.

    ``shell`` is the list without its items, ``part`` what tells that it is but a part.
    """

    shell: bytes
    start: int
    end: int
    between: bytes
    group: str
    version: str
    kind: str
    typed: bool
    part: Other | None = None


def windowed(stream: BinaryIO, size: int, hear: Callable[[bytes], None]) -> Iterator[Found] | None:
    """Read the items of one JSON list, or return None where the file is no whole list.

    Parameters
    ----------
    stream
        The file, seekable.
    size
        Its bytes.
    hear
        Told every byte of the file in order, for its hash.
    """
    frame = framed(stream, size)
    return None if frame is None else _read(stream, size, frame, hear)


def framed(stream: BinaryIO, size: int) -> Frame | None:
    """Find the items of one JSON list; None where the file is no whole list."""
    stream.seek(0)
    head = stream.read(_EDGE)
    opening = _OPENING.search(head)
    if opening is None:
        return None
    stream.seek(max(0, size - _EDGE))
    tail = stream.read()
    at = len(tail)
    for _ in range(_TRIES):
        at = tail.rfind(b"]", 0, at)
        if at < 0:
            return None
        shell = head[: opening.end()] + tail[at:]
        try:
            found, metadata = head_of(shell), items_of(shell).metadata
        except msgspec.MsgspecError:
            continue
        except RecursionError:
            return None
        kind = found.kind or ""
        if not kind.endswith("List") or not found.api_version:
            return None
        item = kind.removesuffix("List")
        group, version = split_version(found.api_version, item)
        first = head[opening.end() : opening.end() + 64].partition(b":")[0]
        return Frame(
            shell=shell,
            start=opening.end(),
            end=size - len(tail) + at,
            between=b"}," + opening[1] + first,
            group=group,
            version=version,
            kind=item,
            typed=kind != "List",
            part=part_of_list(metadata, 1),
        )
    return None


def _read(
    stream: BinaryIO, size: int, frame: Frame, hear: Callable[[bytes], None]
) -> Iterator[Found]:
    stream.seek(0)
    hear(stream.read(frame.start))
    some = False
    for found in items(stream, frame, (frame.start, frame.end), 0, hear):
        some = True
        yield found
    if frame.part is not None:
        yield frame.part
    elif not some and frame.typed:
        yield EmptyList(frame.group, frame.kind)
    stream.seek(frame.end)
    hear(stream.read(size - frame.end))


def items(
    stream: BinaryIO,
    frame: Frame,
    span: tuple[int, int],
    number: int,
    hear: Callable[[bytes], None] | None = None,
) -> Iterator[Found]:
    """Yield the items in a span of the list, before which there are so many others."""
    stream.seek(span[0])
    left, held = span[1] - span[0], b""
    while left or held:
        block = stream.read(min(_WINDOW, left))
        if hear is not None:
            hear(block)
        left -= len(block)
        if not block and left:
            break  # the file became shorter while it was read
        held += block
        cut, raws = _whole(held, frame.between, last=not left)
        if raws is None:
            found = list(whole_objects(held, more=bool(left)))
            if not found and left and len(held) <= LARGE:
                continue
            cut, raws = found[-1][1] if found else 0, [raw for raw, _ in found]
        for raw in raws:
            number += 1
            kind = frame.group, frame.version, frame.kind, frame.typed
            yield broken_item(number) if raw is None else of_list(raw, *kind, 1, number)
        held = held[cut:]
        if held and (not left or not cut):
            detail = f"item {number + 1} of the list or one after it breaks the JSON"
            yield Other("broken", detail, Reason.BROKEN)
            while hear is not None and left and (block := stream.read(min(_WINDOW, left))):
                hear(block)
                left -= len(block)
            break


def spans(stream: BinaryIO, frame: Frame) -> Iterator[tuple[int, int]]:
    """Cut a list where its items seem to end; where one is whole, it began as it should too."""
    start, at = frame.start, frame.start + _WINDOW
    while at < frame.end:
        stream.seek(at)
        found = stream.read(min(_SEARCHED, frame.end - at)).find(frame.between)
        if found < 0:
            at += _SEARCHED - len(frame.between) + 1
            continue
        yield start, at + found + 1
        start = at + found + 2
        at = start + _WINDOW
    yield start, frame.end


def whole(stream: BufferedReader, frame: Frame, span: tuple[int, int]) -> list[Found] | None:
    """Return the items of a span, numbered from 1; None where it is not whole items."""
    size = span[1] - span[0]
    text = bytearray(size + 2)  # with room for brackets: a span is not copied once more
    text[0], text[-1] = b"[]"
    stream.seek(span[0])
    if stream.readinto(memoryview(text)[1:-1]) < size:
        return None
    raws = _decoded(text)
    if raws is None:
        return None
    kind = frame.group, frame.version, frame.kind, frame.typed
    return [of_list(raw, *kind, 1, number) for number, raw in enumerate(raws, start=1)]


def _whole(held: bytes, between: bytes, *, last: bool) -> tuple[int, Sequence[Raw | None] | None]:
    """Cut off whole items; return where the rest begins, and the items."""
    if last:
        return len(held), _decoded(b"[" + held + b"]")
    at = len(held)
    for _ in range(_TRIES):
        at = held.rfind(between, 0, at)
        if at < 0:
            break
        if (found := _decoded(b"[" + held[: at + 1] + b"]")) is not None:
            return at + 2, found
    return 0, None


def _decoded(text: bytes | bytearray) -> list[Raw] | None:
    try:
        return _items(text)
    except (msgspec.DecodeError, RecursionError):
        return None
