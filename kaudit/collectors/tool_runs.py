"""Which tools kaudit itself ran, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import msgspec

from kaudit.errors import InputError
from kaudit.model.place import Place
from kaudit.model.taken import Content, Taken
from kaudit.model.tool_run import SCHEMA, ToolRun
from kaudit.registry import Read, collector, tool
from kaudit.table import Resource, Row, Table, Trace, doc


class _Noted(msgspec.Struct):
    schema: str
    runs: list[msgspec.Raw] = []


class ToolRunRow(Trace, kw_only=True):
    tool: Annotated[str, doc("tool that was run")]
    kind: Annotated[str, doc("Image, Dockerfile, Manifest, Constraints or Policies")]
    target: Annotated[str, doc("reference of the image, name of the file, or whose policies")]
    digest: Annotated[str | None, doc("digest of the image, where it was known before")] = None
    outcome: Annotated[str, doc("done: it gave an answer; failed: it gave none")]
    report: Annotated[str | None, doc("stands for its report in every table")] = None
    looked_for: Annotated[
        list[str],
        doc("what the tool was told to look for: vuln, secret; empty where it has no choice"),
    ]
    version: Annotated[str | None, doc("version that the tool tells")] = None
    program_digest: Annotated[str | None, doc("SHA-256 of the program")] = None
    database_version: Annotated[str | None, doc("version of its database")] = None
    database_built_at: Annotated[datetime | None, doc("when its database was built")] = None
    reason: Annotated[str | None, doc("why it gave no answer, in one word")] = None
    detail: Annotated[str | None, doc("what it said then, and the way out")] = None


TOOL_RUNS = Table(
    "tool_runs",
    ToolRunRow,
    grain="one tool that kaudit ran on one image, file or set of policies",
    key=("tool", "kind", "target"),
    resource=Resource("kind", namespace="", name="target"),
)


@tool(
    "runs",
    title="kaudit runs",
    help="Records of the tools that kaudit ran.",
    recognise=lambda content: {"schema", "runs"} <= content.keys,
)
def take_runs(content: Content) -> Iterator[Taken]:
    """Take the records one by one."""
    parts, rest = content.parted("runs[]")
    number = 0
    for part in parts:
        number += 1
        yield Taken("ToolRun", part.raw, number)
    noted = msgspec.json.decode(rest.data, type=_Noted)
    if noted.schema != SCHEMA:
        raise InputError(f"has the schema {noted.schema!r}", hint=f"{SCHEMA} is read")
    for raw in noted.runs:
        number += 1
        yield Taken("ToolRun", raw, number)


@collector(Read.of("runs", "ToolRun", "toolruns", ToolRun), tables=(TOOL_RUNS,))
def tool_runs(found: ToolRun, at: Place) -> Iterator[Row]:
    """Yield one run."""
    yield ToolRunRow(
        raw=at.raw,
        raw_line=at.line,
        tool=found.tool,
        kind=found.kind,
        target=found.target,
        digest=found.digest,
        outcome=found.outcome,
        report=found.report,
        looked_for=found.looked_for,
        version=found.version,
        program_digest=found.program_digest,
        database_version=found.database_version,
        database_built_at=found.database_built_at,
        reason=found.reason,
        detail=found.detail,
    )
