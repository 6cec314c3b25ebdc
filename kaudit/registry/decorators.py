"""Decorators that register functions."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from itertools import chain, islice
from typing import Any, TypeVar

from kaudit.bundles import bundles_of
from kaudit.errors import RegistryError
from kaudit.model.taken import Content
from kaudit.model.words import Layer, Severity
from kaudit.registry.docstring import parse_docstring
from kaudit.registry.entries import (
    COLLECTORS,
    CONTROLS,
    EXPORTERS,
    FORMATS,
    TABLES,
    VIEWS,
    Collector,
    Control,
    Exporter,
    Format,
    Read,
    View,
)
from kaudit.registry.loading import check_control, load
from kaudit.table import Table
from kaudit.text import meant

F = TypeVar("F", bound=Callable[..., Any])
W = TypeVar("W", Layer, Severity)


def collector(*reads: Read, tables: tuple[Table, ...]) -> Callable[[F], F]:
    """Register a function ``(object, at) -> Iterator[Row]`` for the kinds it reads.

    ``object`` is the decoded struct, ``at`` the :class:`Place` of its raw record.

    Parameters
    ----------
    reads
        Kinds that it reads, each with the struct that its JSON is decoded into.
    tables
        Those of the rows that it yields, no others.

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
        COLLECTORS[name] = Collector(name, reads, tables, function, function.__module__)
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
) -> Callable[[F], F]:
    """Register a function ``(content) -> Iterator[Taken | Lost]``: what a tool writes.

    It takes the content of one file apart into records, which the collectors of the format
    (``Read.of(name, …)``) turn into rows. It raises InputError where the content is none.

    Parameters
    ----------
    name
        Of the tool, and of the option of ``kaudit collect``.
    title, help, recognise, files, group, placed
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
        )
        return function

    return register


def view(table: Table, *, naming: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Register a function of tables (its parameters) that computes ``table``.

    The first parameter of the function is the table whose rows it carries on. A parameter whose
    type is a NamedTuple stands for the tables that its fields name.

    Parameters
    ----------
    table
        What it computes.
    naming
        Tables that only name things (owners), or that only some columns rest on: a gap in them
        touches those controls alone that say so by ``weak``.

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
        VIEWS[table.name] = View(table.name, table, needs, naming, of_tables, function.__module__)
        return function

    return register


def control(
    id: str,
    *,
    layer: Layer | str,
    severity: Severity | str,
    expected: str,
    shows: tuple[str, ...] = (),
    applies: str = "",
    weak: tuple[str, ...] = (),
    null: str = "",
    references: Mapping[str, tuple[str, ...]] | None = None,
) -> Callable[[F], F]:
    """Register a function of a subject table that returns True where the fault is.

    Once the catalogue is loaded, as in a notebook, a name that is not there fails at once.

    Parameters
    ----------
    id
        ``KA-<LAYER>-<NNN>``, with a letter for a part.
    layer, severity
        Words of the vocabulary.
    expected
        The desired observation in a few words.
    shows
        Columns of the subject that a finding shows.
    applies
        Boolean column of the subject; rows where it is False are not applicable.
    weak
        Needed tables whose gap cannot turn a pass around (see :class:`Control`).
    null
        A sentence that says why the result can be unknown for a row; without it a null in
        the mask is an error.
    references
        Framework id to requirement ids, beside those of ``frameworks/mappings.csv``.

    Returns
    -------
    Callable
        A decorator that gives the function back as it is.

    Raises
    ------
    RegistryError
        Its id is taken or malformed, a word is none, its docstring lacks a part, or it names a
        table or column that is not there.

    Examples
    --------
    >>> @ka.control("MY-DEP-001", layer="deploy", severity="low", expected="no", shows=("image",))
    ... def of_docker_hub(security_context):
    ...     '''No image comes from Docker Hub.
    ...
    ...     Its limits stop a roll-out.
    ...
    ...     Remedy:
    ...         Mirror it.
    ...
    ...     Cases:
    ...         {apiVersion: v1, kind: Pod, metadata: {name: bad-hub},
    ...          spec: {containers: [{name: c, image: docker.io/library/nginx}]}}
    ...         ---
    ...         {apiVersion: v1, kind: Pod, metadata: {name: ok-mirror},
    ...          spec: {containers: [{name: c, image: example.com/nginx}]}}
    ...     '''
    ...     return security_context["image"].str.startswith("docker.io/").fillna(False)
    >>> ka.show.cases("MY-DEP-001").title
    'MY-DEP-001 keeps its word'
    >>> sorted(ka.assess("demo.kaudit", control="MY-DEP-001").findings["kind"].unique())
    ['DaemonSet', ...]
    """

    def register(function: F) -> F:
        again = id in CONTROLS and CONTROLS[id].module == function.__module__ == "__main__"
        if id in CONTROLS and not again:  # a cell of a notebook may run twice
            raise RegistryError(f"two controls have the id {id}")
        if not re.fullmatch(r"[A-Z]{2,5}-[A-Z]{3}-\d{3}[a-z]?", id):
            raise RegistryError(f"control id {id}: expected something like KA-DEP-001")
        subject, *needs = inspect.signature(function).parameters
        parts = parse_docstring(id, inspect.getdoc(function) or "")
        found = Control(
            id=id,
            name=function.__name__,
            layer=_word(Layer, layer, id),
            severity=_word(Severity, severity, id),
            expected=expected,
            subject=subject,
            needs=tuple(needs),
            weak=weak,
            shows=shows,
            applies=applies,
            null=null,
            references={k: tuple(v) for k, v in (references or {}).items()},
            function=function,
            module=function.__module__,
            **parts,
        )
        if function.__module__ == "__main__":
            load()
        if load.cache_info().currsize:  # what comes later must fit by itself
            check_control(found)
        CONTROLS[id] = found
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


def _word(words: type[W], given: str, owner: str) -> W:
    """Return the word of a vocabulary that was given, or raise RegistryError."""
    try:
        return words(given)
    except ValueError:
        what = f"control {owner}: {given!r} is no {words.__name__.lower()}"
        raise RegistryError(f"{what}; {meant(given, words)}") from None
