"""What policy engines say outside of the cluster's own objects: one shape for every engine."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from kaudit.table import Resource, Table, Trace, doc


class VerdictRow(Trace, kw_only=True):
    report: Annotated[str, doc("output that holds it (verdict_reports)")]
    tool: Annotated[str, doc("gator, gatekeeper (its log) or kyverno (its command line)")]
    position: Annotated[int, doc("place in the output, from 1")]
    number: Annotated[int, doc("place among the objects of the verdict, from 1")] = 1
    process: Annotated[
        str, doc("test, audit, admission, or as the engine says; empty where not told")
    ]
    policy_kind: Annotated[str, doc("kind of the constraint or policy; empty where not told")]
    policy_namespace: Annotated[str, doc("namespace of the policy; empty for cluster scope")] = ""
    policy: Annotated[str, doc("name of the constraint or policy; empty where not told")]
    rule: Annotated[str, doc("rule of the policy; empty where it has none")]
    result: Annotated[
        str, doc("fail, pass, warn, error or skip; empty where the engine does not say")
    ]
    actions: Annotated[
        list[str], doc("deny, dryrun, warn: what the policy would do; empty: not told")
    ]
    group: Annotated[str | None, doc("group of the object, empty for the core; null: not told")] = (
        None
    )
    kind: Annotated[str, doc("kind of the object; empty where not told")]
    namespace: Annotated[str, doc("namespace of the object; empty for cluster scope")]
    name: Annotated[str, doc("name of the object; empty where not told")]
    message: Annotated[str | None, doc("what was found, masked")] = None
    found_at: Annotated[datetime | None, doc("when it was found; null: not told")] = None


class VerdictReportRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the output in every table")]
    tool: Annotated[str, doc("gator, gatekeeper (its log) or kyverno (its command line)")]
    verdicts: Annotated[int, doc("verdicts that are read of it")]
    run: Annotated[str | None, doc("audit that they are of; null: not told")] = None
    runs: Annotated[int, doc("audits that it tells of; the last whole one is read")] = 1
    stated: Annotated[int | None, doc("violations that it says there are; null: not told")] = None
    complete: Annotated[
        bool | None, doc("all that it says there are are in it; null: it does not say")
    ] = None
    ended_at: Annotated[datetime | None, doc("when the audit ended; null: not told")] = None


POLICY_VERDICTS = Table(
    "policy_verdicts",
    VerdictRow,
    grain="one verdict of a policy engine on one object",
    key=("tool", "report", "position", "number"),
    resource=Resource("kind"),
)
VERDICT_REPORTS = Table(
    "verdict_reports",
    VerdictReportRow,
    grain="one output of a policy engine",
    key=("tool", "report"),
    resource=Resource("=File", namespace="", name="report"),
)
