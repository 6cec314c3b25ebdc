"""Read the framework catalogues, and which requirement each control speaks on.

Data, not code: a framework is one file of ``kaudit/frameworks``, or of a package that an
entry point of the group ``kaudit.frameworks`` names. Most of the mapping is ``mappings.csv``
beside them; a control's decorator may add to it, and so may a framework's file, in a column
``controls`` such as ``KA-DEP-001=full KA-DEP-036``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Lookup
from functools import cache
from importlib.metadata import entry_points
from importlib.resources import files
from typing import TYPE_CHECKING, TypeVar

import msgspec

from kaudit.errors import InputError, RegistryError
from kaudit.model.framework import Entry, Framework, Mapping, Requirement, Strength
from kaudit.text import meant

if TYPE_CHECKING:
    from kaudit.registry import Control

S = TypeVar("S", bound=msgspec.Struct)

#: Frameworks that a report covers where none are named.
REPORTED = ("cis-kubernetes", "pss", "nsa-cisa", "nist-800-190", "owasp-k8s", "mitre-attack")

_FRAMEWORKS = "kaudit.frameworks"
_MAPPINGS = "mappings.csv"
_CATALOGUE = "catalogue.csv"
_HEAD = re.compile(r"# (\w+): (.+)")
_VERSION = re.compile(r"\d+(\.\d+)+")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@cache
def frameworks() -> dict[str, Framework]:
    """Return every framework by its id, sorted.

    Raises
    ------
    RegistryError
        A file is malformed; names it and the line.
    """
    packs = sorted(pack.value for pack in entry_points(group=_FRAMEWORKS))
    found: dict[str, Framework] = {}
    for home in (_FRAMEWORKS, *packs):
        for item in files(home).iterdir():
            id, _, kind = item.name.rpartition(".")
            if kind != "csv" or item.name == _MAPPINGS:
                continue
            if id in found:
                raise RegistryError(f"two frameworks have the id {id}")
            found[id] = parse_framework(id, item.read_text(encoding="utf-8"))
    return dict(sorted(found.items()))


def framework(id: str) -> Framework:
    """Return the framework with this id.

    Raises
    ------
    InputError
        There is none; names the near ones.
    """
    known = frameworks()
    if id in known:
        return known[id]
    raise InputError(f"no framework has the id {id!r}", hint=meant(id, known))


@cache
def mappings() -> tuple[Mapping, ...]:
    """Return which control speaks on which requirement, sorted by control.

    Raises
    ------
    RegistryError
        A row names an unknown framework or requirement, or stands twice; names the line.
    """
    text = files(_FRAMEWORKS).joinpath(_MAPPINGS).read_text(encoding="utf-8")
    own = (
        Mapping(control, one.id, item.id, strength)
        for one in frameworks().values()
        for item in one.requirements.values()
        for control, strength in item.controls
    )
    return tuple(sorted((*parse_mappings(text), *own), key=lambda item: item.control))


@cache
def entries() -> tuple[Entry, ...]:
    """Return every number of the catalogue, sorted; what tests it is another question.

    Raises
    ------
    RegistryError
        A row is malformed; names the line.
    """
    text = files("kaudit.controls").joinpath(_CATALOGUE).read_text(encoding="utf-8")
    return tuple(_convert(row, Entry, at) for at, row in _rows(_CATALOGUE, text.splitlines()))


def planned(controls: Iterable[str]) -> list[Entry]:
    """Return the entries of the catalogue that none of the controls tests.

    Parameters
    ----------
    controls
        Ids of the controls that exist.
    """
    done = {entry_of(id) for id in controls}
    return [entry for entry in entries() if entry.id not in done]


def speaking(framework_id: str, controls: Iterable[Control]) -> dict[str, list[str]]:
    """Return requirement to the ids of the controls that speak on it, sorted.

    Raises
    ------
    InputError
        There is no such framework.
    """
    found: dict[str, list[str]] = {id: [] for id in framework(framework_id).requirements}
    for control in sorted(controls, key=lambda control: control.id):
        for id in references(control).get(framework_id, ()):
            found[id].append(control.id)
    return found


def strengths(control: Control | str) -> dict[str, dict[str, Strength]]:
    """Return framework to requirement to strength, for a control or a control id.

    Of the mapping, and of a control also what its decorator names: with the strength that
    the mapping gives, else as ``supporting``. See :func:`united` for the parts of an entry.
    """
    if isinstance(control, str):
        return united(control, {})
    return united(control.id, control.references)


def references(control: Control | str) -> dict[str, tuple[str, ...]]:
    """Return framework to the requirements that a control, or a control id, speaks on."""
    return {name: tuple(items) for name, items in strengths(control).items()}


def united(control_id: str, own: Lookup[str, Iterable[str]]) -> dict[str, dict[str, Strength]]:
    """Return framework to requirement to strength: the mapping and ``own`` references.

    A control with a letter (``KA-DEP-029a``) is a part of a catalogue entry. Where it has
    requirements of its own in a framework, it has these alone, as strong as its entry. Else
    it has those of its entry, where it decides none: what decides for the entry only
    supports for the part.
    """
    entry = entry_of(control_id)
    mapped = _by_control().get(control_id, {})
    whole = _by_control().get(entry, {}) if entry != control_id else {}
    found = {}
    for name in sorted({*mapped, *whole, *own}):
        known = {**whole.get(name, {}), **mapped.get(name, {})}
        items = dict(mapped.get(name, {}))
        for id in own.get(name, ()):
            items.setdefault(id, known.get(id, Strength.SUPPORTING))
        found[name] = items or {id: _of_part(strength) for id, strength in known.items()}
    return found


def entry_of(control_id: str) -> str:
    """Return the catalogue entry of a control: its id without the letter of a part."""
    return control_id.rstrip(_LETTERS)


def parse_framework(id: str, text: str) -> Framework:
    """Build a framework from the text of its file.

    Raises
    ------
    RegistryError
        A heading or column is missing or unknown, a word is not of the vocabulary, or a
        requirement stands twice; names the line.
    """
    file = f"{id}.csv"
    lines = text.splitlines()
    heads = {m[1]: m[2] for line in lines if (m := _HEAD.fullmatch(line))}
    found: dict[str, Requirement] = {}
    for where, row in _rows(file, lines):
        earlier = tuple((v, row[v]) for v in row if _VERSION.fullmatch(v) and row[v])
        given: dict[str, object] = {k: v for k, v in row.items() if v and not _VERSION.fullmatch(k)}
        given["controls"] = [_weighed(word) for word in row.get("controls", "").split()]
        item = _convert({**given, "framework": id, "earlier": earlier}, Requirement, where)
        if item.id in found:
            raise RegistryError(f"{where}: requirement {item.id} stands twice")
        found[item.id] = item
    return _convert({**heads, "id": id, "requirements": found}, Framework, file)


def parse_mappings(text: str) -> Iterator[Mapping]:
    """Yield the mappings of a table with control, framework, requirement and strength.

    Raises
    ------
    RegistryError
        A row names an unknown framework or requirement, or stands twice; names the line.
    """
    known = frameworks()
    seen: set[tuple[str, str, str]] = set()
    for where, row in _rows(_MAPPINGS, text.splitlines()):
        item = _convert(row, Mapping, where)
        key = (item.control, item.framework, item.requirement)
        if item.framework not in known:
            raise RegistryError(f"{where}: no framework {item.framework}")
        if item.requirement not in known[item.framework].requirements:
            raise RegistryError(f"{where}: {item.framework} has no requirement {item.requirement}")
        if key in seen:
            raise RegistryError(f"{where}: {' '.join(key)} stands twice")
        seen.add(key)
        yield item


def _weighed(word: str) -> tuple[str, str]:
    """Split ``KA-DEP-001=full``; without a strength, a control supports."""
    control, _, strength = word.partition("=")
    return control, strength or Strength.SUPPORTING


def _rows(file: str, lines: Iterable[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows below the headings, each with its file and line; a row is one line."""
    numbered = [(at, line) for at, line in enumerate(lines, 1) if not line.startswith("# ")]
    table = csv.reader((line for _, line in numbered), strict=True)
    head = next(table, [])
    for (at, _), cells in zip(numbered[1:], table, strict=False):
        where = f"{file}, line {at}"
        if len(cells) != len(head):
            raise RegistryError(f"{where}: {len(cells)} cells, but {len(head)} columns")
        yield where, dict(zip(head, cells, strict=True))


def _convert(row: object, kind: type[S], where: str) -> S:
    try:
        return msgspec.convert(row, kind)
    except msgspec.ValidationError as error:
        raise RegistryError(f"{where}: {error}") from None


def _of_part(strength: Strength) -> Strength:
    return Strength.SUPPORTING if strength is Strength.FULL else strength


@cache
def _by_control() -> dict[str, dict[str, dict[str, Strength]]]:
    found: dict[str, dict[str, dict[str, Strength]]] = {}
    for item in mappings():
        by = found.setdefault(item.control, {}).setdefault(item.framework, {})
        by[item.requirement] = item.strength
    return found
