"""Findings of Hadolint as they arrive (hadolint/hadolint, src/Hadolint/Formatter/Json.hs)."""

from __future__ import annotations

import msgspec

from kaudit.model.credential import masked
from kaudit.model.meta import Int
from kaudit.model.numbered import Found, Whole


class Finding(msgspec.Struct, gc=False, omit_defaults=True):
    """One finding; paths of Windows are written with slashes."""

    code: str
    level: str | None = None
    message: str | None = None
    file: str | None = None
    line: Int | None = None

    def __post_init__(self) -> None:
        self.file = self.file.replace("\\", "/") if self.file else None
        self.message = masked(self.message) if self.message else None


class FoundFinding(Found, kw_only=True):
    """Record of one finding."""

    finding: Finding


class Report(Whole, kw_only=True):
    """Record of one report."""
