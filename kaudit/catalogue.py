"""Read the framework catalogues, and which requirement each control speaks on.

Data, not code: a framework is one file of ``kaudit/frameworks``. What a control's decorator
names beside them is added by :mod:`kaudit.coverage`.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec

from kaudit.errors import InputError, RegistryError
from kaudit.model.framework import Framework, Mapping, Requirement

_MAPPINGS = "mappings.csv"
_HEAD = re.compile(r"# (\w+): (.+)")
_VERSION = re.compile(r"\d+(\.\d+)+")


@cache
def frameworks() -> MappingProxyType[str, Framework]:
    """Return every framework by its id, sorted.

    Raises
    ------
    RegistryError
        A file is malformed; names it and the line.
    """
    names = sorted(
        item.name
        for item in files("kaudit.frameworks").iterdir()
        if item.name.endswith(".csv") and item.name != _MAPPINGS
    )
    return MappingProxyType(
        {name[:-4]: parse_framework(name[:-4], _text(name)) for name in names}
    )


def framework(id: str) -> Framework:
    """Return the framework with this id.

    Raises
    ------
    InputError
        There is none; names the near ones.
    """
    if id in frameworks():
        return frameworks()[id]
    near = get_close_matches(id, frameworks(), cutoff=0.4) or list(frameworks())
    raise InputError(f"no framework has the id {id}", hint="did you mean " + ", ".join(near) + "?")


def requirement(framework_id: str, id: str, *, version: str = "") -> Requirement:
    """Return a requirement by its id in the current, or in an earlier, version.

    Parameters
    ----------
    framework_id
        Id of the framework.
    id
        Id of the requirement.
    version
        An earlier version that the id is of; CIS renumbers: 5.2.10 of version 1.10 is 5.2.9
        of version 2.0.1.

    Raises
    ------
    InputError
        There is no such framework, version or requirement; names the near ones.
    """
    known = _ids(framework_id, version)
    if id in known:
        return known[id]
    near = get_close_matches(id, known) or [f"it has {len(known)} requirements"]
    edition = version or framework(framework_id).version
    raise InputError(
        f"{framework_id} {edition} has no requirement {id}", hint="near: " + ", ".join(near)
    )


@cache
def mappings() -> tuple[Mapping, ...]:
    """Return which control speaks on which requirement, sorted by control.

    Raises
    ------
    RegistryError
        A row names an unknown framework or requirement, or stands twice; names the line.
    """
    return tuple(parse_mappings(_text(_MAPPINGS)))


def references(control_id: str) -> dict[str, tuple[str, ...]]:
    """Return the requirements that the data names for a control: framework id to ids.

    A part of a catalogue entry (``KA-DEP-029a``) has its own where the data names them for
    it, framework by framework, and else those of its entry.
    """
    found = dict(_references().get(entry_of(control_id), {}))
    found.update(_references().get(control_id, {}))
    return dict(sorted(found.items()))


def entry_of(control_id: str) -> str:
    """Return the catalogue entry of a control: its id without the letter of a part."""
    return control_id.rstrip("abcdefghijklmnopqrstuvwxyz")


def parse_framework(id: str, text: str) -> Framework:
    """Build a framework from the text of its file.

    Raises
    ------
    RegistryError
        A heading or column is missing or unknown, a word is not of the vocabulary, or a
        requirement stands twice.
    """
    lines = text.splitlines()
    heads = dict(match.groups() for line in lines if (match := _HEAD.fullmatch(line)))
    found: dict[str, Requirement] = {}
    for where, row in _rows(f"{id}.csv", lines):
        earlier = tuple((name, row.pop(name)) for name in [*row] if _VERSION.fullmatch(name))
        row = {name: value for name, value in row.items() if value}
        item = _convert(
            {**row, "framework": id, "earlier": tuple(e for e in earlier if e[1])},
            Requirement,
            where,
        )
        if item.id in found:
            raise RegistryError(f"{where}: requirement {item.id} stands twice")
        found[item.id] = item
    return _convert({**heads, "id": id, "requirements": (*found.values(),)}, Framework, f"{id}.csv")


def parse_mappings(text: str) -> Iterator[Mapping]:
    """Yield the mappings of a table with control, framework, requirement and strength.

    Raises
    ------
    RegistryError
        A row names an unknown framework or requirement, or stands twice; names the line.
    """
    known = {id: {item.id for item in each.requirements} for id, each in frameworks().items()}
    seen: set[tuple[str, str, str]] = set()
    for where, row in _rows(_MAPPINGS, text.splitlines()):
        item = _convert(row, Mapping, where)
        if item.requirement not in known.get(item.framework, ()):
            raise RegistryError(
                f"{where}: no requirement {item.requirement} in framework {item.framework}"
            )
        key = (item.control, item.framework, item.requirement)
        if key in seen:
            raise RegistryError(f"{where}: {' '.join(key)} stands twice")
        seen.add(key)
        yield item


def _text(name: str) -> str:
    return files("kaudit.frameworks").joinpath(name).read_text(encoding="utf-8")


def _rows(name: str, lines: Iterable[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows below the headings, each with its file and line."""
    numbered = [(at, line) for at, line in enumerate(lines, 1) if not line.startswith("# ")]
    table = csv.reader((line for _, line in numbered), strict=True)
    head = next(table, [])
    for (at, _), cells in zip(numbered[1:], table, strict=True):
        where = f"{name}, line {at}"
        if len(cells) != len(head):
            raise RegistryError(f"{where}: {len(cells)} cells, but {len(head)} columns")
        yield where, dict(zip(head, cells, strict=True))


def _convert[T: msgspec.Struct](row: object, kind: type[T], where: str) -> T:
    try:
        return msgspec.convert(row, kind)
    except msgspec.ValidationError as error:
        raise RegistryError(f"{where}: {error}") from None


@cache
def _ids(framework_id: str, version: str) -> dict[str, Requirement]:
    chosen = framework(framework_id)
    if version in ("", chosen.version):
        return {item.id: item for item in chosen.requirements if item.current}
    earlier = [(v, old, item) for item in chosen.requirements for v, old in item.earlier]
    known = dict.fromkeys(v for v, _, _ in earlier)
    if version not in known:
        raise InputError(
            f"{framework_id} has no version {version}",
            hint="it has " + ", ".join([*known, chosen.version]),
        )
    return {old: item for v, old, item in earlier if v == version}


@cache
def _references() -> dict[str, dict[str, tuple[str, ...]]]:
    found: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for item in mappings():
        by = found[item.control]
        by[item.framework] = (*by.get(item.framework, ()), item.requirement)
    return dict(found)
