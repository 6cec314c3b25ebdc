"""The API server's audit log: JSON lines, or the lists that a webhook is given.

Source: kubernetes/apiserver, ``pkg/apis/audit/v1/types.go``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kaudit.model import audit
from kaudit.model.event_fold import Fold
from kaudit.model.place import Place
from kaudit.model.runtime_event import plain
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.events import AUDIT_EVENTS, EVENTS, AuditEventRow, EventRow

_NO_TARGET = audit.Target()
#: Not within a text, where quotes have a backslash.
_VERSION = re.compile(rb'(?<!\\)"audit\.k8s\.io/')


def _recognise(content: Content) -> bool:
    keys = content.keys
    if {"auditID", "verb"} <= keys or {"auditID", "stage"} <= keys:
        return True
    return {"items", "kind"} <= keys and bool(_VERSION.search(content.data[:4096]))


@tool(
    "kubernetes-audit",
    title="API audit log",
    help="Audit log of the API server: one event a line, or lists of a webhook.",
    recognise=_recognise,
    files=("kube-apiserver-audit*.log", "audit*.log"),
)
def take_audit_log(content: Content) -> Iterator[Taken | Lost]:
    """Take the events out of the lines."""
    yield from Fold(content, "kubernetes-audit").take()


@collector(
    Read.of("kubernetes-audit", "Event", "events", audit.FoundEvent),
    tables=(EVENTS, AUDIT_EVENTS),
)
def audit_log_events(found: audit.FoundEvent, at: Place) -> Iterator[Row]:
    """Yield one request to the API server, as an event and by its parts."""
    event = found.event
    on = event.object_ref or _NO_TARGET
    user = plain(event.user.username) if event.user else None
    code = event.response_status.code if event.response_status else None
    resource = plain(on.resource)
    granted = event.request_object.role_ref if event.request_object else None
    moment = found.first or event.moment
    yield EventRow(
        raw=at.raw,
        raw_line=at.line,
        sensor="kubernetes-audit",
        report=found.report,
        line=found.line,
        first_at=moment,
        last_at=found.last,
        count=found.count,
        type=plain(event.verb) or "",
        source=plain(event.stage) or "",
        folded_over=found.over,
        tags=[],
        techniques=[],
        namespace=None if found.over == "pod" else plain(on.namespace),
        pod=plain(on.name) if resource == "pods" and found.over != "pod" else None,
        user=user,
        target=None if found.over == "pod" else event.target,
        action=str(code) if code is not None else event.decision,
    )
    yield AuditEventRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        line=found.line,
        first_at=moment,
        last_at=found.last,
        count=found.count,
        level=plain(event.level),
        stage=plain(event.stage),
        verb=plain(event.verb) or "",
        user=user or "",
        groups=sorted(event.user.groups or ()) if event.user else [],
        impersonated=plain(event.impersonated_user.username) if event.impersonated_user else None,
        resource=resource,
        subresource=plain(on.subresource),
        group=plain(on.api_group),
        object_namespace=None if found.over == "pod" else plain(on.namespace),
        object_name=None if found.over == "pod" else plain(on.name),
        code=code,
        decision=event.decision,
        addresses=sorted(event.source_ips or ()),
        agent=plain(event.user_agent),
        role=f"{plain(granted.kind)}/{plain(granted.name)}" if granted else None,
        level_asked=event.level_asked,
    )
