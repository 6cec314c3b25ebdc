"""The command that leads a finding back to what was read: trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from kaudit.cli.app import command
from kaudit.cli.options import AsOf, Debug, Decisions, Format, One, Quiet
from kaudit.cli.outputs import WithOutputs, outputs_of
from kaudit.cli.sources import decided, judged, read, say_failed, unread

if TYPE_CHECKING:
    from kaudit.provenance import Provenance


@command(
    "Evidence",
    "trace evidence.kaudit ka-dep-001.c405f100e5865f81",
    "trace evidence.kaudit ka-dep-001.c405f100e5865f81 --format json",
    "trace evidence.kaudit pods:12",
    kind=WithOutputs,
)
def trace(
    context: typer.Context,
    source: One,
    finding: Annotated[
        str,
        typer.Argument(
            metavar="FINDING",
            help="Fingerprint of a result, as reports and kaudit assess have it, or a raw record "
            "by its file and line, as pods:12.",
        ),
    ],
    *,
    decisions: Decisions,
    format: Format = "table",
    as_of: AsOf = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Follow a finding to its table row, its raw record, the file that was read and its hash."""
    from kaudit.console import show_json, show_table
    from kaudit.provenance import control_of, traced, traced_record

    parameters = decided(decisions)
    control = control_of(finding)
    evidence = read([source], quiet=quiet, as_of=as_of, outputs=outputs_of(context), raw=True)
    if control:
        waivers = decisions.waivers
        found = traced(judged(evidence, [control], "", waivers, parameters, quiet=quiet), finding)
    else:
        found = traced_record(evidence, finding)
    if format == "json":
        show_json(found)
    elif format == "csv":
        lost = (("Not read", "gap", text) for text in unread(found.gaps))
        show_table((*_told(found), *lost), ("part", *_HEADERS), format=format)
    else:
        _show(found)
    say_failed(found.gaps, [source], quiet=quiet)


_HEADERS = ("what", "value")
#: Rows of a table that are shown to people.
_MOST = 3


def _told(found: Provenance, most: int | None = None) -> list[tuple[str, str, Any]]:
    """Section, name and value of all that is known."""
    import msgspec

    told: list[tuple[str, str, Any]] = []
    if found.finding is not None:
        told += [("Finding", n, v) for n, v in msgspec.structs.asdict(found.finding).items()]
    several = len(found.rows) > 1
    for number, row in enumerate(found.rows[:most], start=1):
        title = f"Row of {found.table}" + (f", {number} of {len(found.rows)}" if several else "")
        told += [(title, name, value) for name, value in row.items()]
    names = ("file", "sha256", "document", "item") if found.raw else ()
    told += [("Read from", name, getattr(found, name)) for name in names]
    return told


def _show(found: Provenance) -> None:
    from itertools import groupby

    import msgspec

    from kaudit.console import say, show_table

    for title, told in groupby(_told(found, _MOST), key=lambda one: one[0]):
        rows = [(name, value) for _, name, value in told if value not in ("", None, [])]
        show_table(rows, _HEADERS, title=title)
    if not found.raw:
        say("It rests on no record: nothing of it was read, or it is about all that was.")
        return
    say(f"Record {found.raw}:{found.line}", error=False)
    record = msgspec.json.format(msgspec.json.encode(found.record), indent=2).decode()
    say(record, error=False, lines=True)
