"""Reports of kube-linter as they arrive (stackrox/kube-linter, pkg/run and pkg/diagnostic)."""

from __future__ import annotations

import msgspec

from kaudit.model.credential import masked
from kaudit.model.moment import moment
from kaudit.model.numbered import Found, Whole


class _Part(msgspec.Struct, gc=False, omit_defaults=True, rename="pascal"):
    """Base: fields in kube-linter's spelling."""


class Diagnostic(_Part):
    """Diagnostic."""

    message: str | None = None

    def __post_init__(self) -> None:
        self.message = masked(self.message) if self.message else None


class ObjectMetadata(_Part):
    """Object.Metadata."""

    file_path: str | None = None


class Kind(_Part):
    """Object.K8sObject.GroupVersionKind."""

    kind: str | None = None


class Subject(_Part):
    """Object.K8sObject."""

    namespace: str | None = None
    name: str | None = None
    group_version_kind: Kind | None = None


class Object(_Part):
    """Object."""

    metadata: ObjectMetadata | None = None
    subject: Subject | None = msgspec.field(default=None, name="K8sObject")


class Finding(_Part):
    """Reports[]."""

    check: str
    diagnostic: Diagnostic | None = None
    object: Object | None = None


class FoundFinding(Found, kw_only=True):
    """Record of one finding."""

    finding: Finding


class Summary(_Part):
    """Summary."""

    check_end_time: str | None = None
    kube_linter_version: str | None = None

    def __post_init__(self) -> None:
        moment(self.check_end_time)


class Report(Whole, kw_only=True):
    """Record of one report."""

    rules: int | None = None
    summary: Summary | None = None
