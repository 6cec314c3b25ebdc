"""What rests on what: tables under views, kinds under tables, resources under rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache

from kaudit.errors import RegistryError
from kaudit.registry.entries import COLLECTORS, TABLES, VIEWS, Control, View
from kaudit.table import Resource


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


def resting_on(*names: str, given: Collection[str] = ()) -> frozenset[str]:
    """Tables and views that the named ones rest on, and they; those given are not looked into."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        one = todo.pop()
        if one not in found and one not in given:
            found.add(one)
            todo += VIEWS[one].needs if one in VIEWS else ()
    return frozenset(found)


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


def gathered_tables(name: str) -> frozenset[str]:
    """Collected tables whose rows a subject carries on beside those of its first."""
    return frozenset(table for view in _carried_on(name) for table in view.gathers)


def joined_tables(name: str) -> frozenset[str]:
    """Collected tables without which a subject has fewer rows."""
    return frozenset(table for view in _carried_on(name) for table in view.joins)


def deciding_tables(control: Control) -> frozenset[str]:
    """Collected tables, beside the first, that decide what a control applies to."""
    name, column = control.subject, control.applies
    if not column or name not in VIEWS:
        return frozenset()
    if column in VIEWS[name].decided:
        return frozenset(VIEWS[name].decided[column])
    return frozenset(base_tables(name)) - {subject_table(name)}


def _carried_on(name: str) -> Iterator[View]:
    """Views whose rows a subject carries on, and it."""
    while name in VIEWS:
        yield VIEWS[name]
        name = VIEWS[name].needs[0]


def subject_table(name: str) -> str:
    """Collected table whose rows a subject carries on: the first need of views."""
    while name in VIEWS:
        name = VIEWS[name].needs[0]
    return name
