"""The command on who may connect to whom."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kaudit.cli.app import command
from kaudit.cli.options import Debug, Format, One, Quiet
from kaudit.cli.sources import read, say_failed, unread
from kaudit.text import count

if TYPE_CHECKING:
    from kaudit.connection_changes import Change
    from kaudit.connections import Cluster, Explanation
    from kaudit.model.port_space import PortRange
    from kaudit.segmentation import Judgement

_ASSUMED = "As the policies say: whether the network plugin enforces them is not looked at."


@command(
    "Judgement",
    "connections manifests",
    "connections evidence.kaudit --format json",
    "connections manifests --explain web/front shop/db TCP/5432",
    "connections old --compare new --format csv",
    "connections manifests --statements segmentation.yaml",
)
def connections(
    source: One,
    explain: Annotated[
        tuple[str, str, str] | None,
        typer.Option(
            "--explain",
            metavar="SRC DST PORT",
            help="Name the policies that decide on one connection: ends as namespace/name or "
            "as addresses, the port as 443 or UDP/53.",
        ),
    ] = None,
    compare: Annotated[
        str,
        typer.Option("--compare", metavar="SOURCE", help="Show what differs in a newer state."),
    ] = "",
    statements: Annotated[
        Path | None,
        typer.Option(
            "--statements",
            metavar="FILE",
            help="Test an auditor's statements, such as pci accepts only from frontend on 443; "
            "exit with 1 where one does not hold.",
        ),
    ] = None,
    format: Format = "table",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """List the connections that network policies allow, between workloads and with the outside.

    Policies are taken to be enforced. {ingress-controller} stands for whatever serves
    Ingresses and routes. Networks that pods have beside their primary one are listed by their
    name.
    """
    from kaudit.errors import InputError
    from kaudit.segmentation import load_statements

    if sum(map(bool, (explain, compare, statements))) > 1:
        what = "--explain, --compare and --statements are different questions"
        raise InputError(what, hint="ask one of them")
    stated = load_statements(statements) if statements else ()
    cluster = _cluster(source, quiet=quiet)
    if explain:
        _show_explanation(cluster.explained(*explain), format)
    elif statements:
        _show_tested(cluster.tested(stated), format)
    elif compare:
        _show_changes(cluster, _cluster(compare, quiet=quiet), format)
    else:
        _show_connections(cluster, format, quiet=quiet)


def _cluster(source: str, *, quiet: bool) -> Cluster:
    """Read a cluster, and say what could not be read of one that could be."""
    from kaudit.connections import Cluster

    cluster = Cluster(read([source], quiet=quiet))
    say_failed(cluster.evidence.gaps, [source], quiet=quiet)
    return cluster


def _text(ports: Iterable[PortRange]) -> str:
    """``all``, ``TCP 80,443, UDP``, or nothing."""
    from kaudit.model.port_space import described

    found = tuple(ports)
    return described(found) if found else ""


def _show_connections(cluster: Cluster, format: str, *, quiet: bool) -> None:
    from kaudit.connections import Connection
    from kaudit.console import say, show_json_list, show_table

    found = cluster.connections()
    if format == "json":
        lost = (Connection("", "", (), gap=gap) for gap in cluster.unread)
        show_json_list(chain(found, lost))
        return
    rows = [
        (one.src, one.dst, _text(one.connections), _text(one.unknown), one.network) for one in found
    ]
    headers = ["src", "dst", "connections", "unknown", "network"]
    title = f"{count(len(rows), 'pair')} that may connect"
    show_table(rows, headers, title=title, format=format, unread=unread(cluster.unread))
    if format == "table" and not quiet:
        say(_ASSUMED)


def _show_changes(old: Cluster, new: Cluster, format: str) -> None:
    from kaudit.connection_changes import Change, changes
    from kaudit.console import show_json, show_table

    found = changes(old.connections(), new.connections())
    lost = (("unread_before", old.unread), ("unread_after", new.unread))
    if format == "json":
        show_json([*found, *(Change(at, "", "", (), (), gap=g) for at, some in lost for g in some)])
        return
    show_table(
        [(c.change, c.src, c.dst, *_both(c), c.network) for c in found],
        ["change", "src", "dst", "before", "after", "network"],
        title=count(len(found), "pair differs", "pairs differ"),
        format=format,
        unread=[f"{at.replace('_', ' ')}: {text}" for at, some in lost for text in unread(some)],
    )


def _show_tested(found: list[Judgement], format: str) -> None:
    from kaudit.console import show_json, show_table
    from kaudit.segmentation import HOLDS, VIOLATED

    broken = sum(one.verdict == VIOLATED for one in found)
    if format == "json":
        show_json(found)
    else:
        show_table(
            [
                (one.id, one.verdict, one.says, " → ".join(one.path), one.ports, one.because)
                for one in found
            ],
            ["id", "verdict", "says", "way", "ports", "because"],
            title=f"{broken:,} of {count(len(found), 'statement')} violated",
            format=format,
        )
    if any(one.verdict != HOLDS for one in found):
        raise typer.Exit(1)


def _both(change: Change) -> tuple[str, str]:
    sides = (
        (change.before, change.unknown_before),
        (change.after, change.unknown_after),
    )
    texts = [
        _text(ports) + (f" (unknown: {_text(open_)})" if open_ else "") for ports, open_ in sides
    ]
    return texts[0], texts[1]


def _show_explanation(found: Explanation, format: str) -> None:
    from kaudit.console import say, show_json, show_table

    if format == "json":
        show_json(found)
        return
    show_table(
        [
            (r.direction, r.policy, r.effect, "" if r.rule is None else r.rule)
            for r in found.reasons
        ],
        ["direction", "policy", "effect", "rule"],
        title=f"{found.src} to {found.dst} on {found.protocol} {found.port}: {found.verdict}",
        format=format,
    )
    if found.networks and format == "table":
        say(f"Beside the primary networks it may go over {', '.join(found.networks)}.")
