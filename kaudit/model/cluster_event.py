"""Events of the API on the wire: of the core, and of events.k8s.io."""

from __future__ import annotations

from msgspec import field

from kaudit.model.meta import Int, Part, Resource, Time
from kaudit.model.runtime_event import command_line


class Regarding(Part):
    """involvedObject, regarding."""

    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    uid: str | None = None
    field_path: str | None = None


class Source(Part):
    """source, deprecatedSource."""

    component: str | None = None
    host: str | None = None


class Series(Part):
    """series."""

    count: Int | None = None
    last_observed_time: Time | None = None


class ClusterEvent(Resource):
    """core v1 Event and events.k8s.io Event; what looks like a credential in it is masked."""

    involved_object: Regarding | None = None
    regarding: Regarding | None = None
    reason: str | None = None
    message: str | None = None
    note: str | None = None
    type: str | None = None
    action: str | None = None
    count: Int | None = None
    deprecated_count: Int | None = None
    first_timestamp: Time | None = None
    last_timestamp: Time | None = None
    deprecated_first_timestamp: Time | None = None
    deprecated_last_timestamp: Time | None = None
    event_time: Time | None = None
    series: Series | None = None
    source: Source | None = None
    deprecated_source: Source | None = None
    reporting_component: str | None = None
    reporting_controller: str | None = field(default=None, name="reportingController")

    def __post_init__(self) -> None:
        self.message = command_line(self.message[:1000]) if self.message else None
        self.note = command_line(self.note[:1000]) if self.note else None

    @property
    def about(self) -> Regarding:
        """What it is about."""
        return self.regarding or self.involved_object or Regarding()

    @property
    def by(self) -> Source:
        """Who reported it."""
        return self.source or self.deprecated_source or Source()
