"""What kaudit notes of a tool that it ran, one record a run."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

SCHEMA = "kaudit/runs/v1"
#: What engines of policies are run on.
CLUSTER = "policies of the cluster"
WITHOUT = "policies of the cluster without exceptions"
PROPOSED = "proposed policies"


class ToolRun(msgspec.Struct, omit_defaults=True):
    """One run of one tool on one target; see the table ``tool_runs``."""

    tool: str
    kind: str
    target: str
    outcome: Literal["done", "failed"]
    digest: str | None = None
    report: str | None = None
    looked_for: list[str] = []
    version: str | None = None
    program_digest: str | None = None
    database_version: str | None = None
    database_built_at: datetime | None = None
    reason: str | None = None
    detail: str | None = None
