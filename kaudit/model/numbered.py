"""Records that are numbered in the order in which they stand in a report."""

from __future__ import annotations

from typing import Any

import msgspec

from kaudit.model.taken import Taken

_encode = msgspec.json.Encoder().encode


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
