"""What sensors have seen: events of all kinds in one table, and the files that they stood in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from kaudit.table import Resource, Table, Trace, doc


class EventRow(Trace, kw_only=True):
    sensor: Annotated[str, doc("falco, tetragon or kubernetes-audit")]
    report: Annotated[str, doc("the file: the first 16 digits of its SHA-256")] = ""
    line: Annotated[int, doc("line of the file where it stands first")] = 0
    first_at: Annotated[
        datetime | None, doc("when it happened first; null: not told with its zone")
    ] = None
    last_at: Annotated[datetime | None, doc("when it happened last; null: once, or not told")] = (
        None
    )
    count: Annotated[int, doc("how often: repeats of a file with very many are one row")] = 1
    type: Annotated[
        str, doc("kind of event: process_exec, openat, a verb; empty: the sensor does not say")
    ]
    source: Annotated[str, doc("source in the sensor's words: syscall, k8s_audit; empty: none")] = (
        ""
    )
    rule: Annotated[str | None, doc("rule of Falco, policy of Tetragon")] = None
    priority: Annotated[
        str | None, doc("emergency to debug; null: the sensor gives none, or an unknown one")
    ] = None
    priority_told: Annotated[str | None, doc("priority as written")] = None
    internal: Annotated[bool, doc("the sensor speaks of itself: drops, metrics")] = False
    folded_over: Annotated[
        str,
        doc("what the events that it stands for differ in, which is then null: command, pod"),
    ] = ""
    tags: Annotated[list[str], doc("tags of the rule, sorted")]
    techniques: Annotated[list[str], doc("techniques of ATT&CK among the tags")]
    node: Annotated[str | None, doc("node, or host name, in the sensor's words")] = None
    cluster_name: Annotated[str | None, doc("cluster that the sensor names")] = None
    namespace: Annotated[str | None, doc("namespace; null: the host, or not known")] = None
    pod: Annotated[str | None, doc("pod; null: the host, or not known")] = None
    pod_uid: Annotated[str | None, doc("uid of the pod")] = None
    container: Annotated[str | None, doc("container")] = None
    container_id: Annotated[
        str | None, doc("id of the container, as much as is told; host: none")
    ] = None
    image: Annotated[str | None, doc("image in the sensor's words")] = None
    image_digest: Annotated[str | None, doc("digest of the image, where it is told")] = None
    process: Annotated[str | None, doc("program")] = None
    command: Annotated[str | None, doc("command line; what looks like a credential is masked")] = (
        None
    )
    parent: Annotated[str | None, doc("program that started it")] = None
    user: Annotated[str | None, doc("user, or number of the user")] = None
    target: Annotated[
        str | None, doc("file, address, or object of the API that it was done to")
    ] = None
    action: Annotated[
        str | None, doc("what became of it: action of a policy, code of an answer")
    ] = None
    dropped: Annotated[int | None, doc("events that the sensor lost, where it tells of that")] = (
        None
    )


class EventLogRow(Trace, kw_only=True):
    sensor: Annotated[str, doc("falco, tetragon or kubernetes-audit")]
    report: Annotated[str, doc("the file: the first 16 digits of its SHA-256")]
    events: Annotated[int, doc("events of the sensor in it")]
    first_at: Annotated[datetime | None, doc("moment of the first; null: none is told")] = None
    last_at: Annotated[datetime | None, doc("moment of the last")] = None
    broken: Annotated[int, doc("lines that cannot be read")]
    other: Annotated[int, doc("lines of text, or of something else")]
    undated: Annotated[int, doc("events without a moment, or without its zone")]
    unknown_priorities: Annotated[int, doc("events with a priority that is none of Falco's")]
    folded: Annotated[int, doc("events that are told as repeats of another")]
    nodes: Annotated[list[str], doc("nodes that it names, sorted")]


class AuditEventRow(Trace, kw_only=True):
    report: Annotated[str, doc("the file: the first 16 digits of its SHA-256")]
    line: Annotated[int, doc("line of the file where it stands first")]
    kind: Annotated[str, doc("always User")] = "User"
    first_at: Annotated[datetime | None, doc("when it was asked first")] = None
    last_at: Annotated[datetime | None, doc("when it was asked last; null: once")] = None
    count: Annotated[int, doc("how often")] = 1
    level: Annotated[str | None, doc("level: Metadata, Request, RequestResponse")] = None
    stage: Annotated[str | None, doc("stage of the request")] = None
    verb: Annotated[str, doc("verb")]
    user: Annotated[str, doc("who asked; empty: not told")]
    groups: Annotated[list[str], doc("groups of the user")]
    impersonated: Annotated[str | None, doc("user that was acted as")] = None
    resource: Annotated[str | None, doc("resource; null: a path")] = None
    subresource: Annotated[str | None, doc("subresource")] = None
    group: Annotated[str | None, doc("API group")] = None
    object_namespace: Annotated[str | None, doc("namespace of the object")] = None
    object_name: Annotated[str | None, doc("name of the object")] = None
    code: Annotated[int | None, doc("code of the answer; null: not told yet")] = None
    decision: Annotated[str | None, doc("allow or forbid, as the authoriser said")] = None
    addresses: Annotated[list[str], doc("addresses that it came from")]
    agent: Annotated[str | None, doc("user agent")] = None
    role: Annotated[str | None, doc("role that a binding grants, as kind/name")] = None
    level_asked: Annotated[str | None, doc("level of Pod Security that a namespace is given")] = (
        None
    )


EVENTS = Table(
    "events",
    EventRow,
    grain="one event that a sensor or the API server has told",
    key=("sensor", "report", "line"),
)
EVENT_LOGS = Table(
    "event_logs",
    EventLogRow,
    grain="one file of events, and one sensor that speaks in it",
    key=("sensor", "report"),
)
AUDIT_EVENTS = Table(
    "audit_events",
    AuditEventRow,
    grain="one event of the API server's audit log",
    key=("report", "line"),
    resource=Resource("kind", namespace="", name="user"),
)
