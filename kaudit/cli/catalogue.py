"""Commands on what kaudit knows: controls, frameworks, rbac."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kaudit.cli.app import command
from kaudit.cli.options import (
    Debug,
    Format,
    Kinds,
    choice,
    completed,
    control_ids,
    framework_ids,
    layers,
    listed,
)

if TYPE_CHECKING:
    from kaudit.registry import Control

_GROUP = "Catalogue"


@command(
    _GROUP,
    "controls",
    "controls KA-DEP-001",
    "controls --layer network --format json",
    "controls --planned",
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
        choice(
            "--layer",
            what="layer",
            among=layers,
            help="Only controls of this layer: build, deploy, runtime, network or secrets.",
        ),
    ] = "",
    planned: Annotated[
        bool, typer.Option("--planned", help="What the catalogue has and no control tests yet.")
    ] = False,
    format: Format = "table",
    debug: Debug = False,
) -> None:
    """List the catalogue of controls, or explain one."""
    from kaudit import registry
    from kaudit.console import say, show_json, show_table
    from kaudit.exporters.json import described

    registry.load()
    if planned:
        _show_planned(layer, format)
        return
    if id and format == "table":
        say(_explained(registry.find_control(id)), error=False, lines=True)
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


def _show_planned(layer: str, format: str) -> None:
    from kaudit import registry
    from kaudit.catalogue import entries, planned
    from kaudit.chains import CORRELATIONS
    from kaudit.console import show_table

    known = [entry for entry in entries() if not layer or entry.layer == layer]
    found = [entry for entry in planned([*registry.CONTROLS, *CORRELATIONS]) if entry in known]
    show_table(
        [(e.id, e.layer, e.severity, e.fault) for e in found],
        ["control", "layer", "severity", "fault"],
        title=f"{len(found)} of {len(known)} numbers of the catalogue have no control yet",
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
    """List the framework catalogues, or the requirements of one and what tests them."""
    from kaudit.catalogue import frameworks as known
    from kaudit.console import show_table

    if name:
        _show_framework(name, format)
        return
    show_table(
        [(f.id, f.name, f.version, len(f.requirements)) for f in known().values()],
        ["framework", "name", "version", "requirements"],
        format=format,
    )


def _show_framework(name: str, format: str) -> None:
    from kaudit import registry
    from kaudit.catalogue import framework, mappings, planned, speaking
    from kaudit.console import say, show_table

    registry.load()
    known = framework(name)
    tested = speaking(known.id, registry.CONTROLS.values())
    later = {entry.id for entry in planned(registry.CONTROLS)}
    waiting: dict[str, list[str]] = {id: [] for id in known.requirements}
    for item in mappings():
        if item.framework == known.id and item.control in later:
            waiting[item.requirement].append(item.control)
    columns = ["id", "title", "section", "assessable_from", "coverage", "controls", "planned"]
    rows = [
        (r.id, r.title, r.section, r.assessable_from, r.coverage, tested[r.id], waiting[r.id])
        for r in known.requirements.values()
    ]
    if format != "table":
        show_table(rows, columns, format=format)
        return
    untested = sum(not ids for ids in tested.values())
    show_table(
        [
            (id, title, place, at_best, _some(now), _some(soon))
            for id, title, _, place, at_best, now, soon in rows
        ],
        [c for c in columns if c != "section"],
        title=f"{known.name} {known.version}: {len(rows)} requirements, "
        f"{untested} of them tested by no control yet",
    )
    say(f"coverage is what the whole catalogue can say at best. {known.notice}", error=False)


def _some(ids: list[str]) -> str:
    return f"{ids[0]} and {len(ids) - 1} more" if len(ids) > 2 else ", ".join(ids)


@command(
    _GROUP,
    "rbac | kubectl apply -f -",
    "rbac --secrets --namespace audit",
    "rbac --kinds pods,namespaces",
)
def rbac(
    kinds: Kinds = "",
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

    say(manifest(listed(kinds), secrets=secrets, namespace=namespace), error=False, lines=True)
