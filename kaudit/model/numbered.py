"""Records that are numbered in the order in which they stand in a report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw

from kaudit.model.taken import Content, Taken

_encode = msgspec.json.Encoder().encode


_members = msgspec.json.Decoder(dict[str, Raw]).decode
_elements = msgspec.json.Decoder(list[Raw]).decode
_listed = msgspec.json.Decoder(list[Raw] | None).decode


def members(raw: Raw | bytes) -> dict[str, Raw]:
    """Members of an object, unread."""
    return _members(raw)


def elements(raw: Raw | bytes) -> list[Raw]:
    """Elements of a list, unread."""
    return _elements(raw)


def streamed(content: Content) -> Iterator[Raw | bytes]:
    """Elements of content that is a list, unread; of a large one, one by one."""
    parts, rest = content.parted("")
    for part in parts:
        yield part.raw
    yield from elements(rest.data)


def listed(raw: Raw | bytes | None) -> list[Raw]:
    """Elements of a list that may be null, or not there at all."""
    return (_listed(raw) or []) if raw is not None else []


class Numbered:
    """Numbers the records of one report.

    >>> taken = Numbered("1f").take("Finding", rule="a")
    >>> bytes(taken.raw)
    b'{"report":"1f","position":1,"rule":"a"}'
    """

    def __init__(self, report: str) -> None:
        self.report = report
        self.count = 0

    def take(self, kind: str, /, **members: Any) -> Taken:
        """Return the next record."""
        self.count += 1
        record = {"report": self.report, "position": self.count, **members}
        return Taken(kind, _encode(record), self.count)

    def whole(self, **members: Any) -> Taken:
        """Return the record of the report itself, once all others are taken."""
        return Taken("Report", _encode({"report": self.report, "findings": self.count, **members}))


class Found(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Base of the record of one finding."""

    report: str
    position: int


class Whole(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Base of the record of a report."""

    report: str
    findings: int
