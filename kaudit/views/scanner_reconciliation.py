"""What two scanners say of the same image, side by side, and why they may differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import SEPARATOR, arrow
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class ReconciledRow(Trace, kw_only=True):
    image: Annotated[str, doc("the image (images)")]
    advisory: Annotated[str, doc("CVE of the flaw, else the id that a tool gives it")]
    package: Annotated[str, doc("package")]
    version: Annotated[str, doc("version of the package")]
    severity: Annotated[str, doc("worst severity that a tool gives it")]
    grave: Annotated[bool, doc("the image is used, and the worst severity critical or high")]
    verdict: Annotated[
        str,
        doc("agreed, severity differs, or only one: all, or one tool, of those that scanned it"),
    ]
    tools: Annotated[list[str], doc("tools that name it, sorted")]
    silent: Annotated[list[str], doc("tools that scanned the image and do not name it, sorted")]
    severities: Annotated[list[str], doc("tool=severity, sorted")]
    cause: Annotated[
        str,
        doc(
            "agreed: none; id: another advisory of the silent tool on the package; version: the "
            "same advisory at another version; package: the silent tool names nothing on it"
        ),
    ]


RECONCILIATION = Table(
    "scanner_reconciliation",
    ReconciledRow,
    grain="one flaw of one package of one image that several tools scanned",
    key=("image", "advisory", "package", "version"),
    resource=Resource("=Image", namespace="", name="image"),
)


@view(
    RECONCILIATION,
    joins=("image_scans", "vulnerabilities"),
    decided={"grave": ("containers", "image_scans", "vulnerabilities")},
)
def scanner_reconciliation(
    image_vulnerabilities: pd.DataFrame, image_coverage: pd.DataFrame
) -> pd.DataFrame:
    """Compare the newest scans of each image that more than one tool has scanned."""
    import pyarrow as pa
    import pyarrow.compute as pc

    sure = image_coverage["newest"] & image_coverage["matched"].isin(["digest", "name", "unused"])
    scans = pa.table({n: arrow(image_coverage[sure][n]) for n in ("image", "tool")})
    by = scans.group_by("image", use_threads=False).aggregate([("tool", "distinct")])
    by = by.filter(pc.greater(pc.list_value_length(by["tool_distinct"]), 1))
    v = image_vulnerabilities
    v = v[v["image"].isin(by["image"].to_pylist())].reset_index(drop=True)
    at = pc.index_in(arrow(v["image"]), value_set=by["image"].combine_chunks())
    scanned = by["tool_distinct"].combine_chunks().take(at).to_pylist()
    named = arrow(v["tools"]).to_pylist()
    silent = pa.array(
        [sorted({*all_} - {*some}) for all_, some in zip(scanned, named, strict=True)],
        pa.list_(pa.string()),
    )
    alone = pc.greater(pc.list_value_length(silent), 0)
    differ = pa.array([_severities(texts) > 1 for texts in v["severities"]], pa.bool_())
    verdict = pc.if_else(alone, "only one", pc.if_else(differ, "severity differs", "agreed"))
    found: dict[str, Any] = {n: arrow(v[n]) for n in RECONCILIATION.schema.names if n in v}
    found |= {
        "silent": silent,
        "verdict": verdict,
        "grave": pc.and_(
            pc.is_in(arrow(v["severity"]), value_set=pa.array(["critical", "high"])),
            pc.greater(arrow(v["workloads"]), 0),
        ),
        "cause": pc.if_else(alone, _cause(v, silent), ""),
    }
    return frame(RECONCILIATION.fitted(found))


def _severities(texts: list[str]) -> int:
    return len({text.partition("=")[2] for text in texts})


def _cause(v: pd.DataFrame, silent: pa.Array) -> pa.Array:
    """Tell what the silent tools say nearby: of the same flaw, or of the same package."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def keys(column: str, tools: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Row, and image, column and tool as one key, for each of the tools."""
        rows = pc.list_parent_indices(tools)
        of = [arrow(v[name]).take(rows) for name in ("image", column)]
        return rows, pc.binary_join_element_wise(*of, pc.list_flatten(tools), SEPARATOR)

    def told(column: str) -> pa.Array:
        """Rows of which a silent tool names the same in the column, of the same image."""
        rows, asked = keys(column, silent)
        _, named = keys(column, arrow(v["tools"]))
        found = rows.filter(pc.is_in(asked, value_set=named))
        return pc.is_in(pa.array(range(len(v)), found.type), value_set=found)

    return pc.if_else(told("advisory"), "version", pc.if_else(told("package"), "id", "package"))
