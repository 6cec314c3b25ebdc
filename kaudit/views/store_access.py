"""Who may fetch what a cluster's secret stores hold: by creating an ExternalSecret.

A store's conditions are a list of terms of which any lets a namespace in (external-secrets.io,
"ClusterSecretStore").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import records
from kaudit.registry import view
from kaudit.selectors import selector
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class StoreAccessRow(Trace, kw_only=True):
    binding_kind: Annotated[str, doc("RoleBinding or ClusterRoleBinding")]
    namespace: Annotated[str, doc("namespace of the binding; empty: the whole cluster")]
    binding: Annotated[str, doc("name of the binding")]
    subject_kind: Annotated[str, doc("User, Group or ServiceAccount")]
    subject: Annotated[str, doc("name of the subject; namespace/name of a service account")]
    role: Annotated[str, doc("kind and name of the role")]
    position: Annotated[int, doc("place of the rule in the role")]
    grants: Annotated[str, doc("the rule: verbs on groups/resources")]
    stores: Annotated[list[str], doc("ClusterSecretStores that it can fetch from, sorted")]
    stored: Annotated[bool, doc("the evidence holds a ClusterSecretStore")]
    fetches: Annotated[bool, doc("it can fetch from one")]


STORE_ACCESS = Table(
    "store_access",
    StoreAccessRow,
    grain="one rule that lets one subject create ExternalSecrets, by one binding",
    key=("binding_kind", "namespace", "binding", "subject_kind", "subject", "position"),
    resource=Resource("binding_kind", name="binding"),
)


@view(
    STORE_ACCESS,
    naming=("namespaces",),
    joins=("rbac_rules", "roles"),
    decided={"stored": ("secret_stores",)},
)
def store_access(
    permissions: pd.DataFrame, secret_stores: pd.DataFrame, namespaces: pd.DataFrame
) -> pd.DataFrame:
    """Match bindings with stores; administrators, who may do all, are left out."""
    p = permissions
    chosen = p["store_users"] & p["resolved"] & ~p["admin"] & (p["subject_kind"] != "")
    labels = {
        r["name"]: dict(text.partition("=")[::2] for text in r["labels"])
        for r in records(namespaces[["name", "labels"]])
    }
    shared = {
        s["name"]: s["scopes"] for s in records(secret_stores) if s["kind"] == "ClusterSecretStore"
    }
    usable: dict[str, list[str]] = {"": sorted(shared)}
    columns = [c.name for c in STORE_ACCESS.columns if c.name in p.columns]
    rows = []
    for r in records(p[chosen.to_numpy(bool)][columns]):
        home = r["namespace"]
        if home not in usable:
            let_in = (
                n for n, terms in shared.items() if _admits(terms, home, labels.get(home, {}))
            )
            usable[home] = sorted(let_in)
        rows.append(
            StoreAccessRow(
                **r, stores=usable[home], fetches=bool(usable[home]), stored=bool(shared)
            )
        )
    return frame(STORE_ACCESS.arrow(rows))


def _admits(terms: list[str], namespace: str, labels: dict[str, str]) -> bool:
    return not terms or any(_holds(term, namespace, labels) for term in terms)


def _holds(term: str, namespace: str, labels: dict[str, str]) -> bool:
    what, _, text = term.partition(" ")
    if what == "selector":
        return selector(text)({"kubernetes.io/metadata.name": namespace, **labels})
    if what == "namespace":
        return text == namespace
    return _matches(text, namespace)


def _matches(pattern: str, namespace: str) -> bool:
    """Search as Go does, whose syntax and linear time RE2 has."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return bool(pc.match_substring_regex(pa.array([namespace]), pattern)[0].as_py())
    except pa.ArrowInvalid:
        return False
