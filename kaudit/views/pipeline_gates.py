"""Pipelines with what their steps scan, sign and let pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, assembled, empty, filled, gathered, named, series, text_is
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class PipelineGateRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the file in every table")]
    file: Annotated[str, doc("file")]
    triggers: Annotated[list[str], doc("events that start it, sorted")]
    builds: Annotated[bool, doc("builds or pushes an image")]
    pushes: Annotated[bool, doc("pushes an image")]
    scans_image: Annotated[bool, doc("scans an image")]
    blocks: Annotated[bool, doc("what a scan of an image finds stops it")]
    calls_others: Annotated[bool, doc("calls other workflows, which may scan")]
    scanners: Annotated[list[str], doc("tools that should stop it: tool and purpose")]
    signs: Annotated[bool, doc("signs an image")]
    attests: Annotated[bool, doc("makes an attestation")]
    writes_sarif: Annotated[bool, doc("a tool writes SARIF")]
    uploads_sarif: Annotated[bool, doc("uploads SARIF")]
    foreign_code: Annotated[list[str], doc("jobs that check out what strangers propose")]
    injectable: Annotated[list[str], doc("jobs that put text of strangers into commands")]
    wide_tokens: Annotated[
        list[str], doc("jobs whose token may write all, or whose rights nobody limits")
    ]
    credentials: Annotated[list[str], doc("jobs with a credential written into the file")]


PIPELINE_GATES = Table(
    "pipeline_gates",
    PipelineGateRow,
    grain="one workflow",
    key=("file", "report"),
    resource=Resource("=File", namespace="", name="file"),
)


@view(PIPELINE_GATES)
def pipeline_gates(
    pipelines: pd.DataFrame, pipeline_steps: pd.DataFrame, pipeline_tools: pd.DataFrame
) -> pd.DataFrame:
    """Gather the steps and tools of each workflow."""
    import pyarrow as pa
    import pyarrow.compute as pc

    p, steps, tools = pipelines, pipeline_steps, pipeline_tools
    if not len(p):
        return PIPELINE_GATES.empty()

    def has(rows: pd.DataFrame, chosen: pd.Series[Any]) -> pd.Series[Any]:
        return series(named(rows["report"][chosen.to_numpy(dtype=bool)], p["report"]), p)

    def jobs(chosen: pd.Series[Any]) -> pd.Series[Any]:
        rows = steps[chosen.to_numpy(dtype=bool)].drop_duplicates(["report", "job"])
        return gathered(rows["report"], rows["job"], p["report"])

    def purpose(*names: str) -> pd.Series[Any]:
        return has(tools, text_is(tools["purpose"], *names))

    stopping = tools[tools["stopping"].to_numpy(dtype=bool)]
    said = pc.binary_join_element_wise(arrow(stopping["tool"]), arrow(stopping["purpose"]), " ")
    all_written = series(_holds_star(arrow(steps["writes"])), steps)
    some = filled(steps["credentials"])
    called = series(pc.equal(arrow(steps["step"]), pa.scalar(0)), steps)
    found: dict[str, Any] = {n: p[n] for n in ("raw", "raw_line", "report", "file", "triggers")}
    found |= {
        "builds": purpose("build", "push"),
        "pushes": purpose("push"),
        "scans_image": purpose("scan_image"),
        "blocks": has(tools, text_is(tools["purpose"], "scan_image") & tools["blocks"]),
        "calls_others": has(steps, called & ~empty(steps["action"])),
        "scanners": gathered(stopping["report"], said, p["report"]),
        "signs": purpose("sign"),
        "attests": purpose("attest"),
        "writes_sarif": has(tools, tools["sarif"] & ~text_is(tools["tool"], "codeql")),
        "uploads_sarif": purpose("upload_sarif"),
        "foreign_code": jobs(steps["foreign_code"]),
        "injectable": jobs(steps["injectable"]),
        "wide_tokens": jobs(all_written | ~steps["permissions_set"]),
        "credentials": jobs(some),
    }
    return assembled(p, found, PIPELINE_GATES.names)


def _holds_star(lists: Any) -> Any:
    """Tell which lists hold ``*``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    star = pc.equal(lists.flatten(), "*")
    at = pc.list_parent_indices(lists).filter(star)
    return pc.is_in(pa.array(range(len(lists)), pa.int64()), value_set=pc.cast(at, pa.int64()))
