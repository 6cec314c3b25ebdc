"""One list of a live cluster, page by page."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from kaudit.errors import SourceError
from kaudit.model.words import Gap, Reason
from kaudit.registry import Read, tables_of
from kaudit.source.documents import whole_objects
from kaudit.source.events import Batch, Begin, Event, Origin
from kaudit.source.json_windows import framed
from kaudit.source.live_body import Garbled, decoded
from kaudit.source.live_http import JSON, Server
from kaudit.source.live_refusal import Gone

_META = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
#: Times that one list may start again after its place in it was lost.
_RESTARTS = 2
#: Pages in a row that hold nothing, after which a list is taken to have no end.
_EMPTY = 100


class _ListMeta(msgspec.Struct, rename="camel"):
    continue_: str = msgspec.field(default="", name="continue")
    resource_version: str = ""


class _Page(msgspec.Struct):
    kind: str = ""
    metadata: _ListMeta = msgspec.field(default_factory=_ListMeta)
    items: list[msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET


class _Uid(msgspec.Struct):
    uid: str = ""


class _Object(msgspec.Struct):
    metadata: _Uid = msgspec.field(default_factory=_Uid)


class _Cells(msgspec.Struct):
    cells: list[Any] = []


class _ColumnName(msgspec.Struct):
    name: str = ""


class _Table(msgspec.Struct, rename="camel"):
    kind: str = ""
    metadata: _ListMeta = msgspec.field(default_factory=_ListMeta)
    column_definitions: list[_ColumnName] = []
    rows: list[_Cells] | msgspec.UnsetType | None = msgspec.UNSET


_page = msgspec.json.Decoder(_Page).decode
_object = msgspec.json.Decoder(_Object).decode
_table = msgspec.json.Decoder(_Table).decode


def listed(
    server: Server, read: Read, base: str, namespace: str = "", *, as_table: bool = False
) -> Iterator[Event]:
    """Yield the beginning and the pages of a list.

    Where the server no longer knows the place in the list (410), it goes on where the server
    says, or starts again; what was told before is known by its uid and not told twice.

    Parameters
    ----------
    server, read, base
        What to read from where: ``base`` is the path of group and version.
    namespace
        Only this one; empty: all.
    as_table
        Ask for names and types alone (Secrets).

    Raises
    ------
    SourceError
        Not even the first page could be read. A later page that cannot is a gap.
    """
    where = f"{base}/namespaces/{namespace}" if namespace else base
    path = f"{where}/{read.plural}"
    what = f"list {read.plural}" + (f" in {namespace}" if namespace else "")
    accept = _TABLE if as_table else _META if read.metadata else JSON
    origin, digest = Origin(name=path, verb="list"), hashlib.sha256()
    told: set[str] = set()
    token, lost, begun = "", 0, False
    places: set[str] = set()
    empty = 0
    while True:
        query: list[tuple[str, str | int]] = [("limit", server.patience.page)]
        query += [("continue", token)] if token else []
        query += [("includeObject", "None")] if as_table else []
        try:
            answer = server.get(what, path, query, accept=accept)
            items, meta = _items(what, read, answer.body, namespace, as_table=as_table)
        except Gone as fault:
            if token and lost < _RESTARTS:
                token, lost = fault.token, lost + 1
                places = set()
                continue
            yield from _cut(read, fault, namespace, begun=begun)
            return
        except SourceError as fault:
            yield from _cut(read, fault, namespace, begun=begun)
            return
        digest.update(answer.body)
        if not begun:
            origin.at, origin.resource_version = answer.date, meta.resource_version
            yield Begin(0, origin)
            begun = True
        origin.pages, origin.bytes = origin.pages + 1, origin.bytes + len(answer.body)
        origin.sha256 = digest.hexdigest()
        fresh = _fresh(items, told)
        origin.items += len(fresh)
        if fresh:
            positions = [(origin.pages, at) for at in range(1, len(fresh) + 1)]
            version = base.rpartition("/")[2]
            yield Batch(read.group, version, read.kind, 0, fresh, positions)
        token, empty = meta.continue_, 0 if items else empty + 1
        if not token:
            break
        if token in places or empty == _EMPTY:
            detail = "the server leads from page to page without end"
            endless = SourceError(what, reason=Reason.PARTIAL, detail=detail)
            yield from _cut(read, endless, namespace, begun=True)
            return
        places.add(token)
    if lost:
        detail = "the list had to go on anew; objects may be of different moments"
        yield Gap(what=what, reason=Reason.PARTIAL, namespace=namespace, detail=detail)


def _cut(read: Read, fault: SourceError, namespace: str, *, begun: bool) -> Iterator[Event]:
    """Tell of a list that ends before its end; one that never began is an error."""
    if not begun:
        raise fault
    yield gap_of(read, fault, namespace, partial=True)


def gap_of(read: Read, fault: SourceError, namespace: str = "", *, partial: bool = False) -> Gap:
    """Return the gap that a failed list leaves."""
    return Gap(
        what=f"list {read.raw}" + (f" in {namespace}" if namespace else ""),
        reason=Reason(fault.reason),
        tables=tables_of(read.id),
        namespace=namespace,
        kind=read.named,
        detail=("only a part was read: " if partial else "") + fault.detail,
    )


def _items(
    what: str, read: Read, body: bytes, namespace: str, *, as_table: bool
) -> tuple[Sequence[msgspec.Raw], _ListMeta]:
    if as_table:
        return _of_table(what, body, namespace)
    try:
        page = decoded(body, _page)
    except Garbled as fault:
        page = _in_parts(body) if fault.deep else _Page()
    if read.metadata and page.kind != "PartialObjectMetadataList":
        detail = "the server did not keep to metadata; its answer was dropped unread"
        raise SourceError(what, reason=Reason.BROKEN, detail=detail)
    if not page.kind.endswith("List"):
        raise SourceError(what, reason=Reason.BROKEN, detail="the answer is no list")
    if page.items is msgspec.UNSET:  # no server leaves them out: none are null, or []
        raise SourceError(what, reason=Reason.BROKEN, detail="the answer is a list without items")
    return page.items or [], page.metadata


def _in_parts(body: bytes) -> _Page:
    """Take a list apart that an item is nested too deeply for: its own decoder tells of it."""
    frame = framed(io.BytesIO(body), len(body))
    if frame is None:
        return _Page()
    try:
        page = decoded(frame.shell, _page)
    except Garbled:
        return _Page()
    found, end = [], frame.start
    for raw, at in whole_objects(body[frame.start : frame.end]):
        if raw is None:
            return _Page()
        found.append(raw)
        end = frame.start + at
    page.items = found
    return page if end == frame.end else _Page()


def _of_table(what: str, body: bytes, namespace: str) -> tuple[list[msgspec.Raw], _ListMeta]:
    """Make objects of the name and type that a Table tells."""
    try:
        table = decoded(body, _table)
    except Garbled:
        raise SourceError(what, reason=Reason.BROKEN, detail="the answer is no Table") from None
    if table.kind != "Table":
        detail = "the server did not answer with a Table; its answer was dropped unread"
        raise SourceError(what, reason=Reason.BROKEN, detail=detail)
    if table.rows is msgspec.UNSET:
        raise SourceError(what, reason=Reason.BROKEN, detail="the answer is a Table without rows")
    heads = [column.name for column in table.column_definitions]
    found = []
    for row in table.rows or ():
        cells = dict(zip(heads, row.cells, strict=False))
        made = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": cells.get("Name"), "namespace": namespace},
            "type": cells.get("Type"),
        }
        found.append(msgspec.Raw(msgspec.json.encode(made)))
    return found, table.metadata


def _fresh(items: Sequence[msgspec.Raw], told: set[str]) -> list[msgspec.Raw]:
    found = []
    for item in items:
        try:
            uid = decoded(item, _object).metadata.uid
        except Garbled:
            uid = ""
        if not uid or uid not in told:
            told.add(uid)
            found.append(item)
    return found
