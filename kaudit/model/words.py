"""The vocabulary as enums and frozen types."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from kaudit.card import card


class Layer(StrEnum):
    """The five layers of the guide, in the order of a workload's life."""

    BUILD = "build"
    DEPLOY = "deploy"
    RUNTIME = "runtime"
    NETWORK = "network"
    SECRETS = "secrets"


class Severity(StrEnum):
    """How bad a failure of the control is, worst first; never of the run."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for critical to 4 for info."""
        return list(Severity).index(self)


class Status(StrEnum):
    """Outcome of one control on one resource, in the order of attention."""

    FAIL = "fail"
    ERROR = "error"
    NOT_ASSESSED = "not_assessed"
    MANUAL = "manual"
    PASS = "pass"  # noqa: S105  a status, not a password
    NOT_APPLICABLE = "not_applicable"


class Reason(StrEnum):
    """Why a read is a gap.

    Two are no failure: ``not_in_source``, for a manifest folder that holds no Node says
    nothing about nodes, and ``repeated``, for what was read twice is counted once.
    """

    FORBIDDEN = "forbidden"
    UNAUTHENTICATED = "unauthenticated"
    ABSENT = "absent"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    PARTIAL = "partial"
    BROKEN = "broken"
    TOO_LARGE = "too_large"
    AMBIGUOUS = "ambiguous"
    TOOL_MISSING = "tool_missing"
    TOOL_FAILED = "tool_failed"
    NOT_COLLECTED = "not_collected"
    NOT_IN_SOURCE = "not_in_source"
    REPEATED = "repeated"


class Opinion(StrEnum):
    """Conclusion on a control or a layer."""

    EFFECTIVE = "effective"
    WITH_EXCEPTIONS = "effective with exceptions"
    NOT_EFFECTIVE = "not effective"
    UNABLE = "unable to conclude"
    NOT_APPLICABLE = "not applicable"


class Gap(msgspec.Struct, frozen=True, kw_only=True, order=True, omit_defaults=True):
    """A read that was refused, absent, partial or failed.

    Attributes
    ----------
    what
        The read: ``list pods``, ``item 17 of List``.
    reason
        A word of :class:`Reason`.
    tables
        Names of the tables that it weakens; empty where it only informs.
    namespace, kind, name
        Scope; an empty text means all of them.
    detail
        What was said, with the file and place; control characters are not yet shown.

    Examples
    --------
    >>> e = ka.Evidence.open("demo.kaudit")
    >>> [(gap.what, str(gap.reason)) for gap in e.gaps if gap.failed]
    [('NetworkPolicy legacy/allow-partners', 'broken'), ...]
    """

    what: str
    reason: Reason
    tables: tuple[str, ...] = ()
    namespace: str = ""
    kind: str = ""
    name: str = ""
    detail: str = ""

    @property
    def failed(self) -> bool:
        """True unless the source simply does not speak of the thing, or says it twice."""
        return self.reason not in (Reason.NOT_IN_SOURCE, Reason.REPEATED)

    def _repr_html_(self) -> str:
        return card(self, "Gap")

    @property
    def whole(self) -> bool:
        """True where nothing narrower than the whole table is affected."""
        return not (self.namespace or self.name)
