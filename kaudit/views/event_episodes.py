"""Episodes: alerts of one rule on one workload with one command, however often.

Repeats are what an auditor need not read; first and last say how long it went on.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow
from kaudit.model.runtime_event import PRIORITIES
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


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
    import pyarrow as pa
    import pyarrow.compute as pc

    c = event_context.loc[event_context["alert"].to_numpy(dtype=bool), [*_READ]]
    columns: dict[str, Any] = {
        n: arrow(c[n]) for n in (*_KEY, "count", "first_at", "pod", "node", "process", "target")
    }
    columns["command"] = pc.fill_null(columns["command"], "")
    columns["last_at"] = pc.coalesce(arrow(c["last_at"]), arrow(c["first_at"]))
    rank = pc.index_in(arrow(c["priority"]), value_set=pa.array(PRIORITIES))
    columns["rank"] = rank
    columns["image"] = pc.coalesce(arrow(c["image_digest"]), arrow(c["image"]))
    columns["techniques"] = pc.binary_join(arrow(c["techniques"]), ",")
    columns |= {n: arrow(c[n]) for n in ("platform", "raw", "raw_line")}
    rows = pa.table(columns).sort_by([("raw", "ascending"), ("raw_line", "ascending")])
    found = rows.group_by(list(_KEY), use_threads=False).aggregate(
        [
            ("count", "sum"),
            ("first_at", "min"),
            ("last_at", "max"),
            ("rank", "min"),
            ("pod", "count_distinct"),
            ("platform", "max"),
            ("raw", "first"),
            ("raw_line", "first"),
            *((n, "distinct") for n in ("node", "image", "process", "target", "techniques")),
        ]
    )
    worst = pa.array(PRIORITIES).take(found["rank_min"].combine_chunks())
    made = {
        "rule": found["what"],
        "priority": worst,
        "severe": pc.fill_null(pc.is_in(worst, value_set=pa.array(_SEVERE)), False),
        "count": found["count_sum"],
        "first_at": found["first_at_min"],
        "last_at": found["last_at_max"],
        "pods": found["pod_count_distinct"],
        "nodes": _texts(found["node_distinct"]),
        "images": _texts(found["image_distinct"]),
        "processes": _texts(found["process_distinct"]),
        "targets": _texts(found["target_distinct"], most=_MOST),
        "techniques": _texts(found["techniques_distinct"], apart=","),
        "foreign": pc.match_substring_regex(found["what"], _FOREIGN, ignore_case=True),
        "platform": found["platform_max"],
        "raw": found["raw_first"],
        "raw_line": found["raw_line_first"],
    }
    schema = EVENT_EPISODES.schema
    table = pa.table({n: made[n] if n in made else found[n] for n in schema.names}).cast(schema)
    return frame(EVENT_EPISODES.sorted(table))


#: Rules on programs that were dropped, or run from memory, by the words in their names.
_FOREIGN = (
    r"drop and execute|fileless|execution from /dev/shm|not from (the )?image|memfd|"
    r"binary not part of base image|drift"
)


def _texts(lists: pa.ChunkedArray, *, apart: str = "", most: int = 0) -> pa.Array:
    """Sort the texts of each list, without those of no length and those that come again."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    one = lists.combine_chunks()
    texts, parents = pc.list_flatten(one), pc.list_parent_indices(one)
    if apart:
        parts = pc.split_pattern(texts, apart)
        texts, parents = pc.list_flatten(parts), parents.take(pc.list_parent_indices(parts))
    table = pa.table({"at": parents, "text": texts})
    table = table.filter(pc.fill_null(pc.not_equal(texts, ""), False))
    table = table.group_by(["at", "text"], use_threads=False).aggregate([])
    table = table.sort_by([("at", "ascending"), ("text", "ascending")])
    at = table["at"].to_numpy()
    if most:
        kept = np.arange(len(at)) - np.searchsorted(at, at) < most
        table, at = table.filter(pa.array(kept)), at[kept]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=len(one)))])
    values = table["text"].combine_chunks()
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), values)
