"""Dockerfiles: stages, users, and what their instructions do.

Source: the Dockerfile reference (docs.docker.com); the parser is ``kaudit.model.dockerfile``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from kaudit.errors import InputError
from kaudit.model import dockerfile
from kaudit.model.build_file import BuildFile, Line, line_of
from kaudit.model.dockerfile import has_variable, substituted
from kaudit.model.installs import facts
from kaudit.model.place import Place
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.build import (
    DOCKERFILE_FACTS,
    DOCKERFILE_STAGES,
    DOCKERFILES,
    DockerfileFactRow,
    DockerfileRow,
    DockerfileStageRow,
)

_FROM = re.compile(r"^[ \t]*FROM[ \t]+\S", re.MULTILINE | re.IGNORECASE)
_FIRST = re.compile(r"^[ \t]*(?:FROM|ARG)[ \t]+\S", re.IGNORECASE)
_STAGE = re.compile(r"^(?P<image>\S+)(?:\s+AS\s+(?P<name>\S+))?\s*$", re.IGNORECASE)
_URL = re.compile(r"^(?:https?://|git@|git://|ssh://)", re.IGNORECASE)
_WHOLE = re.compile(r"^\.?/?\*?$")
_ROOT = re.compile(r"^(?:root|0+)(?::|$)")
_NUMBER = re.compile(r"^\d+(?::|$)")
_LONGEST = 200


def _recognise(content: Content) -> bool:
    if content.shape != "text":
        return False
    lines = content.data[: 1 << 16].decode("utf-8", "replace").splitlines()
    first = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    return bool(_FIRST.match(first) and _FROM.search("\n".join(lines)))


@tool(
    "dockerfile",
    title="Dockerfile",
    help="Dockerfiles and Containerfiles.",
    recognise=_recognise,
    files=(
        "Dockerfile",
        "dockerfile",
        "Dockerfile.*",
        "*.Dockerfile",
        "*.dockerfile",
        "Containerfile",
        "Containerfile.*",
    ),
)
def take_dockerfile(content: Content) -> Iterator[Taken | Lost]:
    """Take the one record out, and tell what BuildKit would refuse."""
    faults: list[str] = []
    found = dockerfile.parse(content.whole.decode("utf-8", "replace"), faults)
    if not any(one.name == "FROM" for one in found):
        raise InputError("is no Dockerfile: it has no FROM")
    for fault in faults:
        yield Lost("Dockerfile", fault)
    record = BuildFile(
        report=content.report, file=content.name, lines=[line_of(one) for one in found]
    )
    yield Taken("Dockerfile", msgspec.json.encode(record))


class _Stage(msgspec.Struct):
    """One stage: its FROM, what follows, and the stage that it builds on."""

    number: int
    head: Line
    written: str
    image: str
    name: str | None
    parent: int | None
    lines: list[Line]
    values: dict[str, str | None]


def _stages(found: BuildFile) -> tuple[list[Line], list[_Stage]]:
    """Cut a file at its FROMs; what comes before the first is ARG alone."""
    before: list[Line] = []
    stages: list[_Stage] = []
    given: dict[str, str | None] = {}
    numbers: dict[str, int] = {}
    for line in found.lines:
        if line.name != "FROM" or line.trigger:
            if not stages:
                before.append(line)
                for pair in line.pairs:
                    given[pair.name] = pair.value and substituted(pair.value, given)
                continue
            stage = stages[-1]
            stage.lines.append(line)
            if line.name in ("ARG", "ENV"):
                _define(stage.values, line, given)
            continue
        match = _STAGE.match(line.text)
        written, name = (match["image"], match["name"]) if match else (line.text, None)
        image = substituted(written, given)
        parent = numbers.get(image.lower())
        values = dict(stages[parent].values) if parent is not None else {}
        stages.append(_Stage(len(stages), line, written, image, name, parent, [], values))
        if name:
            numbers[name.lower()] = len(stages) - 1
    return before, stages


def _define(values: dict[str, str | None], line: Line, given: dict[str, str | None]) -> None:
    for pair in line.pairs:
        value = given.get(pair.name) if line.name == "ARG" and pair.value is None else pair.value
        values[pair.name] = value and substituted(value, values)


def _shipped(stages: list[_Stage]) -> list[_Stage]:
    """Return the last stage and those that it builds on, last first."""
    found = [stages[-1]]
    while (parent := found[-1].parent) is not None:
        found.append(stages[parent])
    return found


@collector(Read.of("dockerfile", "Dockerfile", "dockerfiles", BuildFile), tables=(DOCKERFILES,))
def dockerfiles(found: BuildFile, at: Place) -> Iterator[Row]:
    """Yield one file: what its last stage makes."""
    _, stages = _stages(found)
    if not stages:
        return
    shipped = _shipped(stages)
    own = [line for stage in reversed(shipped) for line in stage.lines if not line.trigger]
    last = {line.name: line for line in own}
    user = last.get("USER")
    name = substituted(user.text, stages[-1].values) if user else None
    labels = {p.name: p.value for line in own if line.name == "LABEL" for p in line.pairs}
    base = shipped[-1].image
    check = last.get("HEALTHCHECK")
    yield DockerfileRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        file=found.file,
        stages=len(stages),
        base=base,
        final_user=name,
        user_line=user.line if user else None,
        user_known=not has_variable(name or ""),
        user_root=bool(name and _ROOT.match(name)),
        user_numeric=bool(name and _NUMBER.match(name)),
        user_of_base=user is None and "nonroot" in base.partition("@")[0].rpartition(":")[2],
        healthcheck=check is not None and check.text.upper() != "NONE",
        entrypoint_form=_form(last.get("ENTRYPOINT")),
        command_form=_form(last.get("CMD")),
        ports=[port for line in own if line.name == "EXPOSE" for port in line.text.split()],
        image_source=labels.get("org.opencontainers.image.source"),
        image_revision=labels.get("org.opencontainers.image.revision"),
        instructions=len(found.lines),
    )


def _form(line: Line | None) -> str:
    return "none" if line is None else "shell" if line.items is None else "json"


@collector(
    Read.of("dockerfile", "Dockerfile", "dockerfiles", BuildFile), tables=(DOCKERFILE_STAGES,)
)
def dockerfile_stages(found: BuildFile, at: Place) -> Iterator[Row]:
    """Yield each image that a stage builds on or copies from."""
    _, stages = _stages(found)
    if not stages:
        return
    shipped = {stage.number for stage in _shipped(stages)}
    names = {stage.name.lower() for stage in stages if stage.name}
    for stage in stages:
        images = [(0, stage.head, stage.written, stage.image)]
        copied = [line for line in stage.lines if line.name in ("COPY", "ADD", "RUN")]
        for line in copied:
            for image in _copied_from(line):
                if not image.isdigit() and image.lower() not in names:
                    resolved = substituted(image, stage.values)
                    images.append((len(images), line, image, resolved))
        for part, line, written, image in images:
            yield DockerfileStageRow(
                raw=at.raw,
                raw_line=at.line,
                report=found.report,
                file=found.file,
                stage=stage.number,
                part=part,
                name=stage.name,
                line=line.line,
                place=f"line {line.line}",
                written=written,
                image=image,
                known=not has_variable(image),
                platform=stage.head.flag("platform") if part == 0 else None,
                from_stage=image == "scratch" or (part == 0 and stage.parent is not None),
                final=stage is stages[-1],
                shipped=stage.number in shipped,
            )


def _copied_from(line: Line) -> Iterator[str]:
    """Images or stages that COPY --from and RUN --mount=…,from= name."""
    if source := line.flag("from"):
        yield source
    for name, value in line.flags:
        if name == "mount":
            parts = dict(part.partition("=")[::2] for part in value.split(","))
            if source := parts.get("from"):
                yield source


@collector(
    Read.of("dockerfile", "Dockerfile", "dockerfiles", BuildFile), tables=(DOCKERFILE_FACTS,)
)
def dockerfile_facts(found: BuildFile, at: Place) -> Iterator[Row]:
    """Yield what instructions do that matters."""
    before, stages = _stages(found)
    shipped = {stage.number for stage in _shipped(stages)} if stages else set()
    numbered = [(-1, line) for line in before]
    numbered += [(stage.number, line) for stage in stages for line in stage.lines]
    position = 0
    for stage, line in numbered:
        for fact, detail in _facts(line):
            position += 1
            yield DockerfileFactRow(
                raw=at.raw,
                raw_line=at.line,
                report=found.report,
                file=found.file,
                position=position,
                line=line.line,
                stage=stage,
                shipped=stage in shipped,
                instruction=line.name,
                fact=fact,
                detail=detail[:_LONGEST],
            )


def _facts(line: Line) -> Iterator[tuple[str, str]]:
    for pair in line.pairs:
        if pair.credential:
            yield "credential", f"{pair.name}: {pair.credential}"
    if line.name == "RUN":
        yield from facts(line.script)
        if "[masked" in line.script:
            yield "credential", line.script
        if any(name == "mount" and "type=secret" in value for name, value in line.flags):
            yield "secret_mount", "--mount=type=secret"
    elif line.name in ("ADD", "COPY"):
        words = line.items if line.items is not None else line.text.split()
        sources = words[:-1]
        for source in sources:
            if line.name == "ADD" and _URL.match(source) and line.flag("checksum") is None:
                yield "add_url", source
            if _WHOLE.match(source) and line.flag("from") is None:
                yield "copy_all", f"{line.name} {line.text}"
        if owner := line.flag("chown"):
            yield "chown", owner
        if (line.flag("chmod") or "").endswith(("777", "666")):
            yield "open_mode", f"--chmod={line.flag('chmod')}"
