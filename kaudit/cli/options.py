"""Arguments and options that several commands share, with their checks and completions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from kaudit.errors import InputError
from kaudit.text import meant

Words = Callable[[], Iterable[str]]


def listed(text: str) -> tuple[str, ...]:
    """Words of a text, between commas."""
    return tuple(filter(None, map(str.strip, text.split(","))))


def one_of(what: str, known: Words) -> Callable[[str], str]:
    """Return a check that a word is known; none given is left to the command."""

    def check(value: str) -> str:
        if value and value not in known():
            raise InputError(f"{value!r} is no {what}", hint=meant(value, known()))
        return value

    return check


def completed(known: Words) -> Callable[[str], list[str]]:
    """Return a completion by the known words."""

    def complete(incomplete: str) -> list[str]:
        return [word for word in known() if word.startswith(incomplete)]

    return complete


def choice(*names: str, what: str, among: Words, help: str, metavar: str = "") -> Any:
    """Return an option whose value is one of some words: checked, and completed."""
    return typer.Option(
        *names,
        metavar=metavar or what.upper(),
        callback=one_of(what, among),
        autocompletion=completed(among),
        help=help,
    )


def formats() -> Iterable[str]:
    """How rows can be printed."""
    return ("table", "json", "csv")


def exports() -> Iterable[str]:
    """How an assessment can be printed or written."""
    from kaudit import registry

    registry.load_catalogue("exporters")
    return ("table", *sorted(registry.EXPORTERS))


def severities() -> Iterable[str]:
    """Words of severity, worst first."""
    from kaudit.model.words import Severity

    return tuple(Severity)


def layers() -> Iterable[str]:
    """The five layers."""
    from kaudit.model.words import Layer

    return tuple(Layer)


def levels() -> Iterable[str]:
    """Levels of the Pod Security Standards."""
    return ("privileged", "baseline", "restricted")


def secret_reads() -> Iterable[str]:
    """What may be asked of a live cluster's Secrets."""
    return ("none", "metadata", "table")


def control_ids() -> Iterable[str]:
    """Ids of the controls."""
    from kaudit import registry

    registry.load()
    return sorted(registry.CONTROLS)


def framework_ids() -> Iterable[str]:
    """Ids of the framework catalogues."""
    from kaudit.catalogue import frameworks

    return frameworks()


def table_names() -> Iterable[str]:
    """Names of tables and views."""
    from kaudit import registry

    registry.load()
    return sorted(registry.TABLES)


def decisions() -> Iterable[str]:
    """Names of the auditor's decisions, as they begin on the command line."""
    from msgspec.structs import fields

    from kaudit.parameters import Parameters

    return [f"{field.name}=" for field in fields(Parameters)]


Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE", help="Cluster (context:NAME), files, folders, - or sealed evidence."
    ),
]
AnySources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SOURCE]",
        help="Cluster (context:NAME), files, folders or -; none for tools alone.",
    ),
]
ControlIds = Annotated[
    list[str] | None,
    typer.Option(
        "--control",
        metavar="ID",
        autocompletion=completed(control_ids),
        help="Only this control; repeatable.",
    ),
]
One = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE", help="Cluster (context:NAME), file, folder, - or sealed evidence."
    ),
]
Format = Annotated[
    str,
    choice(
        "--format",
        "-f",
        what="format",
        among=formats,
        help="table, json or csv.",
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Add the traceback to an error.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no remarks.")]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        metavar="TIME",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"],
        help="Moment that ages are measured from, in UTC, as 2026-05-31 or "
        "2026-05-31T12:00:00Z; by default what the source tells.",
    ),
]
Kinds = Annotated[
    str,
    typer.Option(
        "--kinds",
        metavar="KINDS",
        help="Kinds to read, such as pods,namespaces; the others become gaps. All by default.",
    ),
]
Secrets = Annotated[
    str,
    choice(
        "--secrets",
        what="way to read Secrets",
        among=secret_reads,
        metavar="WHAT",
        help="What to ask of a live cluster's Secrets: none, metadata or table. "
        "Values are never asked for.",
    ),
]


class Decisions(NamedTuple):
    """Options on what the auditor has decided."""

    waivers: Annotated[
        Path | None,
        typer.Option("--waivers", metavar="FILE", help="YAML file of accepted failures."),
    ] = None
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-P",
            metavar="NAME=VALUE",
            autocompletion=completed(decisions),
            help="A decision of the auditor, such as allowed_registries=ghcr.io/acme; repeatable.",
        ),
    ] = None
    parameters: Annotated[
        Path | None,
        typer.Option(
            "--parameters",
            metavar="FILE",
            help="YAML file of such decisions, NAME: VALUE; those of -P come first.",
        ),
    ] = None
