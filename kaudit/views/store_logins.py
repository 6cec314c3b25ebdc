"""Secrets that stores log in with, and their age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, assembled, looked_up, positions, series, unlisted
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class StoreLoginRow(Trace, kw_only=True):
    kind: Annotated[str, doc("SecretStore or ClusterSecretStore")]
    namespace: Annotated[str, doc("namespace; empty for a ClusterSecretStore")]
    name: Annotated[str, doc("name")]
    provider: Annotated[str, doc("vault, aws, gcpsm, …")]
    secret: Annotated[str, doc("namespace/name of a Secret that it logs in with")]
    known: Annotated[bool, doc("that Secret is in the evidence")]
    age_days: Annotated[int | None, doc("whole days since it was made or last changed")]
    old: Annotated[bool | None, doc("older than the time for rotation; null: cannot be told")]


STORE_LOGINS = Table(
    "store_logins",
    StoreLoginRow,
    grain="one Secret that one store logs in with",
    key=("kind", "namespace", "name", "secret"),
    resource=Resource("kind"),
)


@view(STORE_LOGINS)
def store_logins(secret_stores: pd.DataFrame, secret_ages: pd.DataFrame) -> pd.DataFrame:
    """Look up the age of each Secret that a store names."""
    import pyarrow.compute as pc

    listed, names = unlisted(secret_stores, "secrets")
    known = pc.binary_join_element_wise(
        arrow(secret_ages["namespace"]), arrow(secret_ages["name"]), "/"
    )
    at = positions(names, known)
    columns = STORE_LOGINS.names
    found: dict[str, Any] = {name: listed[name] for name in columns if name in listed.columns}
    found |= {"secret": series(names, listed), "known": series(at >= 0, listed)}
    found |= {name: looked_up(secret_ages, at, name, listed) for name in ("age_days", "old")}
    return assembled(listed, found, columns)
