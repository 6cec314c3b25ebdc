"""What ``kyverno apply`` prints: reports, a table, or plain text.

Source: kyverno/kyverno, ``cmd/cli/kubectl-kyverno/commands/apply``. Plain text tells of failures
alone; older versions number them ``1. rule: message``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model.credential import masked
from kaudit.model.numbered import Found
from kaudit.model.policy_report import Result, Subject
from kaudit.model.whole import whole

#: Kinds of reports that it prints.
REPORTS = ("ClusterReport", "Report", "ClusterPolicyReport", "PolicyReport")
#: What Kyverno calls the engine of each kind of policy of CEL.
_CEL = "Kyverno"
_HEADS = ("Policies Skipped:", "Invalid Policies:", "Policies Skipped (as required variables")
_LEFT_OUT = re.compile(r"^\d+\.\s+(?P<what>\S.*)$")
_FAILED = re.compile(
    r"^policy (?P<policy>\S+) -> resource (?P<path>\S+) failed(?P<warn> as audit warning)?: *$"
)
_RULE = re.compile(r"^\d+(?: - |\. )(?P<rest>.*)$")
_COUNTS = re.compile(r"^pass: (\d+), fail: (\d+), warn: (\d+), error: (\d+), skip: (\d+)\s*$")
_SIDES = re.compile(r"\s*[│|]\s*")
_APPLIES = re.compile(r"^Applying \d+ policy rule")
_SHOWN = re.compile(r"^\$ (?:kubectl-)?kyverno apply")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_BEGINS = re.compile(rb"^(?:\{|apiVersion:)", re.MULTILINE)
_report = msgspec.json.Decoder(dict[str, Raw]).decode


class FoundResult(Found, kw_only=True):
    """Record of one result."""

    result: Result


class Output(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of one output."""

    report: str
    findings: int
    stated: int | None = None
    held: int | None = None


class Said(msgspec.Struct):
    """What text tells: results, policies that were left out, and counts of failures."""

    results: list[Result] = []
    left_out: list[str] = []
    stated: int | None = None
    known: bool = False

    @property
    def held(self) -> int:
        """How many of its results are failures."""
        return sum(one.result == "fail" for one in self.results)


def said_in(lines: Iterable[str]) -> Said:
    """Read plain text, a table, and what stands before reports."""
    said, reading = Said(), _Reading()
    for line in lines:
        reading.line(_COLOUR.sub("", line.rstrip()), said)
    reading.close(said)
    return said


class _Reading:
    """Where in the text the reading is."""

    def __init__(self) -> None:
        self._left_out = False
        self._columns: list[str] = []
        self._of: re.Match[str] | None = None
        self._rule: list[str] = []

    def line(self, line: str, said: Said) -> None:
        if _APPLIES.match(line) or _SHOWN.match(line):
            said.known = True
        elif line.startswith(_HEADS):
            self._left_out, said.known = True, True
        elif self._left_out:
            found = _LEFT_OUT.match(line)
            if found:
                said.left_out.append(masked(found["what"]))
            elif set(line) == {"-"}:
                self._left_out = False
        elif line[:1] in ("│", "|"):
            self._row(line, said)
        elif counted := _COUNTS.match(line):
            self.close(said)
            said.stated, said.known = whole(counted[2]), True
        elif found := _FAILED.match(line):
            self.close(said)
            self._of, said.known = found, True
        elif self._of is not None:
            if not line:
                self.close(said)
            elif _RULE.match(line):
                self._end_rule(said)
                self._rule = [line]
            elif self._rule:
                self._rule.append(line)

    def _row(self, line: str, said: Said) -> None:
        cells = _SIDES.split(line)[1:-1]
        if not cells or set(line) <= set("│|─-"):
            return
        if cells[0].startswith("ID"):
            self._columns, said.known = [cell.lower() for cell in cells], True
            return
        row = dict(zip(self._columns, cells, strict=False))
        if not row.get("id", "").isdecimal():
            return  # a message goes on
        said.results.append(
            Result(
                policy=row.get("policy"),
                rule=row.get("rule") or None,
                result=row.get("result", "").lower() or None,
                message=row.get("message") or None,
                resources=[subject(row.get("resource", ""))],
            )
        )

    def _end_rule(self, said: Said) -> None:
        found = _RULE.match(self._rule[0]) if self._rule else None
        if self._of is None or found is None:
            return
        rest = " ".join([found["rest"], *self._rule[1:]])
        rule, _, message = rest.partition(" ")
        said.results.append(
            Result(
                policy=self._of["policy"],
                rule=rule.rstrip(":") or None,
                result="warn" if self._of["warn"] else "fail",
                message=message.strip() or None,
                resources=[subject(self._of["path"])],
            )
        )

    def close(self, said: Said) -> None:
        """End what is told of one policy and object."""
        self._end_rule(said)
        self._of, self._rule = None, []


def subject(path: str) -> Subject:
    """Return the object of ``namespace/Kind/name`` or ``Kind/name``.

    >>> subject("shop/Pod/web").namespace, subject("Namespace/shop").namespace
    ('shop', None)
    """
    space, _, rest = path.rpartition("/")[0].rpartition("/")
    return Subject(kind=rest or None, namespace=space or None, name=path.rpartition("/")[2] or None)


def policy_of(result: Result) -> tuple[str, str, str]:
    """Kind, namespace and name of the policy of a result; the kind is empty where not told."""
    namespace, _, name = (result.policy or "").rpartition("/")
    source = result.source or ""
    if source.lower() == "kyverno":
        return ("Policy" if namespace else "ClusterPolicy"), namespace, name
    return source.removeprefix(_CEL), namespace, name


def parts(text: bytes) -> Iterator[tuple[int, bytes, list[Any] | str | None]]:
    """Yield pieces of an output: the line, the text before a report, and its results.

    In the place of results stands what is wrong with a report, or nothing where there is none.
    """
    from kaudit.model.yaml_stream import chunks

    for line, chunk in chunks(text):
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
