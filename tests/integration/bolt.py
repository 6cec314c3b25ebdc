"""Files of the key-value store bbolt, as far as a small database needs them.

The format is that of go.etcd.io/bbolt, file version 2: two meta pages, a list of free pages
(none here), then one leaf for each bucket. The keys of a leaf are sorted; a nested bucket is
an element with a flag, whose value names the page of its leaf.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

#: Keys to values, or to buckets in turn.
Buckets = Mapping[str, "Buckets | bytes"]

_PAGE = 4096
_MAGIC, _VERSION = 0xED0CDAED, 2
_LEAF, _META, _FREE = 0x02, 0x04, 0x10
_HEADER = struct.Struct("<QHHI")  # page, kind, elements, pages that follow on it
_ELEMENT = struct.Struct("<IIII")  # is a bucket, offset of the key, length of key and value
_BUCKET = struct.Struct("<QQ")  # page of its leaf, sequence
_STATE = struct.Struct("<IIIIQQQQQ")


def bolt(buckets: Buckets) -> bytes:
    """Return the content of a file that holds these buckets."""
    pages: dict[int, bytes] = {}
    root = _leaf(buckets, pages, 3)
    end = max(pages) + len(pages[max(pages)]) // _PAGE
    head = b"".join(_meta(number, root, end) for number in (0, 1))
    free = _padded(_HEADER.pack(2, _FREE, 0, 0))
    return head + free + b"".join(pages[number] for number in sorted(pages))


def _leaf(bucket: Buckets, pages: dict[int, bytes], first: int) -> int:
    """Lay a bucket, after those in it, on pages from ``first``; return the page of its leaf."""
    elements: list[tuple[int, bytes, bytes]] = []
    following = first
    for name in sorted(bucket, key=str.encode):
        held = bucket[name]
        if isinstance(held, bytes):
            elements.append((0, name.encode(), held))
            continue
        page = _leaf(held, pages, following)
        following = page + len(pages[page]) // _PAGE
        elements.append((1, name.encode(), _BUCKET.pack(page, 0)))
    table, content = b"", b""
    for at, (nested, key, value) in enumerate(elements):
        offset = _ELEMENT.size * (len(elements) - at) + len(content)
        table += _ELEMENT.pack(nested, offset, len(key), len(value))
        content += key + value
    size = _HEADER.size + len(table) + len(content)
    head = _HEADER.pack(following, _LEAF, len(elements), (size - 1) // _PAGE)
    pages[following] = _padded(head + table + content)
    return following


def _meta(number: int, root: int, end: int) -> bytes:
    state = _STATE.pack(_MAGIC, _VERSION, _PAGE, 0, root, 0, 2, end, number)
    return _padded(_HEADER.pack(number, _META, 0, 0) + state + struct.pack("<Q", _fnv(state)))


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % _PAGE)


def _fnv(content: bytes) -> int:
    """Return the 64-bit FNV-1a hash."""
    found = 0xCBF29CE484222325
    for byte in content:
        found = (found ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return found
