"""Policy engines: what they were run on, what statuses leave out, and what reports say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.assessment import Assessment
from kaudit.columns import records
from kaudit.show import blocks as b

if TYPE_CHECKING:
    import pandas as pd

#: Rows that a report prints of each table.
PRINTED = 25
_ENGINES = ("gator", "kyverno")


def engines(assessment: Assessment) -> b.Stack:
    """Runs of engines of policies, and what the audit counted beside what is known whole."""
    evidence = assessment.evidence
    runs = evidence["tool_runs"]
    ran = runs[runs["tool"].isin(_ENGINES)]
    verdicts = evidence["engine_verdicts"]
    parts: list[Any] = []
    if len(ran):
        parts.append(_runs(ran, verdicts))
    elif not len(verdicts):
        text = "kaudit collect --policies runs gator and kyverno where they are installed."
        parts.append(b.Callout(b.Tone.INFO, "No engine of policies was run", text))
    constraints = evidence["constraints"]
    if len(constraints):
        parts.append(_counted(constraints, verdicts))
    subjects = evidence["report_subjects"]
    if len(subjects):
        parts += _reported(subjects, evidence["reported_results"])
    return b.Stack(tuple(parts))


def _reported(subjects: pd.DataFrame, results: pd.DataFrame) -> list[b.Block]:
    """What reports say of what is there, each object and rule once."""
    stale = int(subjects["stale"].fillna(False).sum())
    numbers = b.Numbers(
        (
            b.Number("reports", len(subjects), "of policy engines"),
            b.Number("of what is gone", stale, "their results count for nothing", _tone(stale)),
            b.Number("without results", int((subjects["results"] == 0).sum()), "say nothing"),
            b.Number("results of no object", int((results["state"] == "unnamed").sum())),
            b.Number("said more than once", int((results["reports"] > 1).sum()), "counted once"),
            b.Number("at odds", int(results["disagree"].sum()), "the newest counts"),
        ),
        caption="Reports of policy engines",
    )
    current = results[results["counts"].to_numpy(dtype=bool)]
    keys = ["source", "policy", "rule"]
    counts = current.groupby([*keys, "result"]).size().unstack(fill_value=0)
    gone = results[~results["counts"].to_numpy(dtype=bool)].groupby(keys).size()
    every = sorted({*counts.index, *gone.index})
    words = ("fail", "error", "warn", "pass", "skip")
    rows = [
        (
            *key,
            *(int(counts[word].get(key, 0)) if word in counts else 0 for word in words),
            int(gone.get(key, 0)),
        )
        for key in every
    ]
    rows.sort(key=lambda row: (-row[3], -row[4], row[:3]))
    table = b.Table.of(
        "What reports say, each object and rule once",
        (
            b.Column("engine"),
            b.Column("policy", weight=2),
            b.Column("rule", weight=2),
            *((word, "number") for word in (*words, "gone")),
        ),
        rows[:PRINTED],
        total=len(rows),
        note="Gone are results of objects that are not there any more.",
    )
    return [numbers, table]


def _tone(number: int) -> b.Tone:
    return b.Tone.WARNING if number else b.Tone.INFO


def _runs(ran: pd.DataFrame, verdicts: pd.DataFrame) -> b.Table:
    refused = verdicts[verdicts["refused"]].groupby("report").size()
    rows = [
        (
            it["tool"],
            it["target"],
            it["version"],
            int(refused.get(it["report"], 0)) if it["outcome"] == "done" else None,
            it["detail"] or "done",
        )
        for it in records(ran)
    ]
    columns = (
        b.Column("engine"),
        b.Column("judged by", weight=2),
        b.Column("version"),
        ("violations", "number"),
        b.Column("outcome", weight=3),
    )
    return b.Table.of("Engines that were run", columns, rows)


def _counted(constraints: pd.DataFrame, verdicts: pd.DataFrame) -> b.Table:
    """What each source knows of a constraint's violations; null where it was not asked."""
    of_cluster = verdicts[verdicts["refused"] & (verdicts["basis"] != "proposed")]
    by_engine = of_cluster[(of_cluster["tool"] == "gator") & (of_cluster["basis"] == "cluster")]
    by_log = of_cluster[(of_cluster["tool"] == "gatekeeper") & (of_cluster["process"] == "audit")]
    known = [frame.groupby(["policy_kind", "policy"]).size() for frame in (by_engine, by_log)]
    asked = [bool(len(frame)) for frame in (by_engine, by_log)]
    rows = []
    for it in records(constraints.sort_values(["kind", "name"]).head(PRINTED)):
        counts = [
            int(count.get((it["kind"], it["name"]), 0)) if was else None
            for count, was in zip(known, asked, strict=True)
        ]
        rows.append(
            (
                f"{it['kind']} {it['name']}",
                it["total_violations"],
                it["violations_listed"],
                "cut" if it["truncated"] else "",
                *counts,
            )
        )
    columns = (
        b.Column("constraint", weight=3),
        ("counted by the audit", "number"),
        ("listed in its status", "number"),
        b.Column("status"),
        ("found by gator", "number"),
        ("in the audit's log", "number"),
    )
    note = "A status lists some of what the audit counted; gator and the log tell all."
    return b.Table.of("Violations of constraints", columns, rows, total=len(constraints), note=note)
