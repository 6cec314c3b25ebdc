"""A live cluster: discovery, permissions, and one paged list a kind."""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from kaudit.errors import AccessDenied, InputError, NotServed, SourceError
from kaudit.model.words import Gap, Reason
from kaudit.registry import Read
from kaudit.source.events import (
    Access,
    Batch,
    Begin,
    Event,
    KindId,
    Listed,
    Origin,
    Progress,
    ServerVersion,
    silent,
)
from kaudit.source.live_client import Client, Patience, configured, moment

PAGE = 500
_META = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
_DONE = None


class _ListMeta(msgspec.Struct, rename="camel"):
    continue_: str = msgspec.field(default="", name="continue")
    resource_version: str = ""
    remaining_item_count: int | None = None


class _Page(msgspec.Struct):
    kind: str = ""
    metadata: _ListMeta = msgspec.field(default_factory=_ListMeta)
    items: list[msgspec.Raw] | None = None


class _Resource(msgspec.Struct):
    name: str = ""
    kind: str = ""
    namespaced: bool = True
    verbs: list[str] = []


class _Resources(msgspec.Struct):
    resources: list[_Resource] = []


class _Version(msgspec.Struct, rename="camel"):
    git_version: str = ""
    platform: str = ""


class _Uid(msgspec.Struct):
    uid: str = ""
    name: str = ""


class _Object(msgspec.Struct):
    metadata: _Uid = msgspec.field(default_factory=_Uid)


class _Status(msgspec.Struct):
    allowed: bool = False
    reason: str = ""


class _Review(msgspec.Struct):
    status: _Status = msgspec.field(default_factory=_Status)


_page = msgspec.json.Decoder(_Page).decode


class LiveSource:
    """Reads a cluster through its API server; nothing is ever written.

    Parameters
    ----------
    api
        ``kubernetes.client.ApiClient``.
    label
        How reports call it: the name of the context.
    secrets
        ``none``, ``metadata`` (names, ages, labels) or ``table`` (names and types; nothing
        else is sent by the server).
    namespaces
        Namespaces to fall back to where cluster-wide lists are refused and namespaces
        cannot be listed.
    workers
        Kinds that are listed side by side.
    """

    live = True

    def __init__(
        self,
        api: Any,
        *,
        label: str,
        secrets: str = "none",
        namespaces: Sequence[str] = (),
        patience: Patience | None = None,
        workers: int = 4,
    ) -> None:
        if secrets not in ("none", "metadata", "table"):
            raise InputError(f"{secrets!r} is no way to read Secrets", hint="none, metadata, table")
        self.label, self.secrets, self.workers = label, secrets, workers
        self.as_of: datetime | None = None
        self.client = Client(api, patience or Patience())
        self._namespaces = list(namespaces)

    @classmethod
    def from_context(
        cls,
        name: str | None = None,
        *,
        kubeconfig: Path | None = None,
        secrets: str = "none",
        patience: Patience | None = None,
    ) -> LiveSource:
        """Read the cluster of a context of the kubeconfig; of the pod itself inside a cluster.

        Raises
        ------
        InputError
            No usable kubeconfig, or no such context.
        """
        patience = patience or Patience()
        api, label = configured(name, kubeconfig, patience)
        return cls(api, label=label, secrets=secrets, patience=patience)

    def read(self, wanted: Mapping[KindId, Read], progress: Progress = silent) -> Iterator[Event]:
        """Yield version, permissions, then each kind's pages in the order of kinds.

        Raises
        ------
        SourceError
            The server cannot be reached, or knows no such user.
        """
        version = self._version()
        self.as_of = moment(self.client.date)
        yield version
        reads = [
            r for _, r in sorted(wanted.items()) if not (r.metadata and self.secrets == "none")
        ]
        served = yield from self._discover(reads)
        yield from self._permissions([read for read, _ in served])
        yield from self._lists(served, progress)

    def _version(self) -> ServerVersion:
        try:
            found = msgspec.json.decode(self.client.get("/version").body, type=_Version)
        except AccessDenied as fault:
            if fault.reason == Reason.UNAUTHENTICATED:
                raise
            return ServerVersion("")
        except (NotServed, msgspec.DecodeError):
            return ServerVersion("")
        return ServerVersion(found.git_version, found.platform)

    def _discover(self, reads: Sequence[Read]) -> Generator[Event, None, list[tuple[Read, str]]]:
        """Choose the version that is served of each kind; return reads with their path."""
        known: dict[str, dict[str, _Resource] | SourceError] = {}
        served: list[tuple[Read, str]] = []
        unknown: list[str] = []
        for read in reads:
            found, fault = "", None
            for version in read.versions:
                base = f"/apis/{read.group}/{version}" if read.group else f"/api/{version}"
                if base not in known:
                    known[base] = self._resources(base)
                resources = known[base]
                if isinstance(resources, SourceError):
                    fault = fault if isinstance(resources, NotServed) else resources
                elif read.plural in resources:
                    found = base
                    break
            if found:
                served.append((read, found))
            elif fault is not None:
                yield _gap(read, fault)
            else:
                unknown.append(read.kind)
                yield Listed(read.group, read.kind)  # a kind that is not served has no objects
        if unknown:
            yield Gap(
                what="kinds that the API server does not serve",
                reason=Reason.NOT_IN_SOURCE,
                detail=", ".join(unknown),
            )
        return served

    def _resources(self, base: str) -> dict[str, _Resource] | SourceError:
        try:
            body = self.client.get(base).body
            return {r.name: r for r in msgspec.json.decode(body, type=_Resources).resources}
        except SourceError as fault:
            return fault
        except msgspec.DecodeError:
            return SourceError(f"read {base}", reason=Reason.BROKEN, detail="no JSON")

    def _permissions(self, reads: Sequence[Read]) -> Iterator[Event]:
        """Ask what the account may list; where even asking is refused, trying will tell."""

        def ask(read: Read) -> Access | None:
            body = {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {
                    "resourceAttributes": {
                        "group": read.group,
                        "resource": read.plural,
                        "verb": "list",
                    }
                },
            }
            try:
                answer = msgspec.json.decode(self.client.review(body).body, type=_Review).status
            except (SourceError, msgspec.DecodeError):
                return None
            return Access(read.group, read.plural, "", "list", answer.allowed, answer.reason)

        with ThreadPoolExecutor(self.workers) as pool:
            yield from (cell for cell in pool.map(ask, reads) if cell is not None)

    def _lists(self, served: Sequence[tuple[Read, str]], progress: Progress) -> Iterator[Event]:
        """List kinds side by side, and hand on their events in the order of kinds."""
        stop = threading.Event()
        lanes: list[queue.Queue[Any]] = [queue.Queue(maxsize=4) for _ in served]

        def run(number: int) -> None:
            lane = lanes[number]
            try:
                for event in self._kind(*served[number]):
                    while not stop.is_set():
                        try:
                            lane.put(event, timeout=0.2)
                            break
                        except queue.Full:
                            continue
                    if stop.is_set():
                        return
            except BaseException as fault:  # noqa: BLE001  raised again in the reader's thread
                lane.put(fault)
            finally:
                if not stop.is_set():
                    lane.put(_DONE)

        origins = 0
        pool = ThreadPoolExecutor(self.workers)
        try:
            for number in range(len(served)):
                pool.submit(run, number)
            for number, (read, _) in enumerate(served):
                seen = 0
                progress(read.plural, number, len(served))
                while (event := lanes[number].get()) is not _DONE:
                    if isinstance(event, BaseException):
                        raise event
                    if isinstance(event, Begin):
                        event.number = origins
                        origins += 1
                    elif isinstance(event, Batch):
                        event.origin = origins - 1
                        seen += len(event.items)
                    yield event
            progress(self.label, len(served), len(served))
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)

    def _kind(self, read: Read, base: str) -> Iterator[Event]:
        if read.metadata and self.secrets == "table":
            yield from self._by_namespace(read, base, None)
            return
        try:
            yield from self._listed(read, base, "")
            yield Listed(read.group, read.kind)
        except AccessDenied as fault:
            if fault.reason == Reason.FORBIDDEN and read.namespaced:
                yield from self._by_namespace(read, base, fault)
            else:
                yield _gap(read, fault)
        except SourceError as fault:
            yield _gap(read, fault)

    def _by_namespace(self, read: Read, base: str, refused: SourceError | None) -> Iterator[Event]:
        """List what may be listed, namespace by namespace; each refusal is a gap of its own."""
        names = self._known_namespaces()
        readable, gaps = 0, []
        for name in names:
            try:
                yield from self._listed(read, base, name)
                readable += 1
            except SourceError as fault:
                gaps.append(_gap(read, fault, name))
        if readable:
            yield Listed(read.group, read.kind)
            yield from gaps
        else:
            nothing = SourceError(
                f"list {read.plural}", reason=Reason.FORBIDDEN, detail="no namespace can be read"
            )
            yield _gap(read, refused or nothing)

    def _known_namespaces(self) -> list[str]:
        if self._namespaces:
            return self._namespaces
        found: list[str] = []
        try:
            token = ""
            while True:
                answer = self.client.get("/api/v1/namespaces", limit=PAGE, **{"continue": token})
                page = _page(answer.body)
                found += [
                    msgspec.json.decode(i, type=_Object).metadata.name for i in page.items or ()
                ]
                token = page.metadata.continue_
                if not token:
                    break
        except (SourceError, msgspec.DecodeError):
            return []
        self._namespaces = sorted(found)
        return self._namespaces

    def _listed(self, read: Read, base: str, namespace: str) -> Iterator[Event]:
        """Read one list, page by page.

        An expired continue token (410) starts the list again; what was told before is known
        by its uid and not told twice.
        """
        where = f"{base}/namespaces/{namespace}" if namespace else base
        path = f"{where}/{read.plural}"
        as_table = read.metadata and self.secrets == "table"
        accept = _TABLE if as_table else _META if read.metadata else "application/json"
        origin = Origin(name=path, verb="list")
        digest = hashlib.sha256()
        told: set[str] = set()
        token, restarted, begun, number = "", 0, False, 0
        while True:
            extra = {"includeObject": "None"} if as_table else {}
            try:
                query = {"limit": PAGE, "continue": token, **extra}
                answer = self.client.get(path, accept=accept, **query)
            except SourceError as fault:
                if fault.reason == Reason.PARTIAL and token and restarted < 2:
                    token, restarted = "", restarted + 1
                    continue
                if begun:
                    yield _gap(read, fault, namespace, partial=True)
                    return
                raise
            digest.update(answer.body)
            items, meta = self._items(read, answer.body, namespace, path)
            if not begun:
                origin.at = moment(answer.date)
                origin.resource_version = meta.resource_version
                yield Begin(0, origin)
                begun = True
            number += 1
            origin.pages, origin.bytes = number, origin.bytes + len(answer.body)
            origin.sha256 = digest.hexdigest()
            fresh = _fresh(items, told)
            origin.items += len(fresh)
            if fresh:
                positions = [(number, at) for at in range(1, len(fresh) + 1)]
                version = base.rpartition("/")[2]
                yield Batch(read.group, version, read.kind, 0, fresh, positions)
            token = meta.continue_
            if not token:
                break
        if restarted:
            detail = "the list had to start again; objects may be of different moments"
            yield Gap(what=f"list {read.plural}", reason=Reason.PARTIAL, detail=detail)

    def _items(
        self, read: Read, body: bytes, namespace: str, path: str
    ) -> tuple[list[msgspec.Raw], _ListMeta]:
        if read.metadata and self.secrets == "table":
            return _of_table(body, namespace, path)
        try:
            page = _page(body)
        except (msgspec.DecodeError, UnicodeError):
            raise SourceError(f"read {path}", reason=Reason.BROKEN, detail="no JSON list") from None
        if read.metadata and page.kind != "PartialObjectMetadataList":
            detail = "the server did not keep to metadata; its answer was dropped unread"
            raise SourceError(f"read {path}", reason=Reason.BROKEN, detail=detail)
        return page.items or [], page.metadata


def _fresh(items: Sequence[msgspec.Raw], told: set[str]) -> list[msgspec.Raw]:
    found = []
    for item in items:
        try:
            meta = msgspec.json.decode(item, type=_Object).metadata
        except (msgspec.DecodeError, msgspec.ValidationError):
            found.append(item)
            continue
        if not meta.uid or meta.uid not in told:
            told.add(meta.uid)
            found.append(item)
    return found


class _Cells(msgspec.Struct):
    cells: list[Any] = []


class _ColumnName(msgspec.Struct):
    name: str = ""


class _Table(msgspec.Struct, rename="camel"):
    kind: str = ""
    metadata: _ListMeta = msgspec.field(default_factory=_ListMeta)
    column_definitions: list[_ColumnName] = []
    rows: list[_Cells] | None = None


def _of_table(body: bytes, namespace: str, path: str) -> tuple[list[msgspec.Raw], _ListMeta]:
    """Make objects of the name and type that a Table tells."""
    try:
        table = msgspec.json.decode(body, type=_Table)
    except msgspec.DecodeError:
        raise SourceError(f"read {path}", reason=Reason.BROKEN, detail="no Table") from None
    if table.kind != "Table":
        detail = "the server did not answer with a Table; its answer was dropped unread"
        raise SourceError(f"read {path}", reason=Reason.BROKEN, detail=detail)
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


def _gap(read: Read, fault: SourceError, namespace: str = "", *, partial: bool = False) -> Gap:
    return Gap(
        what=f"list {read.plural}" + (f" in {namespace}" if namespace else ""),
        reason=Reason(fault.reason),
        namespace=namespace,
        kind=read.kind,
        detail=("only a part was read: " if partial else "") + fault.detail,
    )
