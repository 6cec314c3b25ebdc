"""What is registered: collectors, formats, views, controls, exporters, and the tables they name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from kaudit.card import card
from kaudit.model.homonyms import in_tables
from kaudit.model.taken import Content, Lost, Taken
from kaudit.model.words import Layer, Severity
from kaudit.table import Row, Table

if TYPE_CHECKING:
    import pandas as pd


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
    def named(self) -> str:
        """The kind as tables and gaps call it."""
        return in_tables(self.group, self.kind)

    @property
    def raw(self) -> str:
        """Name of the raw file: ``pods``, ``deployments.apps``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


class Collector(msgspec.Struct, frozen=True):
    """A registered collector: function from one decoded object to rows.

    One ``of_spec`` takes the spec of the object's pods instead; ``own`` then gives what the
    rows say beside it, of the whole pod.
    """

    name: str
    reads: tuple[Read, ...]
    tables: tuple[Table, ...]
    function: Callable[..., Iterable[Row]]
    module: str
    of_spec: bool = False
    own: Callable[..., Iterable[Row]] | None = None


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
    kinds
        Kinds of the documents in YAML that it takes although they are of the form of objects.
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
    kinds: tuple[str, ...] = ()

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
    gathers: tuple[str, ...]
    joins: tuple[str, ...]
    decided: dict[str, tuple[str, ...]]
    missing: dict[str, tuple[str, ...]]
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
    hides
        Needed tables of which a failed read only turns ``pass`` into ``not_assessed``.
    rests_on, undoes
        Column of texts of the subject, and each text to needed tables of which a failed read
        turns ``pass`` into ``not_assessed`` in the rows that have it; where they are ``weak``
        too, ``fail`` in all.
    named_by
        Needed tables, each with a column of lists of the subject: names of those of its objects
        that decide the row, ``*`` any. A failed read costs only rows that name what was not read.
    shows
        Columns of the subject to show as *observed*.
    applies
        Name of a boolean column of the subject, True where the control applies, or empty.
    title, rationale, remedy, cases
        Of the docstring.
    null
        What a null in the mask means, where the control declares it; else it is a bug.
    compares
        Whether the rows are compared with each other: then a gap anywhere is one of each.
    against
        Needed tables that each row is measured against as a whole, so that a gap anywhere in one
        is one of each.
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
    hides: tuple[str, ...]
    rests_on: str
    undoes: dict[str, tuple[str, ...]]
    named_by: dict[str, str]
    shows: tuple[str, ...]
    applies: str
    null: str
    compares: bool
    against: tuple[str, ...]
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
