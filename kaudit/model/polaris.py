"""Audits of Polaris as they arrive (FairwindsOps/polaris, pkg/validator/output.go)."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from kaudit.model.credential import masked
from kaudit.model.moment import moment
from kaudit.model.numbered import Found, Whole


class _Part(msgspec.Struct, gc=False, omit_defaults=True, rename="pascal"):
    """Base: fields in Polaris' spelling."""


#: Checks by their id; before 1.0 in a list.
Checks = dict[str, Raw] | list[Raw] | None


class Container(_Part):
    """ContainerResults[]."""

    name: str | None = None
    results: Checks = None


class Pod(_Part):
    """PodResult."""

    results: Checks = None
    container_results: list[Container] | None = None


class Result(_Part):
    """Results[]: checks of one object, unread."""

    name: str | None = None
    namespace: str | None = None
    kind: str | None = None
    results: Checks = None
    pod_result: Pod | None = None

    @property
    def checks(self) -> list[tuple[str | None, str, Raw]]:
        """Every check, with its container and the name that it stands under."""
        pod = self.pod_result or Pod()
        lists: list[tuple[str | None, Checks]] = [(None, self.results), (None, pod.results)]
        lists += [(c.name or None, c.results) for c in pod.container_results or ()]
        return [
            (container, *pair)
            for container, checks in lists
            for pair in (
                checks.items()
                if isinstance(checks, dict)
                else [("", check) for check in checks or ()]
            )
        ]


class Check(_Part):
    """One check; before 1.0 it has a type in the place of success and severity."""

    id: str | None = msgspec.field(default=None, name="ID")
    message: str | None = None
    success: bool | None = None
    severity: str | None = None
    type: str | None = None

    def __post_init__(self) -> None:
        self.message = masked(self.message) if self.message else None


class FoundCheck(Found, kw_only=True):
    """Record of one check of one object."""

    namespace: str | None = None
    kind: str | None = None
    name: str | None = None
    container: str | None = None
    rule: str = ""
    check: Check


class Header(_Part):
    """The audit without its results."""

    audit_time: str | None = None
    source_name: str | None = None
    display_name: str | None = None
    score: float | None = None

    def __post_init__(self) -> None:
        moment(self.audit_time)


class Report(Whole, kw_only=True):
    """Record of one audit."""

    header: Header
