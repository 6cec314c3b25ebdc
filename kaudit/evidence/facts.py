"""Tables about the collection itself: what was read, what was seen, what is allowed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from kaudit.registry import TABLES
from kaudit.table import Resource, Row, Table, Trace, doc


class RecordRow(Trace, kw_only=True):
    origin: Annotated[int, doc("number of the origin in the provenance, from 0")]
    document: Annotated[int, doc("document or page in the origin, from 1")]
    item: Annotated[int, doc("item of the list in that document, from 1; 0: no list")]


class InventoryRow(Row, kw_only=True):
    group: Annotated[str, doc("API group, empty for the core")]
    version: Annotated[str, doc("API version seen")]
    kind: Annotated[str, doc("kind")]
    objects: Annotated[int, doc("objects seen")]
    collected: Annotated[bool, doc("a collector reads this kind")]


class ClusterRow(Row, kw_only=True):
    kind: Annotated[str, doc("always Cluster")] = "Cluster"
    name: Annotated[str, doc("label of the source")]
    version: Annotated[str | None, doc("git version of the API server")] = None
    minor: Annotated[int | None, doc("minor version, such as 34")] = None
    platform: Annotated[str | None, doc("platform of the API server")] = None
    live: Annotated[bool, doc("read from a running cluster")] = False
    as_of: Annotated[datetime | None, doc("moment that the facts hold for, in UTC")] = None
    as_of_told: Annotated[
        bool, doc("a cluster or a person told that moment; else it is later than as_of")
    ] = False


class AccessRow(Row, kw_only=True):
    group: Annotated[str, doc("API group, empty for the core")]
    plural: Annotated[str, doc("resource, such as pods")]
    namespace: Annotated[str, doc("namespace asked about; empty: all")]
    verb: Annotated[str, doc("verb asked about")]
    allowed: Annotated[bool, doc("the API server allows it")]
    reason: Annotated[str, doc("what the API server said")]


class ReadRow(Trace, kw_only=True):
    name: Annotated[str, doc("what was to be read: pods, deployments.apps, a format of a tool")]
    group: Annotated[str, doc("API group, empty for the core and for formats")]
    format: Annotated[bool, doc("it is what a tool writes; else a kind of the API")]
    asked: Annotated[bool, doc("this collection was to read it")]
    objects: Annotated[int, doc("objects or records that were read")]
    state: Annotated[str, doc("read; else the word of the worst gap: forbidden, partial, …")]
    detail: Annotated[str, doc("what was said, of that gap")]
    gaps: Annotated[int, doc("gaps that touch it")]
    tables: Annotated[list[str], doc("tables that it feeds, sorted")]


RECORDS = Table(
    "records", RecordRow, grain="one raw record and where it was read", key=("raw", "raw_line")
)
INVENTORY = Table(
    "inventory",
    InventoryRow,
    grain="one kind and version of API object seen",
    key=("group", "kind", "version"),
    resource=Resource("=Kind", namespace="", name="kind"),
)
CLUSTER = Table(
    "cluster",
    ClusterRow,
    grain="the one cluster or source",
    key=("name",),
    resource=Resource("kind", namespace=""),
)
ACCESS = Table(
    "access",
    AccessRow,
    grain="one permission asked about before reading",
    key=("group", "plural", "namespace", "verb"),
)
#: Raw file that the gaps of the evidence stand for, by their number from 1.
GAPS = "gaps"
READS = Table(
    "reads",
    ReadRow,
    grain="one kind of the API, or one format, that the catalogue reads; raw names its worst gap",
    key=("format", "name"),
    resource=Resource("=Read", namespace=""),
)
_ALL = (RECORDS, INVENTORY, CLUSTER, ACCESS, READS)
#: Names of these tables, which follow from no record.
OF_COLLECTION = frozenset(table.name for table in _ALL)
for _table in _ALL:
    TABLES.setdefault(_table.name, _table)
