"""Decorators that register collectors, formats, views and exporters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, islice
from typing import Any, TypeVar

from kaudit.bundles import bundles_of
from kaudit.errors import RegistryError
from kaudit.model.taken import Content
from kaudit.registry.entries import (
    COLLECTORS,
    EXPORTERS,
    FORMATS,
    TABLES,
    VIEWS,
    Collector,
    Exporter,
    Format,
    Read,
    View,
)
from kaudit.table import Row, Table

F = TypeVar("F", bound=Callable[..., Any])


def collector(
    *reads: Read,
    tables: tuple[Table, ...],
    of_spec: bool = False,
    own: Callable[..., Iterable[Row]] | None = None,
) -> Callable[[F], F]:
    """Register a function ``(object, at) -> Iterator[Row]`` for the kinds it reads.

    ``object`` is the decoded struct, ``at`` the :class:`Place` of its raw record.

    Parameters
    ----------
    reads
        Kinds that it reads, each with the struct that its JSON is decoded into.
    tables
        Those of the rows that it yields, no others.
    of_spec
        The function is ``(spec) -> Iterable[Row]`` instead: what it says follows from the
        :class:`PodSpec` of a pod or template alone, and is asked once of all pods with the
        same one. Its rows derive from :class:`OfSpec`; the engine puts in whose they are.
    own
        Beside such a function of one table: ``(made, at) -> Iterable[Row]`` with the columns
        that each :class:`PodOf` has of its own, for as many rows in the same order.

    Returns
    -------
    Callable
        A decorator that gives the function back as it is; its name is that of the collector.

    Raises
    ------
    RegistryError
        A collector, or another table, has the name already.

    Examples
    --------
    >>> from typing import Annotated
    >>> from kaudit.model.meta import Resource
    >>> from kaudit.registry import Read
    >>> from kaudit.table import Trace, doc
    >>> class LeaseRow(Trace, kw_only=True):
    ...     name: Annotated[str, doc("name of the Lease")]
    >>> leases = ka.Table("leases", LeaseRow, grain="one Lease", key=("name",))
    >>> @ka.collector(Read("coordination.k8s.io", "Lease", "leases", Resource), tables=(leases,))
    ... def read_leases(found, at):
    ...     yield LeaseRow(raw=at.raw, raw_line=at.line, name=at.name)
    >>> ka.collect("manifests")["leases"]["name"].tolist()
    ['leader']
    """

    def register(function: F) -> F:
        name = function.__name__
        if name in COLLECTORS:
            raise RegistryError(f"two collectors are named {name}")
        for table in tables:
            if TABLES.setdefault(table.name, table) is not table:
                raise RegistryError(f"two tables are named {table.name}")
        COLLECTORS[name] = Collector(
            name, reads, tables, function, function.__module__, of_spec, own
        )
        return function

    return register


def tool(
    name: str,
    *,
    title: str,
    help: str,
    recognise: Callable[[Content], bool],
    files: tuple[str, ...] = (),
    group: str = "",
    placed: bool = False,
    kinds: tuple[str, ...] = (),
) -> Callable[[F], F]:
    """Register a function ``(content) -> Iterator[Taken | Lost]``: what a tool writes.

    It takes the content of one file apart into records, which the collectors of the format
    (``Read.of(name, …)``) turn into rows. It raises InputError where the content is none.

    Parameters
    ----------
    name
        Of the tool, and of the option of ``kaudit collect``.
    title, help, recognise, files, group, placed, kinds
        See :class:`Format`.

    Returns
    -------
    Callable
        A decorator that gives the function back as it is.

    Raises
    ------
    RegistryError
        A format has the name already.

    Examples
    --------
    >>> import msgspec
    >>> from kaudit.model.taken import Taken
    >>> from kaudit.registry import tool
    >>> @tool("lines", title="Lines", help="Lines (*.lines).", recognise=lambda c: False)
    ... def take_lines(content):
    ...     for number, line in enumerate(content.text.splitlines(), start=1):
    ...         yield Taken("Line", msgspec.json.encode({"text": line}), number)
    """

    def register(function: F) -> F:
        if name in FORMATS:
            raise RegistryError(f"two formats are named {name}")
        FORMATS[name] = Format(
            name=name,
            title=title,
            help=help,
            recognise=recognise,
            files=files,
            take=function,
            module=function.__module__,
            group=group,
            placed=placed,
            kinds=kinds,
        )
        return function

    return register


def view(
    table: Table,
    *,
    naming: tuple[str, ...] = (),
    gathers: tuple[str, ...] = (),
    joins: tuple[str, ...] = (),
    decided: Mapping[str, tuple[str, ...]] | None = None,
    missing: Mapping[str, tuple[str, ...]] | None = None,
) -> Callable[[F], F]:
    """Register a function of tables (its parameters) that computes ``table``.

    The first parameter of the function is the table whose rows it carries on. A parameter whose
    type is a NamedTuple stands for the tables that its fields name.

    Parameters
    ----------
    table
        What it computes.
    naming
        Tables that only name things (owners), or that only some columns rest on: a gap in them
        touches those controls alone that name them, by ``weak`` or ``hides``.
    gathers
        Collected tables whose rows it carries on too, each by itself: where they could not be
        read, those of the others still stand, and something is missing.
    joins
        Collected tables that it finds rows through: without those of one it has fewer, so that
        none does not mean that there is nothing.
    decided
        Columns that controls apply by, each with the collected tables that decide it beside the
        first; one that is not named here may rest on all.
    missing
        Columns with the kinds of what a row looks for and does not find, each with the collected
        tables where that would be: where a source does not speak of such a kind, nothing is known
        of the row.

    Returns
    -------
    Callable
        A decorator that gives the function back as it is.

    Raises
    ------
    RegistryError
        A table or view has the name already.

    Examples
    --------
    >>> from typing import Annotated
    >>> from kaudit.table import Row, doc
    >>> class CrowdRow(Row):
    ...     namespace: Annotated[str, doc("namespace")]
    ...     pods: Annotated[int, doc("pods and pod templates in it")]
    >>> crowds = ka.Table("crowds", CrowdRow, grain="one namespace", key=("namespace",))
    >>> @ka.view(crowds)
    ... def count_pods(pods):
    ...     return pods.groupby("namespace").size().rename("pods").reset_index()
    >>> ka.collect("manifests")["crowds"].to_dict("records")
    [{'namespace': 'web', 'pods': 1}]
    """

    def register(function: F) -> F:
        if table.name in VIEWS or TABLES.setdefault(table.name, table) is not table:
            raise RegistryError(f"two tables or views are named {table.name}")
        needs, of_tables = _of_tables(function)
        VIEWS[table.name] = View(
            name=table.name,
            table=table,
            needs=needs,
            naming=naming,
            gathers=gathers,
            joins=joins,
            decided=dict(decided or {}),
            missing=dict(missing or {}),
            function=of_tables,
            module=function.__module__,
        )
        return function

    return register


def exporter(name: str, *, suffix: str) -> Callable[[F], F]:
    """Register a function ``(assessment) -> Iterator[bytes]`` that writes one format.

    Parameters
    ----------
    name
        By which ``assess --format`` asks for it.
    suffix
        Of files of the format, such as ``.json``.

    Returns
    -------
    Callable
        A decorator that gives the function back as it is.

    Raises
    ------
    RegistryError
        An exporter has the name already.
    """

    def register(function: F) -> F:
        if name in EXPORTERS:
            raise RegistryError(f"two exporters are named {name}")
        EXPORTERS[name] = Exporter(name, suffix, function, function.__module__)
        return function

    return register


def _of_tables(function: Callable[..., Any]) -> tuple[tuple[str, ...], Callable[..., Any]]:
    """Names of the tables that a function takes, and the function of them one by one."""
    bundles = bundles_of(function)
    names = tuple(inspect.signature(function).parameters)
    if not bundles:
        return names, function

    def of_tables(*tables: Any) -> Any:
        left = iter(tables)
        return function(
            *(
                bundles[name](*islice(left, len(bundles[name]._fields)))
                if name in bundles
                else next(left)
                for name in names
            )
        )

    parts = (bundles[name]._fields if name in bundles else (name,) for name in names)
    return tuple(chain.from_iterable(parts)), of_tables
