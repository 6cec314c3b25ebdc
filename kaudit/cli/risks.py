"""Command that correlates: risks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kaudit.cli.app import command
from kaudit.cli.options import (
    AsOf,
    Debug,
    Decisions,
    Format,
    Quiet,
    Sources,
)
from kaudit.cli.outputs import WithOutputs, outputs_of
from kaudit.cli.sources import decided, judged, read, say_failed, unread

if TYPE_CHECKING:
    from kaudit.correlate import Risks
    from kaudit.model.risk import Chain


@command(
    "Judgement",
    "risks evidence.kaudit",
    "risks evidence.kaudit --top 3 --explain",
    "risks evidence.kaudit --format json",
    kind=WithOutputs,
)
def risks(
    context: typer.Context,
    sources: Sources,
    *,
    top: Annotated[
        int, typer.Option("--top", metavar="N", min=0, help="Only the first N; 0 for all.")
    ] = 20,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show each link with what was seen, and what to do.")
    ] = False,
    fail: Annotated[
        bool, typer.Option("--fail", help="Exit with 1 where a pattern is proven.")
    ] = False,
    decisions: Decisions,
    format: Format = "table",
    as_of: AsOf = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show workloads on which risks of several layers meet, worst first.

    A chain is proven where every link of a pattern was seen; where the evidence does not tell
    of a link, the chain stays possible and says what is missing. The order is told in words:
    proven before possible, then severity, stages of an attack, what will not
    wait, patterns, layers, links and pods.
    """
    from kaudit.console import progress, show_json
    from kaudit.correlate import correlate

    parameters = decided(decisions)
    evidence = read(sources, quiet=quiet, as_of=as_of, outputs=outputs_of(context))
    say_failed(evidence.gaps, sources, quiet=quiet)
    assessment = judged(evidence, None, "", decisions.waivers, parameters, quiet=quiet)
    with progress(quiet=quiet) as hear:
        found = correlate(assessment, progress=hear)
    chains = found.chains[:top] if top else found.chains
    if format == "json":
        show_json(found.document(chains))
    elif explain and format == "table":
        for chain in chains:
            _explain(chain)
    else:
        _table(found, chains, format)
    if fail and found.proven:
        raise typer.Exit(1)


def _table(found: Risks, chains: tuple[Chain, ...], format: str) -> None:
    from kaudit.console import show_table
    from kaudit.text import count

    rows = [
        (
            chain.rank,
            chain.severity.value,
            "proven" if chain.state.value == "holds" else "possible",
            chain.label,
            ", ".join(p.id for p in chain.patterns),
            chain.because,
            chain.cut.title if chain.cut else "",
        )
        for chain in chains
    ]
    title = (
        f"{count(len(found.proven), 'chain')} proven, {len(found.possible)} possible, "
        f"on {count(len(found.workloads), 'workload')}"
    )
    headers = ["rank", "severity", "state", "workload", "patterns", "because", "break first"]
    show_table(rows, headers, title=title, format=format, unread=unread(found.gaps))


def _explain(chain: Chain) -> None:
    from kaudit.console import show_table

    rows = [
        (
            link.layer.value,
            link.title,
            link.state.value,
            link.observed or link.reason,
            ", ".join(link.controls),
            f"{link.raw}:{link.raw_line}" if link.raw else "",
        )
        for link in chain.links
    ]
    patterns = "; ".join(f"{p.id} {p.title}" for p in chain.patterns)
    remedy = f"\nBreak it: {chain.cut.remedy}" if chain.cut else ""
    title = f"{chain.rank}. {chain.label}\n{chain.because}\n{patterns}{remedy}"
    headers = ["layer", "link", "state", "seen, or why not", "controls", "raw record"]
    show_table(rows, headers, title=title)
