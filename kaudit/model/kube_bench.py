"""Results of kube-bench as they arrive (aquasecurity/kube-bench, check/controls.go).

What a command printed is not declared: it may be a whole command line or file.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from kaudit.model.credential import masked
from kaudit.model.numbered import Found, Whole


class Check(msgspec.Struct, gc=False, omit_defaults=True):
    """One check."""

    test_number: str = ""
    test_desc: str | None = None
    type: str | None = None
    status: str | None = None
    reason: str | None = None
    expected_result: str | None = None

    def __post_init__(self) -> None:
        self.reason = masked(self.reason) if self.reason else None
        self.expected_result = masked(self.expected_result) if self.expected_result else None


class Section(msgspec.Struct, gc=False, omit_defaults=True):
    """tests[]."""

    results: list[Raw] | None = None


class Group(msgspec.Struct, gc=False, omit_defaults=True):
    """Controls of one kind of node."""

    version: str | None = None
    node_type: str | None = None
    tests: list[Section] | None = None


class FoundCheck(Found, kw_only=True):
    """Record of one check."""

    check: Check


class Report(Whole, kw_only=True):
    """Record of one run: versions of the benchmark and the kinds of nodes."""

    versions: list[str]
    nodes: list[str]
