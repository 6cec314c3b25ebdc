"""Command on policies that are not in force yet: what they would refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kaudit.cli.app import command
from kaudit.cli.options import Debug, Format, Quiet, Sources
from kaudit.cli.scanning import Pin, Scanning, TimeLimit, settings_of
from kaudit.cli.sources import read, say_failed, unread

_GROUP = "Judgement"
_SHOWN = (
    *("tool", "policy_kind", "policy", "rule", "actions", "result"),
    *("kind", "namespace", "name", "message"),
)


@command(
    _GROUP,
    "admission manifests --policies policies/",
    "admission context:production --policies require-labels.yaml --fail",
)
def admission(
    sources: Sources,
    policies: Annotated[
        list[Path],
        typer.Option(
            "--policies",
            metavar="FILE",
            help="Constraints and templates, or policies of Kyverno; repeatable.",
        ),
    ],
    format: Format = "table",
    fail: Annotated[
        bool,
        typer.Option(
            "--fail",
            help="Exit with 1 where something would be refused, with 3 where that is not known.",
        ),
    ] = False,
    time_limit: TimeLimit = 600.0,
    pin: Pin = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Tell what proposed policies would refuse of the objects that exist.

    gator and kyverno judge, where they are installed; they see neither the cluster nor a network.
    Exceptions of the cluster, and namespaces that Gatekeeper leaves out, hold for them too.
    """
    from kaudit.console import show_frame
    from kaudit.errors import InputError

    run = Scanning(tools="gator,kyverno", time_limit=time_limit, pin=pin)
    chosen = settings_of(run, images=False, proposed=tuple(policies))
    evidence = read(sources, quiet=quiet, scan=chosen)
    runs, left_out = evidence["tool_runs"], evidence.failed_reads("policy_verdicts")
    if not len(evidence["verdict_reports"]):
        said = [*runs["tool"] + ": " + runs["detail"].fillna("")]
        said += [f"{gap.what}: {gap.detail}" for gap in left_out] if not said else []
        hint = "; ".join(said) or "the sources hold no object that a policy could refuse"
        raise InputError("no engine judged anything", where=str(policies[0]), hint=hint)
    found = evidence["engine_verdicts"]
    found = found[(found["basis"] == "proposed") & found["result"].isin(["fail", "error"])]
    columns = [*_SHOWN]
    rows = found[columns].sort_values(columns[:4] + columns[6:9])
    show_frame(rows, format=format, unread=unread(left_out))
    say_failed(evidence.gaps, sources, quiet=quiet)
    unknown = bool(left_out) or bool((found["result"] == "error").any())
    if fail and (found["refused"].any() or unknown):
        raise typer.Exit(1 if found["refused"].any() else 3)
