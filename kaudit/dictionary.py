"""The data dictionary: every column of every table and view, generated from their declarations."""

from __future__ import annotations

import msgspec

from kaudit import registry
from kaudit.errors import InputError
from kaudit.text import meant


class Entry(msgspec.Struct, frozen=True):
    """One column: table, whether it is collected or computed, kind, null and meaning."""

    table: str
    grain: str
    computed: bool
    column: str
    kind: str
    null: bool
    sentence: str


def entries(table: str = "") -> list[Entry]:
    """Describe the columns of one table, or of all."""
    registry.load()
    if table and table not in registry.TABLES:
        hint = meant(table, sorted(registry.TABLES), otherwise="kaudit tables SOURCE lists them")
        raise InputError(f"there is no table {table!r}", hint=hint)
    names = [table] if table else sorted(registry.TABLES)
    return [
        Entry(name, known.grain, name in registry.VIEWS, c.name, c.kind, c.nullable, c.sentence)
        for name in names
        for known in [registry.TABLES[name]]
        for c in known.columns
    ]
