"""ATT&CK for Containers: for each technique the rules that would see it, and what was seen.

Tags of rules are often techniques of Linux and not of Containers: a tag of a technique counts
for it and for its sub-techniques' parent. Tactics are those of the catalogue's version.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated

from kaudit.columns import arrow, records
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class AttackCoverageRow(Trace, kw_only=True):
    technique: Annotated[str, doc("id of the technique")]
    title: Annotated[str, doc("its name")]
    tactics: Annotated[list[str], doc("tactics that it belongs to")]
    rules: Annotated[list[str], doc("rules that are loaded and name it, sorted")]
    assumed: Annotated[list[str], doc("stable rules that come with Falco and name it, sorted")]
    off: Annotated[list[str], doc("rules that name it and do not detect, sorted")]
    events: Annotated[int, doc("alerts in the evidence that name it")]
    controls: Annotated[list[str], doc("controls of kaudit that speak on it, sorted")]
    verdict: Annotated[str, doc("seen, detected, assumed, prevention only, or none")]
    detected: Annotated[bool | None, doc("a rule would see it; null: depends on Falco's own file")]


ATTACK_COVERAGE = Table(
    "attack_coverage",
    AttackCoverageRow,
    grain="one technique of ATT&CK for Containers",
    key=("technique",),
    resource=Resource("=Technique", namespace="", name="technique"),
)


@cache
def _techniques() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    text = (files("kaudit.frameworks") / "mitre-attack.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return tuple(
        (row["id"], row["title"], tuple(part.strip() for part in row["section"].split(";")))
        for row in rows
        if row["id"].startswith("T1") and not row["section"].startswith("Enterprise")
    )


@cache
def _controls() -> dict[str, tuple[str, ...]]:
    text = (files("kaudit.frameworks") / "mappings.csv").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    heading, *lines = (line for line in text.splitlines() if not line.startswith("#"))
    for row in csv.DictReader([heading, *(line for line in lines if ",mitre-attack," in line)]):
        if row["framework"] == "mitre-attack" and not row["control"].startswith("KA-RUN-00"):
            found.setdefault(row["requirement"], []).append(row["control"])
    return {name: tuple(sorted(controls)) for name, controls in found.items()}


@cache
def _stable() -> dict[str, tuple[str, ...]]:
    text = (files("kaudit.views") / "falco_upstream.csv").read_text(encoding="utf-8")
    return {
        row["name"]: tuple(row["techniques"].split())
        for row in csv.DictReader(text.splitlines())
        if row["kind"] == "rule" and row["file"] == "stable"
    }


@view(ATTACK_COVERAGE, naming=("event_context",))
def attack_coverage(
    cluster: pd.DataFrame,
    falco_rules: pd.DataFrame,
    sensor_pods: pd.DataFrame,
    event_context: pd.DataFrame,
) -> pd.DataFrame:
    """Look each technique up in rules and alerts."""
    alert = event_context["alert"].to_numpy(dtype=bool)
    alerts = event_context.loc[alert, ["techniques", "count", "raw", "raw_line"]]
    falco = bool((sensor_pods["sensor"] == "falco").any())
    known = len(falco_rules) > 0 or falco or len(alerts) > 0
    techniques = _techniques() if len(cluster) and known else ()
    rules = records(falco_rules[["rule", "state", "techniques"]])
    named = {rule["rule"] for rule in rules}
    on = _tagged((r["rule"], r["techniques"]) for r in rules if r["state"] == "loaded")
    off = _tagged((r["rule"], r["techniques"]) for r in rules if r["state"] != "loaded")
    assumed = _tagged((n, tags) for n, tags in _stable().items() if falco and n not in named)
    seen = _seen(alerts)
    rows = []
    for technique, title, tactics in techniques:
        traced = next(table for table in (falco_rules, sensor_pods, alerts) if len(table))
        loaded, would, without = (sorted(_of(technique, tags)) for tags in (on, assumed, off))
        count = sum(n for one, n in seen.items() if _part_of(one, technique))
        controls = list(_controls().get(technique, ()))
        verdict, detected = _verdict(count, loaded, would, controls)
        rows.append(
            AttackCoverageRow(
                raw=str(traced["raw"].iloc[0]),
                raw_line=int(traced["raw_line"].iloc[0]),
                technique=technique,
                title=title,
                tactics=list(tactics),
                rules=loaded,
                assumed=would,
                off=without,
                events=count,
                controls=controls,
                verdict=verdict,
                detected=detected,
            )
        )
    return frame(ATTACK_COVERAGE.sorted(ATTACK_COVERAGE.arrow(rows)))


def _verdict(
    count: int, loaded: list[str], would: list[str], controls: list[str]
) -> tuple[str, bool | None]:
    """The best that is known of a technique, and whether a rule would see it."""
    if count:
        return "seen", True
    if loaded:
        return "detected", True
    if would:
        return "assumed", None
    return "prevention only" if controls else "none", False


def _tagged(rules: Iterable[tuple[str, Iterable[str]]]) -> dict[str, set[str]]:
    """Rules by the technique that they are tagged with."""
    found: dict[str, set[str]] = defaultdict(set)
    for rule, techniques in rules:
        for technique in techniques:
            found[technique].add(rule)
    return found


def _seen(alerts: pd.DataFrame) -> dict[str, int]:
    """Events by the technique that they are tagged with."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lists = arrow(alerts["techniques"])
    counts = arrow(alerts["count"]).take(pc.list_parent_indices(lists))
    table = pa.table({"technique": pc.list_flatten(lists), "count": counts})
    found = table.group_by("technique", use_threads=False).aggregate([("count", "sum")])
    return dict(zip(found["technique"].to_pylist(), found["count_sum"].to_pylist(), strict=True))


def _part_of(one: str, technique: str) -> bool:
    return one == technique or one.startswith(f"{technique}.")


def _of(technique: str, tags: dict[str, set[str]]) -> set[str]:
    """Rules that are tagged with a technique, or a part of it."""
    return {rule for one, rules in tags.items() if _part_of(one, technique) for rule in rules}
