"""kyverno apply: what Kyverno's policies say of objects, without a cluster.

Source: kyverno/kyverno, ``cmd/cli/kubectl-kyverno/commands/apply``. It prints one report of all
that policies of cluster scope say, and one for each namespaced policy; before them, and where
no report was asked for, it prints text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from kaudit.errors import InputError
from kaudit.model import kyverno_apply
from kaudit.model.kyverno_apply import Said, parts, policy_of, said_in
from kaudit.model.numbered import Numbered
from kaudit.model.place import Place
from kaudit.model.policy_report import Subject
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.verdicts import POLICY_VERDICTS, VERDICT_REPORTS, VerdictReportRow, VerdictRow

_MERGED = re.compile(
    rb'"kind":\s*"Cluster(?:Policy)?Report"[^\[]*"name":\s*"(?:merged|clusterpolicyreport)"'
    rb"|^kind:\s*Cluster(?:Policy)?Report\n(?:[^\n]*\n){0,4}?\s+name:\s*"
    rb"(?:merged|clusterpolicyreport)\s*$",
    re.MULTILINE,
)
#: One of these is in whatever matches that: quicker to look for.
_NAMES = (b"merged", b"clusterpolicyreport")
_TEXT = re.compile(
    rb"^\$ (?:kubectl-)?kyverno apply|^Applying \d+ policy rule"
    rb"|^policy \S+ -> resource \S+ failed|^(?:Policies Skipped|Invalid Policies):",
    re.MULTILINE,
)
_OF_SERVER = re.compile(rb'^\s+uid:\s|"uid":\s*"', re.MULTILINE)


def _recognise(content: Content) -> bool:
    if content.shape == "list" or content.holds_items:
        return False
    if content.shape == "text" and _TEXT.search(content.data):
        return True
    if not any(name in content.data for name in _NAMES):
        return False
    found = _MERGED.search(content.data)
    return found is not None and not _OF_SERVER.search(content.data[: found.end() + 200])


@tool(
    "kyverno",
    title="kyverno apply",
    help="What kyverno apply prints (--policy-report, --table or text).",
    recognise=_recognise,
    files=("*kyverno*apply*.txt",),
    kinds=("ClusterPolicyReport", "ClusterReport"),
)
def take_kyverno(content: Content) -> Iterator[Taken | Lost]:
    """Take the results of all reports apart, or those of a text."""
    numbered, texts, held, known = Numbered(content.report), Said(), 0, False
    for line, head, report in parts(content.whole):
        said = said_in(head.decode("utf-8", "replace").splitlines())
        for what in said.left_out:
            yield Lost("Result", f"the policy was not applied: {what}", line)
        for one in said.results:
            yield numbered.take("Result", result=one)
        known = known or said.known
        held += said.held
        texts.stated = said.stated if said.stated is not None else texts.stated
        if isinstance(report, str):
            yield Lost("Result", f"line {line}: {report}", line)
        elif report is not None:
            known = True
            for raw in report:
                yield numbered.take("Result", result=raw)
    if not known:
        raise InputError("is no output of kyverno apply", hint="run it with --policy-report")
    output = kyverno_apply.Output(
        report=content.report,
        findings=numbered.count,
        stated=texts.stated,
        held=None if texts.stated is None else held,
    )
    yield Taken("Output", msgspec.json.encode(output))


@collector(Read.of("kyverno", "Output", "outputs", kyverno_apply.Output), tables=(VERDICT_REPORTS,))
def kyverno_outputs(found: kyverno_apply.Output, at: Place) -> Iterator[Row]:
    """Yield one output."""
    yield VerdictReportRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="kyverno",
        verdicts=found.findings,
        stated=found.stated,
        complete=None if found.stated is None else found.stated == found.held,
    )


@collector(
    Read.of("kyverno", "Result", "results", kyverno_apply.FoundResult), tables=(POLICY_VERDICTS,)
)
def kyverno_results(found: kyverno_apply.FoundResult, at: Place) -> Iterator[Row]:
    """Yield one row for each object that a result is about."""
    it = found.result
    policy_kind, policy_namespace, policy = policy_of(it)
    for number, one in enumerate(it.resources or [Subject()], start=1):
        version = one.api_version
        yield VerdictRow(
            raw=at.raw,
            raw_line=at.line,
            report=found.report,
            tool="kyverno",
            position=found.position,
            number=number,
            process="test",
            policy_kind=policy_kind,
            policy_namespace=policy_namespace,
            policy=policy,
            rule=it.rule or "",
            result=it.word,
            actions=[],
            group=None if version is None else version.rpartition("/")[0],
            kind=one.kind or "",
            namespace=one.namespace or "",
            name=one.name or "",
            message=it.message,
            found_at=it.timestamp.at if it.timestamp else None,
        )
