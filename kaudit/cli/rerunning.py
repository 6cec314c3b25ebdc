"""The command that performs a report again: rerun."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kaudit.cli.app import command
from kaudit.cli.options import Debug, Format, Quiet

if TYPE_CHECKING:
    from kaudit.rerun import Rerun


@command(
    "Reports",
    "rerun report",
    "rerun evidence.kaudit",
    "rerun report --out again",
    "rerun report --format json",
)
def rerun(
    report: Annotated[
        Path,
        typer.Argument(
            metavar="REPORT|BUNDLE", help="Folder that kaudit report has written, or evidence."
        ),
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Keep what is made anew."),
    ] = None,
    format: Format = "table",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Make a report anew from its evidence and parameters, and compare it byte by byte.

    The tables of the evidence, or of a bundle alone, are made anew from its raw records, and
    compared row by row. Nothing that a report holds is executed: the notebook is kaudit's own.
    Exits with 1 where anything differs.
    """
    from kaudit.anew import State
    from kaudit.console import progress, show_json, show_table
    from kaudit.rerun import rerun as engine

    with progress(quiet=quiet) as hear:
        found = engine(report, out=out, progress=hear)
    shown = [f for f in found.files if f.state is not State.SAME or format != "table"]
    if format == "json":
        show_json(found)
    elif format == "csv" or shown:
        rows = [(f.name, f.state, f.state.meaning, f.line or None) for f in shown]
        show_table(rows, ("file", "state", "meaning", "line"), format=format)
    if not quiet:
        _conclude(found)
    if not found.identical:
        raise typer.Exit(1)


def _conclude(found: Rerun) -> None:
    from kaudit.console import say

    states = Counter(file.state for file in found.files)
    told = ", ".join(f"{number} {state}" for state, number in states.most_common())
    what = "the report is" if found.notebook else "the tables are"
    verdict = f"{what} reproduced" if found.identical else f"{what} NOT reproduced"
    say(f"{verdict} by kaudit {found.kaudit} from evidence {found.evidence}: {told}")
