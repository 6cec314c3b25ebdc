"""Results of kubeaudit as they arrive (Shopify/kubeaudit, internal/.../report as logrus lines)."""

from __future__ import annotations

import msgspec

from kaudit.model.credential import masked
from kaudit.model.moment import moment
from kaudit.model.numbered import Found, Whole


class Result(msgspec.Struct, gc=False, omit_defaults=True):
    """One line."""

    rule: str = msgspec.field(name="AuditResultName")
    level: str | None = None
    msg: str | None = None
    time: str | None = None
    container: str | None = msgspec.field(default=None, name="Container")
    kind: str | None = msgspec.field(default=None, name="ResourceKind")
    namespace: str | None = msgspec.field(default=None, name="ResourceNamespace")
    name: str | None = msgspec.field(default=None, name="ResourceName")

    def __post_init__(self) -> None:
        self.msg = masked(self.msg) if self.msg else None
        moment(self.time)


class FoundResult(Found, kw_only=True):
    """Record of one line."""

    result: Result


class Report(Whole, kw_only=True):
    """Record of one run."""
