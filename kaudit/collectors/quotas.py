"""Quotas and limit ranges: what bounds a namespace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from kaudit.model.namespace import LimitRange, ResourceQuota
from kaudit.model.place import Place
from kaudit.model.quantity import number, whole
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class QuotaRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace that it bounds")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always ResourceQuota")] = "ResourceQuota"
    hard: Annotated[list[str], doc("spec.hard as sorted resource=quantity")]
    pods: Annotated[int | None, doc("hard pods")] = None
    cpu_request_cores: Annotated[float | None, doc("hard requests.cpu or cpu")] = None
    cpu_limit_cores: Annotated[float | None, doc("hard limits.cpu")] = None
    memory_request_bytes: Annotated[int | None, doc("hard requests.memory or memory")] = None
    memory_limit_bytes: Annotated[int | None, doc("hard limits.memory")] = None
    load_balancers: Annotated[int | None, doc("hard services.loadbalancers")] = None
    node_ports: Annotated[int | None, doc("hard services.nodeports")] = None
    scopes: Annotated[list[str], doc("spec.scopes as written")]
    scoped: Annotated[bool, doc("bounds some pods only: has scopes or a scopeSelector")]


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
    default_storage_request_bytes: Annotated[
        int | None, doc("defaultRequest.ephemeral-storage")
    ] = None
    min_cpu_cores: Annotated[float | None, doc("min.cpu")] = None
    min_memory_bytes: Annotated[int | None, doc("min.memory")] = None
    min_volume_bytes: Annotated[int | None, doc("min.storage of claims")] = None
    max_cpu_cores: Annotated[float | None, doc("max.cpu")] = None
    max_memory_bytes: Annotated[int | None, doc("max.memory")] = None
    max_storage_bytes: Annotated[int | None, doc("max.ephemeral-storage")] = None
    max_volume_bytes: Annotated[int | None, doc("max.storage of claims")] = None


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


@collector(Read("", "ResourceQuota", "resourcequotas", ResourceQuota), tables=(QUOTAS,))
def quotas(found: ResourceQuota, at: Place) -> Iterator[Row]:
    """Yield one row a quota."""
    spec, hard = found.spec, found.spec.hard or {}
    yield QuotaRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        hard=sorted(f"{k}={'' if v is None else v}" for k, v in hard.items()),
        pods=whole(hard.get("pods")),
        cpu_request_cores=number(hard.get("requests.cpu", hard.get("cpu"))),
        cpu_limit_cores=number(hard.get("limits.cpu")),
        memory_request_bytes=whole(hard.get("requests.memory", hard.get("memory"))),
        memory_limit_bytes=whole(hard.get("limits.memory")),
        load_balancers=whole(hard.get("services.loadbalancers")),
        node_ports=whole(hard.get("services.nodeports")),
        scopes=sorted(spec.scopes or ()),
        scoped=bool(spec.scopes) or spec.scope_selector is not None,
    )


@collector(Read("", "LimitRange", "limitranges", LimitRange), tables=(LIMIT_RANGES,))
def limit_ranges(found: LimitRange, at: Place) -> Iterator[Row]:
    """Yield one row a limit."""
    for position, limit in enumerate(found.spec.limits or ()):
        default, request = limit.default or {}, limit.default_request or {}
        least, most = limit.min or {}, limit.max or {}
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
            default_storage_request_bytes=whole(request.get("ephemeral-storage")),
            min_cpu_cores=number(least.get("cpu")),
            min_memory_bytes=whole(least.get("memory")),
            min_volume_bytes=whole(least.get("storage")),
            max_cpu_cores=number(most.get("cpu")),
            max_memory_bytes=whole(most.get("memory")),
            max_storage_bytes=whole(most.get("ephemeral-storage")),
            max_volume_bytes=whole(most.get("storage")),
        )
