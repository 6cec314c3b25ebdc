"""What the gate says: checks, each with its outcome, and what was found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from kaudit.errors import InputError
from kaudit.model.whole import whole
from kaudit.model.words import Gap, Severity
from kaudit.tables.scans import SEVERITIES
from kaudit.text import meant

_USUAL = {"critical": 0, "high": 0}


class Outcome(StrEnum):
    """Outcome of a check, in the order of attention."""

    FAIL = "fail"
    INCOMPLETE = "incomplete"
    PASS = "pass"  # noqa: S105  an outcome, not a password


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What is still let through.

    Attributes
    ----------
    max
        Findings allowed by severity; one that is not named is not limited.
    fixed_only
        Count only vulnerabilities that a newer version mends.
    min_score
        Least score that kubesec must give.
    fail_on
        Severity of controls from which a failure refuses; None lets all through.
    """

    max: Mapping[str, int] = msgspec.field(default_factory=lambda: dict(_USUAL))
    fixed_only: bool = False
    min_score: int = 0
    fail_on: Severity | None = Severity.HIGH

    def broken(self, counts: Mapping[str, int]) -> str:
        """Say which limits counts exceed; empty where none."""
        over = [
            f"{counts[severity]} {severity}, at most {self.max[severity]} allowed"
            for severity in SEVERITIES
            if severity in self.max and counts.get(severity, 0) > self.max[severity]
        ]
        return "; ".join(over)


def limited(given: Iterable[str]) -> dict[str, int]:
    """Limits by severity: those of the command line, over the usual ones.

    Raises
    ------
    InputError
        One is no SEVERITY=NUMBER.

    Examples
    --------
    >>> from kaudit.gate.verdict import limited
    >>> limited(["high=5"])
    {'critical': 0, 'high': 5}
    """
    found = dict(_USUAL)
    for text in given:
        severity, _, number = (part.strip() for part in text.partition("="))
        if severity not in SEVERITIES:
            raise InputError(f"{severity!r} is no severity", hint=meant(severity, SEVERITIES))
        if (most := whole(number)) is None:
            raise InputError(f"{text!r} is no SEVERITY=NUMBER", hint=f"such as {severity}=0")
        found[severity] = most
    return found


class Check(msgspec.Struct, kw_only=True):
    """One thing that the gate looked at.

    Attributes
    ----------
    what
        ``vulnerabilities``, ``credentials``, ``findings``, ``signature``, ``score``,
        ``controls`` or ``scan``.
    tool
        Who looked; ``kaudit`` for controls.
    target
        Image, file or source.
    outcome
        Word of :class:`Outcome`.
    counts
        Findings by severity that were held against the limits.
    suppressed, unfixed
        Vulnerabilities that exceptions left out, and those without a fix that were not counted.
    why
        Why it is not a pass.
    """

    what: str
    tool: str
    target: str
    outcome: Outcome
    counts: dict[str, int] = {}
    suppressed: int = 0
    unfixed: int = 0
    why: str = ""


class Finding(msgspec.Struct, kw_only=True):
    """One finding, whether it was counted or not.

    Attributes
    ----------
    what, tool, target
        Of its check.
    rule
        Advisory, rule or control.
    severity
        Word of the tables of scans.
    subject
        Package and version, object, or empty.
    message
        What it is.
    file, line, url
        Where it is, and where to read about it.
    suppressed
        What left it out; empty where nothing did.
    """

    what: str
    tool: str
    target: str
    rule: str
    severity: str
    subject: str = ""
    message: str = ""
    file: str | None = None
    line: int | None = None
    url: str | None = None
    suppressed: str = ""


class Verdict(msgspec.Struct, kw_only=True):
    """All that the gate says."""

    limits: Limits
    checks: list[Check]
    findings: list[Finding]
    gaps: list[Gap]

    @property
    def outcome(self) -> Outcome:
        """Fail before incomplete before pass; of no check at all, incomplete."""
        outcomes = {check.outcome for check in self.checks} or {Outcome.INCOMPLETE}
        return next(outcome for outcome in Outcome if outcome in outcomes)

    @property
    def code(self) -> int:
        """Exit code: 0 let through, 1 refused, 3 incomplete."""
        return {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.INCOMPLETE: 3}[self.outcome]
