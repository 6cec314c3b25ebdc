"""Sections on where images come from: signatures, Dockerfiles, pipelines."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kaudit.assessment import Assessment
from kaudit.show import blocks as b

if TYPE_CHECKING:
    import pandas as pd

#: Rows that a report prints of each table.
PRINTED = 15


def trust(assessment: Assessment) -> b.Stack:
    """Which images are signed, by whom, and which have provenance."""
    t = assessment.evidence["image_trust"]
    used = t[t["running"]] if t["running"].any() else t
    signed = Counter("?" if value is None else value for value in used["signed"].astype(object))
    tried = signed[True] + signed[False]
    numbers = b.Numbers(
        (
            b.Number("images", len(used), "by digest, else by name"),
            b.Number("signature verified", signed[True], "of the very digest", b.Tone.OK),
            b.Number("verification failed", signed[False], "", b.Tone.of(signed[False])),
            b.Number("not tried", len(used) - tried, "neither signed nor unsigned"),
            b.Number("with provenance", int(used["provenance"].sum()), "of the very digest"),
        ),
        caption="Signatures and provenance",
    )
    shown = used[used["signed"].notna() | used["provenance"]]
    shown = shown.sort_values(["signed", "image"], na_position="last")
    if not len(shown):
        text = "Give the output of cosign verify, or let kaudit verify (kaudit collect --scan)."
        return b.Stack((numbers, b.Callout(b.Tone.INFO, "Nobody has verified a signature", text)))
    table = b.Table.of_frame(
        "Images whose signatures or provenance are known",
        shown.head(PRINTED),
        {
            "image": b.Column("image", weight=4),
            "signed": "verified",
            "signers": b.Column("signed by", weight=2),
            "failures": b.Column("why not", weight=2),
            "builders": b.Column("built by", weight=2),
            "pods": ("pods", "number"),
        },
        total=len(shown),
        annex="tables/trust.csv",
    )
    return b.Stack((numbers, table))


def dockerfiles(assessment: Assessment) -> b.Stack:
    """What each Dockerfile makes: base, user, and what stands out."""
    d = assessment.evidence["dockerfiles"]
    if not len(d):
        return b.Stack((b.Callout(b.Tone.INFO, "The evidence holds no Dockerfile"),))
    evidence = assessment.evidence
    stages, facts = evidence["dockerfile_stages"], evidence["dockerfile_facts"]
    images = stages[~stages["from_stage"]]
    loose = images[~images["image"].str.contains("@sha256:")]
    found = evidence["tool_findings"]
    lint = found[(found["tool"] == "hadolint") & (found["status"] == "fail")]
    counts = [Counter(frame["file"]) for frame in (loose, facts, lint)]
    posture = evidence["dockerfile_posture"].set_index(["file", "report"])["runs_as_root"]
    shown = d[["file", "base", "stages"]].assign(
        user=d["final_user"].fillna("(of the base)"),
        root=posture.reindex(list(zip(d["file"], d["report"], strict=True))).to_numpy(),
    )
    rows = [
        (*row, *(count[row[0]] for count in counts))
        for row in zip(*(shown[name].tolist() for name in shown.columns), strict=True)
    ]
    table = b.Table.of(
        "Dockerfiles",
        [
            b.Column("file", weight=2),
            b.Column("base of the image", weight=2),
            ("stages", "number"),
            "user",
            "root",
            ("images not pinned", "number"),
            ("facts", "number"),
            ("hadolint", "number"),
        ],
        rows[:PRINTED],
        total=len(rows),
    )
    return b.Stack((table, _facts(facts)))


def _facts(facts: pd.DataFrame) -> b.Block:
    if not len(facts):
        return b.Callout(b.Tone.OK, "Nothing in the instructions stands out")
    return b.Table.of_frame(
        "What stands out in Dockerfiles",
        facts.sort_values(["file", "line"]).head(PRINTED),
        {
            "file": b.Column("file", weight=2),
            "line": ("line", "number"),
            "instruction": ("instruction", "code"),
            "fact": "fact",
            "detail": b.Column("detail", weight=2),
        },
        total=len(facts),
    )


def pipelines(assessment: Assessment) -> b.Stack:
    """Which tools the workflows run, what stops the build, and which actions are not pinned."""
    steps, tools = assessment.evidence["pipeline_steps"], assessment.evidence["pipeline_tools"]
    if not len(assessment.evidence["pipelines"]):
        return b.Stack((b.Callout(b.Tone.INFO, "The evidence holds no workflow"),))
    loose = steps[steps["action"].notna() & ~steps["pinned"]].sort_values(["file", "position"])
    return b.Stack(
        (
            b.Table.of_frame(
                "Tools that workflows run",
                tools.sort_values(["file", "position", "part"]).head(PRINTED),
                {
                    "file": b.Column("file", weight=2),
                    "job": "job",
                    "tool": "tool",
                    "purpose": "purpose",
                    "blocks": "stops the build",
                },
                total=len(tools),
            ),
            b.Table.of_frame(
                "Actions that are not pinned to a commit",
                loose.head(PRINTED),
                {
                    "file": b.Column("file", weight=2),
                    "job": "job",
                    "action": b.Column("action", weight=2),
                    "ref": "at",
                    "third_party": "of a third party",
                },
                total=len(loose),
            ),
        )
    )
