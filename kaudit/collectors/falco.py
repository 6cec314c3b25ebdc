"""Falco: alerts as JSON lines, from files or through falcosidekick.

Sources: falcosecurity/falco, ``userspace/falco/formats.cpp``; falcosidekick,
``types/types.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.columns import total
from kaudit.model import falco
from kaudit.model.event_fold import Fold
from kaudit.model.place import Place
from kaudit.model.runtime_event import labels, plain, priority
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.events import EVENTS, EventRow


def _recognise(content: Content) -> bool:
    if content.shape != "text":
        keys = content.keys
        return {"rule", "priority"} <= keys and bool({"output", "output_fields"} & keys)
    start = content.data[: 1 << 16]
    return b'"output_fields"' in start and b'"priority"' in start and b'"rule"' in start


@tool(
    "falco",
    title="Falco",
    help="Falco's alerts as JSON: files, logs of its pods, payloads of falcosidekick.",
    recognise=_recognise,
    files=("falco*.log", "falco*.txt", "events.txt"),
)
def take_falco(content: Content) -> Iterator[Taken | Lost]:
    """Take the alerts out of the lines."""
    yield from Fold(content, "falco").take()


@collector(Read.of("falco", "Event", "events", falco.FoundAlert), tables=(EVENTS,))
def falco_events(found: falco.FoundAlert, at: Place) -> Iterator[Row]:
    """Yield one alert; where a plugin saw the API or a cloud, who asked and for what."""
    alert, it, over = found.event, found.event.fields, found.over
    tags, techniques = labels(alert.tags)
    row = EventRow(  # calls with over 15 keywords are slow
        raw=at.raw,
        raw_line=at.line,
        sensor="falco",
        report=found.report,
        line=found.line,
        first_at=found.first or alert.moment,
        last_at=found.last,
        count=found.count,
        type=plain(it.evt_type) or plain(it.ka_verb) or plain(it.ct_name) or "",
        source=plain(alert.source) or "",
        rule=alert.rule,
        internal=alert.rule.startswith(falco.INTERNAL),
        folded_over=over,
        tags=tags,
        techniques=techniques,
    )
    row.priority, row.priority_told = priority(alert.priority), plain(alert.priority)
    row.node = plain(alert.hostname) or plain(it.evt_hostname)
    row.namespace = plain(it.namespace) or plain(it.ka_namespace)
    row.action, row.dropped = plain(it.ka_code), _dropped(it)
    if over != "pod":
        repository, tag = plain(it.repository) or plain(it.image), plain(it.tag)
        row.pod = plain(it.pod) or (plain(it.ka_name) if it.ka_resource == "pods" else None)
        row.pod_uid = plain(it.pod_uid)
        row.image = f"{repository}:{tag}" if repository and tag else repository
        row.image_digest = plain(it.digest)
    if not over:
        row.container = plain(it.container_name)
        row.container_id = plain(it.container_id)
        row.process = plain(it.proc_exepath) or plain(it.proc_name)
        row.command = plain(it.proc_cmdline) or plain(it.ka_command)
        row.parent = plain(it.proc_pname)
        row.user = (
            plain(it.user_name)
            or plain(it.ka_user)
            or plain(it.ct_user)
            or plain(it.gcp_user)
            or plain(it.user_uid)
        )
        row.target = plain(it.fd_name) or _asked(it)
    elif over == "command" and it.container_id == "host":
        row.container_id = "host"
    yield row


def _asked(it: falco.Fields) -> str | None:
    """Object of the API that a request is about, with its resource."""
    what = [text for part in (it.ka_resource, it.ka_subresource) if (text := plain(part))]
    named = [text for part in (it.ka_namespace, it.ka_name) if (text := plain(part))]
    return f"{'/'.join(what)} {'/'.join(named)}".strip() if what or named else None


def _dropped(it: falco.Fields) -> int | None:
    """Events that were lost: system calls, and alerts that nobody took."""
    told = [
        plain(value) for value in (it.drops, it.queue_drops, it.scap_drops) if value is not None
    ]
    numbers = [int(text) for text in told if text is not None and text.isascii() and text.isdigit()]
    return total(numbers) if numbers else None
