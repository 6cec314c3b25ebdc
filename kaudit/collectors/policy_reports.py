"""Reports of policy engines: what policies say of objects that exist.

Source: kubernetes-sigs/wg-policy-prototypes, openreports/reports-api, and Kyverno's reports
that become one of those later.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from msgspec.structs import replace

from kaudit.model.place import Place
from kaudit.model.policy_report import PolicyReport, Subject
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class ReportRow(Trace, kw_only=True):
    group: Annotated[str, doc("wgpolicyk8s.io, openreports.io or reports.kyverno.io")]
    kind: Annotated[str, doc("kind of the report")]
    namespace: Annotated[str, doc("namespace; empty for cluster scope")]
    name: Annotated[str, doc("name")]
    managed_by: Annotated[str | None, doc("label app.kubernetes.io/managed-by")] = None
    scope_kind: Annotated[str, doc("kind of the object that it is about; empty: not one object")]
    scope_api_version: Annotated[str, doc("group and version of that object; empty: not told")]
    scope_namespace: Annotated[str, doc("namespace of that object")]
    scope_name: Annotated[str, doc("name of that object")]
    scope_uid: Annotated[str, doc("uid of that object; empty where not told")]
    results: Annotated[int, doc("results that it holds")]
    passed: Annotated[int, doc("results pass")]
    failed: Annotated[int, doc("results fail")]
    warned: Annotated[int, doc("results warn")]
    errors: Annotated[int, doc("results error")]
    skipped: Annotated[int, doc("results skip")]
    summary: Annotated[list[str], doc("what its summary says, as result=count")]
    contradicts: Annotated[
        bool | None, doc("its summary says other counts than it holds; null: no summary")
    ] = None
    latest_at: Annotated[datetime | None, doc("time of its newest result")] = None


class ResultRow(Trace, kw_only=True):
    group: Annotated[str, doc("group of the report")]
    report_kind: Annotated[str, doc("kind of the report")]
    report_namespace: Annotated[str, doc("namespace of the report; empty for cluster scope")]
    report: Annotated[str, doc("name of the report")]
    position: Annotated[int, doc("place in the report, from 1")]
    number: Annotated[int, doc("place among the objects of the result, from 1")]
    policy: Annotated[str, doc("policy, as the engine names it; empty where not told")]
    rule: Annotated[str, doc("rule; empty where not told")]
    result: Annotated[str, doc("pass, fail, warn, error or skip; empty where not told")]
    severity: Annotated[str | None, doc("severity as written")] = None
    category: Annotated[str | None, doc("category as written")] = None
    source: Annotated[str | None, doc("engine that says so")] = None
    scored: Annotated[bool | None, doc("it counts; null: not told")] = None
    kind: Annotated[str, doc("kind of the object; empty: the result names none")]
    api_version: Annotated[str, doc("group and version of the object; empty where not told")]
    namespace: Annotated[str, doc("namespace of the object")]
    name: Annotated[str, doc("name of the object")]
    uid: Annotated[str, doc("uid of the object; empty where not told")]
    message: Annotated[str | None, doc("what was found, masked")] = None
    found_at: Annotated[datetime | None, doc("when it was found")] = None


POLICY_REPORTS = Table(
    "policy_reports",
    ReportRow,
    grain="one report of a policy engine",
    key=("group", "kind", "namespace", "name"),
    resource=Resource("kind"),
)
POLICY_RESULTS = Table(
    "policy_results",
    ResultRow,
    grain="one result in a report of a policy engine, for one object",
    key=("group", "report_kind", "report_namespace", "report", "position", "number"),
    resource=Resource("kind"),
)
_MANAGED = "app.kubernetes.io/managed-by"
_OF_GROUPS = (
    ("wgpolicyk8s.io", "PolicyReport", ("v1alpha2", "v1beta1", "v1alpha1")),
    ("openreports.io", "Report", ("v1alpha1",)),
    ("openreports.io", "PolicyReport", ("v1alpha1",)),
    ("reports.kyverno.io", "EphemeralReport", ("v1",)),
)


def _reads() -> Iterator[Read]:
    for group, kind, versions in _OF_GROUPS:
        plural = f"{kind.lower()}s"
        yield Read(group, kind, plural, PolicyReport, versions, silent=True)
        yield Read(
            group,
            f"Cluster{kind}",
            f"cluster{plural}",
            PolicyReport,
            versions,
            namespaced=False,
            silent=True,
        )


@collector(*_reads(), tables=(POLICY_REPORTS, POLICY_RESULTS))
def policy_reports(found: PolicyReport, at: Place) -> Iterator[Row]:
    """Yield one row a report, and one for each result and object that it is about."""
    body = found.body
    results, scope = body.results or [], body.owner or Subject()
    if at.kind == "EphemeralReport" and scope.kind and not scope.namespace:
        scope = replace(scope, namespace=at.namespace)  # an owner is of the same namespace
    words = [one.word for one in results]
    held = {word: words.count(word) for word in ("pass", "fail", "warn", "error", "skip")}
    said = body.summary.counts if body.summary else None
    times = [one.timestamp.at if one.timestamp else None for one in results]
    yield ReportRow(
        raw=at.raw,
        raw_line=at.line,
        group=at.group,
        kind=at.kind,
        namespace=at.namespace,
        name=at.name,
        managed_by=(found.metadata.labels or {}).get(_MANAGED),
        scope_kind=scope.kind or "",
        scope_api_version=scope.api_version or "",
        scope_namespace=scope.namespace or "",
        scope_name=scope.name or "",
        scope_uid=scope.uid or "",
        results=len(results),
        passed=held["pass"],
        failed=held["fail"],
        warned=held["warn"],
        errors=held["error"],
        skipped=held["skip"],
        summary=[f"{word}={count}" for word, count in (said or {}).items()],
        contradicts=None if said is None else not said.items() <= held.items(),
        latest_at=max(filter(None, times), default=None),
    )
    if not results:
        return
    # What a report says of all its results is put into a row once: it is a long list.
    common = ResultRow(
        raw=at.raw,
        raw_line=at.line,
        group=at.group,
        report_kind=at.kind,
        report_namespace=at.namespace,
        report=at.name,
        position=0,
        number=1,
        policy="",
        rule="",
        result="",
        kind=scope.kind or "",
        api_version=scope.api_version or "",
        namespace=scope.namespace or "",
        name=scope.name or "",
        uid=scope.uid or "",
    )
    told = zip(results, words, times, strict=True)
    for position, (it, word, time) in enumerate(told, start=1):
        row = replace(
            common,
            position=position,
            policy=it.policy or "",
            rule=it.rule or "",
            result=word,
            severity=it.severity,
            category=it.category,
            source=it.source or body.source,
            scored=it.scored,
            message=it.message,
            found_at=time,
        )
        if not it.resources:
            yield row
            continue
        for number, subject in enumerate(it.resources, start=1):
            yield replace(
                row,
                number=number,
                kind=subject.kind or "",
                api_version=subject.api_version or "",
                namespace=subject.namespace or "",
                name=subject.name or "",
                uid=subject.uid or "",
            )
