"""Roles that nobody is bound to, and what they would lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.model.rights import Rule, flags_of
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class IdleRoleRow(Trace, kw_only=True):
    kind: Annotated[str, doc("Role or ClusterRole")]
    namespace: Annotated[str, doc("namespace; empty for a ClusterRole")]
    name: Annotated[str, doc("name")]
    leads_to: Annotated[list[str], doc("columns of permissions that would be true, sorted")]


IDLE_ROLES = Table(
    "idle_roles",
    IdleRoleRow,
    grain="one role that no binding of the evidence names and no other role takes in",
    key=("kind", "namespace", "name"),
    resource=Resource("kind"),
)
_TAKEN_IN = "rbac.authorization.k8s.io/aggregate-to-"


@view(IDLE_ROLES)
def idle_roles(
    roles: pd.DataFrame, rbac_rules: pd.DataFrame, rbac_bindings: pd.DataFrame
) -> pd.DataFrame:
    """Choose the roles without a binding that Kubernetes did not make."""
    b = rbac_bindings
    bound = {
        (kind, namespace if kind == "Role" else "", name)
        for kind, namespace, name in zip(b["role_kind"], b["namespace"], b["role"], strict=True)
    }
    leads: dict[tuple[str, str, str], set[str]] = {}
    for r in rbac_rules.to_dict("records"):
        rule = Rule(
            frozenset(r["verbs"]),
            frozenset(r["api_groups"]),
            frozenset(r["resources"]),
            frozenset(r["resource_names"]),
            frozenset(r["non_resource_urls"]),
        )
        found = {name for name, is_ in flags_of(rule).items() if is_}
        leads.setdefault((r["role_kind"], r["namespace"], r["role"]), set()).update(found)
    rows = []
    for r in roles.to_dict("records"):
        key = (r["kind"], r["namespace"], r["name"])
        taken_in = any(label.startswith(_TAKEN_IN) for label in r["labels"])
        if key in bound or r["built_in"] or taken_in:
            continue
        rows.append(
            IdleRoleRow(
                raw=r["raw"],
                raw_line=r["raw_line"],
                kind=r["kind"],
                namespace=r["namespace"],
                name=r["name"],
                leads_to=sorted(leads.get(key, ())),
            )
        )
    return frame(IDLE_ROLES.sorted(IDLE_ROLES.arrow(rows)))
