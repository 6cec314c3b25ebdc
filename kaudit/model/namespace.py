"""Namespaces, what bounds them, and service accounts on the wire."""

from __future__ import annotations

from msgspec import field

from kaudit.model.meta import DatedMetadata, NamedRef, Opaque, Part, Quantity, Resource


class Phase(Part):
    """status.phase."""

    phase: str | None = None


class Namespace(Resource):
    """core v1 Namespace."""

    metadata: DatedMetadata = field(default_factory=DatedMetadata)
    status: Phase = field(default_factory=Phase)


class ServiceAccount(Resource):
    """core v1 ServiceAccount."""

    automount_service_account_token: bool | None = None
    secrets: list[NamedRef] | None = None
    image_pull_secrets: list[NamedRef] | None = None


class QuotaSpec(Part):
    """spec of a ResourceQuota."""

    hard: dict[str, Quantity | None] | None = None
    scopes: list[str] | None = None
    scope_selector: Opaque | None = None


class ResourceQuota(Resource):
    """core v1 ResourceQuota."""

    spec: QuotaSpec = field(default_factory=QuotaSpec)


class LimitItem(Part):
    """spec.limits[] of a LimitRange."""

    type: str = ""
    default: dict[str, Quantity | None] | None = None
    default_request: dict[str, Quantity | None] | None = None
    max: dict[str, Quantity | None] | None = None
    min: dict[str, Quantity | None] | None = None


class LimitSpec(Part):
    """spec of a LimitRange."""

    limits: list[LimitItem] | None = None


class LimitRange(Resource):
    """core v1 LimitRange."""

    spec: LimitSpec = field(default_factory=LimitSpec)
