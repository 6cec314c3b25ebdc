"""Find and check collectors, views and controls: ``@collector``, ``@view``, ``@control``.

Items register by being imported; :func:`load` imports every module of the catalogue
folders and of installed packs (entry point group ``kaudit.packs``) and checks that they fit
together. A decorator returns its function unchanged, so that it can be called with any
frame in a notebook or a test.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from kaudit.card import card
from kaudit.errors import InputError, RegistryError
from kaudit.model.taken import Content, Lost, Taken
from kaudit.model.words import Layer, Severity
from kaudit.table import Resource, Row, Table
from kaudit.text import meant

if TYPE_CHECKING:
    import pandas as pd

F = TypeVar("F", bound=Callable[..., Any])
W = TypeVar("W", Layer, Severity)

CATALOGUES = ("collectors", "views", "controls", "signals", "correlations", "exporters")


class Read(msgspec.Struct, frozen=True):
    """One kind that a collector reads.

    Attributes
    ----------
    group
        API group, empty for the core.
    kind, plural
        ``Pod``, ``pods``.
    model
        Struct that its JSON is decoded into.
    versions
        Versions that the struct understands, best first.
    metadata
        True where only metadata is asked of a live cluster (Secrets).
    namespaced
        False for kinds of cluster scope.
    silent
        True where there being none says nothing of the tables: others may feed them.
    tool
        Name of the format whose records these are; empty for kinds of the API.
    open
        True where every kind of the group is read, whatever its name: Gatekeeper makes a kind
        of each template. ``kind`` and ``plural`` then stand for all of them.
    """

    group: str
    kind: str
    plural: str
    model: type[msgspec.Struct]
    versions: tuple[str, ...] = ("v1",)
    metadata: bool = False
    namespaced: bool = True
    silent: bool = False
    tool: str = ""
    open: bool = False

    @classmethod
    def of(cls, tool: str, kind: str, plural: str, model: type[msgspec.Struct]) -> Read:
        """Return the read of one kind of record in the output of a tool."""
        return cls(tool, kind, plural, model, (), namespaced=False, tool=tool)

    @property
    def id(self) -> tuple[str, str]:
        """Group and kind: what a record is known by."""
        return self.group, self.kind

    @property
    def raw(self) -> str:
        """Name of the raw file: ``pods``, ``deployments.apps``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


class Collector(msgspec.Struct, frozen=True):
    """A registered collector: function from one decoded object to rows."""

    name: str
    reads: tuple[Read, ...]
    tables: tuple[Table, ...]
    function: Callable[..., Iterator[Row]]
    module: str


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """A registered format: what a tool writes, how to know it and how to take it apart.

    Attributes
    ----------
    name
        Of the tool, and of the option of ``kaudit collect``.
    title
        How people call it.
    help
        One sentence: which files.
    recognise
        Whether content is of this format, for files that nobody named as such.
    files
        Names of files to look at in a folder, beside those of JSON and YAML.
    take
        Function from content to its records.
    group
        API group of the objects that it holds; empty where it holds records of the tool.
    placed
        Whether a file speaks of the place where it lies, so that two alike are not one.
    """

    name: str
    title: str
    help: str
    recognise: Callable[[Content], bool]
    files: tuple[str, ...]
    take: Callable[[Content], Iterator[Taken | Lost]]
    module: str
    group: str = ""
    placed: bool = False

    @property
    def holds(self) -> str:
        """Group of its records, as they are known by."""
        return self.group or self.name

    @property
    def reads(self) -> tuple[Read, ...]:
        """Kinds of its records, in the order of their collectors."""
        return tuple(r for c in COLLECTORS.values() for r in c.reads if r.group == self.holds)


class View(msgspec.Struct, frozen=True):
    """A registered view: function from tables to a table."""

    name: str
    table: Table
    needs: tuple[str, ...]
    naming: tuple[str, ...]
    function: Callable[..., pd.DataFrame]
    module: str


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """A registered control.

    Attributes
    ----------
    id
        ``KA-DEP-001``; never changes meaning, never reused. A control that tests a part of
        a catalogue entry has a letter: ``KA-DEP-029a``.
    subject
        Name of the table or view whose rows it judges; its first parameter.
    needs
        Further tables and views.
    weak
        Needed tables whose gap only turns ``fail`` into ``not_assessed``.
    shows
        Columns of the subject to show as *observed*.
    applies
        Name of a boolean column of the subject, True where the control applies, or empty.
    title, rationale, remedy, cases
        Of the docstring.
    null
        What a null in the mask means, where the control declares it; else it is a bug.
    """

    id: str
    name: str
    layer: Layer
    severity: Severity
    title: str
    rationale: str
    remedy: str
    cases: str
    expected: str
    subject: str
    needs: tuple[str, ...]
    weak: tuple[str, ...]
    shows: tuple[str, ...]
    applies: str
    null: str
    references: dict[str, tuple[str, ...]]
    function: Callable[..., pd.Series[Any]]
    module: str

    def _repr_html_(self) -> str:
        shown = ("layer", "severity", "expected", "rationale", "subject", "needs", "shows")
        return card(self, f"{self.id} {self.title}", *shown)


class Exporter(msgspec.Struct, frozen=True):
    """A registered exporter: function from an assessment to chunks of a file."""

    name: str
    suffix: str
    function: Callable[..., Iterator[bytes]]
    module: str


COLLECTORS: dict[str, Collector] = {}
VIEWS: dict[str, View] = {}
CONTROLS: dict[str, Control] = {}
TABLES: dict[str, Table] = {}
EXPORTERS: dict[str, Exporter] = {}
FORMATS: dict[str, Format] = {}


def collector(*reads: Read, tables: tuple[Table, ...]) -> Callable[[F], F]:
    """Register a function ``(object, at) -> Iterator[Row]`` for the kinds it reads.

    ``object`` is the decoded struct, ``at`` the :class:`Place` of its raw record; the rows
    are of the declared tables only.

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

    Examples
    --------
    >>> from kaudit.model.taken import Taken
    >>> @ka.tool("lines", title="Lines", help="Lines (*.lines).", recognise=lambda c: False)
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

    Its first parameter is the table whose rows it carries on. ``naming`` names parameters
    that only name things (owners), or that only some columns rest on: a gap in them touches
    those controls alone that say so by ``weak``.

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
        needs = tuple(inspect.signature(function).parameters)
        VIEWS[table.name] = View(table.name, table, needs, naming, function, function.__module__)
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
    """Register a function ``(assessment) -> Iterator[bytes]`` that writes one format."""

    def register(function: F) -> F:
        if name in EXPORTERS:
            raise RegistryError(f"two exporters are named {name}")
        EXPORTERS[name] = Exporter(name, suffix, function, function.__module__)
        return function

    return register


_SECTION = re.compile(r"^(Remedy|Cases):[ \t]*$", re.MULTILINE)


def _word(words: type[W], given: str, owner: str) -> W:
    """Return the word of a vocabulary that was given, or raise RegistryError."""
    try:
        return words(given)
    except ValueError:
        what = f"control {owner}: {given!r} is no {words.__name__.lower()}"
        raise RegistryError(f"{what}; {meant(given, words)}") from None


def parse_docstring(owner: str, text: str) -> dict[str, str]:
    """Split a control's docstring into title, rationale, remedy and cases.

    Raises
    ------
    RegistryError
        A part is missing; names it.
    """
    head, *rest = _SECTION.split(text)
    title, _, rationale = head.strip().partition("\n\n")
    parts = {
        "title": " ".join(title.split()),
        "rationale": "\n\n".join(" ".join(p.split()) for p in rationale.strip().split("\n\n")),
        **{
            name.lower(): textwrap.dedent(body.strip("\n")).rstrip() + "\n"
            for name, body in zip(rest[::2], rest[1::2], strict=True)
        },
    }
    for part in ("title", "rationale", "remedy", "cases"):
        if not parts.get(part, "").strip():
            raise RegistryError(f"{owner}: its docstring has no {part}")
    return parts


@cache
def load() -> None:
    """Import every catalogue module and installed pack, and check that all fits together.

    Raises
    ------
    RegistryError
        An unknown table or column, named with its near matches.
    """
    importlib.import_module("kaudit.evidence.facts")  # tables that no collector feeds
    for catalogue in CATALOGUES:
        package = importlib.import_module(f"kaudit.{catalogue}")
        for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
            importlib.import_module(f"kaudit.{catalogue}.{module}")
    for pack in importlib.metadata.entry_points(group="kaudit.packs"):
        pack.load()
    check()


def check() -> None:
    """Raise RegistryError where a table is malformed, or something named is not there."""
    for table in TABLES.values():
        _ = table.columns  # they are checked when they are first made
    for view in VIEWS.values():
        for name in view.needs:
            _known(name, f"view {view.name}")
    for item in CONTROLS.values():
        check_control(item)


def check_control(item: Control) -> None:
    """Raise RegistryError where a control names a table or column that is not there."""
    for name in (item.subject, *item.needs):
        _known(name, f"control {item.id}")
    resource_of(item)
    table = TABLES[item.subject]
    columns = [c.name for c in table.columns]
    for name in (*item.shows, *([item.applies] if item.applies else ())):
        if name not in columns:
            raise RegistryError(
                f"control {item.id}: {table.name} has no column {name}; {meant(name, columns)}"
            )
    for name in item.weak:
        if name not in base_tables(item.subject, *item.needs, naming=True):
            raise RegistryError(f"control {item.id}: weak table {name} is not needed")


def _known(name: str, owner: str) -> None:
    if name not in TABLES:
        raise RegistryError(f"{owner}: no table or view is named {name}; {meant(name, TABLES)}")


def base_tables(*names: str, naming: bool = False) -> tuple[str, ...]:
    """Collected tables that the named tables and views rest on, sorted.

    Those that a view uses for naming only are left out unless ``naming`` asks for them.
    """
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name in VIEWS:
            view = VIEWS[name]
            todo += [need for need in view.needs if naming or need not in view.naming]
        else:
            found.add(name)
    return tuple(sorted(found))


def summed_views(*names: str) -> tuple[str, ...]:
    """Views among those that the named tables and views rest on that are summed, sorted."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if TABLES[name].summed:
            found.add(name)
        elif name in VIEWS:
            todo += VIEWS[name].needs
    return tuple(sorted(found))


def tables_of(kind: tuple[str, str]) -> tuple[str, ...]:
    """Names of the tables that a kind, by group and name, feeds, sorted."""
    found = _tables_by_kind(len(COLLECTORS))
    return found.get(kind) or found.get((kind[0], "*"), ())


@cache
def _tables_by_kind(collectors: int) -> dict[tuple[str, str], tuple[str, ...]]:  # noqa: ARG001
    """Tables of every kind; made again when there is another collector."""
    found: dict[tuple[str, str], set[str]] = {}
    for collector in COLLECTORS.values():
        for read in collector.reads:
            for key in (read.id, *([(read.group, "*")] if read.open else ())):
                found.setdefault(key, set()).update(table.name for table in collector.tables)
    return {kind: tuple(sorted(names)) for kind, names in found.items()}


def resource_of(control: Control) -> Resource:
    """Return how rows of a control's subject name the resource that they are about."""
    found = TABLES[control.subject].resource
    if found is None:
        raise RegistryError(f"control {control.id}: table {control.subject} names no resource")
    return found


def subject_table(name: str) -> str:
    """Collected table whose rows a subject carries on: the first need of views."""
    while name in VIEWS:
        name = VIEWS[name].needs[0]
    return name


def find_control(id: str) -> Control:
    """Return the control with this id, or raise InputError with the near ones."""
    load()
    if id in CONTROLS:
        return CONTROLS[id]
    hint = meant(id, sorted(CONTROLS), otherwise="kaudit controls lists all")
    raise InputError(f"no control has the id {id}", hint=hint)
