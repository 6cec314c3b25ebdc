"""Commands on what kaudit knows: controls, frameworks, rbac."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kaudit.cli.app import command
from kaudit.cli.options import (
    Debug,
    Format,
    completed,
    control_ids,
    framework_ids,
    layers,
    one_of,
)

if TYPE_CHECKING:
    from kaudit.registry import Control

_GROUP = "Catalogue"


@command(
    _GROUP,
    "controls",
    "controls KA-DEP-001",
    "controls --layer network --format json",
)
def controls(
    id: Annotated[
        str,
        typer.Argument(
            metavar="ID", autocompletion=completed(control_ids), help="Control to explain."
        ),
    ] = "",
    layer: Annotated[
        str,
        typer.Option(
            "--layer",
            metavar="LAYER",
            callback=one_of("layer", layers),
            autocompletion=completed(layers),
            help="Only controls of this layer: build, deploy, runtime, network or secrets.",
        ),
    ] = "",
    format: Format = "table",
    debug: Debug = False,
) -> None:
    """List the catalogue of controls, or explain one."""
    from kaudit import registry
    from kaudit.console import say, show_json, show_table
    from kaudit.exporters.json import described

    registry.load()
    if id and format == "table":
        say(_explained(registry.find_control(id)), error=False)
        return
    chosen = (
        [registry.find_control(id)]
        if id
        else [c for _, c in sorted(registry.CONTROLS.items()) if not layer or c.layer == layer]
    )
    if format == "json":
        show_json([described(c) for c in chosen])
        return
    show_table(
        [(c.id, c.layer, c.severity, c.title) for c in chosen],
        ["control", "layer", "severity", "title"],
        format=format,
    )


def _explained(control: Control) -> str:
    from kaudit.catalogue import references
    from kaudit.registry import base_tables

    known = "\n".join(f"  {name}: {', '.join(ids)}" for name, ids in references(control).items())
    return (
        f"{control.id}  {control.title}\n{control.layer}, {control.severity}\n\n"
        f"{control.rationale}\n\nExpected: {control.expected}\n"
        f"Tables: {', '.join(base_tables(control.subject, *control.needs))}\n\n"
        f"Requirements\n{known or '  none'}\n\n"
        f"Remedy\n{_indented(control.remedy)}\n\nCases\n{_indented(control.cases)}"
    )


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.strip("\n").splitlines())


@command(_GROUP, "frameworks", "frameworks cis-kubernetes", "frameworks pss --format csv")
def frameworks(
    name: Annotated[
        str,
        typer.Argument(
            metavar="FRAMEWORK",
            autocompletion=completed(framework_ids),
            help="Framework whose requirements to list.",
        ),
    ] = "",
    format: Format = "table",
    debug: Debug = False,
) -> None:
    """List the framework catalogues, or the requirements of one."""
    from kaudit.catalogue import framework
    from kaudit.catalogue import frameworks as known
    from kaudit.console import show_table

    if name:
        rows = [
            (r.id, r.title, r.section, r.assessable_from, r.coverage)
            for r in framework(name).requirements.values()
        ]
        show_table(rows, ["id", "title", "section", "assessable_from", "coverage"], format=format)
    else:
        show_table(
            [(f.id, f.name, f.version, len(f.requirements)) for f in known().values()],
            ["framework", "name", "version", "requirements"],
            format=format,
        )


@command(_GROUP, "rbac | kubectl apply -f -", "rbac --secrets --namespace audit")
def rbac(
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Include the right to list Secrets.")
    ] = False,
    namespace: Annotated[
        str,
        typer.Option("--namespace", metavar="NAMESPACE", help="Namespace of the service account."),
    ] = "kaudit",
    debug: Debug = False,
) -> None:
    """Print the least-privilege account that collection from a live cluster needs."""
    from kaudit.console import say
    from kaudit.rbac import manifest

    say(manifest(secrets=secrets, namespace=namespace), error=False)
