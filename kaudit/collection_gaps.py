"""Gaps of a collection: what could not be read, is there twice, or was told by no source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from kaudit import registry
from kaudit.collection_log import called
from kaudit.model.meta import Named
from kaudit.model.words import Gap, Reason
from kaudit.registry import Read, tables_of
from kaudit.source.events import KindId

_NAMED = msgspec.json.Decoder(Named)


def broken(
    read: Read, kind: str, item: Any, position: tuple[int, int], origin: str, fault: str
) -> Gap:
    """Gap of an object or record that cannot be decoded.

    Parameters
    ----------
    read, kind
        What it was to be read as, and its own kind.
    item
        Its JSON.
    position, origin
        Document and item, from 1 (0: it is in no list), and the name of the origin.
    fault
        What is wrong with it.
    """
    document, number = position
    place = f"item {number} of " if number else ""
    if read.tool:
        return Gap(
            what=f"{registry.FORMATS[read.tool].title} {read.kind} in {origin}",
            reason=Reason.BROKEN,
            tables=tables_of(read.id),
            kind="File",
            name=origin,
            detail=f"{place}{origin}: {fault}",
        )
    try:
        meta = _NAMED.decode(item).metadata
        namespace, name = meta.namespace or "", meta.name or ""
    except (msgspec.DecodeError, ValueError, RecursionError):
        namespace = name = ""
    return Gap(
        what=_called(kind, namespace, name or "(unnamed)"),
        reason=Reason.BROKEN,
        tables=tables_of(read.id),
        namespace=namespace,
        kind=kind,
        name=name,
        detail=f"{place}document {document} of {origin}: {fault}",
    )


def with_tables(gap: Gap, reads: Iterable[Read]) -> Gap:
    """Let a gap that names a kind alone weaken every kind of the name: one of them is it."""
    if gap.tables or not gap.kind:
        return gap
    known = [read for read in reads if not read.tool]
    keys = [r.id for r in known if r.named == gap.kind] or [
        r.id for r in known if r.kind == gap.kind
    ]
    tables = {table for key in keys for table in tables_of(key)}
    return msgspec.structs.replace(gap, tables=tuple(sorted(tables)))


def untold(
    gaps: Sequence[Gap],
    wanted: Collection[KindId],
    listed: Collection[KindId],
    held: Collection[KindId],
    lost: Collection[str],
    *,
    live: bool,
) -> Iterator[Gap]:
    """Yield the gaps of what no source told.

    Parameters
    ----------
    gaps
        Those that are known: what they take away whole is told already.
    wanted, listed, held
        Kinds that were asked for, that a source told of, and that it holds objects of.
    lost
        Names of kinds that were left out of what a cluster told; see :func:`left_out`.
    live
        A cluster answers: then what it does not list is a failure.
    """
    reported = {(gap.kind, table) for gap in gaps if gap.whole for table in gap.tables}
    everything = {r.id: r for c in registry.COLLECTORS.values() for r in c.reads}
    told = {
        table
        for key in listed
        if key in everything and (key in held or not everything[key].silent)
        for table in tables_of(key)
    }
    grouped: dict[tuple[Reason, tuple[str, ...], str], list[Read]] = {}
    for key, read in sorted(everything.items()):
        tables = tables_of(key)
        if key in listed or {(read.named, table) for table in tables} <= reported:
            continue
        reason, detail = _why(read, asked=key in wanted, live=live, lost=read.named in lost)
        if reason is Reason.NOT_IN_SOURCE:
            tables = tuple(t for t in tables if t not in told or registry.TABLES[t].every_kind)
        if tables:
            grouped.setdefault((reason, tables, detail), []).append(read)
    alike = Counter(read.kind for read in everything.values())
    for (reason, tables, detail), reads in grouped.items():
        yield Gap(
            what=", ".join(sorted({called(read, alike) for read in reads})),
            reason=reason,
            tables=tables,
            kind=reads[0].named if len(reads) == 1 else "",
            detail=detail,
        )


def _why(read: Read, *, asked: bool, live: bool, lost: bool) -> tuple[Reason, str]:
    """Why no source told of a kind: a failure, or it is just not there."""
    if not asked:
        failed = not (read.tool or read.silent)
        reason = Reason.NOT_COLLECTED if failed else Reason.NOT_IN_SOURCE
        return reason, "not asked for in this collection"
    if lost:
        return Reason.PARTIAL, "other objects of the source come from some, and it holds none"
    failed = live and not (read.tool or read.silent)
    return Reason.NOT_COLLECTED if failed else Reason.NOT_IN_SOURCE, ""


def left_out(listed: Iterable[KindId], named: Collection[str]) -> set[str]:
    """Kinds that were left out of what a cluster told, for other objects speak of them.

    Pods alone, or manifests alone, are whole; a dump with controllers that lacks the one
    that a pod names, or with what controllers made but without pods, is not.

    Parameters
    ----------
    listed
        Kinds that a source told of.
    named
        Kinds that pods and controllers name as what made them.
    """
    held = any("workloads" in tables_of(key) for key in listed)
    return {*named, "Pod"} if held and named else set()


def twice(times: Mapping[tuple[str, str, str], int]) -> Iterator[Gap]:
    """Yield the gaps of objects that are defined more often than once, with how often."""
    for (kind, namespace, name), count in sorted(times.items()):
        yield Gap(
            what=_called(kind, namespace, name),
            reason=Reason.AMBIGUOUS,
            namespace=namespace,
            kind=kind,
            name=name,
            detail=f"defined {count} times in the source; each definition is judged",
        )


def _called(kind: str, namespace: str, name: str) -> str:
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
