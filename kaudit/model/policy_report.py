"""Reports of policy engines on the wire.

Source: kubernetes-sigs/wg-policy-prototypes and openreports/reports-api; Kyverno's ephemeral
reports hold the same below ``spec``. Properties, which are free, are not kept.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from msgspec import field

from kaudit.model.credential import masked
from kaudit.model.meta import Int, Part, Resource

#: Last second of the year 9999.
_END = 253402300799
#: Engines say the same of many objects.
_message = lru_cache(maxsize=4096)(masked)


@lru_cache(maxsize=4096)
def _moment(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds <= _END else None


class Subject(Part):
    """An object that a report or a result is about."""

    api_version: str | None = None
    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    uid: str | None = None


class Timestamp(Part):
    """timestamp; its nanoseconds, which some engines make negative, are not kept."""

    seconds: Int | None = None

    @property
    def at(self) -> datetime | None:
        """The moment; None where it is zero or out of all bounds."""
        return _moment(self.seconds) if self.seconds else None


class Result(Part):
    """results[]; v1alpha1 calls the result its status."""

    policy: str | None = None
    rule: str | None = None
    result: str | None = None
    status: str | None = None
    severity: str | None = None
    category: str | None = None
    source: str | None = None
    scored: bool | None = None
    message: str | None = None
    timestamp: Timestamp | None = None
    resources: list[Subject] | None = None

    def __post_init__(self) -> None:
        self.message = _message(self.message) if self.message else None

    @property
    def word(self) -> str:
        """Result, in small letters; empty where it is not told."""
        return (self.result or self.status or "").lower()


class Summary(Part):
    """summary: how many results of each kind there are said to be."""

    passed: Int | None = field(default=None, name="pass")
    fail: Int | None = None
    warn: Int | None = None
    error: Int | None = None
    skip: Int | None = None

    @property
    def counts(self) -> dict[str, int]:
        """What it says, by result."""
        said = {
            "pass": self.passed,
            "fail": self.fail,
            "warn": self.warn,
            "error": self.error,
            "skip": self.skip,
        }
        return {word: count for word, count in said.items() if count is not None}


class Body(Part):
    """spec of an ephemeral report."""

    owner: Subject | None = None
    source: str | None = None
    results: list[Result] | None = None
    summary: Summary | None = None


class PolicyReport(Resource):
    """PolicyReport, Report, EphemeralReport, and those of cluster scope."""

    scope: Subject | None = None
    source: str | None = None
    results: list[Result] | None = None
    summary: Summary | None = None
    spec: Body | None = None

    @property
    def body(self) -> Body:
        """What it says, wherever it stands."""
        return self.spec or Body(self.scope, self.source, self.results, self.summary)
