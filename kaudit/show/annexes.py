"""Last pages of the audit report: gaps, controls, provenance, limits."""

from __future__ import annotations

from kaudit import __version__
from kaudit.assessment import Assessment
from kaudit.show import blocks as b
from kaudit.text import count

#: Origins that a report prints; all are in the annex.
ORIGINS = 40


def gaps(assessment: Assessment) -> b.Table:
    """What was not read, and why."""
    listed = sorted(assessment.evidence.gaps, key=lambda g: (not g.failed, g.what))
    columns: dict[b.Column, list[str]] = {
        b.Column("what", weight=2): [g.what for g in listed],
        b.Column("reason"): [g.reason.replace("_", " ") for g in listed],
        b.Column("namespace"): [g.namespace for g in listed],
        b.Column("detail", weight=2): [g.detail for g in listed],
        b.Column("weakens", weight=1): [
            ", ".join(g.tables) if len(g.tables) < 8 else count(len(g.tables), "table")
            for g in listed
        ],
    }
    told = {column: cells for column, cells in columns.items() if any(cells)}
    rows = list(zip(*told.values(), strict=True))
    return b.Table.of(
        "Gaps of the evidence",
        told or columns,
        rows[:200],
        total=len(rows),
        annex="tables/gaps.csv",
    )


def catalogue(assessment: Assessment) -> b.Table:
    """All controls that were applied."""
    return b.Table.of(
        "Controls applied",
        [
            ("control", "code"),
            "layer",
            ("severity", "severity"),
            b.Column("expected", weight=3),
        ],
        [(c.id, c.layer, c.severity, c.expected) for c in assessment.controls],
        annex="tables/controls.csv",
    )


def provenance(assessment: Assessment) -> b.Stack:
    """Where the evidence came from, and the hashes of its parts."""
    manifest = assessment.evidence.manifest
    return b.Stack(
        (
            b.Table.of(
                "Origins",
                [
                    ("name", "code"),
                    "verb",
                    ("bytes", "number"),
                    b.Column("SHA-256", b.Kind.CODE, 3),
                ],
                [(o.name, o.verb, o.bytes, o.sha256) for o in manifest.origins[:ORIGINS]],
                total=len(manifest.origins),
                annex="tables/origins.csv",
            ),
            b.Table.of(
                "Raw records; the hash is of the uncompressed bytes",
                [("file", "code"), ("records", "number"), b.Column("SHA-256", b.Kind.CODE, 3)],
                [
                    (f"raw/{name}.jsonl.zst", part.rows, part.sha256)
                    for name, part in sorted(manifest.raw.items())
                ],
            ),
            *_runs(assessment),
        )
    )


def _runs(assessment: Assessment) -> list[b.Block]:
    """Tools that kaudit ran itself: which program, with which database, and how often."""
    runs = assessment.evidence["tool_runs"]
    if not len(runs):
        return []
    keys = ["tool", "version", "program_digest", "database_version", "outcome", "reason"]
    counts = runs.fillna(dict.fromkeys(keys, "")).groupby(keys, sort=True).size()
    return [
        b.Table.of_frame(
            "Tools that kaudit ran",
            counts.reset_index(name="runs"),
            {
                "tool": "tool",
                "version": "version",
                "program_digest": b.Column("SHA-256 of the program", b.Kind.CODE, 3),
                "database_version": "database",
                "outcome": "outcome",
                "reason": "why",
                "runs": ("runs", "number"),
            },
        )
    ]


def limits(assessment: Assessment) -> b.Facts:
    """Last: what limits this report."""
    evidence, tallies = assessment.evidence, assessment.tallies.values()
    return b.Facts(
        (
            ("kaudit", __version__),
            ("Evidence id", evidence.id or "not sealed"),
            ("Evidence seal", evidence.seal or "none"),
            ("Reads that failed", sum(g.failed for g in evidence.gaps)),
            ("Controls that crashed", sum(1 for t in tallies if t.error_)),
            ("Results not assessed", sum(t.not_assessed_ for t in tallies)),
            ("Waivers given", len(assessment.waivers)),
            ("Failures under a waiver", sum(t.waived for t in tallies)),
        ),
        caption="Limits of this report",
    )
