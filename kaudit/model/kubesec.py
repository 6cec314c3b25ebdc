"""Reports of kubesec as they arrive (controlplaneio/kubesec, pkg/ruler/report.go, v2)."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from kaudit.model.credential import masked
from kaudit.model.meta import Int
from kaudit.model.numbered import Found, Whole


class Scoring(msgspec.Struct, gc=False, omit_defaults=True):
    """scoring: rules by outcome, unread."""

    critical: list[Raw] | None = None
    passed: list[Raw] | None = None
    advise: list[Raw] | None = None


class Scored(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """One object, its rules unread."""

    object: str = ""
    file_name: str | None = None
    scoring: Scoring | None = None


class Subject(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """What is said of one object as a whole: ``Deployment/web.shop`` and its score."""

    object: str = ""
    valid: bool = False
    file_name: str | None = None
    message: str | None = None
    score: Int = 0

    def __post_init__(self) -> None:
        self.message = masked(self.message) if self.message else None


class FoundSubject(Found, kw_only=True):
    """Record of one object."""

    rules: int = 0
    subject: Subject


class Rule(msgspec.Struct, gc=False, omit_defaults=True):
    """scoring.critical[], passed[], advise[]; ids came with 2.5."""

    id: str | None = None
    selector: str = ""
    reason: str | None = None
    points: Int | None = None


class FoundRule(Found, kw_only=True):
    """Record of one rule on one object."""

    outcome: str
    object: str
    file: str | None = None
    rule: Rule


class Report(Whole, kw_only=True):
    """Record of one report."""


def named(text: str) -> tuple[str, str, str]:
    """Kind, namespace and name of an object, as kubesec writes them.

    Namespaces have no dots, names may have some; an object without a name is not told apart
    from one that kubesec could not read.

    >>> named("Deployment/web.v1.shop"), named("Unknown")
    (('Deployment', 'shop', 'web.v1'), ('', '', 'Unknown'))
    """
    kind, slash, rest = text.partition("/")
    name, dot, namespace = rest.rpartition(".")
    if not slash:
        return "", "", text
    return (kind, namespace, name) if dot else (kind, "", rest)
