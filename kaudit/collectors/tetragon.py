"""Tetragon: its exported events as JSON lines.

Source: cilium/tetragon, ``api/v1/tetragon/events.proto``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.model import tetragon
from kaudit.model.event_fold import Fold
from kaudit.model.place import Place
from kaudit.model.runtime_event import labels, plain
from kaudit.model.taken import Content, Lost, Taken
from kaudit.model.whole import whole
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.events import EVENTS, EventRow

#: Types that tell of lost events.
_LOSSES = ("rate_limit_info", "process_throttle")
_NO_PROCESS = tetragon.Process()
_NO_POD = tetragon.Pod()
_NO_CONTAINER = tetragon.Container()
_NO_IMAGE = tetragon.Image()


def _recognise(content: Content) -> bool:
    keys = content.keys
    if content.shape == "object" or content.shape == "list":
        return bool(keys & set(tetragon.TYPES)) or (
            "node_name" in keys and any(key.startswith("process_") for key in keys)
        )
    return False


@tool(
    "tetragon",
    title="Tetragon",
    help="Tetragon's exported events: one JSON object a line, also rotated and packed.",
    recognise=_recognise,
    files=("tetragon*.log", "tetragon*.log.*"),
)
def take_tetragon(content: Content) -> Iterator[Taken | Lost]:
    """Take the events out of the lines."""
    yield from Fold(content, "tetragon").take()


@collector(Read.of("tetragon", "Event", "events", tetragon.FoundEvent), tables=(EVENTS,))
def tetragon_events(found: tetragon.FoundEvent, at: Place) -> Iterator[Row]:
    """Yield one event: what a process was, and what it did where a policy watches that."""
    event, body, over = found.event, found.event.body, found.over
    process = body.process or _NO_PROCESS
    pod = process.pod or _NO_POD
    container = pod.container or _NO_CONTAINER
    tags, techniques = labels(body.tags)
    id = plain(container.id) or plain(process.docker)
    id = id.rpartition("//")[2] if id else None
    row = EventRow(  # calls with over 15 keywords are slow
        raw=at.raw,
        raw_line=at.line,
        sensor="tetragon",
        report=found.report,
        line=found.line,
        first_at=found.first or event.moment,
        last_at=found.last,
        count=found.count,
        type=event.type,
        source=body.function or "",
        rule=plain(body.policy_name),
        internal=event.type in _LOSSES,
        folded_over=over,
        tags=tags,
        techniques=techniques,
    )
    row.node, row.cluster_name = plain(event.node_name), plain(event.cluster_name)
    row.namespace, row.action = plain(pod.namespace), plain(body.action)
    row.dropped = _number(body.number_of_dropped_process_events)
    if over != "pod":
        image = container.image or _NO_IMAGE
        row.pod, row.pod_uid = plain(pod.name), plain(pod.uid)
        row.image = plain(image.name) or plain(image.id)
        row.image_digest = _digest(plain(image.id))
    if not over:
        row.container = plain(container.name)
        row.container_id = id
        row.process, row.command = plain(process.binary), process.command
        row.parent = plain(body.parent.binary) if body.parent else None
        row.user, row.target = plain(process.uid), body.target
    elif over == "command" and id == "host":
        row.container_id = id
    yield row


def _digest(image: str | None) -> str | None:
    tail = (image or "").rpartition("@")[2]
    return tail if tail.startswith("sha256:") else None


def _number(value: object) -> int | None:
    text = plain(value)
    return None if text is None else whole(text)
