"""Blind spots of the collection: what was refused, cut short, left out, too old or never brought.

Of a cluster every kind that the catalogue reads must have been listed; one that the API server
does not serve has no objects. Beside its API it takes packs of evidence: of nodes, registries,
images, what sensors have seen, and of the cloud, of which kaudit reads none. A source that holds
no node and is no live cluster (a chart, a folder of manifests) is not judged.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import records
from kaudit.model.clouds import cloud_of
from kaudit.parameters import parameters
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd


class CollectionLogRow(Trace, kw_only=True):
    kind: Annotated[str, doc("Read, of a kind of the API, Pack or Log")]
    name: Annotated[str, doc("what was to be read: pods, deployments.apps, nodes of packs")]
    of_cluster: Annotated[bool, doc("the source is a cluster, not manifests alone")]
    state: Annotated[str, doc("read, absent, old, missing, or the word of its worst gap")]
    objects: Annotated[int, doc("objects or records that were read")]
    detail: Annotated[str, doc("what was said; of a pack the formats that would fill it")]
    hours: Annotated[int | None, doc("hours from its last event; null: none is told")] = None
    tables: Annotated[list[str], doc("tables that are blind without it, sorted")]
    blind: Annotated[bool | None, doc("not read, in whole or in part; null: it cannot be told")] = (
        None
    )


COLLECTION_LOG = Table(
    "collection_log",
    CollectionLogRow,
    grain="one kind of the API, one pack of further evidence, or one log",
    key=("kind", "name"),
    resource=Resource("kind", namespace=""),
)
#: Evidence beside the API, and the formats of which one fills it.
PACKS = {
    "nodes": ("kube-bench",),
    "registries": ("registries", "registry-access"),
    "images": ("grype", "trivy", "trivy-operator"),
    "events": ("falco", "tetragon"),
    "audit": ("kubernetes-audit",),
}
_CLOUD = "kaudit reads no settings of a cloud: ask the provider for them"
_FINE = ("read", "absent")


@view(COLLECTION_LOG, naming=("event_logs", "cluster", "nodes"))
def collection_log(
    reads: pd.DataFrame, event_logs: pd.DataFrame, cluster: pd.DataFrame, nodes: pd.DataFrame
) -> pd.DataFrame:
    """Judge each read, each pack and each log."""
    if not len(reads):  # an older kaudit collected it, and kept no log
        return COLLECTION_LOG.empty()
    known = records(nodes)
    (own,) = records(cluster) or [{"live": False, "as_of": None, "as_of_told": False}]
    of_cluster = bool(own["live"] or known)
    found = records(reads)
    clouds = {cloud_of(node["provider_id"] or "") for node in known} - {""}
    rows = [
        *_kinds([r for r in found if not r["format"]]),
        *_packs({r["name"]: r for r in found if r["format"]}),
        *_logs(event_logs, own["as_of"] if own["as_of_told"] else None),
    ]
    if clouds:
        rows.append(_row("Pack", "cloud", "missing", _CLOUD))
    made = [CollectionLogRow(of_cluster=of_cluster, **row) for row in rows]
    return frame(COLLECTION_LOG.sorted(COLLECTION_LOG.arrow(made)))


def _row(kind: str, name: str, state: str, detail: str, **more: Any) -> dict[str, Any]:
    nothing = {"raw": "", "raw_line": 0, "objects": 0, "tables": []}
    return {**nothing, "kind": kind, "name": name, "state": state, "detail": detail, **more}


def _kinds(reads: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in reads:
        state = one["state"]
        blind = None if state == "not_in_source" else state not in _FINE
        same = {name: one[name] for name in ("raw", "raw_line", "objects", "tables")}
        yield _row("Read", one["name"], state, one["detail"], blind=blind, **same)


def _packs(formats: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """A pack is there where one of its formats is; what is broken of it stays a blind spot."""
    for pack, names in PACKS.items():
        own = [formats[name] for name in names if name in formats]
        held = [one for one in own if one["objects"]]
        lacking = [one for one in own if one["state"] not in ("read", "not_in_source")]
        first = next(iter([*lacking, *held, *own]), None)
        state = lacking[0]["state"] if lacking else "read" if held else "missing"
        yield _row(
            "Pack",
            pack,
            state,
            lacking[0]["detail"] if lacking else ", ".join(names),
            raw=first["raw"] if first else "",
            raw_line=first["raw_line"] if first else 0,
            objects=sum(one["objects"] for one in held),
            tables=sorted({table for one in own for table in one["tables"]}),
            blind=state != "read",
        )


def _logs(event_logs: pd.DataFrame, as_of: Any) -> Iterator[dict[str, Any]]:
    """The newest log of each sensor must reach to the moment of the evidence."""
    by_sensor: dict[str, list[dict[str, Any]]] = {}
    for log in records(event_logs):
        by_sensor.setdefault(log["sensor"], []).append(log)
    limit = timedelta(hours=parameters().log_max_age_hours)
    for sensor, logs in sorted(by_sensor.items()):
        ends = [log["last_at"] or log["first_at"] for log in logs]
        newest = max((end for end in ends if end is not None), default=None)
        age = as_of - newest if as_of is not None and newest is not None else None
        last = logs[ends.index(newest)] if newest is not None else logs[0]
        yield _row(
            "Log",
            sensor,
            "read" if age is None or age <= limit else "old",
            f"last event {newest:%Y-%m-%d %H:%M} UTC" if newest else "no moment is told",
            raw=last["raw"],
            raw_line=last["raw_line"],
            objects=sum(log["events"] for log in logs),
            hours=None if age is None else int(age / timedelta(hours=1)),
            tables=["event_logs", "events"],
            blind=None if age is None else age > limit,
        )
