"""What a workload could read of Secrets by the rights of its account, beyond what it uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import SEPARATOR, arrow, assembled, pairs, records, series
from kaudit.model.secret_rights import Readers, surplus
from kaudit.registry import view
from kaudit.remembered import remembered
from kaudit.table import Table, doc
from kaudit.tables.owned import OWNER, POD_KEY, OfPod

if TYPE_CHECKING:
    import pandas as pd


class SecretReachRow(OfPod, kw_only=True):
    service_account: Annotated[str, doc("effective account; default where unset, '' if static")]
    token: Annotated[bool, doc("it has a token for the API server")]
    reach: Annotated[str, doc("cluster, namespace, elsewhere or names; empty: no Secret")]
    surplus: Annotated[list[str], doc("Secrets that it can read and does not use; *: all")]
    exceeds: Annotated[bool, doc("it has a token and can read Secrets that it does not use")]


SECRET_REACH = Table(
    "secret_reach",
    SecretReachRow,
    grain="one pod or pod template, and the Secrets that its account can read",
    key=POD_KEY,
    resource=OWNER,
    pods=True,
)


@view(SECRET_REACH, naming=("secrets",))
def secret_reach(
    pod_tokens: pd.DataFrame,
    secret_uses: pd.DataFrame,
    secret_readers: pd.DataFrame,
    secrets: pd.DataFrame,
) -> pd.DataFrame:
    """Compare rights with uses, once for each account and workload."""
    import pyarrow as pa

    t = pod_tokens
    readers, known = _readable(secret_readers, secrets)
    used: dict[tuple[str, ...], set[str]] = {}
    columns = ("namespace", "owner_kind", "owner_name", "secret")
    for *owner, secret in zip(*(arrow(secret_uses[n]).to_pylist() for n in columns), strict=True):
        used.setdefault(tuple(owner), set()).add(secret)
    who = pairs(t["namespace"], t["service_account"], t["owner_kind"], t["owner_name"])
    codes = who.dictionary_encode()
    numbers: dict[tuple[str, str, frozenset[str]], int] = {}
    found: list[tuple[str, list[str]]] = []
    each = []
    for text in codes.dictionary.to_pylist():
        namespace, account, kind, name = text.split(SEPARATOR)
        mine = frozenset(used.get((namespace, kind, name), ()))
        number = numbers.setdefault((namespace, account, mine), len(found))
        if number == len(found):
            grants = readers.of_account(namespace, account) if account else []
            found.append(surplus(grants, namespace, mine, known.get(namespace, frozenset())))
        each.append(number)
    at = pa.array(each, pa.int64()).take(codes.indices)
    reach = pa.array([r for r, _ in found], pa.string()).take(at)
    more = pa.array([m for _, m in found], pa.list_(pa.string())).take(at)
    order = SECRET_REACH.names
    of: dict[str, Any] = {name: t[name] for name in order if name in t.columns}
    token = t["token_mounted"] | t["token_projected"]
    beyond = pa.array([bool(m) for _, m in found], pa.bool_()).take(at)
    of |= {
        "token": token,
        "reach": series(reach, t),
        "surplus": series(more, t),
        "exceeds": token & series(beyond, t),
    }
    return assembled(t, of, order)


@remembered
def _readable(
    secret_readers: pd.DataFrame, secrets: pd.DataFrame
) -> tuple[Readers, dict[str, frozenset[str]]]:
    """Who reads Secrets, and which there are in each namespace."""
    known: dict[str, set[str]] = {}
    for r in records(secrets, "namespace", "name"):
        known.setdefault(r["namespace"], set()).add(r["name"])
    found = {namespace: frozenset(names) for namespace, names in known.items()}
    return Readers.of(records(secret_readers)), found
