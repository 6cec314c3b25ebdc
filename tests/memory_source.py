"""A source of objects given as Python dictionaries or as YAML text, for tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec
import pyarrow as pa
import yaml

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.registry import Read
from kaudit.source.events import Batch, Begin, Event, KindId, Origin, Progress, silent

Object = dict[str, Any]


class MemorySource:
    """Yields one batch for each run of objects of the same kind.

    Parameters
    ----------
    objects
        With ``apiVersion`` and ``kind``.
    live
        Pose as a cluster: kinds that are not there are then failures.
    """

    def __init__(self, *objects: Object, label: str = "memory", live: bool = False) -> None:
        self.objects, self.label, self.live = objects, label, live
        self.as_of: datetime | None = None

    def read(self, wanted: Mapping[KindId, Read], progress: Progress = silent) -> Iterator[Event]:
        yield Begin(0, Origin(name=self.label))
        numbered = list(enumerate(self.objects, start=1))
        for (api, kind), run in groupby(numbered, key=lambda n: (n[1]["apiVersion"], n[1]["kind"])):
            group, _, version = api.rpartition("/")
            items = list(run)
            yield Batch(
                group=group,
                version=version,
                kind=kind,
                origin=0,
                items=[msgspec.json.encode(found) for _, found in items],
                positions=[(number, 0) for number, _ in items],
            )


def evidence_of(text: str) -> Evidence:
    """Evidence of objects written as YAML documents; dates stay text."""
    return collect(MemorySource(*objects(text)))


def objects(text: str) -> list[Object]:
    """Objects of YAML documents; dates stay text."""
    return [found for found in yaml.load_all(text, _Plain) if found]


class _Plain(yaml.SafeLoader):
    """YAML without its own idea of dates."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def rows(evidence: Evidence, table: str, *columns: str) -> list[Object]:
    """Rows of a table as dictionaries of the named columns, else of all but the trace."""
    found = evidence.table(table)
    names = list(columns) or [n for n in found.columns if n not in ("raw", "raw_line")]
    rows: list[dict[str, Any]] = pa.Table.from_pandas(
        found[names], preserve_index=False
    ).to_pylist()
    return rows


def said(evidence: Evidence, table: str) -> list[Object]:
    """Rows with what they say only: nothing null, empty or False; ``kind`` left out."""
    return [
        {k: v for k, v in row.items() if k != "kind" and v not in (None, [], "", False)}
        for row in rows(evidence, table)
    ]


def broken(evidence: Evidence) -> list[tuple[str, str]]:
    """Gaps of objects that could not be read: what, and the end of the detail."""
    return [(g.what, g.detail.partition(": ")[2]) for g in evidence.gaps if g.reason == "broken"]
