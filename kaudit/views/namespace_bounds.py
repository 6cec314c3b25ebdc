"""Namespaces, whose they are, and what bounds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import assembled, counted, series, text_is
from kaudit.model import platform
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class NamespaceBoundsRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always Namespace")]
    name: Annotated[str, doc("name")]
    labels: Annotated[list[str], doc("labels as sorted key=value")]
    of_tenant: Annotated[bool, doc("not a namespace of Kubernetes itself")]
    quotas: Annotated[int, doc("how many ResourceQuotas it has")]
    limit_ranges: Annotated[int, doc("how many limits its LimitRanges hold")]
    bounded: Annotated[bool, doc("has a ResourceQuota or a LimitRange")]


NAMESPACE_BOUNDS = Table(
    "namespace_bounds",
    NamespaceBoundsRow,
    grain="one namespace and what bounds it",
    key=("name",),
    resource=Resource("kind", namespace=""),
)


@view(NAMESPACE_BOUNDS, decided={"of_tenant": ()})
def namespace_bounds(
    namespaces: pd.DataFrame, quotas: pd.DataFrame, limit_ranges: pd.DataFrame
) -> pd.DataFrame:
    """Count quotas and limit ranges."""
    n = namespaces
    by_quota = counted(quotas["namespace"], n["name"])
    by_range = counted(limit_ranges["namespace"], n["name"])
    found: dict[str, Any] = {
        name: n[name] for name in ("raw", "raw_line", "kind", "name", "labels")
    }
    found |= {
        "of_tenant": ~text_is(n["name"], *platform.NAMESPACES),
        "quotas": series(by_quota, n),
        "limit_ranges": series(by_range, n),
        "bounded": series((by_quota + by_range) > 0, n),
    }
    return assembled(n, found, NAMESPACE_BOUNDS.names)
