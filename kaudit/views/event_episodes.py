"""Episodes: alerts of one rule on one workload with one command, however often.

Repeats are what an auditor need not read; first and last say how long it went on.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from kaudit.columns import arrow
from kaudit.groups import Groups
from kaudit.model.runtime_event import PRIORITIES
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class EventEpisodeRow(Trace, kw_only=True):
    sensor: Annotated[str, doc("falco or tetragon")]
    rule: Annotated[str, doc("rule or policy, else the type of the event")]
    namespace: Annotated[str, doc("namespace; empty: the host, or not known")]
    owner_kind: Annotated[str, doc("kind of the workload; Pod, Node or Unknown: not resolved")]
    owner_name: Annotated[str, doc("its name")]
    command: Annotated[str, doc("command line, masked; empty: none is told")]
    priority: Annotated[
        str | None, doc("worst of its events; null: the sensor gives none, or an unknown one")
    ] = None
    severe: Annotated[bool, doc("error or worse")]
    count: Annotated[int, doc("events")]
    first_at: Annotated[datetime | None, doc("moment of the first; null: not told")] = None
    last_at: Annotated[datetime | None, doc("moment of the last")] = None
    pods: Annotated[int, doc("pods that it happened in")]
    nodes: Annotated[list[str], doc("nodes that it happened on, sorted")]
    images: Annotated[list[str], doc("digests of the images, sorted; where none is known, names")]
    processes: Annotated[list[str], doc("programs, sorted")]
    targets: Annotated[list[str], doc("what it was done to, sorted; at most twenty")]
    techniques: Annotated[list[str], doc("techniques of ATT&CK among the tags, sorted")]
    foreign: Annotated[bool, doc("the rule speaks of a program that is not of the image")]
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]
    unresolved: Annotated[str, doc("why no workload is known; empty: one is")]


EVENT_EPISODES = Table(
    "event_episodes",
    EventEpisodeRow,
    grain="one episode: the alerts of one rule on one workload with one command",
    key=("sensor", "rule", "namespace", "owner_kind", "owner_name", "command"),
    resource=Resource("owner_kind", name="owner_name"),
)
_KEY = (*("sensor", "what", "namespace", "owner_kind", "owner_name", "command", "unresolved"),)
_READ = (
    *(*_KEY, "count", "first_at", "last_at", "pod", "node", "process", "target", "priority"),
    *("image_digest", "image", "techniques", "platform", "raw", "raw_line"),
)
_MOST = 20
_SEVERE = PRIORITIES[:4]


@view(EVENT_EPISODES)
def event_episodes(event_context: pd.DataFrame) -> pd.DataFrame:
    """Group the alerts."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    e = event_context
    order = np.flatnonzero(e["alert"].to_numpy(dtype=bool))
    trace = pa.table({name: arrow(e[name]).take(pa.array(order)) for name in ("raw", "raw_line")})
    order = order[pc.sort_indices(trace, [("raw", "ascending"), ("raw_line", "ascending")])]
    rows = pa.array(order)
    c = {name: arrow(e[name]).take(rows) for name in _READ}
    c["command"] = pc.fill_null(c["command"], "")
    rank = pc.index_in(c["priority"], value_set=pa.array(PRIORITIES))
    groups = Groups(*(c[name] for name in _KEY))
    found = {name: groups.one(c[name]) for name in (*_KEY, "raw", "raw_line")}
    rules = found["what"].dictionary_encode()
    foreign = pc.match_substring_regex(rules.dictionary, _FOREIGN, ignore_case=True)
    worst = pa.array(PRIORITIES).take(groups.least(rank))
    made = {
        "rule": found["what"],
        "priority": worst,
        "severe": pc.fill_null(pc.is_in(worst, value_set=pa.array(_SEVERE)), False),
        "count": pa.array(groups.total(c["count"])),
        "first_at": groups.least(c["first_at"]),
        "last_at": groups.most(pc.coalesce(c["last_at"], c["first_at"])),
        "pods": pa.array(groups.kinds(c["pod"])),
        "nodes": groups.texts(c["node"]),
        "images": groups.texts(pc.coalesce(c["image_digest"], c["image"])),
        "processes": groups.texts(c["process"]),
        "targets": groups.texts(c["target"], most=_MOST),
        "techniques": groups.texts(c["techniques"]),
        "foreign": foreign.take(rules.indices),
        "platform": pa.array(groups.some(c["platform"])),
    }
    return frame(EVENT_EPISODES.sorted(EVENT_EPISODES.fitted(found | made)))


#: Rules on programs that were dropped, or run from memory, by the words in their names.
_FOREIGN = (
    r"drop and execute|fileless|execution from /dev/shm|not from (the )?image|memfd|"
    r"binary not part of base image|drift"
)
