"""Who can read which Secrets, by which binding.

A rule with resourceNames reads those alone: a list without a field selector is refused then
(kubernetes.io, "Using RBAC Authorization: Referring to resources").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, assembled, series
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class SecretReaderRow(Trace, kw_only=True):
    binding_kind: Annotated[str, doc("RoleBinding or ClusterRoleBinding")]
    namespace: Annotated[str, doc("namespace whose Secrets it reads; empty: of all")]
    binding: Annotated[str, doc("name of the binding")]
    subject_kind: Annotated[str, doc("User, Group or ServiceAccount")]
    subject: Annotated[str, doc("name of the subject; namespace/name of a service account")]
    subject_class: Annotated[str, doc("anonymous, everyone, masters, account, …")]
    role: Annotated[str, doc("kind and name of the role")]
    position: Annotated[int, doc("place of the rule in the role; -1: everything")]
    grants: Annotated[str, doc("the rule: verbs on groups/resources")]
    judged: Annotated[bool, doc("not one of the defaults of Kubernetes")]
    admin: Annotated[bool, doc("everything on everything")]
    whole: Annotated[bool, doc("reads all Secrets, not those of names alone")]
    names: Annotated[list[str], doc("names that it is narrowed to")]


SECRET_READERS = Table(
    "secret_readers",
    SecretReaderRow,
    grain="one rule that lets one subject read Secrets, by one binding",
    key=("binding_kind", "namespace", "binding", "subject_kind", "subject", "position"),
    resource=Resource("binding_kind", name="binding"),
)


@view(SECRET_READERS)
def secret_readers(permissions: pd.DataFrame) -> pd.DataFrame:
    """Choose the grants that read Secrets, and name those that they are narrowed to."""
    import pyarrow as pa
    import pyarrow.compute as pc

    chosen = permissions["secrets"] & (permissions["subject_kind"] != "")
    p = permissions[chosen.to_numpy(bool)].reset_index(drop=True)
    nothing = pa.scalar([], pa.list_(pa.string()))
    columns = SECRET_READERS.names
    found: dict[str, Any] = {name: p[name] for name in columns if name in p.columns}
    found |= {
        "whole": p["all_secrets"],
        "names": series(
            pc.if_else(arrow(p["all_secrets"]), nothing, arrow(p["resource_names"])), p
        ),
    }
    return assembled(p, found, columns)
