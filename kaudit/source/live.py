"""A live cluster: version, discovery, permissions, and one paged list a kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from kaudit.errors import AccessDenied, InputError, NotServed, SourceError, Unreachable
from kaudit.model.homonyms import in_tables
from kaudit.model.words import Gap, Reason
from kaudit.registry import Read
from kaudit.source.events import (
    Access,
    Batch,
    Begin,
    Event,
    KindId,
    Listed,
    Progress,
    ServerVersion,
    silent,
)
from kaudit.source.live_body import Garbled, decoded
from kaudit.source.live_config import connection
from kaudit.source.live_http import Patience, Server
from kaudit.source.live_list import gap_of, listed
from kaudit.source.live_order import in_order

#: Path of the core group.
_CORE = "/api/v1"
SECRETS = ("none", "metadata", "table")


class _Resource(msgspec.Struct):
    name: str = ""
    kind: str = ""


class _Resources(msgspec.Struct):
    resources: list[_Resource] = []


class _Version(msgspec.Struct, rename="camel"):
    git_version: str = ""
    platform: str = ""


class _Name(msgspec.Struct):
    name: str = ""


class _Object(msgspec.Struct):
    metadata: _Name = msgspec.field(default_factory=_Name)


class _Status(msgspec.Struct):
    allowed: bool = False
    reason: str = ""


class _Review(msgspec.Struct):
    status: _Status = msgspec.field(default_factory=_Status)


_version = msgspec.json.Decoder(_Version).decode
_resources = msgspec.json.Decoder(_Resources).decode
_object = msgspec.json.Decoder(_Object).decode
_review = msgspec.json.Decoder(_Review).decode


class LiveSource:
    """Reads a cluster through its API server; nothing is ever written.

    Parameters
    ----------
    configuration
        ``kubernetes.client.Configuration``.
    label
        How reports call it: the name of the context.
    secrets
        ``none``, ``metadata`` (names, ages, labels) or ``table`` (names and types; nothing
        else is sent by the server).
    namespaces
        Namespaces to fall back to where cluster-wide lists are refused and namespaces
        cannot be listed.
    patience
        Time limits and rates.
    headers, renew
        See :class:`Server`.
    verified
        False where the server's certificate is not checked, which becomes a gap.
    """

    live = True

    def __init__(
        self,
        configuration: Any,
        *,
        label: str,
        secrets: str = "none",
        namespaces: Sequence[str] = (),
        patience: Patience | None = None,
        headers: Sequence[tuple[str, str]] = (),
        renew: Callable[[], None] | None = None,
        verified: bool = True,
    ) -> None:
        if secrets not in SECRETS:
            hint = ", ".join(SECRETS)
            raise InputError(f"{secrets!r} is no way to read Secrets", hint=hint)
        self.label, self.secrets = label, secrets
        self.as_of: datetime | None = None
        self.server = Server(configuration, headers=headers, patience=patience, renew=renew)
        self._namespaces = list(namespaces)
        self._verified = verified

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
        found = connection(name, kubeconfig, patience)
        return cls(
            found.configuration,
            label=found.label,
            secrets=secrets,
            namespaces=[found.namespace] if found.namespace else [],
            patience=patience,
            headers=found.headers,
            renew=found.renew,
            verified=found.verified,
        )

    def read(self, wanted: Mapping[KindId, Read], progress: Progress = silent) -> Iterator[Event]:
        """Yield version, permissions, then each kind's pages in the order of kinds.

        Raises
        ------
        SourceError
            The server cannot be reached, knows no such user, or is none of Kubernetes.
        """
        self.server.start()
        try:
            version = self._version()
            self.as_of = self.server.date
            yield version
            if not self._verified:
                detail = "the kubeconfig waives it: whoever answered may not be the cluster"
                what = "the certificate of the server was not checked"
                yield Gap(what=what, reason=Reason.AMBIGUOUS, detail=detail)
            reads = [
                r for _, r in sorted(wanted.items()) if not (r.metadata and self.secrets == "none")
            ]
            served = yield from self._discover(reads)
            yield from self._permissions([read for read, _ in served])
            yield from self._lists(served, progress)
        finally:
            self.server.close()

    def _version(self) -> ServerVersion:
        try:
            body = self.server.get("read the version", "/version").body
            found = decoded(body, _version)
        except AccessDenied as fault:
            if fault.reason == Reason.UNAUTHENTICATED:
                raise
            return ServerVersion("")
        except (NotServed, Garbled):
            return ServerVersion("")
        return ServerVersion(found.git_version, found.platform)

    def _discover(self, reads: Sequence[Read]) -> Generator[Event, None, list[tuple[Read, str]]]:
        """Choose the version that is served of each kind; return reads with their path."""
        known: dict[str, dict[str, str] | SourceError] = {}
        served: list[tuple[Read, str]] = []
        unknown: list[str] = []
        alike = Counter(read.kind for read in reads)
        for read in reads:
            found = self._served(read, known)
            if isinstance(found, SourceError):
                yield gap_of(read, found)
            elif found:
                served += found
            else:
                unknown.append(f"{read.kind}.{read.group}" if alike[read.kind] > 1 else read.kind)
                yield Listed(read.group, read.kind)  # a kind that is not served has no objects
        if reads and not served:
            self._is_api_server(known.get(_CORE))
        if unknown:
            yield Gap(
                what="kinds that the API server does not serve",
                reason=Reason.NOT_IN_SOURCE,
                detail=", ".join(unknown),
            )
        return served

    def _served(
        self, read: Read, known: dict[str, dict[str, str] | SourceError]
    ) -> list[tuple[Read, str]] | SourceError:
        """Return the first version of a kind that is served, or why that cannot be told."""
        fault: SourceError | None = None
        for version in read.versions:
            base = f"/apis/{read.group}/{version}" if read.group else f"/api/{version}"
            if base not in known:
                known[base] = self._resources(base)
            resources = known[base]
            if isinstance(resources, SourceError):
                fault = fault if isinstance(resources, NotServed) else resources
            elif named := _named(read, resources):
                return [(one, base) for one in named]
        return fault or []

    def _is_api_server(self, core: dict[str, str] | SourceError | None) -> None:
        """Make sure that whoever serves nothing that was asked for is an API server at all.

        A path that is wrong, a proxy or a page to log in know nothing either, which must not
        be taken for what a cluster does not have.
        """
        core = self._resources(_CORE) if core is None else core
        if isinstance(core, AccessDenied | Unreachable):
            return
        if not isinstance(core, SourceError) and "namespaces" in core:
            return
        said = core.detail if isinstance(core, SourceError) else "it serves no namespaces"
        detail = f"whoever answers is no API server of Kubernetes: {said}"
        raise SourceError(f"discover {_CORE}", reason=Reason.BROKEN, detail=detail)

    def _resources(self, base: str) -> dict[str, str] | SourceError:
        """Kind of each resource that a group serves in a version, by plural name."""
        what = f"discover {base}"
        try:
            body = self.server.get(what, base).body
            found = decoded(body, _resources).resources
            return {r.name: r.kind for r in found if "/" not in r.name}
        except SourceError as fault:
            return fault
        except Garbled:
            return SourceError(what, reason=Reason.BROKEN, detail="the answer is no JSON")

    def _permissions(self, reads: Sequence[Read]) -> Iterator[Event]:
        """Ask what the account may list; where even asking is refused, trying will tell."""

        def ask(read: Read) -> Access | None:
            asked = {"group": read.group, "resource": read.plural, "verb": "list"}
            spec = {"resourceAttributes": asked}
            try:
                answer = self.server.review("ask for rights", "SelfSubjectAccessReview", spec)
                status = decoded(answer.body, _review).status
            except (SourceError, Garbled):
                return None
            return Access(read.group, read.plural, "", "list", status.allowed, status.reason)

        with ThreadPoolExecutor(self.server.patience.workers) as pool:
            yield from (cell for cell in pool.map(ask, reads) if cell is not None)

    def _lists(self, served: Sequence[tuple[Read, str]], progress: Progress) -> Iterator[Event]:
        """List kinds side by side, and hand on their events in the order of kinds."""
        tasks = [partial(self._kind, *one) for one in served]
        workers, stop = self.server.patience.workers, self.server.stop
        origins = done = 0
        for event in in_order(tasks, workers=workers, stop=stop):
            if isinstance(event, Begin):
                event.number = origins
                origins += 1
            elif isinstance(event, Batch):
                event.origin = origins - 1
            if isinstance(event, Listed | Gap):
                named = event.kind if isinstance(event, Gap) else in_tables(event.group, event.kind)
                kinds = [n for n, (read, _) in enumerate(served) if read.named == named]
                done = max([done, *(n + 1 for n in kinds)])
                progress(self.label, done, len(served))
            yield event
        progress(self.label, len(served), len(served))

    def _kind(self, read: Read, base: str) -> Iterator[Event]:
        as_table = read.metadata and self.secrets == "table"
        if as_table:
            yield from self._by_namespace(read, base, None)
            return
        try:
            yield from listed(self.server, read, base)
            yield Listed(read.group, read.kind)
        except AccessDenied as fault:
            if fault.reason == Reason.FORBIDDEN and read.namespaced:
                yield from self._by_namespace(read, base, fault)
            else:
                yield gap_of(read, fault)
        except SourceError as fault:
            yield gap_of(read, fault)

    def _by_namespace(self, read: Read, base: str, refused: SourceError | None) -> Iterator[Event]:
        """List what may be listed, namespace by namespace; each refusal is a gap of its own."""
        as_table = read.metadata and self.secrets == "table"
        readable, gaps = 0, []
        names, complete = self._known_namespaces()
        for name in names:
            try:
                yield from listed(self.server, read, base, name, as_table=as_table)
                readable += 1
            except SourceError as fault:
                gaps.append(gap_of(read, fault, name))
        nothing = SourceError(
            f"list {read.plural}", reason=Reason.FORBIDDEN, detail="no namespace can be read"
        )
        if readable:
            yield Listed(read.group, read.kind)
            yield from gaps
            if not complete:
                yield gap_of(read, refused or nothing, partial=True)
        else:
            yield gap_of(read, refused or nothing)

    def _known_namespaces(self) -> tuple[list[str], bool]:
        """Names of namespaces, and whether these are all; else the one of the context."""
        namespace = Read("", "Namespace", "namespaces", _Object, namespaced=False)
        found: list[str] = []
        try:
            for event in listed(self.server, namespace, "/api/v1"):
                if isinstance(event, Gap):
                    return self._namespaces, False
                if isinstance(event, Batch):
                    found += [_name(item) for item in event.items]
        except SourceError:
            return self._namespaces, False
        return sorted(filter(None, found)), True


def _name(item: msgspec.Raw | bytes) -> str:
    try:
        return decoded(item, _object).metadata.name
    except Garbled:
        return ""


def _named(read: Read, resources: Mapping[str, str]) -> list[Read]:
    """Reads of the resources that are served: the one of the read, or all of an open group."""
    if not read.open:
        return [read] if read.plural in resources else []
    return [
        msgspec.structs.replace(read, kind=kind, plural=plural)
        for plural, kind in sorted(resources.items())
    ]
