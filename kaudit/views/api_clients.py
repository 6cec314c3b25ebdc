"""Workloads whose account has rights in the API: who has a reason to connect to its server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class ApiClientRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace of the workload")]
    owner_kind: Annotated[str, doc("kind of the workload")]
    owner_name: Annotated[str, doc("name of the workload")]
    service_account: Annotated[str, doc("account of the first of its pods that has rights")]


API_CLIENTS = Table(
    "api_clients",
    ApiClientRow,
    grain="one workload of which a pod's account has rights",
    key=("namespace", "owner_kind", "owner_name", "raw", "raw_line"),
    resource=Resource("owner_kind", name="owner_name"),
    pods=True,
    summed=True,
)


@view(API_CLIENTS)
def api_clients(pod_tokens: pd.DataFrame) -> pd.DataFrame:
    """Keep the first pod with rights of each workload."""
    owner = ["namespace", "owner_kind", "owner_name"]
    found = pod_tokens[pod_tokens["has_rights"].to_numpy(bool)].drop_duplicates(owner)
    columns = API_CLIENTS.names
    return found[columns].sort_values(list(API_CLIENTS.key)).reset_index(drop=True)
