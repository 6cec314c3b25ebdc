"""Findings of scanners that VEX statements clear, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import SEPARATOR, arrow, pairs
from kaudit.registry import view
from kaudit.table import Table, Trace, doc, frame
from kaudit.views.image_exceptions import FLAW
from kaudit.views.image_vulnerabilities import advisories, package_names

if TYPE_CHECKING:
    import pandas as pd


class ClearedRow(Trace, kw_only=True):
    tool: Annotated[str, doc("tool of the report")]
    report: Annotated[str, doc("report that names it (vulnerabilities)")]
    position: Annotated[int, doc("place in the report, from 1")]
    image: Annotated[str, doc("the image (image_coverage)")]
    status: Annotated[str, doc("status of the statement")]
    why: Annotated[str, doc("justification and reason of the statement")]


CLEARED_FINDINGS = Table(
    "cleared_findings",
    ClearedRow,
    grain="one finding of a scanner on one image that a statement clears",
    key=("tool", "report", "position", "image"),
)


@view(CLEARED_FINDINGS)
def cleared_findings(
    vulnerabilities: pd.DataFrame, image_coverage: pd.DataFrame, image_exceptions: pd.DataFrame
) -> pd.DataFrame:
    """Look each finding up among the statements on its image."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    v = vulnerabilities
    x = image_exceptions[image_exceptions["clears"]]
    cover = image_coverage[image_coverage["matched"] != "other"]
    scans = pa.table(
        {"scan": pairs(cover["tool"], cover["report"]), "image": arrow(cover["image"])}
    )
    findings = pa.table({"scan": pairs(v["tool"], v["report"]), "row": np.arange(len(v))})
    both = scans.join(findings, keys="scan", join_type="inner", use_threads=False)
    both = both.sort_by([("row", "ascending"), ("image", "ascending")]).combine_chunks()
    row, image = both["row"].combine_chunks(), both["image"].combine_chunks()
    flaws = advisories(arrow(v["id"]), arrow(v["aliases"])).take(row)
    packages = package_names(arrow(v["purl"]), arrow(v["package"])).take(row)
    keys = pc.binary_join_element_wise(
        image, flaws, packages, arrow(v["version"]).take(row), SEPARATOR
    )
    at = pc.index_in(keys, value_set=pairs(*(x[n] for n in FLAW)))
    told = pc.is_valid(at)
    row, at = row.filter(told), at.filter(told)
    words = [pc.fill_null(arrow(x[n]), "") for n in ("justification", "reason")]
    why = pc.utf8_trim(pc.binary_join_element_wise(*words, ": "), characters=": ")
    columns = {
        **{n: arrow(v[n]).take(row) for n in ("tool", "report", "position", "raw", "raw_line")},
        "image": image.filter(told),
        "status": arrow(x["status"]).take(at),
        "why": why.take(at),
    }
    return frame(CLEARED_FINDINGS.sorted(CLEARED_FINDINGS.fitted(columns)))
