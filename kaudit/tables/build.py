"""How images are built: Dockerfiles and their stages."""

from __future__ import annotations

from typing import Annotated

from kaudit.table import Resource, Table, Trace, doc


class DockerfileRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the file in every table")]
    file: Annotated[str, doc("file")]
    stages: Annotated[int, doc("stages")]
    base: Annotated[str, doc("base of the last stage, with the defaults of its arguments put in")]
    final_user: Annotated[
        str | None, doc("last USER of the last stage and those it builds on; null: none is set")
    ] = None
    user_line: Annotated[int | None, doc("line of that USER")] = None
    user_known: Annotated[bool, doc("False where the user is an argument without a default")]
    user_root: Annotated[bool, doc("that user is root, by name or number")]
    user_numeric: Annotated[bool, doc("that user is a number, which runAsNonRoot can judge")]
    user_of_base: Annotated[
        bool,
        doc("no USER is set, but the tag of the base says that it has one that is not root"),
    ]
    healthcheck: Annotated[bool, doc("the last stage has a HEALTHCHECK; Kubernetes ignores it")]
    entrypoint_form: Annotated[str, doc("ENTRYPOINT of the last stage: json, shell or none")]
    command_form: Annotated[str, doc("CMD of the last stage: json, shell or none")]
    ports: Annotated[list[str], doc("EXPOSE of the last stage, as written")]
    image_source: Annotated[
        str | None, doc("label org.opencontainers.image.source of the last stage")
    ] = None
    image_revision: Annotated[
        str | None, doc("label org.opencontainers.image.revision of the last stage")
    ] = None
    instructions: Annotated[int, doc("instructions")]


class DockerfileStageRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the file in every table")]
    file: Annotated[str, doc("file")]
    stage: Annotated[int, doc("number of the stage, from 0, as COPY --from counts")]
    part: Annotated[int, doc("0: its FROM; from 1: an image that it copies from")] = 0
    name: Annotated[str | None, doc("name of the stage")] = None
    line: Annotated[int, doc("line")]
    place: Annotated[str, doc("line, as line N")]
    written: Annotated[str, doc("image as written")]
    image: Annotated[str, doc("image with the defaults of arguments put in")]
    known: Annotated[bool, doc("False where an argument has no default")]
    platform: Annotated[str | None, doc("--platform")] = None
    from_stage: Annotated[bool, doc("it is another stage of the file, or scratch: no image")]
    final: Annotated[bool, doc("the last stage: the image")]
    shipped: Annotated[bool, doc("the last stage, or one that it builds on")]


class DockerfileFactRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the file in every table")]
    file: Annotated[str, doc("file")]
    position: Annotated[int, doc("place among the facts of the file, from 1")]
    line: Annotated[int, doc("line of the instruction")]
    stage: Annotated[int, doc("number of the stage, from 0; -1: before the first")]
    shipped: Annotated[bool, doc("in the last stage, or in one that it builds on")]
    instruction: Annotated[str, doc("instruction")]
    fact: Annotated[
        str,
        doc(
            "add_url, credential, sudo, pipe_to_shell, upgrade, audit, unpinned_packages, "
            "open_mode, copy_all, chown or secret_mount"
        ),
    ]
    detail: Annotated[str, doc("what says so; of credentials the name and the kind alone")]


_FILE = Resource("=File", namespace="", name="file")
DOCKERFILES = Table(
    "dockerfiles", DockerfileRow, grain="one Dockerfile", key=("file", "report"), resource=_FILE
)
DOCKERFILE_STAGES = Table(
    "dockerfile_stages",
    DockerfileStageRow,
    grain="one image that a Dockerfile builds on or copies from",
    key=("file", "report", "stage", "part"),
    resource=_FILE,
)
DOCKERFILE_FACTS = Table(
    "dockerfile_facts",
    DockerfileFactRow,
    grain="one thing that an instruction of a Dockerfile does",
    key=("file", "report", "position"),
    resource=_FILE,
)
