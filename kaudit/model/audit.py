"""Events of the API server's audit log.

Source: kubernetes/apiserver, ``pkg/apis/audit/v1/types.go`` (v1beta1 says the same in the fields
used here). Request and response bodies are never kept: of what was asked for only what grants
rights is declared.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import field

from kaudit.model.meta import Int
from kaudit.model.runtime_event import Seen, command_line, instant, plain

#: Labels of a namespace that loosen what its pods may do.
_LEVEL = "pod-security.kubernetes.io/enforce"


class Part(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """Base of the parts."""


class User(Part):
    """user, impersonatedUser."""

    username: Any = None
    groups: list[str] | None = None


class Target(Part):
    """objectRef."""

    resource: Any = None
    namespace: Any = None
    name: Any = None
    api_group: Any = None
    subresource: Any = None


class Response(Part):
    """responseStatus."""

    code: Int | None = None


class RoleReference(Part):
    """requestObject.roleRef."""

    kind: Any = None
    name: Any = None


class Labels(Part):
    """requestObject.metadata: of its labels only the level of Pod Security."""

    labels: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.labels:
            kept = {_LEVEL: self.labels[_LEVEL]} if _LEVEL in self.labels else None
            self.labels = kept


class Asked(Part):
    """requestObject."""

    role_ref: RoleReference | None = None
    metadata: Labels | None = None


class Event(Part, kw_only=True):
    """One event."""

    audit_id: Any = field(default=None, name="auditID")
    level: Any = None
    stage: Any = None
    verb: Any = None
    request_uri: Any = field(default=None, name="requestURI")
    user: User | None = None
    impersonated_user: User | None = None
    source_ips: list[str] | None = field(default=None, name="sourceIPs")
    user_agent: Any = None
    object_ref: Target | None = None
    response_status: Response | None = None
    request_object: Asked | None = None
    request_received_timestamp: Any = None
    stage_timestamp: Any = None
    timestamp: Any = None
    annotations: dict[str, Any] | None = None

    @property
    def moment(self) -> datetime | None:
        """When it happened."""
        return (
            instant(self.request_received_timestamp)
            or instant(self.stage_timestamp)
            or instant(self.timestamp)
        )

    @property
    def decision(self) -> str | None:
        """What the authoriser said: allow or forbid."""
        return plain((self.annotations or {}).get("authorization.k8s.io/decision"))

    @property
    def target(self) -> str | None:
        """``resource/subresource namespace/name``, or the path of the request."""
        on = self.object_ref
        if on is None or plain(on.resource) is None:
            uri = plain(self.request_uri)
            return uri.partition("?")[0] if uri else None
        what = "/".join(t for t in (plain(on.resource), plain(on.subresource)) if t)
        named = "/".join(t for t in (plain(on.namespace), plain(on.name)) if t)
        return f"{what} {named}".strip()

    @property
    def level_asked(self) -> str | None:
        """Level of Pod Security that the request gives a namespace."""
        metadata = self.request_object.metadata if self.request_object else None
        return plain((metadata.labels or {}).get(_LEVEL)) if metadata else None


class FoundEvent(Seen, kw_only=True):
    """Record of an event; parameters of its address, which may be a command, are dropped."""

    event: Event

    def __post_init__(self) -> None:
        event = self.event
        if (uri := plain(event.request_uri)) is not None:
            event.request_uri = uri.partition("?")[0]
        if (agent := plain(event.user_agent)) is not None:
            event.user_agent = command_line(agent)
        said = event.annotations
        if said:
            event.annotations = {k: v for k, v in said.items() if k in _KEPT}


_KEPT = ("authorization.k8s.io/decision", "authorization.k8s.io/reason")
