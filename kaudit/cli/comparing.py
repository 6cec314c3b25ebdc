"""The command that compares two states: compare."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from kaudit.cli.app import command
from kaudit.cli.options import (
    ControlIds,
    Debug,
    Decisions,
    Format,
    Quiet,
    choice,
    severities,
)
from kaudit.cli.sources import decided, judged, read, say_failed, unread
from kaudit.text import shorten

if TYPE_CHECKING:
    from kaudit.compare import Change, Comparison, Side

#: Differences of one kind that are shown unless all are asked for.
_MOST = 20
_LONGEST = 200


@command(
    "Judgement",
    "compare june.kaudit july.kaudit",
    "compare june.kaudit context:production --waivers waivers.yaml --fail-on high",
    "compare main-branch/ this-branch/ --format json",
)
def compare(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The earlier source.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The later source.")],
    *,
    fail_on: Annotated[
        str,
        choice(
            "--fail-on",
            what="severity",
            among=severities,
            help="Exit with 1 on what is new at or above this severity.",
        ),
    ] = "",
    require_complete: Annotated[
        bool,
        typer.Option("--require-complete", help="Exit with 3 where something is incomparable."),
    ] = False,
    control: ControlIds = None,
    decisions: Decisions,
    format: Format = "table",
    everything: Annotated[
        bool, typer.Option("--all", help="Show all that differs, not the worst alone.")
    ] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Tell what became of findings: new, persisting, waived, fixed, gone or incomparable.

    Both sources are judged by the same controls and decisions. What one of them could not see is
    incomparable: neither new nor fixed.
    """
    import msgspec

    from kaudit.compare import Change, Difference
    from kaudit.compare import compare as engine
    from kaudit.console import say, show_json, show_table
    from kaudit.model.words import Severity

    parameters = decided(decisions)
    sides = []
    for source in (old, new):
        evidence = read([source], quiet=quiet)
        say_failed(evidence.gaps, [source], quiet=quiet)
        sides.append(judged(evidence, control, "", decisions.waivers, parameters, quiet=quiet))
    found = engine(*sides)
    if format == "json":
        show_json(found)
    elif format == "csv":
        rows = [msgspec.structs.astuple(one) for one in found.differences]
        lost = unread([gap for side in (found.old, found.new) for gap in side.gaps])
        show_table(rows, Difference.__struct_fields__, format=format, unread=lost)
    else:
        _show(found, everything=everything)
    worst = Severity(fail_on).rank if fail_on else -1
    bad = sum(d.change is Change.NEW and d.severity.rank <= worst for d in found.differences)
    if bad:
        if not quiet:
            say(f"{bad} new findings at or above {fail_on}")
        raise typer.Exit(1)
    if require_complete and found.counts[Change.INCOMPARABLE]:
        raise typer.Exit(3)


def _show(found: Comparison, *, everything: bool) -> None:
    from kaudit.compare import Change
    from kaudit.console import say, show_table
    from kaudit.model.words import Layer

    counts = Counter((one.layer, one.change) for one in found.differences)
    rows = [(layer, *(counts[layer, change] for change in Change)) for layer in Layer]
    rows.append(("all", *(found.counts[change] for change in Change)))
    old, new = (side.label + _moment(side) for side in (found.old, found.new))
    show_table(rows, ("layer", *Change), title=f"From {old} to {new}")
    if found.old.as_of and found.new.as_of and found.old.as_of > found.new.as_of:
        say("OLD is of a later moment than NEW: are they in order?")
    for change in Change:
        if change is Change.NEW or everything:
            _list(found, change, everything=everything)
    reasons = Counter(d.reason for d in found.differences if d.change is Change.INCOMPARABLE)
    if reasons and not everything:
        most = [(number, reason) for reason, number in reasons.most_common(_MOST)]
        show_table(most, ("findings", "why"), title="Incomparable")


def _moment(side: Side) -> str:
    return f" ({side.as_of:%Y-%m-%d})" if side.as_of else ""


def _list(found: Comparison, change: Change, *, everything: bool) -> None:
    from kaudit.console import say, show_table

    some = [one for one in found.differences if one.change is change]
    shown = some if everything else some[:_MOST]
    if not some:
        return
    told = (shorten(f"{d.resource}: {d.reason or d.observed}", _LONGEST) for d in shown)
    rows = [(d.severity, d.control, text) for d, text in zip(shown, told, strict=True)]
    title = f"{change.capitalize()}: {change.meaning}"
    show_table(rows, ("severity", "control", "resource"), title=title)
    if len(shown) < len(some):
        say(f"{len(some) - len(shown)} more; --all shows them", error=False)
