"""Commands that write what people read: report, demo, lab."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kaudit.cli.app import command
from kaudit.cli.options import (
    AsOf,
    Debug,
    Decisions,
    Quiet,
    Secrets,
    Sources,
    completed,
    framework_ids,
)
from kaudit.cli.outputs import WithOutputs, outputs_of
from kaudit.cli.sources import decided, say_failed, utc

if TYPE_CHECKING:
    from kaudit.model.words import Gap

_GROUP = "Reports"
_Pdf = Annotated[bool, typer.Option("--pdf/--no-pdf", help="Write the PDF.")]


@command(
    _GROUP,
    "report evidence.kaudit -o report",
    "report manifests -o report --framework cis-kubernetes --waivers waivers.yaml",
    "report context:production -o report -P allowed_registries=registry.example.com",
    "report manifests --trivy scans/ --notebook build -o report",
    "report july.kaudit --notebook drift --baseline june.kaudit -o report",
    kind=WithOutputs,
)
def report(
    context: typer.Context,
    sources: Sources,
    *,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FOLDER", help="Folder to write the report into."),
    ],
    notebook: Annotated[
        str,
        typer.Option("--notebook", metavar="NOTEBOOK", help="Notebook to run, by name or path."),
    ] = "audit",
    framework: Annotated[
        list[str] | None,
        typer.Option(
            "--framework",
            metavar="FRAMEWORK",
            autocompletion=completed(framework_ids),
            help="Frameworks to report on; repeatable; a choice of six by default.",
        ),
    ] = None,
    decisions: Decisions,
    baseline: Annotated[
        str,
        typer.Option(
            "--baseline",
            metavar="SOURCE",
            help="Earlier source, for a notebook that compares: drift.",
        ),
    ] = "",
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="Title on the cover.")] = "",
    pdf: _Pdf = True,
    secrets: Secrets = "none",
    as_of: AsOf = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write the audit report: executed notebook, HTML, PDF and tables."""
    from kaudit.console import progress, say
    from kaudit.dossier import audit_report

    gaps: list[Gap] = []
    with progress(quiet=quiet) as hear:
        written = audit_report(
            sources,
            out,
            notebook=notebook,
            frameworks=tuple(framework or ()),
            waivers=decisions.waivers,
            parameters=decided(decisions),
            title=title,
            baseline=baseline,
            pdf=pdf,
            secrets=secrets,
            as_of=utc(as_of),
            outputs=outputs_of(context),
            gaps=gaps,
            progress=hear,
        )
    say_failed(gaps, sources, quiet=quiet)
    if not quiet:
        for path in written:
            say(str(path), error=False)


@command(_GROUP, "demo", "demo --out reports/demo")
def demo(
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FOLDER", help="Folder to write the report into."),
    ] = Path("kaudit-demo"),
    pdf: _Pdf = True,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Run a whole audit on an embedded cluster and say where its report is."""
    from kaudit.console import progress, say
    from kaudit.dossier import demo_report

    with progress(quiet=quiet) as hear:
        written = demo_report(out, pdf=pdf, progress=hear)
    if not quiet:
        say("the report of the demo is here:", error=False)
        for path in written:
            say(f"  {path}", error=False)


@command(_GROUP, "lab", "lab evidence.kaudit --folder work --no-browser")
def lab(
    bundle: Annotated[
        str, typer.Argument(metavar="BUNDLE", help="Evidence to work on; the demo's by default.")
    ] = "",
    folder: Annotated[
        Path, typer.Option("--folder", metavar="FOLDER", help="Workspace to make or reuse.")
    ] = Path("kaudit-lab"),
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", help="Port on the loopback address.")
    ] = 8888,
    debug: Debug = False,
) -> None:
    """Open JupyterLab with the notebooks and the evidence at hand (extra: lab)."""
    from kaudit.lab import open_lab

    open_lab(bundle, folder, browser=browser, port=port)
