"""How much of what each namespace runs was scanned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import arrow
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class ScanCoverageRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    asked: Annotated[bool, doc("the evidence holds a scan of any image")]
    containers: Annotated[
        int, doc("containers and image volumes of pods; without pods, of templates")
    ]
    scanned: Annotated[int, doc("those whose image was scanned")]
    images: Annotated[int, doc("images that they run")]
    share: Annotated[float, doc("share of the containers whose image was scanned, 0 to 1")]


SCAN_COVERAGE = Table(
    "scan_coverage",
    ScanCoverageRow,
    grain="one namespace that runs anything",
    key=("namespace",),
    resource=Resource("=Namespace", namespace="", name="namespace"),
)


@view(SCAN_COVERAGE)
def scan_coverage(image_uses: pd.DataFrame, image_posture: pd.DataFrame) -> pd.DataFrame:
    """Count containers by namespace."""
    import pyarrow as pa
    import pyarrow.compute as pc

    running = image_uses["running"]
    u = image_uses[running] if running.any() else image_uses  # manifests alone run nothing
    seen = arrow(image_posture["image"]).filter(arrow(image_posture["scanned"]))
    known = pc.is_in(arrow(u["image"]), value_set=seen)
    containers = arrow(u["containers"])
    uses = pa.table(
        {
            "namespace": arrow(u["namespace"]),
            "image": arrow(u["image"]),
            "containers": containers,
            "scanned": pc.if_else(known, containers, 0),
            "raw": arrow(u["raw"]),
            "raw_line": arrow(u["raw_line"]),
        }
    ).sort_by([("namespace", "ascending"), ("raw", "ascending"), ("raw_line", "ascending")])
    found = uses.group_by("namespace", use_threads=False).aggregate(
        [
            ("containers", "sum"),
            ("scanned", "sum"),
            ("image", "count_distinct"),
            ("raw", "first"),
            ("raw_line", "first"),
        ]
    )
    share = pc.divide(found["scanned_sum"].cast(pa.float64()), found["containers_sum"])
    asked = bool(image_posture["asked"].any())
    columns = {
        "namespace": found["namespace"],
        "asked": pa.repeat(asked, found.num_rows),
        "containers": found["containers_sum"],
        "scanned": found["scanned_sum"],
        "images": found["image_count_distinct"],
        "share": share,
        "raw": found["raw_first"],
        "raw_line": found["raw_line_first"],
    }
    return frame(SCAN_COVERAGE.sorted(SCAN_COVERAGE.fitted(columns)))
