"""Commands on evidence: collect, tables, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kaudit.cli.app import command
from kaudit.cli.options import (
    AnySources,
    AsOf,
    Debug,
    Format,
    Kinds,
    One,
    Quiet,
    Secrets,
    completed,
    listed,
    table_names,
)
from kaudit.cli.outputs import WithOutputs, outputs_of
from kaudit.cli.scanning import Scanning, settings_of
from kaudit.cli.sources import read, say_failed, unread
from kaudit.text import count

_GROUP = "Evidence"


@command(
    _GROUP,
    "collect manifests -o evidence.kaudit",
    "collect context:production --secrets metadata -o production.kaudit",
    "collect cluster-dump/ rendered.yaml --as-of 2026-05-31 -o bundle",
    "collect context:production --trivy scans/ --grype scans/ -o production.kaudit",
    "collect context:production --scan --key cosign.pub -o production.kaudit",
    "collect context:production --policies -o production.kaudit",
    kind=WithOutputs,
)
def collect(
    context: typer.Context,
    *,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="BUNDLE",
            help="Bundle to write: a folder, or NAME.kaudit for one file.",
        ),
    ],
    sources: AnySources = None,
    kinds: Kinds = "",
    secrets: Secrets = "none",
    as_of: AsOf = None,
    scan: Annotated[
        bool,
        typer.Option(
            "--scan", help="Run tools on the images that run, and on files of the sources."
        ),
    ] = False,
    policies: Annotated[
        bool,
        typer.Option(
            "--policies", help="Run gator and kyverno on the policies and objects that are found."
        ),
    ] = False,
    scanning: Scanning,
    vault: Annotated[
        str,
        typer.Option(
            "--vault",
            metavar="ADDRESS",
            help="Ask a Vault for its health and seal, without a login; needs kaudit[vault].",
        ),
    ] = "",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Collect evidence from clusters, manifests, dumps and outputs of tools into a bundle.

    Only reads. What cannot be read becomes a gap that says why; nothing is half-written.
    Outputs of tools that lie in a folder of SOURCE are found there; the options are for those
    that lie elsewhere. Each takes a file or a folder, and may be given again.

    With --scan every distinct image is scanned once, by the digest that runs: Trivy and Grype,
    and cosign where something says who must have signed; Hadolint reads Dockerfiles and kubesec
    manifests. What the same tool and database said of a digest before is not asked again. The
    tools see neither the cluster nor its credentials. An image that cannot be scanned is a gap.

    With --policies the cluster's own policies are evaluated on all objects: gator tells every
    violation where Gatekeeper's status lists but some, kyverno what its reports may have missed;
    each once more without exceptions, which shows what those hide. Neither sees a network.
    """
    from kaudit.console import say

    tools = bool(scanning.tools)
    settings = settings_of(scanning, images=scan or (tools and not policies), policies=policies)
    found = read(
        sources or (),
        quiet=quiet,
        as_of=as_of,
        secrets=secrets,
        out=out,
        kinds=listed(kinds),
        outputs=outputs_of(context),
        scan=settings if scan or tools or policies else None,
        vault=vault,
    )
    if quiet:
        return
    failed = sum(gap.failed for gap in found.gaps)
    rows = sum(part.rows for part in found.manifest.raw.values())
    say(f"{out}: {count(rows, 'object')}, {count(failed, 'failed read')}, evidence id {found.id}")
    say(f"seal {found.seal}")
    say_failed(found.gaps, [str(out)], quiet=quiet, most=10)


@command(
    _GROUP,
    "tables evidence.kaudit",
    "tables evidence.kaudit containers --limit 0",
    "tables evidence.kaudit pods --format csv > pods.csv",
    "tables evidence.kaudit --gaps",
    "tables evidence.kaudit pods --dictionary",
)
def tables(
    source: One,
    name: Annotated[
        str,
        typer.Argument(
            metavar="TABLE", autocompletion=completed(table_names), help="Table or view to print."
        ),
    ] = "",
    format: Format = "table",
    gaps: Annotated[bool, typer.Option("--gaps", help="List what could not be read.")] = False,
    dictionary: Annotated[bool, typer.Option("--dictionary", help="Describe the columns.")] = False,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", help="Rows to show as a table; 0 shows all.")
    ] = 50,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """List the tables of evidence, or print one."""
    from kaudit.console import say, show_frame, show_table

    found = read([source], quiet=quiet)
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
        lost = found.failed_reads(name)
        title = f"{name}: {count(len(table), 'row')}"
        show_frame(some, title=title, format=format, unread=unread(lost))
        say_failed(lost, [source], quiet=quiet)
        if len(some) < len(table) and not quiet:
            say(f"{count(len(table) - len(some), 'more row')}; --limit 0 prints all")
    else:
        lost = tuple(gap for gap in found.gaps if gap.failed)
        show_frame(found.tables(), title=str(found.label), format=format, unread=unread(lost))
        say_failed(found.gaps, [source], quiet=quiet)


@command(_GROUP, "verify evidence.kaudit", 'verify evidence.kaudit --seal "$SEAL"')
def verify(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Sealed evidence.")],
    seal: Annotated[
        str, typer.Option("--seal", metavar="HEX", help="Seal or id that it must have.")
    ] = "",
    debug: Debug = False,
) -> None:
    """Check every hash of a bundle; say which file differs.

    The id is of what was read and what could not be: the same wherever and by whatever version
    it is read. The seal is of all that the bundle says: also of when and from what it was read,
    and of its tables. Whoever keeps the seal apart from the bundle can tell that nothing of it
    was changed.
    """
    from kaudit.console import say
    from kaudit.errors import EvidenceError
    from kaudit.evidence.bundle import Evidence

    found = Evidence.open(bundle, verify=True)
    if seal and seal.lower() not in (found.seal, found.id):
        hint = "it is another bundle, or was altered and sealed anew"
        raise EvidenceError(f"neither its seal nor its id is {seal}", where=bundle, hint=hint)
    parts = len(found.manifest.raw) + len(found.manifest.tables)
    say(f"{bundle}: {parts} files match their hashes; evidence id {found.id}", error=False)
    if found.seal:
        say(f"seal {found.seal}", error=False)
    else:
        say(
            "no seal: an older kaudit wrote it, and does not tell whether its label, its time, "
            "its origins or its tables were changed",
            error=False,
        )
