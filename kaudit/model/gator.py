"""What ``gator test`` finds, as it arrives (open-policy-agent/gatekeeper, ``pkg/gator/test``).

Of the constraint and of the object that violates it only the names are kept.
"""

from __future__ import annotations

import msgspec
from msgspec import field

from kaudit.model.credential import masked
from kaudit.model.numbered import Found, Whole


class Named(msgspec.Struct, gc=False, omit_defaults=True):
    """metadata, as far as it names."""

    name: str | None = None
    generate_name: str | None = field(default=None, name="generateName")
    namespace: str | None = None


class Subject(msgspec.Struct, gc=False, omit_defaults=True):
    """A constraint or an object."""

    api_version: str | None = field(default=None, name="apiVersion")
    kind: str | None = None
    metadata: Named = field(default_factory=Named)

    @property
    def group(self) -> str | None:
        """API group, empty for the core; None where no version is told."""
        return None if self.api_version is None else group_of(self.api_version)

    @property
    def name(self) -> str:
        """Name, or the beginning of the one that a server would give it."""
        given = self.metadata.generate_name
        return self.metadata.name or (f"{given}*" if given else "")


def group_of(api_version: str) -> str:
    """Return the group of ``group/version``, empty for the core.

    >>> group_of("apps/v1"), group_of("v1")
    ('apps', '')
    """
    return api_version.rpartition("/")[0]


class Result(msgspec.Struct, gc=False, omit_defaults=True):
    """One violation; only constraints that some object violates are told."""

    constraint: Subject
    violating: Subject = field(name="violatingObject")
    target: str | None = None
    msg: str | None = None
    enforcement_action: str | None = field(default=None, name="enforcementAction")
    scoped_actions: list[str] | None = field(default=None, name="scopedEnforcementActions")

    def __post_init__(self) -> None:
        self.msg = masked(self.msg) if self.msg else None

    @property
    def actions(self) -> list[str]:
        """What the constraint does: at its points where it says so, else everywhere."""
        scoped = sorted({one for one in self.scoped_actions or () if one})
        return scoped or list(filter(None, [self.enforcement_action]))


class FoundResult(Found, kw_only=True):
    """Record of one violation."""

    result: Result


class Report(Whole, kw_only=True):
    """Record of one run."""
