"""kyverno apply: what Kyverno's policies say of objects, without a cluster.

Source: kyverno/kyverno, ``cmd/cli/kubectl-kyverno/commands/apply``. It prints one report of all
that policies of cluster scope say, and one for each namespaced policy; before them, and where
no report was asked for, it prints text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import kyverno_apply
from kaudit.model.kyverno_apply import REPORTS, Said, policy_of, said_in
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
_TEXT = re.compile(
    rb"^Applying \d+ policy rule|^policy \S+ -> resource \S+ failed|^(?:Policies Skipped|"
    rb"Invalid Policies):",
    re.MULTILINE,
)
_OF_SERVER = re.compile(rb'^\s+uid:\s|"uid":\s*"', re.MULTILINE)
_BEGINS = re.compile(rb"^(?:\{|apiVersion:)", re.MULTILINE)
_report = msgspec.json.Decoder(dict[str, Raw]).decode


def _recognise(content: Content) -> bool:
    if content.shape == "list":
        return False
    if content.shape == "text" and _TEXT.search(content.data):
        return True
    found = _MERGED.search(content.data)
    return found is not None and not _OF_SERVER.search(content.data[: found.end() + 200])


@tool(
    "kyverno",
    title="kyverno apply",
    help="What kyverno apply prints (--policy-report, --table or text).",
    recognise=_recognise,
    files=("*kyverno*apply*.txt",),
)
def take_kyverno(content: Content) -> Iterator[Taken | Lost]:
    """Take the results of all reports apart, or those of a text."""
    numbered, texts, held, known = Numbered(content.report), Said(), 0, False
    for line, head, report in _parts(content):
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


def _parts(content: Content) -> Iterator[tuple[int, bytes, list[Any] | str | None]]:
    """Yield pieces of an output: the line, the text before a report, and its results.

    In the place of results stands what is wrong with a report, or nothing where there is none.
    """
    from kaudit.model.yaml_stream import chunks

    for line, chunk in chunks(content.whole):
        found = _BEGINS.search(chunk)
        if found is None:
            yield line, chunk, None
            continue
        head, rest = chunk[: found.start()], chunk[found.start() :]
        yield line + head.count(b"\n"), head, _results(rest)


def _results(text: bytes) -> list[Any] | str | None:
    try:
        report = _of_json(text) if text.startswith(b"{") else _of_yaml(text)
    except (msgspec.MsgspecError, InputError) as fault:
        return getattr(fault, "what", None) or str(fault)
    if report is None:
        return None
    results = report.get("results")
    if isinstance(results, Raw):
        results = msgspec.json.decode(results, type=list[Raw] | None)
    return results if isinstance(results, list) else []


def _of_json(text: bytes) -> dict[str, Any] | None:
    """Members of a report; text may follow behind its line. None where it is something else."""
    try:
        found = _report(text)
    except msgspec.DecodeError:
        found = _report(text.partition(b"\n")[0])
    return found if bytes(found.get("kind", b"")).strip(b'"').decode() in REPORTS else None


def _of_yaml(text: bytes) -> dict[str, Any] | None:
    from kaudit.model.yaml_stream import one

    found = one(text, "report")
    return found if isinstance(found, dict) and found.get("kind") in REPORTS else None


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
