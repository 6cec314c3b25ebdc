"""Findings of other tools, beside kaudit's own: what they say, in their words."""

from __future__ import annotations

from kaudit.assessment import Assessment
from kaudit.show import blocks as b

#: Rows that a report prints of the findings; all are in the annex.
PRINTED = 25
_STATUSES = ("fail", "warn", "pass", "manual", "skip", "unknown")


def others(assessment: Assessment) -> b.Stack:
    """Reports of other tools by status, and what they say fails, worst first."""
    reports, found = (assessment.evidence[name] for name in ("tool_reports", "tool_findings"))
    if not len(reports) and not len(found):
        text = "`kaudit collect --help` lists the options that add what tools wrote."
        return b.Stack((b.Callout(b.Tone.INFO, "No finding of another tool was given", text),))
    counts = found.groupby(["tool", "status"]).size()
    rows = [
        (
            tool,
            int((reports["tool"] == tool).sum()),
            *(int(counts.get((tool, status), 0)) for status in _STATUSES),
        )
        for tool in sorted({*reports["tool"], *found["tool"]})
    ]
    table = b.Table.of(
        "Findings of other tools by status",
        ["tool", ("reports", "number"), *((status, "number") for status in _STATUSES)],
        rows,
        note="Their severities and statuses are their own; no conclusion of kaudit rests on them.",
    )
    fails = found[found["status"].isin(["fail", "warn"])]
    if not len(fails):
        return b.Stack((table, b.Callout(b.Tone.OK, "No other tool says that anything fails")))
    order = ("critical", "high", "medium", "low", "negligible", "unknown")
    rank = fails["severity"].map({word: n for n, word in enumerate(order)})
    fails = fails.assign(rank=rank).sort_values(["rank", "tool", "rule", "report", "position"])
    subject = fails["kind"].str.cat(fails["name"], sep=" ").fillna(fails["file"])
    shown = fails.assign(subject=subject, said=fails["message"].fillna(fails["title"]))
    return b.Stack(
        (
            table,
            b.Table.of_frame(
                "What other tools say fails, worst first",
                shown.head(PRINTED),
                {
                    "tool": "tool",
                    "rule": ("rule", "code"),
                    "severity": "severity",
                    "subject": b.Column("about", weight=2),
                    "said": b.Column("message", weight=3),
                },
                total=len(shown),
                annex="tables/other_tools.csv",
            ),
        )
    )
