"""The command line: parse, call, print."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kaudit import __version__

if TYPE_CHECKING:
    from kaudit.assessment import Assessment
    from kaudit.evidence.bundle import Evidence

app = typer.Typer(
    name="kaudit",
    help="Audit the security of Kubernetes clusters and manifests, from evidence to report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="SOURCE is context:NAME, a file or folder of manifests or dumps, - for standard input, "
    "or sealed evidence. Exit codes: 0 done; 1 findings at or above --fail-on; 2 wrong usage or "
    "unreadable input; 3 incomplete although --require-complete.",
)

Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE…", help="Cluster (context:NAME), files, folders, - or evidence."
    ),
]
One = Annotated[str, typer.Argument(metavar="SOURCE", help="As above, only one.")]
Format = Annotated[str, typer.Option("--format", "-f", help="table, json or csv.")]
Debug = Annotated[bool, typer.Option("--debug", help="Add the traceback to an error.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no remarks.")]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"],
        help="Moment that ages are measured from, in UTC; by default what the source tells.",
    ),
]
Secrets = Annotated[
    str,
    typer.Option(
        "--secrets",
        help="What to ask of a live cluster's Secrets: none, metadata or table. Values are never asked for.",
    ),
]
Chosen = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        "-P",
        metavar="NAME=VALUE",
        help="A decision of the auditor, such as allowed_registries=registry.example.com,ghcr.io/acme.",
    ),
]
WaiverFile = Annotated[Path | None, typer.Option("--waivers", help="YAML file of waivers.")]


def _guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Turn expected errors into one sentence and exit code 2."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        from kaudit.errors import KauditError

        try:
            command(*args, **kwargs)
        except KauditError as fault:
            if "--debug" in sys.argv:
                raise
            from kaudit.console import say

            say(f"kaudit: {fault}")
            raise typer.Exit(2) from None
        except BrokenPipeError:
            sys.stderr.close()
            raise typer.Exit(0) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        except typer.Exit:
            raise
        except Exception as fault:
            if "--debug" in sys.argv:
                raise
            from kaudit.console import say

            what = f"{type(fault).__name__}: {fault}"
            say(f"kaudit: this is a bug in kaudit ({what}); --debug shows where")
            raise typer.Exit(70) from None

    return run


def _utc(moment: datetime | None) -> datetime | None:
    from datetime import UTC

    return moment.replace(tzinfo=UTC) if moment is not None else None


def _evidence(
    sources: list[str],
    *,
    quiet: bool,
    as_of: datetime | None,
    secrets: str = "none",
    out: Path | None = None,
    raw: bool = False,
) -> Evidence:
    from kaudit.console import progress
    from kaudit.opening import evidence_of

    with progress(quiet=quiet) as hear:
        return evidence_of(
            sources, out=out, raw=raw, as_of=_utc(as_of), secrets=secrets, progress=hear
        )


def _choose(chosen: list[str] | None) -> Any:
    from kaudit.errors import InputError
    from kaudit.parameters import parse

    values = {}
    for text in chosen or ():
        name, sign, value = text.partition("=")
        if not sign:
            raise InputError(f"{text!r} is no NAME=VALUE")
        values[name.strip()] = value.strip()
    return parse(values)


def _assessed(
    evidence: Evidence,
    controls: list[str] | None,
    framework: str,
    waivers: Path | None,
    chosen: list[str] | None,
    *,
    quiet: bool,
) -> Assessment:
    from kaudit import registry
    from kaudit.assess import assess
    from kaudit.console import progress
    from kaudit.parameters import using
    from kaudit.waivers import load_waivers

    registry.load()
    wanted = [registry.find_control(c) for c in controls or ()] or list(registry.CONTROLS.values())
    if framework:
        from kaudit.catalogue import framework as known
        from kaudit.catalogue import references

        name = known(framework).id
        wanted = [c for c in wanted if name in references(c)]
    accepted = load_waivers(waivers) if waivers else ()
    with using(_choose(chosen)), progress(quiet=quiet) as hear:
        return assess(evidence, wanted, waivers=accepted, progress=hear)


@app.command()
@_guarded
def collect(
    sources: Sources,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Bundle to write: a folder, or NAME.kaudit for one file."),
    ],
    secrets: Secrets = "none",
    as_of: AsOf = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Collect evidence from clusters, manifests or dumps into a sealed bundle."""
    from kaudit.console import say

    found = _evidence(sources, quiet=quiet, as_of=as_of, secrets=secrets, out=out)
    if not quiet:
        failed = [gap for gap in found.gaps if gap.failed]
        rows = sum(part.rows for part in found.manifest.raw.values())
        say(f"{out}: {rows} objects, {len(failed)} gaps, evidence id {found.id}")
        for gap in failed[:10]:
            say(f"  gap: {gap.what}: {gap.reason.replace('_', ' ')} {gap.detail}")
        if len(failed) > 10:
            say(f"  and {len(failed) - 10} more; kaudit tables {out} --gaps lists all")


@app.command()
@_guarded
def tables(
    source: One,
    name: Annotated[str, typer.Argument(help="Table or view to print.")] = "",
    format: Format = "table",
    gaps: Annotated[bool, typer.Option("--gaps", help="List what could not be read.")] = False,
    dictionary: Annotated[bool, typer.Option("--dictionary", help="Describe the columns.")] = False,
    limit: Annotated[int, typer.Option("--limit", help="Rows to print; 0 prints all.")] = 50,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """List the tables of evidence, or print one."""
    from kaudit.console import say, show_frame, show_table

    found = _evidence([source], quiet=quiet, as_of=None)
    if gaps:
        rows = [
            (g.what, g.reason, g.namespace, g.kind, g.name, list(g.tables), g.detail)
            for g in found.gaps
        ]
        show_table(
            rows, ["what", "reason", "namespace", "kind", "name", "tables", "detail"], format=format
        )
    elif dictionary:
        from kaudit.dictionary import entries

        show_table(
            [(e.table, e.column, e.kind, e.null, e.sentence) for e in entries(name)],
            ["table", "column", "kind", "null", "meaning"],
            format=format,
        )
    elif name:
        table = found.table(name)
        some = table if not limit or format != "table" else table.head(limit)
        show_frame(some, title=f"{name}: {len(table)} rows", format=format)
        if len(some) < len(table):
            say(f"{len(table) - len(some)} more rows; --limit 0 prints all")
    else:
        show_frame(found.tables(), title=str(found.label), format=format)


@app.command()
@_guarded
def verify(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Sealed evidence.")],
    debug: Debug = False,
) -> None:
    """Check every hash of a bundle; say which file differs."""
    from kaudit.console import say
    from kaudit.evidence.bundle import Evidence

    found = Evidence.open(bundle, verify=True)
    parts = len(found.manifest.raw) + len(found.manifest.tables)
    say(f"{bundle}: {parts} files match their hashes; evidence id {found.id}", error=False)


@app.command()
@_guarded
def assess(
    sources: Sources,
    fail_on: Annotated[
        str,
        typer.Option(
            "--fail-on", help="Exit with 1 on unwaived findings of this severity or above."
        ),
    ] = "",
    require_complete: Annotated[
        bool,
        typer.Option(
            "--require-complete", help="Exit with 3 where something could not be assessed."
        ),
    ] = False,
    framework: Annotated[
        str, typer.Option("--framework", help="Only controls that support this framework.")
    ] = "",
    control: Annotated[
        list[str] | None, typer.Option("--control", help="Only this control; repeatable.")
    ] = None,
    waivers: WaiverFile = None,
    parameter: Chosen = None,
    format: Annotated[
        str, typer.Option("--format", "-f", help="table, or the name of an exporter: json, csv.")
    ] = "table",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write instead of stdout.")
    ] = None,
    secrets: Secrets = "none",
    as_of: AsOf = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Judge a source by the controls."""
    from kaudit import registry
    from kaudit.console import say, write
    from kaudit.errors import InputError
    from kaudit.model.words import Severity

    if fail_on and fail_on not in list(Severity):
        raise InputError(f"{fail_on!r} is no severity", hint=f"one of {', '.join(Severity)}")
    registry.load()
    if format != "table" and format not in registry.EXPORTERS:
        raise InputError(
            f"{format!r} is no format", hint=f"table, {', '.join(sorted(registry.EXPORTERS))}"
        )
    evidence = _evidence(sources, quiet=quiet, as_of=as_of, secrets=secrets)
    result = _assessed(evidence, control, framework, waivers, parameter, quiet=quiet)
    if format == "table":
        _print_assessment(result, quiet=quiet)
    else:
        chunks = registry.EXPORTERS[format].function(result)
        if out is None:
            for chunk in chunks:
                write(chunk)
        else:
            from kaudit.evidence.seal import replace_file

            replace_file(out, chunks)
    if fail_on and result.failed(Severity(fail_on)):
        if not quiet:
            say(f"{result.failed(Severity(fail_on))} findings at or above {fail_on}")
        raise typer.Exit(1)
    if require_complete and not result.complete:
        if not quiet:
            say("the assessment is incomplete; kaudit tables SOURCE --gaps says what is missing")
        raise typer.Exit(3)


def _print_assessment(result: Assessment, *, quiet: bool) -> None:
    from kaudit.console import say, show_table

    layers = [
        (x.layer, x.operation, x.operation_because, x.findings, x.waived, x.not_assessed)
        for x in result.layers
    ]
    show_table(
        layers,
        ["layer", "operation", "because", "findings", "waived", "not_assessed"],
        title=f"Conclusions on {result.evidence.label}",
    )
    rows = []
    for control in sorted(result.controls, key=lambda c: (c.severity.rank, c.id)):
        tally = result.tallies[control.id]
        if tally.fail_ or tally.not_assessed_ or tally.error_:
            rows.append(
                (
                    control.severity,
                    control.id,
                    control.title,
                    tally.population,
                    tally.fail_,
                    tally.waived,
                    tally.not_assessed_ + tally.error_,
                )
            )
    show_table(
        rows,
        ["severity", "control", "title", "population", "fail", "waived", "not_assessed"],
        title="Controls that fail or could not be assessed",
    )
    failed = [gap for gap in result.evidence.gaps if gap.failed]
    if failed and not quiet:
        say(
            f"{len(failed)} reads failed; what they weaken is not assessed (kaudit tables SOURCE --gaps)"
        )


@app.command()
@_guarded
def report(
    sources: Sources,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the report into.")],
    notebook: Annotated[
        str, typer.Option("--notebook", help="Notebook to run, by name or path.")
    ] = "audit",
    framework: Annotated[
        list[str] | None,
        typer.Option(
            "--framework", help="Frameworks to report on; repeatable; a choice of six by default."
        ),
    ] = None,
    waivers: WaiverFile = None,
    parameter: Chosen = None,
    title: Annotated[str, typer.Option("--title", help="Title on the cover.")] = "",
    pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="Write the PDF.")] = True,
    secrets: Secrets = "none",
    as_of: AsOf = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write the audit report: executed notebook, HTML, PDF and tables."""
    from kaudit.console import progress, say
    from kaudit.dossier import audit_report

    with progress(quiet=quiet) as hear:
        written = audit_report(
            sources,
            out,
            notebook=notebook,
            frameworks=tuple(framework or ()),
            waivers=waivers,
            parameters=_choose(parameter),
            title=title,
            pdf=pdf,
            secrets=secrets,
            as_of=_utc(as_of),
            progress=hear,
        )
    if not quiet:
        for path in written:
            say(str(path), error=False)


@app.command()
@_guarded
def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder to write the report into.")
    ] = Path("kaudit-demo"),
    pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="Write the PDF.")] = True,
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


@app.command()
@_guarded
def controls(
    id: Annotated[str, typer.Argument(help="Control to explain.")] = "",
    layer: Annotated[str, typer.Option("--layer", help="Only controls of this layer.")] = "",
    format: Format = "table",
    debug: Debug = False,
) -> None:
    """List the catalogue of controls, or explain one."""
    from kaudit import registry
    from kaudit.console import say, show_table, write
    from kaudit.errors import InputError
    from kaudit.exporters.json import described
    from kaudit.model.words import Layer

    registry.load()
    if layer and layer not in list(Layer):
        raise InputError(f"{layer!r} is no layer", hint=f"one of {', '.join(Layer)}")
    if id and format == "table":
        control = registry.find_control(id)
        say(
            f"{control.id}  {control.title}\n{control.layer}, {control.severity}\n\n{control.rationale}\n\n"
            f"Expected: {control.expected}\n\nRemedy:\n{control.remedy}\nCases:\n{control.cases}",
            error=False,
        )
        return
    chosen = (
        [registry.find_control(id)]
        if id
        else [c for _, c in sorted(registry.CONTROLS.items()) if not layer or c.layer == layer]
    )
    if format == "json":
        import msgspec

        write(
            msgspec.json.format(msgspec.json.encode([described(c) for c in chosen]), indent=2)
            + b"\n"
        )
        return
    show_table(
        [(c.id, c.layer, c.severity, c.title) for c in chosen],
        ["control", "layer", "severity", "title"],
        format=format,
    )


@app.command()
@_guarded
def pss(
    sources: Sources,
    level: Annotated[
        str, typer.Option("--level", help="privileged, baseline or restricted.")
    ] = "restricted",
    version: Annotated[
        str, typer.Option("--version", help="latest, or a version such as v1.34.")
    ] = "latest",
    readiness: Annotated[
        bool, typer.Option("--readiness", help="What would break, by namespace and level.")
    ] = False,
    format: Format = "table",
    fail: Annotated[
        bool, typer.Option("--fail", help="Exit with 1 where something is refused.")
    ] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Judge pods and templates by the Pod Security Standards."""
    from kaudit import pss as engine
    from kaudit.console import show_frame, show_table, write

    engine.known_level(level)
    engine.minor_of(version)
    evidence = _evidence(sources, quiet=quiet, as_of=None)
    if readiness:
        show_frame(engine.readiness(evidence, version), format=format)
        return
    found = list(engine.verdicts(evidence, level, version))
    if format == "json":
        import msgspec

        write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    else:
        rows = [
            (
                v.kind,
                v.namespace,
                v.name,
                "allowed" if v.allowed else "refused",
                x.check if x else "",
                x.message if x else "",
            )
            for v in found
            for x in (v.violations or (None,))
        ]
        show_table(
            rows,
            ["kind", "namespace", "name", "verdict", "check", "message"],
            title=f"{level} at {version}",
            format=format,
        )
    if fail and not all(v.allowed for v in found):
        raise typer.Exit(1)


@app.command()
@_guarded
def frameworks(
    name: Annotated[str, typer.Argument(help="Framework to list.")] = "",
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


@app.command()
@_guarded
def rbac(
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Include the right to list Secrets.")
    ] = False,
    namespace: Annotated[
        str, typer.Option("--namespace", help="Namespace of the service account.")
    ] = "kaudit",
    debug: Debug = False,
) -> None:
    """Print the least-privilege account that collection from a live cluster needs."""
    from kaudit.console import say
    from kaudit.rbac import manifest

    say(manifest(secrets=secrets, namespace=namespace), error=False)


@app.command()
@_guarded
def lab(
    bundle: Annotated[
        str, typer.Argument(metavar="[BUNDLE]", help="Evidence to work on; the demo's by default.")
    ] = "",
    folder: Annotated[Path, typer.Option("--folder", help="Workspace to make or reuse.")] = Path(
        "kaudit-lab"
    ),
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    port: Annotated[int, typer.Option("--port", help="Port on the loopback address.")] = 8888,
    debug: Debug = False,
) -> None:
    """Open JupyterLab with the notebooks and the evidence at hand (extra: lab)."""
    from kaudit.lab import open_lab

    open_lab(bundle, folder, browser=browser, port=port)


def _version(wanted: bool) -> None:
    if wanted:
        from kaudit.console import say

        say(f"kaudit {__version__}", error=False)
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line."""
    app()
