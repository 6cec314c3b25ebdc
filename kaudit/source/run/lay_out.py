"""Policies as they are laid out for engines, and what is told of those that are not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from kaudit.model import kept_policies
from kaudit.model.kept_policies import listed, member
from kaudit.model.words import Gap, Reason
from kaudit.source.run.objects import Object, Objects
from kaudit.source.run.secrets import BEYOND, UNREAD

#: What a policy asks of others, in the words of a gap.
ASKS = "{} asks {}, which engines are not shown, so it was not evaluated"


def told_of_secrets(objects: Objects, one: Object, *, holds: bool) -> Iterator[Gap]:
    """Tell of a policy whose verdicts on Secrets are not known."""
    may, named = kept_policies.on_secrets(one)
    if may and objects.secrets.given and not holds:
        yield left_out(one, BEYOND)
    elif named and objects.secrets.unread:
        yield left_out(one, UNREAD)


def left_out(one: Object, why: str) -> Gap:
    """Return the gap of a policy that is not evaluated, or not on all."""
    name = str(one["metadata"].get("name") or "")
    return Gap(
        what=f"{one['kind']} {name}",
        reason=Reason.PARTIAL,
        kind=one["kind"],
        namespace=str(one["metadata"].get("namespace") or ""),
        name=name,
        tables=("policy_verdicts",),
        detail=why,
    )


def id_of(one: Object) -> tuple[str, str, str]:
    """Group and kind, namespace and name."""
    meta = one["metadata"]
    space = str(meta.get("namespace") or "")
    return f"{group_of(one)}/{one['kind']}", space, str(meta.get("name") or "")


def group_of(one: Object) -> str:
    """Return the API group of an object."""
    return str(one.get("apiVersion") or "").rpartition("/")[0]


def of_group(found: Iterable[Object], group: str) -> list[Object]:
    """Return the objects of a group."""
    return [one for one in found if group_of(one) == group]


def entries(one: Object, part: str, name: str) -> list[Object]:
    """Return the objects of a list that lies in a part."""
    return [*map(dict, listed(member(one, part).get(name)))]


def place_of(objects: Objects, tool: str, name: str) -> Path:
    """Folder of the policies of a target."""
    return objects.folder / f"{tool}-{name.replace(' ', '-')}"


def write(objects: Objects, tool: str, name: str, file: str, found: Iterable[Object]) -> None:
    """Write objects, one a line, beside those of the same target."""
    path = place_of(objects, tool, name) / file
    path.parent.mkdir(exist_ok=True)
    text = "".join(f"---\n{msgspec.json.encode(one).decode()}\n" for one in found)
    path.write_text(text, encoding="utf-8")
