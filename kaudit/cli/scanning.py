"""Options for tools that kaudit runs itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from kaudit.cli.options import listed
from kaudit.errors import InputError

if TYPE_CHECKING:
    from kaudit.source.run.tool import Settings

TimeLimit = Annotated[
    float,
    typer.Option("--time-limit", metavar="SECONDS", min=1, help="Time limit of one run of a tool."),
]
Pin = Annotated[
    list[str] | None,
    typer.Option(
        "--pin",
        metavar="TOOL=sha256:…",
        help="SHA-256 that the program of a tool must have, else it is not run; repeatable.",
    ),
]


class Scanning(NamedTuple):
    """Options on what is run, and how."""

    tools: Annotated[
        str,
        typer.Option(
            "--tools",
            metavar="TOOLS",
            help="Tools to run, such as trivy,grype; by default all that have something to do.",
        ),
    ] = ""
    jobs: Annotated[int, typer.Option("--jobs", metavar="N", min=1, help="Runs side by side.")] = 2
    time_limit: TimeLimit = 600.0
    pin: Pin = None
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="Public key to verify signatures of images by."),
    ] = None
    identity: Annotated[
        str,
        typer.Option("--identity", metavar="TEXT", help="Who must have signed, without a key."),
    ] = ""
    issuer: Annotated[
        str, typer.Option("--issuer", metavar="URL", help="Who must vouch for --identity.")
    ] = ""
    without_log: Annotated[
        bool,
        typer.Option(
            "--without-log", help="Accept signatures by --key that no transparency log holds."
        ),
    ] = False
    schemas: Annotated[
        Path | None,
        typer.Option(
            "--schemas",
            metavar="FOLDER",
            help="JSON schemas of Kubernetes for kubesec, which loads them from the network else.",
        ),
    ] = None


def settings_of(
    options: Scanning,
    *,
    ignore: Path | None = None,
    vex: Sequence[Path] | None = None,
    **more: Any,
) -> Settings:
    """Check what was decided on the command line; ``more`` are settings of the command itself.

    Raises
    ------
    InputError
        A file is not there, a tool has no such name, a pin is none, or a part is missing.
    """
    from kaudit.source.run.scan import TOOLS, known
    from kaudit.source.run.tool import Settings, pinned

    pins = {}
    for text in options.pin or ():
        name, sign, digest = text.partition("=")
        if not sign:
            raise InputError(f"{text!r} is no TOOL=DIGEST", hint="such as trivy=sha256:…")
        if name not in TOOLS:
            known([name])
        pins[name] = digest
    key, schemas, ignored = (
        path and _there(path) for path in (options.key, options.schemas, ignore)
    )
    documents = tuple(map(_there, vex or ()))
    names = known(listed(options.tools))
    settings = Settings(
        tools=names,
        jobs=options.jobs,
        seconds=options.time_limit,
        pins=pinned(pins),
        key=key,
        identity=options.identity,
        issuer=options.issuer,
        without_log=options.without_log,
        schemas=schemas,
        vex=documents,
        ignore=ignored,
        **more,
    )
    if bool(settings.identity) != bool(settings.issuer):
        raise InputError("--identity and --issuer belong together", hint="give both, or a --key")
    if settings.key is not None and settings.identity:
        raise InputError("signatures are verified by a key or an identity", hint="give one of them")
    if settings.without_log and settings.key is None:
        raise InputError("--without-log is for signatures by a key", hint="give a --key")
    if "cosign" in names and not settings.verifies:
        raise InputError("nothing says who must have signed", hint="give --key, or --identity")
    return settings


def _there(path: Path) -> Path:
    if not path.exists():
        raise InputError("there is no such file or folder", where=path)
    return path.absolute()
