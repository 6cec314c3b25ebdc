"""Roles as such: what they would lead to, and whether anybody is bound to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.model.rights import Rule, flags_of
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class RoleRightsRow(Trace, kw_only=True):
    kind: Annotated[str, doc("Role or ClusterRole")]
    namespace: Annotated[str, doc("namespace; empty for a ClusterRole")]
    name: Annotated[str, doc("name")]
    idle: Annotated[bool, doc("no binding names it, no other role takes it in")]
    leads_to: Annotated[list[str], doc("columns of permissions that would be true, sorted")]


ROLE_RIGHTS = Table(
    "role_rights",
    RoleRightsRow,
    grain="one role that Kubernetes did not make",
    key=("kind", "namespace", "name"),
    resource=Resource("kind"),
)
_TAKEN_IN = "rbac.authorization.k8s.io/aggregate-to-"


@view(ROLE_RIGHTS)
def role_rights(
    roles: pd.DataFrame, rbac_rules: pd.DataFrame, rbac_bindings: pd.DataFrame
) -> pd.DataFrame:
    """Add up the rules of each role."""
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
        if r["built_in"]:
            continue
        taken_in = any(label.startswith(_TAKEN_IN) for label in r["labels"])
        rows.append(
            RoleRightsRow(
                raw=r["raw"],
                raw_line=r["raw_line"],
                kind=r["kind"],
                namespace=r["namespace"],
                name=r["name"],
                idle=key not in bound and not taken_in,
                leads_to=sorted(leads.get(key, ())),
            )
        )
    return frame(ROLE_RIGHTS.sorted(ROLE_RIGHTS.arrow(rows)))
