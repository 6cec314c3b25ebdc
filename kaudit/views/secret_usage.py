"""Which Secrets nothing names, and whether something may read them through the API instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import records
from kaudit.model.secret_rights import Readers
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class SecretUsageRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always Secret")] = "Secret"
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    uid: Annotated[str, doc("uid")]
    purpose: Annotated[str, doc("what it is for, as of secret_management")]
    judged: Annotated[bool, doc("a credential, and not kept by an operator for itself")]
    users: Annotated[list[str], doc("what names it, as Kind/namespace/name or Kind/name, sorted")]
    ways: Annotated[list[str], doc("env, envFrom, file, pull, tls, …, sorted")]
    api_readers: Annotated[
        list[str], doc("accounts with a right on it, or on its namespace, that may read it by name")
    ]
    unused: Annotated[
        bool | None,
        doc("nothing names it; null: an account may read it by name, or no workload is known"),
    ]


SECRET_USAGE = Table(
    "secret_usage",
    SecretUsageRow,
    grain="one Secret, and what names it",
    key=("namespace", "name", "uid"),
    resource=Resource("kind"),
)


@view(SECRET_USAGE, naming=("secret_references", "secret_readers", "workloads", "inventory"))
def secret_usage(
    secret_management: pd.DataFrame,
    secret_references: pd.DataFrame,
    secret_readers: pd.DataFrame,
    workloads: pd.DataFrame,
    inventory: pd.DataFrame,
) -> pd.DataFrame:
    """Gather what names each Secret."""
    users: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for r in records(
        secret_references, "kind", "namespace", "name", "secret_namespace", "secret", "way"
    ):
        user = "/".join(part for part in (r["kind"], r["namespace"], r["name"]) if part)
        users.setdefault((r["secret_namespace"], r["secret"]), set()).add((user, r["way"]))
    readers = Readers.of(records(secret_readers))
    running = len(workloads) > 0 or bool((inventory["kind"] == "Pod").any())
    rows = []
    for m in records(secret_management):
        key = (m["namespace"], m["name"])
        found = users.get(key, set())
        accounts = sorted(s for s in readers.nearby(*key) if s.startswith("ServiceAccount/"))
        told: Any = None if not found and (accounts or not running) else not found
        rows.append(
            SecretUsageRow(
                raw=m["raw"],
                raw_line=m["raw_line"],
                namespace=m["namespace"],
                name=m["name"],
                uid=m["uid"],
                purpose=m["purpose"],
                judged=m["credential"] and not m["manager"].startswith("operator of "),
                users=sorted({user for user, _ in found}),
                ways=sorted({way for _, way in found}),
                api_readers=accounts,
                unused=told,
            )
        )
    return frame(SECRET_USAGE.arrow(rows))
