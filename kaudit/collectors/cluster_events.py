"""Events of the API: what controllers and kubelets say of objects.

They are kept apart from what sensors see: a cluster keeps them for an hour, and that there is
none says nothing. Sources: kubernetes/api, ``core/v1/types.go`` and ``events/v1/types.go``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from kaudit.model.cluster_event import ClusterEvent, Series
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Row, Table, Trace, doc


class ClusterEventRow(Trace, kw_only=True):
    uid: Annotated[str, doc("uid of the event")]
    namespace: Annotated[str, doc("namespace of the event")]
    name: Annotated[str, doc("name of the event")]
    type: Annotated[str | None, doc("Normal or Warning")] = None
    reason: Annotated[str | None, doc("reason: BackOff, FailedScheduling, …")] = None
    message: Annotated[str | None, doc("what is said; what looks like a credential is masked")] = (
        None
    )
    object_kind: Annotated[str | None, doc("kind of what it is about")] = None
    object_namespace: Annotated[str | None, doc("its namespace")] = None
    object_name: Annotated[str | None, doc("its name")] = None
    object_uid: Annotated[str | None, doc("its uid")] = None
    count: Annotated[int, doc("how often")] = 1
    first_at: Annotated[datetime | None, doc("when first; null: not told")] = None
    last_at: Annotated[datetime | None, doc("when last")] = None
    component: Annotated[str | None, doc("who reported it")] = None
    node: Annotated[str | None, doc("node of who reported it")] = None


CLUSTER_EVENTS = Table(
    "cluster_events",
    ClusterEventRow,
    grain="one Event of the API",
    key=("namespace", "name", "uid"),
)


@collector(
    Read("", "Event", "events", ClusterEvent),
    Read("events.k8s.io", "Event", "events", ClusterEvent, ("v1", "v1beta1")),
    tables=(CLUSTER_EVENTS,),
)
def cluster_events(found: ClusterEvent, at: Place) -> Iterator[Row]:
    """Yield one row an Event."""
    about, by, series = found.about, found.by, found.series or Series()
    first = found.first_timestamp or found.deprecated_first_timestamp or found.event_time
    last = series.last_observed_time or found.last_timestamp or found.deprecated_last_timestamp
    yield ClusterEventRow(
        raw=at.raw,
        raw_line=at.line,
        uid=at.uid,
        namespace=at.namespace,
        name=at.name,
        type=found.type,
        reason=found.reason,
        message=found.note or found.message,
        object_kind=about.kind,
        object_namespace=about.namespace,
        object_name=about.name,
        object_uid=about.uid,
        count=series.count or found.count or found.deprecated_count or 1,
        first_at=first,
        last_at=last or first,
        component=found.reporting_controller or found.reporting_component or by.component,
        node=by.host,
    )
