"""Reports of kube-hunter as they arrive (aquasecurity/kube-hunter, modules/report).

Evidence is not declared: it may be a token.
"""

from __future__ import annotations

import msgspec

from kaudit.model.credential import masked
from kaudit.model.numbered import Found, Whole


class Weakness(msgspec.Struct, gc=False, omit_defaults=True):
    """vulnerabilities[]."""

    vid: str | None = None
    vulnerability: str = ""
    location: str | None = None
    severity: str | None = None
    description: str | None = None
    avd_reference: str | None = None

    def __post_init__(self) -> None:
        self.description = masked(self.description) if self.description else None


class FoundWeakness(Found, kw_only=True):
    """Record of one weakness."""

    weakness: Weakness


class Report(Whole, kw_only=True):
    """Record of one hunt."""
