"""Namespaces, their Pod Security labels, quotas, limit ranges and service accounts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from kaudit.model.cluster import LimitRange, Namespace, ResourceQuota, ServiceAccount
from kaudit.model.place import Place
from kaudit.model.quantity import number, whole
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc

_PSA = "pod-security.kubernetes.io/"


class NamespaceRow(Trace, kw_only=True):
    uid: Annotated[str, doc("uid")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always Namespace")] = "Namespace"
    phase: Annotated[str | None, doc("status.phase")] = None
    labels: Annotated[list[str], doc("labels as sorted key=value")]
    annotation_keys: Annotated[list[str], doc("keys of its annotations, sorted")]
    enforce: Annotated[str | None, doc("label pod-security.kubernetes.io/enforce")] = None
    enforce_version: Annotated[str | None, doc("label …/enforce-version")] = None
    audit: Annotated[str | None, doc("label …/audit")] = None
    audit_version: Annotated[str | None, doc("label …/audit-version")] = None
    warn: Annotated[str | None, doc("label …/warn")] = None
    warn_version: Annotated[str | None, doc("label …/warn-version")] = None
    other_psa_labels: Annotated[list[str], doc("labels …/* that Kubernetes does not know")]
    created_at: Annotated[datetime | None, doc("creation time")] = None


class ServiceAccountRow(Trace, kw_only=True):
    uid: Annotated[str, doc("uid")]
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always ServiceAccount")] = "ServiceAccount"
    automount_token: Annotated[bool | None, doc("automountServiceAccountToken as written")] = None
    secrets: Annotated[list[str], doc("names of its secrets")]
    image_pull_secrets: Annotated[list[str], doc("names of its image pull secrets")]
    cloud_identity: Annotated[str | None, doc("cloud role or account of its annotations")] = None
    created_at: Annotated[datetime | None, doc("creation time")] = None


class QuotaRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace that it bounds")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always ResourceQuota")] = "ResourceQuota"
    hard: Annotated[list[str], doc("spec.hard as sorted resource=quantity")]


class LimitRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace that it bounds")]
    name: Annotated[str, doc("name of the LimitRange")]
    kind: Annotated[str, doc("always LimitRange")] = "LimitRange"
    position: Annotated[int, doc("place in spec.limits, from 0")]
    type: Annotated[str, doc("Container, Pod or PersistentVolumeClaim")]
    default_cpu_limit_cores: Annotated[float | None, doc("default.cpu")] = None
    default_memory_limit_bytes: Annotated[int | None, doc("default.memory")] = None
    default_storage_limit_bytes: Annotated[int | None, doc("default.ephemeral-storage")] = None
    default_cpu_request_cores: Annotated[float | None, doc("defaultRequest.cpu")] = None
    default_memory_request_bytes: Annotated[int | None, doc("defaultRequest.memory")] = None
    max_cpu_cores: Annotated[float | None, doc("max.cpu")] = None
    max_memory_bytes: Annotated[int | None, doc("max.memory")] = None


NAMESPACES = Table(
    "namespaces",
    NamespaceRow,
    grain="one namespace",
    key=("name", "uid"),
    resource=Resource("kind", namespace=""),
)
SERVICE_ACCOUNTS = Table(
    "service_accounts",
    ServiceAccountRow,
    grain="one service account",
    key=("namespace", "name", "uid"),
    resource=Resource("kind"),
)
QUOTAS = Table(
    "quotas",
    QuotaRow,
    grain="one ResourceQuota",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
LIMIT_RANGES = Table(
    "limit_ranges",
    LimitRow,
    grain="one limit of a LimitRange",
    key=("namespace", "name", "position"),
    resource=Resource("kind"),
)

_KNOWN = {
    f"{_PSA}{mode}{part}" for mode in ("enforce", "audit", "warn") for part in ("", "-version")
}
_CLOUD = (
    "eks.amazonaws.com/role-arn",
    "iam.gke.io/gcp-service-account",
    "azure.workload.identity/client-id",
)


@collector(Read("", "Namespace", "namespaces", Namespace, namespaced=False), tables=(NAMESPACES,))
def namespaces(found: Namespace, at: Place) -> Iterator[Row]:
    """Yield one row a namespace, labels as written."""
    labels = found.metadata.labels or {}
    yield NamespaceRow(
        raw=at.raw,
        raw_line=at.line,
        uid=at.uid,
        name=at.name,
        phase=found.status.phase,
        labels=found.metadata.label_texts,
        annotation_keys=found.metadata.annotation_keys,
        enforce=labels.get(_PSA + "enforce"),
        enforce_version=labels.get(_PSA + "enforce-version"),
        audit=labels.get(_PSA + "audit"),
        audit_version=labels.get(_PSA + "audit-version"),
        warn=labels.get(_PSA + "warn"),
        warn_version=labels.get(_PSA + "warn-version"),
        other_psa_labels=sorted(k for k in labels if k.startswith(_PSA) and k not in _KNOWN),
        created_at=found.metadata.creation_timestamp,
    )


@collector(
    Read("", "ServiceAccount", "serviceaccounts", ServiceAccount), tables=(SERVICE_ACCOUNTS,)
)
def service_accounts(found: ServiceAccount, at: Place) -> Iterator[Row]:
    """Yield one row a service account."""
    cloud = (found.metadata.annotation(key) for key in _CLOUD)
    yield ServiceAccountRow(
        raw=at.raw,
        raw_line=at.line,
        uid=at.uid,
        namespace=at.namespace,
        name=at.name,
        automount_token=found.automount_service_account_token,
        secrets=[s.name or "" for s in found.secrets or ()],
        image_pull_secrets=[s.name or "" for s in found.image_pull_secrets or ()],
        cloud_identity=next(filter(None, cloud), None),
        created_at=found.metadata.creation_timestamp,
    )


@collector(Read("", "ResourceQuota", "resourcequotas", ResourceQuota), tables=(QUOTAS,))
def quotas(found: ResourceQuota, at: Place) -> Iterator[Row]:
    """Yield one row a quota."""
    yield QuotaRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        hard=sorted(f"{k}={v}" for k, v in (found.spec.hard or {}).items()),
    )


@collector(Read("", "LimitRange", "limitranges", LimitRange), tables=(LIMIT_RANGES,))
def limit_ranges(found: LimitRange, at: Place) -> Iterator[Row]:
    """Yield one row a limit."""
    for position, limit in enumerate(found.spec.limits or ()):
        default, request, most = limit.default or {}, limit.default_request or {}, limit.max or {}
        yield LimitRow(
            raw=at.raw,
            raw_line=at.line,
            namespace=at.namespace,
            name=at.name,
            position=position,
            type=limit.type,
            default_cpu_limit_cores=number(default.get("cpu")),
            default_memory_limit_bytes=whole(default.get("memory")),
            default_storage_limit_bytes=whole(default.get("ephemeral-storage")),
            default_cpu_request_cores=number(request.get("cpu")),
            default_memory_request_bytes=whole(request.get("memory")),
            max_cpu_cores=number(most.get("cpu")),
            max_memory_bytes=whole(most.get("memory")),
        )
