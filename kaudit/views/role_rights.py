"""Roles as such: what they would lead to, and whether anybody is bound to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import plain_rows
from kaudit.model.rbac_defaults import is_default_role
from kaudit.model.rbac_rule import PARTS, Rule
from kaudit.model.rights import flags_of, halves_of
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
    roles: pd.DataFrame, role_rules: pd.DataFrame, rbac_bindings: pd.DataFrame
) -> pd.DataFrame:
    """Add up the rules of each role."""
    b = rbac_bindings
    bound = {
        (kind, namespace if kind == "Role" else "", name)
        for kind, namespace, name in zip(b["role_kind"], b["namespace"], b["role"], strict=True)
    }
    rules = _rules(role_rules)
    rows = []
    for r in roles.to_dict("records"):
        key = (r["kind"], r["namespace"], r["name"])
        given = rules.get(key, [])
        if is_default_role(key, given):
            continue
        halves = frozenset[str]().union(*map(halves_of, given))
        flags = [flags_of(rule, beside=halves) for rule in given]
        taken_in = any(label.startswith(_TAKEN_IN) for label in r["labels"])
        rows.append(
            RoleRightsRow(
                raw=r["raw"],
                raw_line=r["raw_line"],
                kind=r["kind"],
                namespace=r["namespace"],
                name=r["name"],
                idle=key not in bound and not taken_in,
                leads_to=sorted({name for one in flags for name, is_ in one.items() if is_}),
            )
        )
    return frame(ROLE_RIGHTS.sorted(ROLE_RIGHTS.arrow(rows)))


def _rules(table: pd.DataFrame) -> dict[tuple[str, str, str], list[Rule]]:
    found: dict[tuple[str, str, str], list[Rule]] = {}
    names = ("role_kind", "namespace", "role", *PARTS)
    for kind, namespace, role, *parts in plain_rows(table, *names):
        rule = Rule.of(parts)
        found.setdefault((kind, namespace, role), []).append(rule)
    return found
