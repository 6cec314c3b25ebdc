"""Commands that judge: assess, pss."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kaudit.cli.app import command
from kaudit.cli.options import (
    AsOf,
    ControlIds,
    Debug,
    Decisions,
    Format,
    Quiet,
    Secrets,
    Sources,
    choice,
    completed,
    exports,
    framework_ids,
    levels,
    severities,
)
from kaudit.cli.outputs import WithOutputs, outputs_of
from kaudit.cli.sources import decided, judged, read, say_failed, unread

if TYPE_CHECKING:
    from kaudit.assessment import Assessment
    from kaudit.pss import Verdict

_GROUP = "Judgement"


@command(
    _GROUP,
    "assess manifests",
    "assess evidence.kaudit --framework cis-kubernetes --all",
    "assess evidence.kaudit --control KA-DEP-001 --format csv",
    "assess evidence.kaudit --waivers waivers.yaml --format json -o results.json",
    "assess - --fail-on high --require-complete < rendered.yaml",
    kind=WithOutputs,
)
def assess(
    context: typer.Context,
    sources: Sources,
    *,
    fail_on: Annotated[
        str,
        choice(
            "--fail-on",
            what="severity",
            among=severities,
            help="Exit with 1 on unwaived findings of this severity or above.",
        ),
    ] = "",
    require_complete: Annotated[
        bool,
        typer.Option(
            "--require-complete", help="Exit with 3 where something could not be assessed."
        ),
    ] = False,
    framework: Annotated[
        str,
        typer.Option(
            "--framework",
            metavar="FRAMEWORK",
            autocompletion=completed(framework_ids),
            help="Only controls that support this framework.",
        ),
    ] = "",
    control: ControlIds = None,
    decisions: Decisions,
    format: Annotated[
        str,
        choice(
            "--format",
            "-f",
            what="format",
            among=exports,
            help="table, or the name of an exporter: csv, json, junit, sarif.",
        ),
    ] = "table",
    everything: Annotated[
        bool, typer.Option("--all", help="Show every control that fails, not the worst alone.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="File to write instead of stdout."),
    ] = None,
    secrets: Secrets = "none",
    as_of: AsOf = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Judge a source by the controls.

    Shows the conclusions by layer, the worst findings, what could not be assessed and where
    to look next; the formats of exporters hold every result.
    """
    from kaudit.errors import InputError

    if out is not None and format == "table":
        raise InputError("a table is only printed", hint="name a --format for the file")
    parameters = decided(decisions)
    evidence = read(sources, quiet=quiet, as_of=as_of, secrets=secrets, outputs=outputs_of(context))
    say_failed(evidence.gaps, sources, quiet=quiet)
    assessment = judged(evidence, control, framework, decisions.waivers, parameters, quiet=quiet)
    if format == "table":
        from kaudit.cli.overview import show

        show(assessment, sources, everything=everything, quiet=quiet)
    else:
        _export(assessment, format, out)
    _verdict(assessment, fail_on, require_complete, quiet=quiet)


def _export(assessment: Assessment, format: str, out: Path | None) -> None:
    from kaudit import registry
    from kaudit.console import write

    chunks = registry.EXPORTERS[format].function(assessment)
    if out is not None:
        from kaudit.evidence.seal import replace_file

        replace_file(out, chunks)
        return
    for chunk in chunks:
        write(chunk)


def _verdict(assessment: Assessment, fail_on: str, require_complete: bool, *, quiet: bool) -> None:
    from kaudit.console import say
    from kaudit.model.words import Severity

    if fail_on and (failed := assessment.failed(Severity(fail_on))):
        if not quiet:
            say(f"{failed} findings at or above {fail_on}")
        raise typer.Exit(1)
    if require_complete and not assessment.complete:
        if not quiet:
            say("the assessment is incomplete; kaudit tables SOURCE --gaps says what is missing")
        raise typer.Exit(3)


@command(
    _GROUP,
    "pss manifests --level restricted --version v1.34",
    "pss evidence.kaudit --readiness",
    "pss - --level baseline --fail < rendered.yaml",
)
def pss(
    sources: Sources,
    level: Annotated[
        str,
        choice(
            "--level",
            what="level",
            among=levels,
            help="privileged, baseline or restricted.",
        ),
    ] = "restricted",
    version: Annotated[
        str,
        typer.Option("--version", metavar="VERSION", help="latest, or a version such as v1.34."),
    ] = "latest",
    readiness: Annotated[
        bool, typer.Option("--readiness", help="What would break, by namespace and level.")
    ] = False,
    format: Format = "table",
    fail: Annotated[
        bool,
        typer.Option(
            "--fail",
            help="Exit with 1 where something is refused, with 3 where not all could be read.",
        ),
    ] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Judge pods and templates by the Pod Security Standards."""
    from kaudit import pss as engine
    from kaudit.console import show_frame, show_json
    from kaudit.errors import InputError

    if readiness and fail:
        raise InputError("--readiness refuses nothing", hint="leave out --fail, or give a --level")
    engine.minor_of(version)
    evidence = read(sources, quiet=quiet)
    say_failed(evidence.gaps, sources, quiet=quiet)
    missing = unread(evidence.failed_reads(*engine.TABLES))
    if readiness:
        show_frame(engine.readiness(evidence, version), format=format, unread=missing)
        return
    found = list(engine.verdicts(evidence, level, version))
    lost = list(engine.unread(evidence, level, version))
    if format == "json":
        show_json([*found, *lost])
    else:
        _show_verdicts(found, f"{level} at {version}", format, missing)
    refused = not all(v.allowed for v in found)
    if fail and (refused or lost):
        raise typer.Exit(1 if refused else 3)


def _show_verdicts(
    found: Sequence[Verdict], bounds: str, format: str, missing: Sequence[str]
) -> None:
    from kaudit.console import show_table

    refused = sum(not v.allowed for v in found)
    rows = [
        (
            v.kind,
            v.namespace,
            v.name,
            "allowed" if v.allowed else "refused",
            x.check if x else "",
            x.message if x else "",
        )
        for v in sorted(found, key=lambda v: bool(v.allowed))
        for x in (v.violations or (None,))
    ]
    show_table(
        rows,
        ["kind", "namespace", "name", "verdict", "check", "message"],
        title=f"{bounds}: {refused} of {len(found)} refused",
        format=format,
        unread=missing,
    )
