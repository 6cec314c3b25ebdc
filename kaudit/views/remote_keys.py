"""Keys of secret stores that are fetched into several namespaces, and versions that are served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import records
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class RemoteKeyRow(Trace, kw_only=True):
    kind: Annotated[str, doc("ExternalSecret or ClusterExternalSecret")]
    namespace: Annotated[str, doc("namespace; empty for a ClusterExternalSecret")]
    name: Annotated[str, doc("name")]
    uid: Annotated[str, doc("uid")]
    store: Annotated[str, doc("Kind/name of its store; empty: it names none")]
    shared_keys: Annotated[list[str], doc("keys that other namespaces fetch from such a store too")]
    shared_with: Annotated[list[str], doc("who fetches them, as namespace/name, sorted")]
    spread: Annotated[list[str], doc("namespaces that a ClusterExternalSecret has filled")]
    shared: Annotated[bool, doc("the same value is in several namespaces")]


REMOTE_KEYS = Table(
    "remote_keys",
    RemoteKeyRow,
    grain="one ExternalSecret or ClusterExternalSecret, and who fetches the same",
    key=("kind", "namespace", "name", "uid"),
    resource=Resource("kind"),
)


@view(REMOTE_KEYS)
def remote_keys(external_secrets: pd.DataFrame) -> pd.DataFrame:
    """Compare what is asked for by store and key; stores of one name are taken for one."""
    asked = records(external_secrets)
    askers: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for e in asked:
        for key in e["remote_keys"]:
            askers.setdefault((_store(e), key), set()).add((e["namespace"], e["name"]))
    rows = []
    for e in asked:
        shared: set[str] = set()
        others: set[str] = set()
        for key in e["remote_keys"] if _store(e) else ():
            found = {pair for pair in askers[_store(e), key] if pair[0] != e["namespace"]}
            if found:
                shared.add(key)
                others |= {"/".join(pair) for pair in found}
        spread = e["provisioned_namespaces"]
        rows.append(
            RemoteKeyRow(
                raw=e["raw"],
                raw_line=e["raw_line"],
                kind=e["kind"],
                namespace=e["namespace"],
                name=e["name"],
                uid=e["uid"],
                store=_store(e),
                shared_keys=sorted(shared),
                shared_with=sorted(others),
                spread=spread,
                shared=bool(shared) or len(spread) > 1,
            )
        )
    return frame(REMOTE_KEYS.arrow(rows))


def _store(asked: dict[str, str]) -> str:
    return f"{asked['store_kind']}/{asked['store']}" if asked["store"] else ""
