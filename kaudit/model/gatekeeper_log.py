"""Lines of Gatekeeper's log and messages of its export, as they arrive.

Source: open-policy-agent/gatekeeper, ``pkg/audit``, ``pkg/webhook`` and ``pkg/logging``. Details,
annotations and labels, which are free, are not kept.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from kaudit.model.credential import masked
from kaudit.model.meta import Time
from kaudit.model.numbered import Found

#: Last second of the year 9999.
_END = 253402300799


class Logged(msgspec.Struct, gc=False):
    """One line of the log."""

    event_type: str | None = None
    process: str | None = None
    audit_id: str | None = None
    ts: float | str | None = None
    msg: str | None = None
    constraint_kind: str | None = None
    constraint_name: str | None = None
    constraint_action: str | None = None
    constraint_enforcement_actions: list[str] | None = None
    constraint_violations: str | int | None = None
    resource_group: str | None = None
    resource_kind: str | None = None
    resource_namespace: str | None = None
    resource_name: str | None = None


class Exported(msgspec.Struct, gc=False, rename="camel"):
    """One message of the export."""

    event_type: str | None = None
    id: str | None = None
    message: str | None = None
    kind: str | None = None
    name: str | None = None
    enforcement_action: str | None = None
    enforcement_actions: list[str] | None = None
    resource_group: str | None = None
    resource_kind: str | None = None
    resource_namespace: str | None = None
    resource_name: str | None = None

    @property
    def logged(self) -> Logged:
        """The same as a line of the log."""
        return Logged(
            event_type=self.event_type,
            process="audit",
            audit_id=self.id,
            msg=self.message,
            constraint_kind=self.kind,
            constraint_name=self.name,
            constraint_action=self.enforcement_action,
            constraint_enforcement_actions=self.enforcement_actions,
            resource_group=self.resource_group,
            resource_kind=self.resource_kind,
            resource_namespace=self.resource_namespace,
            resource_name=self.resource_name,
        )


class Event(msgspec.Struct, gc=False, omit_defaults=True):
    """One violation that was told."""

    process: str = ""
    audit: str | None = None
    constraint_kind: str = ""
    constraint: str = ""
    actions: list[str] = []
    group: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    message: str | None = None
    at: datetime | None = None

    def __post_init__(self) -> None:
        self.message = masked(self.message) if self.message else None

    @classmethod
    def of(cls, line: Logged) -> Event:
        """Return what a line tells."""
        scoped = sorted({one for one in line.constraint_enforcement_actions or () if one})
        return cls(
            process=line.process or "",
            audit=line.audit_id,
            constraint_kind=line.constraint_kind or "",
            constraint=line.constraint_name or "",
            actions=scoped or list(filter(None, [line.constraint_action])),
            group=line.resource_group or "",
            kind=line.resource_kind or "",
            namespace=line.resource_namespace or "",
            name=line.resource_name or "",
            message=line.msg,
            at=moment(line.ts) or moment(line.audit_id),
        )


def moment(told: float | str | None) -> datetime | None:
    """Return the moment that seconds or a text mean; None where they mean none."""
    if isinstance(told, str):
        try:
            return msgspec.convert(told, Time)
        except msgspec.ValidationError:
            return None
    if told is None or not 0 < told <= _END:
        return None
    return datetime.fromtimestamp(told, UTC)


class FoundEvent(Found, kw_only=True):
    """Record of one violation."""

    event: Event


class Log(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of one log: of which audit its violations are."""

    report: str
    findings: int
    audit: str | None = None
    audits: int = 0
    stated: int | None = None
    finished: bool | None = None
    ended_at: datetime | None = None
