"""What linters say of each Dockerfile: Hadolint, and Trivy's checks of configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import arrow, sorted_lists
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class DockerfileLintRow(Trace, kw_only=True):
    file: Annotated[str, doc("file, as the Dockerfile or the linter names it")]
    linted: Annotated[bool, doc("the evidence holds the report of a linter of Dockerfiles")]
    tools: Annotated[list[str], doc("linters with findings, sorted")]
    grave: Annotated[int, doc("rules that it breaks, of medium severity or worse")]
    lesser: Annotated[int, doc("other rules that it breaks")]
    rules: Annotated[list[str], doc("rules that it breaks, of medium severity or worse, sorted")]


DOCKERFILE_LINT = Table(
    "dockerfile_lint",
    DockerfileLintRow,
    grain="one Dockerfile, read or named by a linter",
    key=("file",),
    resource=Resource("=File", namespace="", name="file"),
)
_GRAVE = ("critical", "high", "medium")


@view(DOCKERFILE_LINT, gathers=("dockerfiles",))
def dockerfile_lint(
    tool_findings: pd.DataFrame, tool_reports: pd.DataFrame, dockerfiles: pd.DataFrame
) -> pd.DataFrame:
    """Gather findings by file; a file is the same where one path ends in the other."""
    import pyarrow as pa
    import pyarrow.compute as pc

    f = tool_findings[tool_findings["status"].isin(["fail", "warn"])]
    f = f[(f["tool"] == "hadolint") | ((f["tool"] == "trivy") & _of_dockerfile(f["file"]))]
    f = f.reset_index(drop=True)
    read = sorted(set(arrow(dockerfiles["file"]).to_pylist()))
    files = [_same(file, read) for file in arrow(f["file"]).to_pylist()]
    grave = pc.is_in(arrow(f["severity"]), value_set=pa.array(_GRAVE))
    rows = pa.table(
        {
            "file": pa.array(files, pa.string()),
            "tool": arrow(f["tool"]),
            "grave": pc.if_else(grave, arrow(f["rule"]), pa.scalar(None, pa.string())),
            "lesser": pc.if_else(grave, pa.scalar(None, pa.string()), arrow(f["rule"])),
            "raw": arrow(f["raw"]),
            "raw_line": arrow(f["raw_line"]),
        }
    )
    clean = dockerfiles[~dockerfiles["file"].isin(files)]
    nothing = pa.nulls(len(clean), pa.string())
    columns = {name: arrow(clean[name]) for name in ("file", "raw", "raw_line")}
    rows = pa.concat_tables(
        [rows, pa.table({**dict.fromkeys(rows.column_names, nothing), **columns}, rows.schema)]
    )
    found = rows.group_by("file", use_threads=False).aggregate(
        [
            ("tool", "distinct"),
            ("grave", "distinct"),
            ("lesser", "count_distinct"),
            ("raw", "first"),
            ("raw_line", "first"),
        ]
    )
    linted = bool(tool_reports["tool"].isin(["hadolint"]).any()) or bool(len(f))
    rules = sorted_lists(found["grave_distinct"])
    table = {
        "file": found["file"],
        "linted": pa.repeat(linted, found.num_rows),
        "tools": sorted_lists(found["tool_distinct"]),
        "grave": pc.list_value_length(rules),
        "lesser": found["lesser_count_distinct"],
        "rules": rules,
        "raw": found["raw_first"],
        "raw_line": found["raw_line_first"],
    }
    return frame(DOCKERFILE_LINT.sorted(DOCKERFILE_LINT.fitted(table)))


def _of_dockerfile(files: pd.Series[str]) -> pd.Series[bool]:
    return files.fillna("").str.contains(r"(?:^|/)(?:[\w.-]+\.)?(?:Dockerfile|Containerfile)")


def _same(file: str | None, read: list[str]) -> str:
    """Name of the Dockerfile that was read, where it is the one that the linter names."""
    name = (file or "").lstrip("./")
    ends = [one for one in read if f"/{one}".endswith(f"/{name}") or f"/{name}".endswith(f"/{one}")]
    return ends[0] if len(ends) == 1 else file or "(unnamed)"
