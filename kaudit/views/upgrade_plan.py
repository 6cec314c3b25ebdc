"""Which package upgrade removes how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import arrow
from kaudit.registry import view
from kaudit.table import Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class UpgradeRow(Trace, kw_only=True):
    package: Annotated[str, doc("package, as the package URL names it")]
    version: Annotated[str, doc("version that is used")]
    package_type: Annotated[str, doc("deb, apk, npm, …")]
    fixed_versions: Annotated[list[str], doc("versions without one of the flaws, sorted")]
    critical: Annotated[int, doc("critical flaws with a fix, counted once an image")]
    high: Annotated[int, doc("high flaws with a fix, counted once an image")]
    other: Annotated[int, doc("other flaws with a fix, counted once an image")]
    flaws: Annotated[int, doc("distinct flaws with a fix")]
    images: Annotated[int, doc("images that hold it")]
    workloads: Annotated[int, doc("workloads of these images; one with several counts for each")]
    pods: Annotated[int, doc("pods of these images; one with several counts for each")]


UPGRADE_PLAN = Table(
    "upgrade_plan",
    UpgradeRow,
    grain="one version of one package that images in use hold, and that has a fix",
    key=("package", "version", "package_type"),
)


@view(UPGRADE_PLAN)
def upgrade_plan(image_vulnerabilities: pd.DataFrame) -> pd.DataFrame:
    """Sum up what has a fix, by package and version; what exceptions left out is not counted."""
    import pyarrow as pa
    import pyarrow.compute as pc

    v = image_vulnerabilities
    v = v[(v["fix"] == "fixed") & ~v["suppressed"] & (v["workloads"] > 0)]
    severity = arrow(v["severity"])
    grave = pc.is_in(severity, value_set=pa.array(["critical", "high"]))
    rows = pa.table(
        {
            **{n: arrow(v[n]) for n in ("package", "version", "package_type", "advisory", "image")},
            "critical": pc.cast(pc.equal(severity, "critical"), pa.int64()),
            "high": pc.cast(pc.equal(severity, "high"), pa.int64()),
            "other": pc.cast(pc.invert(grave), pa.int64()),
            "fixed": pc.binary_join(arrow(v["fixed_versions"]), "\n"),
            **{n: arrow(v[n]) for n in ("workloads", "pods", "raw", "raw_line")},
        }
    )
    keys = ["package", "version", "package_type"]
    found = rows.group_by(keys, use_threads=False).aggregate(
        [
            *((name, "sum") for name in ("critical", "high", "other")),
            ("advisory", "count_distinct"),
            ("fixed", "distinct"),
            ("raw", "first"),
            ("raw_line", "first"),
        ]
    )
    once = rows.group_by([*keys, "image"], use_threads=False).aggregate(
        [("workloads", "max"), ("pods", "max")]
    )
    uses = once.group_by(keys, use_threads=False).aggregate(
        [("image", "count"), ("workloads_max", "sum"), ("pods_max", "sum")]
    )
    texts = [
        sorted({one for text in some for one in text.split("\n")})
        for some in found["fixed_distinct"].to_pylist()
    ]
    # Both are grouped by the same keys of the same rows: their groups come in the same order.
    columns = {
        **{name: found[name] for name in keys},
        **{name: found[f"{name}_sum"] for name in ("critical", "high", "other")},
        "fixed_versions": pa.array(texts, pa.list_(pa.string())),
        "flaws": found["advisory_count_distinct"],
        "images": uses["image_count"],
        "workloads": uses["workloads_max_sum"],
        "pods": uses["pods_max_sum"],
        "raw": found["raw_first"],
        "raw_line": found["raw_line_first"],
    }
    return frame(UPGRADE_PLAN.sorted(UPGRADE_PLAN.fitted(columns)))
