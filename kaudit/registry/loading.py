"""Import what is to be registered, and check that it fits together."""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
from functools import cache

from kaudit.errors import InputError, RegistryError
from kaudit.registry.entries import CONTROLS, TABLES, VIEWS, Control
from kaudit.registry.lineage import base_tables, resource_of
from kaudit.table import Table
from kaudit.text import meant

CATALOGUES = ("collectors", "views", "controls", "signals", "correlations", "exporters")


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
        _import(catalogue)
    for pack in _packs():
        pack.load()
    check()


@cache
def load_catalogue(name: str) -> None:
    """Import one catalogue; all, where an installed pack may add to it."""
    if _packs():
        load()
    else:
        _import(name)


@cache
def _packs() -> tuple[importlib.metadata.EntryPoint, ...]:
    return tuple(importlib.metadata.entry_points(group="kaudit.packs"))


def _import(catalogue: str) -> None:
    package = importlib.import_module(f"kaudit.{catalogue}")
    for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"kaudit.{catalogue}.{module}")


def check() -> None:
    """Raise RegistryError where a table is malformed, or something named is not there."""
    for table in TABLES.values():
        if not table.row.__module__.startswith("kaudit."):  # our own are checked by the tests
            _ = table.columns
    for view in VIEWS.values():
        of_columns = (name for names in view.decided.values() for name in names)
        for name in (*view.needs, *view.gathers, *view.joins, *of_columns):
            _known(name, f"view {view.name}")
        for name in view.decided:
            _has_column(view.table, name, f"view {view.name}")
    for item in CONTROLS.values():
        check_control(item)


def check_control(item: Control) -> None:
    """Raise RegistryError where a control names a table or column that is not there."""
    for name in (item.subject, *item.needs):
        _known(name, f"control {item.id}")
    resource_of(item)
    table = TABLES[item.subject]
    for name in (*item.shows, *item.named_by.values(), item.applies, item.rests_on):
        if name:
            _has_column(table, name, f"control {item.id}")
    needed = base_tables(item.subject, *item.needs, naming=True)
    options = [("weak", item.weak), ("hides", item.hides), ("against", item.against)]
    options.append(("named_by", tuple(item.named_by)))
    for option, names in (*options, *(("undoes", names) for names in item.undoes.values())):
        for name in names:
            if name not in needed:
                raise RegistryError(f"control {item.id}: {option}: {name} is not needed")


def _has_column(table: Table, name: str, owner: str) -> None:
    if name not in table.names:
        raise RegistryError(
            f"{owner}: {table.name} has no column {name}; {meant(name, table.names)}"
        )


def _known(name: str, owner: str) -> None:
    if name not in TABLES:
        raise RegistryError(f"{owner}: no table or view is named {name}; {meant(name, TABLES)}")


def find_control(id: str) -> Control:
    """Return the control with this id, or raise InputError with the near ones."""
    load()
    if id in CONTROLS:
        return CONTROLS[id]
    hint = meant(id, sorted(CONTROLS), otherwise="kaudit controls lists all")
    raise InputError(f"no control has the id {id}", hint=hint)
