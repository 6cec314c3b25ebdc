"""Flaws of each image that should be gone, and how long they could have been."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.ages import days_since, older
from kaudit.columns import arrow, sorted_lists
from kaudit.parameters import parameters
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame
from kaudit.views.image_exceptions import cleared

if TYPE_CHECKING:
    import pandas as pd


class ImageRemediationRow(Trace, kw_only=True):
    image: Annotated[str, doc("the image (images)")]
    running: Annotated[bool, doc("a Pod object uses it; else templates would")]
    judged: Annotated[bool, doc("it runs, or nothing does in the evidence")]
    scanned: Annotated[bool, doc("a scan is of it, by digest or by name, and saw packages")]
    workloads: Annotated[int, doc("workloads that use it")]
    pods: Annotated[int, doc("pods that use it")]
    fixable_critical: Annotated[int, doc("critical flaws of packages that have a fix")]
    fixable_high: Annotated[int, doc("high flaws of packages that have a fix")]
    critical_overdue: Annotated[
        bool | None, doc("one of the former is older than critical_fix_days; null: not told")
    ]
    high_overdue: Annotated[
        bool | None, doc("one of the latter is older than high_fix_days; null: not told")
    ]
    critical_flaws: Annotated[list[str], doc("flaws with a fix that are critical, sorted")]
    high_flaws: Annotated[list[str], doc("flaws with a fix that are high, sorted")]
    oldest_days: Annotated[int | None, doc("whole days since the oldest of them was published")] = (
        None
    )


IMAGE_REMEDIATION = Table(
    "image_remediation",
    ImageRemediationRow,
    grain="one image, and its critical and high flaws that have a fix",
    key=("image",),
    resource=Resource("=Image", namespace="", name="image"),
)
_USES = ("image", "running", "judged", "scanned", "workloads", "pods", "raw", "raw_line")


@view(IMAGE_REMEDIATION, naming=("image_exceptions",), decided={"judged": ("containers",)})
def image_remediation(
    image_posture: pd.DataFrame,
    image_vulnerabilities: pd.DataFrame,
    cluster: pd.DataFrame,
    image_exceptions: pd.DataFrame,
) -> pd.DataFrame:
    """Gather what could be mended; what exceptions left out or VEX clears is not counted.

    A flaw is as old as its publication: when the fix came out is not told by scanners, and one
    evidence does not know when the flaw was first seen here.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    c, v = image_posture, image_vulnerabilities
    open_ = (v["fix"] == "fixed") & ~v["suppressed"] & ~cleared(v, image_exceptions)
    v = v[open_].reset_index(drop=True)
    days = days_since(v["published_at"], cluster)
    found: dict[str, Any] = {name: arrow(c[name]) for name in _USES}
    chosen = parameters()
    limits = {"critical": chosen.critical_fix_days, "high": chosen.high_fix_days}
    for word, limit in limits.items():
        rows = pa.table(
            {
                "image": arrow(v["image"]),
                "flaw": arrow(v["advisory"]),
                "days": arrow(days),
                "old": arrow(older(days, limit, cluster)),
            }
        ).filter(pc.equal(arrow(v["severity"]), word))
        of = rows.group_by("image", use_threads=False).aggregate(
            [
                ("flaw", "count"),
                ("flaw", "distinct"),
                ("days", "max"),
                ("old", "max"),
                ("old", "count"),
            ]
        )
        at = pc.index_in(found["image"], value_set=of["image"].combine_chunks())
        number = pc.fill_null(of["flaw_count"].take(at), 0)
        told = pc.equal(pc.fill_null(of["old_count"].take(at), 0), number)
        old = pc.fill_null(of["old_max"].take(at), False)
        found[f"fixable_{word}"] = number
        found[f"{word}_overdue"] = pc.if_else(
            pc.and_(found["scanned"], pc.or_(old, told)), old, pa.scalar(None, pa.bool_())
        )
        found[f"{word}_flaws"] = sorted_lists(of["flaw_distinct"].take(at))
        found[f"{word}_days"] = of["days_max"].take(at)
    found["oldest_days"] = pc.max_element_wise(found["critical_days"], found["high_days"])
    return frame(IMAGE_REMEDIATION.fitted(found))
