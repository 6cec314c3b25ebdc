"""The cases of connectivity: truth tables of pairs, lists of connections, changes, errors."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, NamedTuple

from kaudit.connection_changes import changes
from kaudit.connections import Cluster
from kaudit.errors import InputError
from kaudit.model.port_space import PortRange
from kaudit.opening import evidence_of
from tests.shared import shared

TABLES = ("k8s-e2e-netpol", "network-policy-api")
LISTS = "netpol-analyzer"
#: What a list needs to be of the core: the other levels are optional features.
CORE = {"NP", "Ingress", "none", "NP+Ingress"}
ALL = "All Connections"
_PORTS = frozenset((protocol, 1, 65535) for protocol in ("TCP", "UDP", "SCTP"))


class Case(NamedTuple):
    id: str
    suite: str
    path: Path
    expected: str
    rule: str
    level: str
    note: str

    @property
    def folder(self) -> Path:
        return shared("conformance", self.suite)


class Outcome(NamedTuple):
    case: Case
    expected: str
    found: str

    @property
    def agrees(self) -> bool:
        return self.expected == self.found


@cache
def cases(suite: str) -> tuple[Case, ...]:
    folder = shared("conformance", suite)
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Case(
                row["case_id"],
                suite,
                folder / row["file"],
                row["expected"],
                row["rule"],
                row["level"],
                row["note"],
            )
            for row in csv.DictReader(file)
        )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cluster(path: Path) -> Cluster:
    return Cluster(evidence_of([str(path)]))


def wrong_pairs(case: Case) -> list[str]:
    """Verdicts of a truth table that differ; replicas of a workload stand for it."""
    found = cluster(case.path)
    nodes = {(w.namespace, w.name): min(classes) for w, classes in found.classes.items()}

    def node(text: str) -> int:
        namespace, name = text.split("/")
        return nodes.get((namespace, name)) or nodes.get((namespace, name.rpartition("-")[0]), 0)

    wrong = []
    for row in _rows(case.path.parent / "expected.csv"):
        allowed, unknown = found.network.verdict(node(row["src"]), node(row["dst"]))
        piece = found.network.ports.containing(row["protocol"], int(row["port"]))
        verdict = "allow" if allowed & piece else "unknown" if unknown & piece else "deny"
        if verdict != row["verdict"]:
            wrong.append(f"{row['src']} to {row['dst']} {row['protocol']} {row['port']}: {verdict}")
    return wrong


Row = tuple[Any, ...]
#: How the peer marks a namespace that has a network of its own.
_OWN = "[udn]/"


def normal(found: Iterable[tuple[str, str, Any]]) -> set[Row]:
    """Rows of which those with equal ports at one workload have their addresses put together."""
    plain: set[Row] = set()
    ranges: dict[Row, list[tuple[int, int]]] = {}
    for src, dst, ports in found:
        src, dst = src.replace(_OWN, "/"), dst.replace(_OWN, "/")
        source, target = _range(src), _range(dst)
        if span := source or target:
            ranges.setdefault(("" if source else src, "" if target else dst, ports), []).append(
                span
            )
        else:
            plain.add((src, dst, ports))
    for key, spans in ranges.items():
        merged: list[tuple[int, int]] = []
        for first, last in sorted(spans):
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            else:
                merged.append((first, last))
        plain.add((*key, tuple(merged)))
    return plain


def _range(text: str) -> tuple[int, int] | None:
    text = text.removesuffix("[External]")
    try:
        if "/" in text:
            net = ip_network(text)
            return int(net[0]), int(net[-1])
        first, _, last = text.partition("-")
        return int(ip_address(first)), int(ip_address(last))
    except ValueError:
        return None


def ports_of(text: str) -> frozenset[tuple[str, int, int]]:
    """Ports as the peer writes them: ``TCP 80,443-445,UDP 53``."""
    if text == ALL:
        return _PORTS
    found, protocol = set(), ""
    for part in text.split(",") if text != "No Connections" else ():
        named, _, span = part.strip().rpartition(" ")
        protocol = named or protocol
        first, _, last = span.partition("-")
        found.add((protocol, int(first), int(last or first)))
    return frozenset(found)


def _ports(ranges: Iterable[PortRange]) -> frozenset[tuple[str, int, int]]:
    return frozenset((one.protocol, one.from_port, one.to_port) for one in ranges)


def outcome(case: Case) -> Outcome:
    """What a list, a difference, a question or bad input comes to."""
    if case.rule == "invalid-input":
        try:
            cluster(case.path)
        except InputError:
            return Outcome(case, "error", "error")
        return Outcome(case, "error", "evaluated")
    try:
        wanted, found = _COMPARED[case.rule](case)
    except InputError as fault:
        return Outcome(case, "evaluated", f"error: {fault}")
    missing, surplus = len(wanted - found), len(found - wanted)
    said = f"{missing} rows missing, {surplus} too many" if missing or surplus else "equal"
    return Outcome(case, "equal", said)


def _beside(section: str) -> bool:
    """Whether a section is of no primary network; the peer calls networks by their definition."""
    return "@secondary NAD " in section


def _listed(case: Case) -> tuple[set[Row], set[Row]]:
    expected = _rows(case.folder / case.expected.partition(": ")[2])
    found = cluster(case.path).connections()
    return (
        normal(
            (row["src"], row["dst"], (ports_of(row["conn"]), _beside(row["section"])))
            for row in expected
            if row["section"].startswith("connlist")
        ),
        normal(
            (c.src, c.dst, (_ports(c.connections), bool(c.network))) for c in found if c.connections
        ),
    )


def _changed(case: Case) -> tuple[set[Row], set[Row]]:
    new, old = (part.partition("=")[2] for part in case.note.split())
    expected = _rows(case.folder / case.expected.partition(": ")[2])
    states = [cluster(case.folder / "tests" / name).connections() for name in (old, new)]
    return (
        normal(
            (
                row["source"],
                row["destination"],
                (row["diff-type"], ports_of(row["ref1"]), ports_of(row["ref2"])),
            )
            for row in expected
        ),
        normal(
            (c.src, c.dst, (c.change, _ports(c.before), _ports(c.after))) for c in changes(*states)
        ),
    )


def _asked(case: Case) -> tuple[set[Row], set[Row]]:
    src, _, rest = case.note.partition(" -> ")
    dst, protocol, port = rest.split()
    verdict = cluster(case.path).explained(src, dst, f"{protocol}/{port}").verdict
    return {(case.expected,)}, {({"allowed": "allow", "denied": "deny"}.get(verdict, verdict),)}


_COMPARED = {"connlist": _listed, "exposure": _listed, "diff": _changed, "query": _asked}


def outcomes() -> Iterator[Outcome]:
    """All cases of lists."""
    return map(outcome, cases(LISTS))
