"""Results of Kubescape as they arrive (kubescape/opa-utils, reporthandling/v2)."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from kaudit.model.bounds import Score
from kaudit.model.moment import moment
from kaudit.model.numbered import Found, Whole


class _Part(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """Base: fields in Kubescape's spelling."""


class Named(_Part):
    """metadata of an object."""

    name: str | None = None
    namespace: str | None = None


class Object(_Part):
    """resources[].object: an object of the API, or a subject of rights."""

    kind: str | None = None
    name: str | None = None
    namespace: str | None = None
    metadata: Named | None = None
    source_path: str | None = None


class Origin(_Part):
    """resources[].source."""

    relative_path: str | None = None


class Resource(_Part):
    """resources[]."""

    resource_id: str = msgspec.field(default="", name="resourceID")
    object: Object | None = None
    source: Origin | None = None

    @property
    def subject(self) -> Subject:
        """What it is, in a few words."""
        it = self.object or Object()
        named = it.metadata or Named()
        path = self.source.relative_path if self.source else None
        return Subject(
            kind=it.kind or None,
            namespace=named.namespace or it.namespace or None,
            name=named.name or it.name or None,
            file=path or it.source_path or None,
        )


class Subject(msgspec.Struct, omit_defaults=True):
    """What a control was applied to."""

    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    file: str | None = None


class Result(_Part):
    """results[], its controls unread."""

    resource_id: str = msgspec.field(default="", name="resourceID")
    controls: list[Raw] | None = None


class Status(_Part):
    """status of a control on a resource."""

    status: str | None = None
    sub_status: str | None = None


class Fix(_Part):
    """fixPath; the value that it asks for is not declared."""

    path: str | None = None


class Path(_Part):
    """rules[].paths[]."""

    failed_path: str | None = None
    review_path: str | None = None
    delete_path: str | None = None
    fix_path: Fix | None = None

    @property
    def text(self) -> str:
        """Place in the object."""
        fix = self.fix_path.path if self.fix_path else None
        return self.failed_path or self.review_path or self.delete_path or fix or ""


class Rule(_Part):
    """controls[].rules[]."""

    status: str | None = None
    sub_status: str | None = None
    paths: list[Path] | None = None


class Control(_Part):
    """results[].controls[]."""

    control_id: str = msgspec.field(default="", name="controlID")
    name: str | None = None
    status: Status | None = None
    rules: list[Rule] | None = None

    @property
    def outcomes(self) -> set[tuple[str, str]]:
        """Status and its kind: of the control, or before 2.1 of each of its rules."""
        if self.status and self.status.status:
            return {(self.status.status, self.status.sub_status or "")}
        return {(rule.status or "", rule.sub_status or "") for rule in self.rules or ()}

    @property
    def places(self) -> list[str]:
        """Places in the object that the rules point at, sorted."""
        paths = (path for rule in self.rules or () for path in rule.paths or ())
        return sorted({path.text for path in paths} - {""})


class FoundControl(Found, kw_only=True):
    """Record of one control on one resource."""

    resource: str
    subject: Subject = msgspec.field(default_factory=Subject)
    factor: Score | None = None
    control: Control


class SummedControl(_Part):
    """summaryDetails.controls.*: how heavy it is."""

    score_factor: Raw = msgspec.field(default_factory=lambda: Raw(b"null"))


class Framework(_Part):
    """summaryDetails.frameworks[]."""

    name: str | None = None


class Summary(_Part):
    """summaryDetails."""

    controls: dict[str, SummedControl] | None = None


class Scores(_Part):
    """summaryDetails without its controls."""

    frameworks: list[Framework] | None = None
    score: float | None = None
    compliance_score: float | None = None


class Scan(_Part):
    """metadata.scanMetadata."""

    kubescape_version: str | None = None
    target_names: list[str] | None = None


class Metadata(_Part):
    """metadata."""

    scan_metadata: Scan | None = None


class Header(_Part):
    """The report without what it lists."""

    generation_time: str | None = None
    cluster_name: str | None = None
    metadata: Metadata | None = None
    summary_details: Scores | None = None

    def __post_init__(self) -> None:
        moment(self.generation_time)


class Report(Whole, kw_only=True):
    """Record of one report."""

    rules: int = 0
    header: Header
