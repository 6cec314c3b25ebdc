"""Sections on images: coverage first, then what scanners found, and what would mend most."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from kaudit.assessment import Assessment
from kaudit.show import blocks as b
from kaudit.show import charts
from kaudit.tables.scans import SEVERITIES
from kaudit.text import count

if TYPE_CHECKING:
    import pandas as pd

#: Rows that a report prints of each table; all are in the annex.
PRINTED = 15
_NO_SCAN = b.Callout(
    b.Tone.INFO,
    "No scan of any image is in the evidence",
    "Nothing is known of what images hold: give reports of Trivy or Grype, or let kaudit scan "
    "(kaudit collect --scan).",
)


def images(assessment: Assessment) -> b.Stack:
    """How many images run, how many were scanned, how surely, and where nobody looked."""
    p = assessment.evidence["image_posture"]
    used = p[p["running"]] if p["running"].any() else p
    if not len(used) or not used["asked"].any():
        return b.Stack((_NO_SCAN,))
    scanned = int(used["scanned"].sum())
    ways = Counter(used["matched"])
    ages = used["scan_age_days"].dropna()
    tone = b.Tone.OK if scanned == len(used) else b.Tone.DANGER
    numbers = b.Numbers(
        (
            b.Number("images", len(used), "by digest, else by name"),
            b.Number("scanned", scanned, f"{100 * scanned // len(used)} % of the images", tone),
            b.Number("matched by name only", ways["name"], "the tag may have moved"),
            b.Number("another build scanned", ways["other"], "same name, other digest"),
            b.Number("oldest scan", f"{int(ages.max())} d" if len(ages) else "?", "newest each"),
        ),
        caption="Coverage of scans",
    )
    return b.Stack((numbers, _coverage(assessment), _unscanned(used), _reports(assessment)))


def _coverage(assessment: Assessment) -> b.Table:
    found = assessment.evidence["scan_coverage"].sort_values(["share", "namespace"])
    found = found.assign(percent=(found["share"] * 100).round(1))
    return b.Table.of_frame(
        "Scanned containers by namespace, least first",
        found.head(PRINTED),
        {
            "namespace": "namespace",
            "containers": ("containers", "number"),
            "scanned": ("of a scanned image", "number"),
            "percent": ("%", "number"),
            "images": ("images", "number"),
        },
        total=len(found),
    )


def _unscanned(used: pd.DataFrame) -> b.Block:
    missing = used[~used["scanned"]].sort_values(["pods", "image"], ascending=[False, True])
    if not len(missing):
        return b.Callout(b.Tone.OK, "Every image was scanned")
    return b.Table.of_frame(
        "Images that no scan is of, by reach",
        missing.head(PRINTED),
        {
            "image": b.Column("image", weight=3),
            "matched": "nearest scan",
            "workloads": ("workloads", "number"),
            "pods": ("pods", "number"),
        },
        total=len(missing),
        annex="tables/images.csv",
    )


def _reports(assessment: Assessment) -> b.Table:
    """Tools, their versions and databases, and reports of images that nobody uses."""
    scans, cover = assessment.evidence["image_scans"], assessment.evidence["image_coverage"]
    unused = cover[cover["matched"] == "unused"]
    rows = []
    for tool, group in scans.groupby("tool", sort=True):
        rows.append(
            (
                tool,
                ", ".join(sorted(group["tool_version"].dropna().unique())) or "not told",
                len(group),
                int((unused["tool"] == tool).sum()),
                _span(group["scanned_at"]),
                _span(group["database_built_at"]),
            )
        )
    return b.Table.of(
        "Reports of scanners",
        [
            "tool",
            "version",
            ("reports", "number"),
            ("of unused images", "number"),
            "scanned",
            "database built",
        ],
        rows,
    )


def _span(times: pd.Series[Any]) -> str:
    known = times.dropna()
    if not len(known):
        return "not told"
    first, last = (f"{moment:%Y-%m-%d}" for moment in (known.min(), known.max()))
    return first if first == last else f"{first} to {last}"


def vulnerabilities(assessment: Assessment) -> b.Stack:
    """Flaws of images in use: by severity and age, the worst by reach, the images with most."""
    flaws = assessment.evidence["image_vulnerabilities"]
    flaws = flaws[flaws["workloads"] > 0]
    if not len(assessment.evidence["image_scans"]):
        return b.Stack((_NO_SCAN,))
    left_out = int(flaws["suppressed"].sum())
    flaws = flaws[~flaws["suppressed"]]
    note = (
        f"Counted once for each image, package and flaw: {count(len(flaws), 'row')}, "
        f"{count(flaws['advisory'].nunique(), 'distinct flaw')}; {left_out:,} left out by "
        "exceptions of the scans."
    )
    return b.Stack(
        (
            b.Prose((note,)),
            charts.severity_heat(
                _by_age(assessment, flaws),
                caption="Flaws by time since their publication and severity",
                severities=SEVERITIES,
            ),
            _exploited(assessment),
            _by_reach(flaws),
            _by_image(assessment),
        )
    )


def _by_age(assessment: Assessment, flaws: pd.DataFrame) -> dict[str, Counter[str]]:
    from kaudit.ages import days_since

    days = days_since(flaws["published_at"], assessment.evidence["cluster"])
    found: dict[str, Counter[str]] = {name: Counter() for _, name in _AGES}
    found["not told"] = Counter()
    known = days.notna()
    for (least, name), (most, _) in zip(_AGES, [*_AGES[1:], (10**9, "")], strict=True):
        inside = known & (days >= least) & (days < most)
        found[name] = Counter(flaws["severity"][inside.fillna(False)])
    found["not told"] = Counter(flaws["severity"][~known])
    return found


_AGES = ((0, "up to a week"), (8, "up to a month"), (31, "up to a year"), (366, "older"))


def _by_reach(flaws: pd.DataFrame) -> b.Table:
    grave = flaws[flaws["severity"].isin(["critical", "high"])]
    found = grave.groupby(["advisory", "package"], sort=True).agg(
        severity=("severity", "min"),
        fix=("fix", "min"),
        images=("image", "nunique"),
        workloads=("workloads", "sum"),
        pods=("pods", "sum"),
    )
    found = found.reset_index().sort_values(
        ["severity", "pods", "advisory"], ascending=[True, False, True]
    )
    return b.Table.of_frame(
        "Critical and high flaws, by the pods that they reach",
        found.head(PRINTED),
        {
            "advisory": ("flaw", "code"),
            "package": "package",
            "severity": ("severity", "severity"),
            "fix": "fix",
            "images": ("images", "number"),
            "workloads": ("workloads", "number"),
            "pods": ("pods", "number"),
        },
        total=len(found),
        annex="tables/vulnerabilities.csv",
        note="A workload or pod with several of the images counts once for each.",
    )


def _exploited(assessment: Assessment) -> b.Block:
    """Images with flaws that are exploited, or say that nobody has looked."""
    x = assessment.evidence["image_exploitation"]
    bad = x[(x["exploited"].list.len() > 0) | (x["likely"].list.len() > 0)]
    if not len(bad):
        known = bool(x["listed"].any())
        title = "No flaw is known to be exploited" if known else "Exploitation is not assessed"
        text = "" if known else "Give CISA's catalogue (--kev) and the scores of EPSS (--epss)."
        return b.Callout(b.Tone.OK if known else b.Tone.INFO, title, text)
    bad = bad.sort_values(["pods", "image"], ascending=[False, True])
    return b.Table.of_frame(
        "Images with flaws that are exploited, by reach",
        bad.head(PRINTED),
        {
            "image": b.Column("image", weight=4),
            "exploited": b.Column("known to be exploited", weight=2),
            "due_at": ("mend by", "time"),
            "likely": b.Column("likely to be", weight=2),
            "highest_epss": ("EPSS", "number"),
            "pods": ("pods", "number"),
        },
        total=len(bad),
    )


def _by_image(assessment: Assessment) -> b.Table:
    p = assessment.evidence["image_posture"]
    p = p[p["scanned"]].sort_values(
        ["critical", "high", "pods", "image"], ascending=[False, False, False, True]
    )
    return b.Table.of_frame(
        "Images with most flaws",
        p.head(PRINTED),
        {
            "image": b.Column("image", weight=4),
            "critical": ("critical", "number"),
            "high": ("high", "number"),
            "medium": ("medium", "number"),
            "low": ("low", "number"),
            "workloads": ("workloads", "number"),
            "pods": ("pods", "number"),
        },
        total=len(p),
        annex="tables/images.csv",
    )


def fix_plan(assessment: Assessment) -> b.Block:
    """Return the package upgrades that remove most."""
    plan = assessment.evidence["upgrade_plan"]
    if not len(plan):
        return b.Callout(b.Tone.INFO, "No flaw with a fix is known in an image that is used")
    plan = plan.sort_values(
        ["critical", "high", "other", "package", "version"],
        ascending=[False, False, False, True, True],
    )
    return b.Table.of_frame(
        "Upgrades that remove most",
        plan.head(PRINTED),
        {
            "package": b.Column("package", weight=2),
            "version": "version",
            "fixed_versions": b.Column("fixed in", weight=2),
            "critical": ("critical", "number"),
            "high": ("high", "number"),
            "other": ("other", "number"),
            "images": ("images", "number"),
            "pods": ("pods", "number"),
        },
        total=len(plan),
        annex="tables/upgrades.csv",
        note="Flaws are counted once for each image. One of several fixed versions is enough for "
        "one flaw; the newest is for all.",
    )


def reconciliation(assessment: Assessment) -> b.Stack:
    """Where scanners of the same image agree and where they do not, with the cause."""
    r = assessment.evidence["scanner_reconciliation"]
    r = r.merge(assessment.evidence["images"][["image"]], on="image")
    if not len(r):
        text = "Two reports of different tools on the same digest are needed."
        return b.Stack((b.Callout(b.Tone.INFO, "No image was scanned by two tools", text),))
    keys = ["verdict", "cause", "said"]
    said = r["tools"].list.len()
    r = r.assign(said=r["tools"].map(", ".join).where(said < said.max(), "all"))
    counts = r.groupby(keys, sort=True).agg(
        flaws=("advisory", "size"), images=("image", "nunique"), grave=("grave", "sum")
    )
    grave = r[r["grave"] & (r["verdict"] == "only one")]
    return b.Stack(
        (
            b.Table.of_frame(
                "Verdicts of scanners on the same image",
                counts.reset_index(),
                {
                    "verdict": "verdict",
                    "said": "named by",
                    "cause": b.Column("what the silent tool says nearby", weight=2),
                    "flaws": ("flaws", "number"),
                    "grave": ("critical or high", "number"),
                    "images": ("images", "number"),
                },
                note="id: another flaw of the same package; version: the same flaw at another "
                "version; package: nothing on the package.",
            ),
            b.Table.of_frame(
                "Critical and high flaws that not every scanner names",
                grave.head(PRINTED),
                {
                    "image": b.Column("image", weight=4),
                    "advisory": ("flaw", "code"),
                    "package": "package",
                    "severities": "said",
                    "silent": "silent",
                    "cause": "nearby",
                },
                total=len(grave),
                annex="tables/reconciliation.csv",
            ),
        )
    )
