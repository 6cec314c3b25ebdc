"""The service accounts that Kubernetes makes in every namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import assembled, flags, text_is
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class DefaultAccountRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("always default")]
    kind: Annotated[str, doc("always ServiceAccount")]
    mounts_token: Annotated[bool, doc("pods get its token unless they say no; so where unset")]


DEFAULT_ACCOUNTS = Table(
    "default_accounts",
    DefaultAccountRow,
    grain="one service account named default",
    key=("namespace", "name"),
    resource=Resource("kind"),
)


@view(DEFAULT_ACCOUNTS)
def default_accounts(service_accounts: pd.DataFrame) -> pd.DataFrame:
    """Choose the default accounts, and tell what they give to pods."""
    chosen = text_is(service_accounts["name"], "default").to_numpy(dtype=bool)
    found = service_accounts[chosen].reset_index(drop=True)
    columns: dict[str, Any] = {
        name: found[name] for name in ("raw", "raw_line", "namespace", "name", "kind")
    }
    columns["mounts_token"] = flags(found["automount_token"], unset=True)
    return assembled(found, columns, DEFAULT_ACCOUNTS.names)
