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


def markdown() -> str:
    """Write the dictionary as Markdown."""
    lines = ["# Data dictionary", ""]
    for name in sorted(registry.TABLES):
        table = registry.TABLES[name]
        kind = "view" if name in registry.VIEWS else "table"
        lines += [
            f"## {name}",
            "",
            f"A {kind}; one row is {table.grain}. Key: {', '.join(table.key)}.",
            "",
        ]
        lines += ["| column | kind | null | meaning |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {c.name} | {c.kind} | {'yes' if c.nullable else 'no'} | {c.sentence} |"
            for c in table.columns
        ]
        lines.append("")
    return "\n".join(lines)
