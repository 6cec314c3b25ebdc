"""Reports of Popeye as they arrive (derailed/popeye, internal/report and internal/issues)."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from kaudit.model.credential import masked
from kaudit.model.meta import Int
from kaudit.model.moment import moment
from kaudit.model.numbered import Found, Whole


class Tally(msgspec.Struct, gc=False, omit_defaults=True):
    """tally of a section."""

    error: Int | None = None


class Section(msgspec.Struct, gc=False, omit_defaults=True):
    """sections[], sanitizers[] before 0.20: issues by the object that they are about."""

    gvr: str | None = None
    tally: Tally | None = None
    issues: dict[str, list[Raw] | None] | None = None

    @property
    def failed(self) -> bool:
        """An error without an issue: the objects could not be read."""
        errors = self.tally.error if self.tally else None
        return bool(errors) and not any((self.issues or {}).values())


class Body(msgspec.Struct, gc=False, omit_defaults=True):
    """popeye, its sections unread."""

    sections: list[Raw] | None = None
    sanitizers: list[Raw] | None = None


class Output(msgspec.Struct, gc=False, omit_defaults=True):
    """The whole."""

    popeye: Raw


class Issue(msgspec.Struct, gc=False, omit_defaults=True):
    """One issue: its code stands in brackets before the message."""

    level: Int | None = None
    group: str | None = None
    message: str = ""

    def __post_init__(self) -> None:
        self.message = masked(self.message)


class FoundIssue(Found, kw_only=True):
    """Record of one issue."""

    gvr: str | None = None
    object: str
    issue: Issue


class Header(msgspec.Struct, gc=False, omit_defaults=True):
    """popeye without its sections."""

    report_time: str | None = None
    score: float | None = None

    def __post_init__(self) -> None:
        moment(self.report_time)


class Report(Whole, kw_only=True):
    """Record of one report."""

    failed: int = 0
    header: Header
