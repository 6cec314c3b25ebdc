"""What the code of a policy reads of the object that it judges."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypedDict

import msgspec

from kaudit.model.policy_text import CONTAINER_FIELDS
from kaudit.model.safe_values import direction
from kaudit.model.values import EACH, SOME, Path, Reader, at, longest, made_of

#: Where pods stand in what makes them; what is left of the path is that of a pod.
_TEMPLATES = (("spec", "jobTemplate", "spec", "template"), ("spec", "template"), ("template",))
_PLAIN = re.compile(r"[\w-]+", re.ASCII)
#: What columns say of the words for what is compared with.
COMPARES = "what it compares with: digest, latest, registry, socket, all, net_raw, default"
SAFE = "fields of which it demands safe values, and none that are not"
UNSAFE = "fields of which it demands a value that is not safe"
#: Any member at any depth.
WHOLE = "**"


class ReadColumns(TypedDict):
    """Columns that every table of policies has of what their code reads."""

    reads_known: bool
    container_fields: list[str]
    fields: list[str]
    required_fields: list[str] | None
    safe_fields: list[str]
    unsafe_fields: list[str]
    compares: list[str]


class Reads(msgspec.Struct, frozen=True):
    """What was found by reading code.

    Attributes
    ----------
    known
        It could be read to the end; else there may be more.
    fields
        Paths that it reads, sorted: of a pod from ``spec``, of a container without its list.
    lists
        Those of containers, initContainers and ephemeralContainers that it looks at.
    parameters
        Names of the parameters that it reads; ``*`` where it may read any.
    compares
        What it compares with: ``digest``, ``latest``, ``registry`` (images must come from
        some), ``socket`` (a path of one), ``all`` and ``net_raw`` (capabilities), ``default``.
    required
        Fields whose absence it refuses, sorted; None where that cannot be told.
    safe
        Fields of which it demands values that are safe, and none that are not, sorted.
    unsafe
        Fields of which it demands a value that is not safe, sorted.
    """

    known: bool = True
    fields: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    compares: tuple[str, ...] = ()
    required: tuple[str, ...] | None = None
    safe: tuple[str, ...] = ()
    unsafe: tuple[str, ...] = ()

    @property
    def columns(self) -> ReadColumns:
        """What tables of policies tell of it."""
        return ReadColumns(
            reads_known=self.known,
            container_fields=list(self.lists),
            fields=list(self.fields),
            required_fields=None if self.required is None else list(self.required),
            safe_fields=list(self.safe),
            unsafe_fields=list(self.unsafe),
            compares=list(self.compares),
        )

    def unused(self, declared: Iterable[str]) -> list[str] | None:
        """Return those of the declared parameters that it never reads; None where unknown."""
        if not self.known:
            return None
        return [] if "*" in self.parameters else sorted({*declared} - {*self.parameters})

    def __add__(self, other: Reads) -> Reads:
        mine, theirs = self.required, other.required
        both = None if mine is None or theirs is None else tuple(sorted({*mine, *theirs}))
        unsafe = {*self.unsafe, *other.unsafe}
        return Reads(
            self.known and other.known,
            tuple(sorted({*self.fields, *other.fields})),
            tuple(sorted({*self.lists, *other.lists})),
            tuple(sorted({*self.parameters, *other.parameters})),
            tuple(sorted({*self.compares, *other.compares})),
            both,
            tuple(sorted({*self.safe, *other.safe} - unsafe)),
            tuple(sorted(unsafe)),
        )

    def or_else(self, other: Reads) -> Reads:
        """Return what holds whichever of two pieces of code is run: lists that both look at."""
        whole = self + other
        lists = tuple(name for name in whole.lists if name in self.lists and name in other.lists)
        required = self.required if other.required is None else whole.required
        required = other.required if self.required is None else required
        return msgspec.structs.replace(whole, lists=lists, required=required)


UNKNOWN = Reads(known=False)
#: Images of a pod, as the variable ``images`` of Kyverno holds them by list.
IMAGES = {name: made_of(at("object", "spec", name, EACH, "image")) for name in CONTAINER_FIELDS}


def of_reader(reader: Reader, required: tuple[str, ...] | None = None) -> Reads:
    """Return what was read, in one form for every language."""
    fields, lists, parameters = set[str](), set[str](), set[str]()
    known = True
    for path in longest(reader.paths):
        if path[0] == "params":
            parameters.add(path[1] if len(path) > 1 and path[1] not in (EACH, SOME) else "*")
        if path[0] != "object" or len(path) == 1:
            continue
        place = of_pod(path[1:])
        known = known and place[:2] != ("spec", SOME)
        lists |= lists_of(place)
        fields.add(written(place))
    return Reads(
        known,
        tuple(sorted(fields)),
        tuple(sorted(lists)),
        tuple(sorted(parameters)),
        tuple(sorted(_words(reader))),
        required,
        *_directions(
            reader, fields, given=any("exempt" not in name.lower() for name in parameters)
        ),
    )


def _directions(
    reader: Reader, fields: set[str], *, given: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Fields of which safe values are demanded, and those of which others are.

    Parameters
    ----------
    given
        It is given values, which are taken to be what its code is made for: safe.

    Notes
    -----
    A value that is both accepted and refused tells cases apart, and nothing of what is demanded.
    """
    told: dict[str, set[bool]] = {}
    said = {(field_of(path), accepted, value) for path, accepted, value in reader.said}
    for field, accepted, value in said:
        found = direction(field, accepted, value)
        if found is not None and (field, not accepted, value) not in said:
            told.setdefault(field, set()).add(found)
    unsafe = {field for field, found in told.items() if False in found}
    safe = told.keys() | (fields if given else set())
    return tuple(sorted(safe - unsafe)), tuple(sorted(unsafe))


def field_of(path: Path) -> str:
    """Return a place in what is judged as a field."""
    return written(of_pod(path[1:])) if path[0] == "object" else ""


def _words(reader: Reader) -> set[str]:
    """Words for what was compared with; the texts themselves are not kept."""
    found = set(reader.marks)
    for text in reader.compared:
        bare = text.strip("!* ")
        found |= {"digest"} if "@" in bare else set()
        found |= {"latest"} if bare == ":" or bare.rpartition(":")[2] == "latest" else set()
        found |= {"socket"} if ".sock" in bare else set()
        found |= {bare.lower().removeprefix("cap_")} & {"all", "net_raw", "default"}
    return found


def refused(reader: Reader) -> tuple[str, ...] | None:
    """Fields that count where they are not set, sorted; None where it cannot be told of some."""
    found = _fields(reader.denied)
    unsure = _fields(reader.gathered) - found
    return None if any(tells(name) for name in unsure) else tuple(sorted(found))


def _fields(paths: Iterable[Path]) -> set[str]:
    places = (path[1:] for path in longest(paths) if path[0] == "object" and path[1:])
    return {written(of_pod(place)) for place in places}


def tells(name: str) -> bool:
    """Whether a field is one that something may be demanded of, when it is not set."""
    return name not in ("image", "name") and not name.startswith(("metadata", "spec.volumes"))


def of_pod(place: Path) -> Path:
    """Return a place as one in a pod, where it is one in a template."""
    for before in _TEMPLATES:
        if place[: len(before)] == before and len(place) > len(before):
            return place[len(before) :]
    return place


def lists_of(place: Path) -> set[str]:
    """Lists of containers that a place of a pod leads to."""
    if WHOLE in place:
        return set(CONTAINER_FIELDS)
    if place[:1] != ("spec",) or len(place) < 2:
        return set()
    if place[1] == EACH and len(place) > 2:
        return set(CONTAINER_FIELDS)
    return {place[1]} & {*CONTAINER_FIELDS}


def written(place: Path) -> str:
    """Return a place as text: below a container from the container, else from the pod."""
    held = place[:1] == ("spec",) and place[1:2] and place[1] in (*CONTAINER_FIELDS, EACH)
    if held and len(place) > 2:
        rest = place[3:] if place[2] in (EACH, SOME) else place[2:]
        place = ("image",) if rest[:1] == ("image",) else rest or place[:2]
    text = ""
    for name in place:
        if name in (EACH, SOME):
            text += "[]" if name == EACH else "[?]"
        else:
            plain = _PLAIN.fullmatch(name) or name == WHOLE
            text += f".{name}" if plain else f"['{name[:120]}']"
    return text.removeprefix(".")
