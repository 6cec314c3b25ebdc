"""Findings of Prowler as they arrive (prowler-cloud/prowler, lib/outputs/ocsf; OCSF 1.4).

What is known of a resource (its environment among it) is not declared.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

from kaudit.model.credential import masked
from kaudit.model.numbered import Found, Whole

#: Seconds since 1970, to the end of the year 9999.
Seconds = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]


class _Part(msgspec.Struct, gc=False, omit_defaults=True):
    """Base: fields in OCSF's spelling."""


class Product(_Part):
    """metadata.product."""

    name: str | None = None
    version: str | None = None


class Metadata(_Part):
    """metadata."""

    event_code: str | None = None
    product: Product | None = None


class Info(_Part):
    """finding_info."""

    title: str | None = None


class Resource(_Part):
    """resources[]."""

    name: str | None = None
    namespace: str | None = None
    type: str | None = None


class Unmapped(_Part):
    """unmapped: what OCSF has no place for."""

    related_url: str | None = None


class Head(_Part):
    """Of a finding only what it says of the run."""

    metadata: Metadata | None = None
    time: Seconds | None = None

    @property
    def at(self) -> datetime | None:
        """When it was found."""
        return None if self.time is None else datetime.fromtimestamp(self.time, UTC)


class Finding(Head):
    """One finding."""

    message: str | None = None
    severity: str | None = None
    status: str | None = None
    status_code: str | None = None
    status_detail: str | None = None
    finding_info: Info | None = None
    resources: list[Resource] | None = None
    unmapped: Unmapped | None = None

    def __post_init__(self) -> None:
        self.message = masked(self.message) if self.message else None
        self.status_detail = masked(self.status_detail) if self.status_detail else None


class FoundFinding(Found, kw_only=True):
    """Record of one finding."""

    finding: Finding


class Report(Whole, kw_only=True):
    """Record of one run."""

    version: str | None = None
    ended: datetime | None = None
