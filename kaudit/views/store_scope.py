"""Who may use a secret store, and how it logs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import assembled, over_lists, text_is
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class StoreScopeRow(Trace, kw_only=True):
    kind: Annotated[str, doc("SecretStore or ClusterSecretStore")]
    namespace: Annotated[str, doc("namespace; empty for a ClusterSecretStore")]
    name: Annotated[str, doc("name")]
    uid: Annotated[str, doc("uid")]
    provider: Annotated[str, doc("vault, aws, gcpsm, azurekv, kubernetes, fake, …; empty: none")]
    auth: Annotated[str, doc("static, certificate, account or ambient, as of secret_stores")]
    auth_paths: Annotated[list[str], doc("settings that point at what it logs in with, sorted")]
    secrets: Annotated[list[str], doc("namespace/name of Secrets it logs in with, sorted")]
    scopes: Annotated[list[str], doc("terms of its conditions; any lets a namespace in")]
    cluster_wide: Annotated[bool, doc("a ClusterSecretStore")]
    open: Annotated[bool, doc("a ClusterSecretStore that every namespace may use")]
    static: Annotated[bool, doc("logs in with a credential that is kept in the cluster")]
    made_up: Annotated[bool, doc("provider fake: its values are written out in the store")]


STORE_SCOPE = Table(
    "store_scope",
    StoreScopeRow,
    grain="one SecretStore or ClusterSecretStore, and who may use it",
    key=("kind", "namespace", "name", "uid"),
    resource=Resource("kind"),
)
_COPIED = (
    *("raw", "raw_line", "kind", "namespace", "name", "uid", "provider", "auth", "auth_paths"),
    *("secrets", "scopes"),
)
#: Terms that let every namespace in.
_EVERY = {"selector {}", *(f"regex {text}" for text in ("", ".*", ".+", "^.*$", "^.+$", "^", "$"))}


@view(STORE_SCOPE)
def store_scope(secret_stores: pd.DataFrame) -> pd.DataFrame:
    """Tell stores of all namespaces from those of some, and static credentials from others."""
    s = secret_stores
    whole = text_is(s["kind"], "ClusterSecretStore")
    found: dict[str, Any] = {name: s[name] for name in _COPIED}
    found |= {
        "cluster_wide": whole,
        "open": whole & over_lists(s["scopes"], _open),
        "static": text_is(s["auth"], "static"),
        "made_up": text_is(s["provider"], "fake"),
    }
    return assembled(s, found, STORE_SCOPE.names)


def _open(scopes: list[str]) -> bool:
    return not scopes or not _EVERY.isdisjoint(scopes)
