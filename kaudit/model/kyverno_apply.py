"""What ``kyverno apply`` prints: reports, a table, or plain text.

Source: kyverno/kyverno, ``cmd/cli/kubectl-kyverno/commands/apply``. Plain text tells of failures
alone; older versions number them ``1. rule: message``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from kaudit.model.credential import masked
from kaudit.model.numbered import Found
from kaudit.model.policy_report import Result, Subject

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
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


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
        if _APPLIES.match(line):
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
            said.stated, said.known = int(counted[2]), True
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
