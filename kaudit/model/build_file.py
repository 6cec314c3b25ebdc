"""Record of a Dockerfile: its instructions, without the values of credentials."""

from __future__ import annotations

import shlex

import msgspec

from kaudit.model import dockerfile
from kaudit.model.credential import by_name, by_shape, masked, masked_arguments, verdict


class Pair(msgspec.Struct, gc=False, omit_defaults=True):
    """Name and value of ARG, ENV or LABEL; a credential has a kind and no value."""

    name: str
    value: str | None = None
    credential: str = ""


class Line(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """One instruction; ``script`` is what RUN gives to a shell."""

    name: str
    line: int
    text: str = ""
    flags: list[tuple[str, str]] = []
    items: list[str] | None = None
    pairs: list[Pair] = []
    script: str = ""
    heredocs: int = 0
    trigger: bool = False

    def flag(self, name: str) -> str | None:
        """Value of the last flag of a name."""
        return next((value for flag, value in reversed(self.flags) if flag == name), None)


class BuildFile(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of one Dockerfile."""

    report: str
    file: str
    lines: list[Line]


def line_of(found: dockerfile.Instruction) -> Line:
    """Return an instruction without what must not be kept."""
    return Line(
        name=found.name,
        line=found.line,
        text="" if found.pairs else masked(found.text),
        flags=[(name, masked(value)) for name, value in found.flags],
        items=None if found.items is None else masked_arguments(found.items),
        pairs=[_pair(found.name, name, value) for name, value in found.pairs],
        script="\n".join(masked(row) for row in _script(found).splitlines()),
        heredocs=len(found.heredocs),
        trigger=found.trigger,
    )


def _pair(instruction: str, name: str, value: str | None) -> Pair:
    """Judge a value: an argument without default that is named so is given on the command line."""
    kind = by_shape(value or "") or verdict(name, value or "")
    if instruction != "LABEL" and by_name(name) and (value is None or value.startswith("$")):
        kind = kind or "named as a credential"
    return Pair(name, None, kind) if kind else Pair(name, value and masked(value))


def _script(found: dockerfile.Instruction) -> str:
    if found.name != "RUN":
        return ""
    if found.items is not None:
        return shlex.join(found.items)
    texts = [document.text for document in found.heredocs]
    first = found.text.split(maxsplit=1)[0].rpartition("/")[2]
    if texts and (first.startswith("<<") or first in ("sh", "bash", "ash", "dash")):
        return "\n".join(texts)
    return found.text
