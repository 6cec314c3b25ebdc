"""The command for pipelines: gate."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kaudit.cli.app import command
from kaudit.cli.options import (
    Debug,
    Decisions,
    Quiet,
    choice,
    severities,
)
from kaudit.cli.outputs import WithOutputs, outputs_of
from kaudit.cli.scanning import Scanning, settings_of
from kaudit.cli.sources import decided

if TYPE_CHECKING:
    from kaudit.gate.verdict import Verdict

_SHOWN = ("critical", "high", "medium", "low")


def writers() -> Iterable[str]:
    """How a verdict can be printed or written."""
    return ("table", "json", "sarif", "junit")


def refusals() -> Iterable[str]:
    """From which severity of controls on the gate refuses."""
    return (*severities(), "none")


@command(
    "Judgement",
    "gate --image registry.example.com/shop/web:1.4",
    "gate --image web:1.4 --manifest deploy/ --dockerfile Dockerfile -o gate.sarif",
    "gate --image web:1.4 --max high=5 --max medium=20 --fixed-only --vex web.openvex.json",
    "gate --trivy trivy.json --kubesec kubesec.json --format json",
    kind=WithOutputs,
)
def gate(
    context: typer.Context,
    *,
    image: Annotated[
        list[str] | None,
        typer.Option("--image", metavar="REFERENCE", help="Image to release; repeatable."),
    ] = None,
    manifest: Annotated[
        list[Path] | None,
        typer.Option("--manifest", metavar="PATH", help="File or folder of manifests; repeatable."),
    ] = None,
    dockerfile: Annotated[
        list[Path] | None,
        typer.Option("--dockerfile", metavar="FILE", help="Dockerfile to read; repeatable."),
    ] = None,
    max: Annotated[
        list[str] | None,
        typer.Option(
            "--max",
            metavar="SEVERITY=N",
            help="Findings of a severity that are let through; critical=0 and high=0 by default.",
        ),
    ] = None,
    fixed_only: Annotated[
        bool, typer.Option("--fixed-only", help="Count only vulnerabilities that have a fix.")
    ] = False,
    min_score: Annotated[
        int, typer.Option("--min-score", metavar="N", help="Least score that kubesec must give.")
    ] = 0,
    fail_on: Annotated[
        str,
        choice(
            "--fail-on",
            what="severity",
            among=refusals,
            help="Refuse failures of kaudit's controls from this severity on; none lets all pass.",
        ),
    ] = "high",
    vex: Annotated[
        list[Path] | None,
        typer.Option("--vex", metavar="FILE", help="VEX document to honour; repeatable."),
    ] = None,
    ignore_file: Annotated[
        Path | None,
        typer.Option("--ignore-file", metavar="FILE", help="Trivy's list of exceptions."),
    ] = None,
    decisions: Decisions,
    scanning: Scanning,
    format: Annotated[
        str,
        choice(
            "--format",
            "-f",
            what="format",
            among=writers,
            help="What to print: table, json, sarif or junit.",
        ),
    ] = "table",
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="File to write beside: NAME.json, NAME.sarif or NAME.xml; repeatable.",
        ),
    ] = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Let a release through, or refuse it: images, manifests and Dockerfiles.

    Runs Trivy, Hadolint and kubesec, or those of --tools, or reads what they wrote; judges
    manifests and Dockerfiles by kaudit's controls too. Exits with 1 where a limit is exceeded,
    and with 3 where something could not be looked at: a scan that failed or saw nothing is no
    pass. What --vex clears, and what --ignore-file lets scanners pass, is counted.
    """
    from kaudit.console import progress
    from kaudit.errors import InputError
    from kaudit.evidence.seal import replace_file
    from kaudit.gate.run import TOOLS
    from kaudit.gate.run import gate as engine
    from kaudit.gate.verdict import Limits, limited
    from kaudit.gate.write import WRITERS, format_of
    from kaudit.model.words import Severity
    from kaudit.parameters import using
    from kaudit.waivers import load_waivers

    cosign = ",cosign" if scanning.key or scanning.identity else ""
    tools = scanning.tools or ",".join(TOOLS) + cosign
    settings = settings_of(scanning._replace(tools=tools), vex=vex, ignore=ignore_file, local=True)
    if ignore_file and "grype" in settings.tools:
        raise InputError("Grype reads no list of Trivy", hint="give a --vex document to both")
    limits = Limits(
        max=limited(max or ()),
        fixed_only=fixed_only,
        min_score=min_score,
        fail_on=None if fail_on == "none" else Severity(fail_on),
    )
    files = {path: format_of(path) for path in out or ()}
    accepted = load_waivers(decisions.waivers) if decisions.waivers else ()
    with using(decided(decisions)), progress(quiet=quiet) as hear:
        verdict = engine(
            image or (),
            manifest or (),
            dockerfile or (),
            outputs=outputs_of(context),
            settings=settings,
            limits=limits,
            waivers=accepted,
            progress=hear,
        )
    for path, name in files.items():
        replace_file(path, [WRITERS[name](verdict)])
    _show(verdict, format, quiet=quiet)
    raise typer.Exit(verdict.code)


def _show(verdict: Verdict, format: str, *, quiet: bool) -> None:
    from kaudit.console import say, show_table, write
    from kaudit.gate.verdict import Outcome
    from kaudit.gate.write import WRITERS
    from kaudit.text import count

    if format != "table":
        write(WRITERS[format](verdict))
    else:
        order = [*Outcome].index
        rows = [
            (
                check.outcome,
                check.what,
                check.tool,
                check.target,
                *(check.counts.get(severity, 0) for severity in _SHOWN),
                check.suppressed,
                check.unfixed,
                check.why,
            )
            for check in sorted(verdict.checks, key=lambda check: order(check.outcome))
        ]
        headers = ("outcome", "check", "tool", "target", *_SHOWN, "excepted", "unfixed", "why")
        show_table(rows, headers)
    if quiet:
        return
    told = {outcome: [c for c in verdict.checks if c.outcome is outcome] for outcome in Outcome}
    words = {
        Outcome.PASS: f"let through: {count(len(verdict.checks), 'check')} passed",
        Outcome.FAIL: f"refused: {count(len(told[Outcome.FAIL]), 'check')} failed",
        Outcome.INCOMPLETE: "incomplete: "
        + (
            f"{count(len(told[Outcome.INCOMPLETE]), 'thing')} could not be looked at"
            if verdict.checks
            else "there was nothing to look at in what was given"
        ),
    }
    say(f"gate: {words[verdict.outcome]}")
