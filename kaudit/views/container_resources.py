"""Requests and limits of containers, with what a LimitRange would fill in.

A LimitRange changes pods as they are made, so a Pod object shows the outcome and a template
does not. A default limit that is unset is the maximum, a default request that is unset is the
default limit or else the minimum (Kubernetes API defaulting of LimitRangeItem, v1.36; type
Container).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import assembled, flags, positions, series, text_is
from kaudit.registry import view
from kaudit.table import Table, doc
from kaudit.tables.owned import CONTAINER, CONTAINER_KEY, OWNED_CONTAINER, OfContainer

if TYPE_CHECKING:
    import pandas as pd


class ContainerResourcesRow(OfContainer, kw_only=True):
    bounded: Annotated[bool, doc("not ephemeral: can have resources")]
    cpu_request_cores: Annotated[float | None, doc("CPU request, of the container or its pod")]
    cpu_limit_cores: Annotated[float | None, doc("CPU limit, of the container or its pod")]
    memory_request_bytes: Annotated[int | None, doc("memory request, container or pod")]
    memory_limit_bytes: Annotated[int | None, doc("memory limit, container or pod")]
    storage_limit_bytes: Annotated[int | None, doc("ephemeral-storage limit")]
    requests_cpu: Annotated[bool, doc("has a CPU request, also by a limit or a LimitRange")]
    requests_memory: Annotated[bool, doc("has a memory request, also by a limit or a LimitRange")]
    limits_cpu: Annotated[bool, doc("has a CPU limit, also by a LimitRange")]
    limits_memory: Annotated[bool, doc("has a memory limit, also by a LimitRange")]
    limits_storage: Annotated[bool, doc("has an ephemeral-storage limit, also by a LimitRange")]


CONTAINER_RESOURCES = Table(
    "container_resources",
    ContainerResourcesRow,
    grain="one container and what it may take of its node",
    key=CONTAINER_KEY,
    resource=OWNED_CONTAINER,
    pods=True,
)

_COPIED = (
    *CONTAINER,
    "bounded",
    "cpu_request_cores",
    "cpu_limit_cores",
    "memory_request_bytes",
    "memory_limit_bytes",
    "storage_limit_bytes",
)


@view(CONTAINER_RESOURCES, decided={"bounded": ()})
def container_resources(security_context: pd.DataFrame, limit_ranges: pd.DataFrame) -> pd.DataFrame:
    """Apply the defaults of limit ranges to templates."""
    c = security_context
    ranges = limit_ranges[text_is(limit_ranges["type"], "Container").to_numpy(dtype=bool)]
    template = text_is(c["origin"], "template")

    def defaulted(*columns: str) -> pd.Series[Any]:
        some = flags(ranges[list(columns)].notna().any(axis=1)).to_numpy(dtype=bool)
        return template & series(positions(c["namespace"], ranges["namespace"][some]) >= 0, c)

    cpu = ("default_cpu_limit_cores", "max_cpu_cores")
    memory = ("default_memory_limit_bytes", "max_memory_bytes")
    storage = ("default_storage_limit_bytes", "max_storage_bytes")
    limits_cpu = c["cpu_limit_cores"].notna() | defaulted(*cpu)
    limits_memory = c["memory_limit_bytes"].notna() | defaulted(*memory)
    found: dict[str, Any] = {name: c[name] for name in _COPIED}
    found |= {
        "limits_cpu": limits_cpu,
        "limits_memory": limits_memory,
        "limits_storage": c["storage_limit_bytes"].notna() | defaulted(*storage),
        "requests_cpu": c["cpu_request_cores"].notna()
        | limits_cpu
        | defaulted("default_cpu_request_cores", "min_cpu_cores"),
        "requests_memory": c["memory_request_bytes"].notna()
        | limits_memory
        | defaulted("default_memory_request_bytes", "min_memory_bytes"),
    }
    for name in ("cpu", "memory", "storage"):
        found[f"limits_{name}"] = flags(found[f"limits_{name}"])
    for name in ("cpu", "memory"):
        found[f"requests_{name}"] = flags(found[f"requests_{name}"])
    return assembled(c, found, CONTAINER_RESOURCES.names)
