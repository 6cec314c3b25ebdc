"""The rules that a role gives: its own, those that it aggregates, and the defaults' where unread.

A cluster keeps the rules of an aggregated ClusterRole in it, filled in by a controller; a
manifest does not, so there they are computed as the controller computes them: those of every
other ClusterRole that a selector selects, again where that one aggregates (Kubernetes,
"Using RBAC Authorization", v1.36). A source without any of the default roles, such as
manifests, is taken to be for a cluster that has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from kaudit.columns import plain_rows
from kaudit.model.meta import pairs_of
from kaudit.model.rbac_defaults import default_roles, parts_of
from kaudit.model.rbac_rule import PARTS
from kaudit.registry import view
from kaudit.selectors import selector
from kaudit.table import Row, Table, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class RoleRuleRow(Row, kw_only=True):
    role_kind: Annotated[str, doc("Role or ClusterRole")]
    namespace: Annotated[str, doc("namespace of the role; empty for a ClusterRole")]
    role: Annotated[str, doc("name of the role")]
    position: Annotated[int, doc("place among its rules, from 0")]
    taken_from: Annotated[str, doc("ClusterRole that it is aggregated from; empty: its own")]
    assumed: Annotated[bool, doc("of a default role of Kubernetes, which the source lacks")]
    verbs: Annotated[list[str], doc("verbs")]
    api_groups: Annotated[list[str], doc("API groups; '' is the core")]
    resources: Annotated[list[str], doc("resources, with subresources after a slash")]
    resource_names: Annotated[list[str], doc("resource names that it is narrowed to")]
    non_resource_urls: Annotated[list[str], doc("non-resource URLs")]


ROLE_RULES = Table(
    "role_rules",
    RoleRuleRow,
    grain="one rule that a role gives, aggregation resolved",
    key=("role_kind", "namespace", "role", "position"),
)

_Key = tuple[str, str, str]
_Rule = tuple[tuple[str, ...], ...]


class _Role(msgspec.Struct):
    """A role as the source, or Kubernetes, has it."""

    labels: dict[str, str]
    selectors: list[str]
    rules: list[_Rule]
    computed: bool
    assumed: bool = False


@view(ROLE_RULES)
def role_rules(
    rbac_rules: pd.DataFrame, roles: pd.DataFrame, rbac_bindings: pd.DataFrame
) -> pd.DataFrame:
    """Resolve aggregation, and add the default roles that are bound but not in the source."""
    known = _of_source(roles, rbac_rules)
    wanted = set(known)
    if not roles["built_in"].any():
        assumed = {key: role for key, role in _defaults().items() if key not in known}
        known |= assumed
        wanted |= assumed.keys() & _bound(rbac_bindings)
    chosen = _Selection(known)
    rows = [
        RoleRuleRow(
            role_kind=key[0],
            namespace=key[1],
            role=key[2],
            position=position,
            taken_from=source,
            assumed=known[key].assumed,
            **{name: list(part) for name, part in zip(PARTS, rule, strict=True)},
        )
        for key in sorted(wanted)
        for position, (source, rule) in enumerate(chosen.rules(key))
    ]
    return frame(ROLE_RULES.sorted(ROLE_RULES.arrow(rows)))


class _Selection:
    """Resolves what aggregated ClusterRoles select."""

    def __init__(self, known: dict[_Key, _Role]) -> None:
        self._known = known
        self._names = sorted(name for kind, _, name in known if kind == "ClusterRole")
        self._selected: dict[str, list[str]] = {}

    def rules(self, key: _Key) -> list[tuple[str, _Rule]]:
        """Rules of a role, each with the ClusterRole that it is taken from."""
        role = self._known[key]
        if not role.computed:
            return [("", rule) for rule in role.rules]
        found: dict[_Rule, str] = {}
        for name in self._reached(key[2]):
            for rule in self._known["ClusterRole", "", name].rules:
                found.setdefault(rule, name)
        return [(source, rule) for rule, source in found.items()] or [("", r) for r in role.rules]

    def _reached(self, name: str) -> list[str]:
        """Names of the plain ClusterRoles that a computed one takes in, directly or not."""
        seen, todo = {name}, [name]
        while todo:
            for text in self._known["ClusterRole", "", todo.pop()].selectors:
                for other in self._of(text):
                    if other not in seen:
                        seen.add(other)
                        if self._known["ClusterRole", "", other].computed:
                            todo.append(other)
        return sorted(n for n in seen if not self._known["ClusterRole", "", n].computed)

    def _of(self, text: str) -> list[str]:
        if text not in self._selected:
            selects = selector(text)
            self._selected[text] = [
                n for n in self._names if selects(self._known["ClusterRole", "", n].labels)
            ]
        return self._selected[text]


def _of_source(roles: pd.DataFrame, rbac_rules: pd.DataFrame) -> dict[_Key, _Role]:
    rules: dict[_Key, list[_Rule]] = {}
    names = ["role_kind", "namespace", "role", *PARTS]
    for kind, namespace, role, *parts in plain_rows(rbac_rules, *names):
        rules.setdefault((kind, namespace, role), []).append(tuple(map(tuple, parts)))
    found: dict[_Key, _Role] = {}
    names = ["kind", "namespace", "name", "labels", "aggregates", "created_at"]
    for kind, namespace, name, labels, selectors, created_at in plain_rows(roles, *names):
        key = (kind, namespace, name)
        found[key] = _Role(
            labels=pairs_of(labels),
            selectors=selectors,
            rules=rules.get(key, []),
            computed=bool(selectors) and kind == "ClusterRole" and created_at is None,
        )
    return found


def _defaults() -> dict[_Key, _Role]:
    found = {}
    for role in default_roles():
        meta, aggregation = role.metadata, role.aggregation_rule
        selectors = aggregation.cluster_role_selectors if aggregation else None
        found[role.kind, meta.namespace or "", meta.name or ""] = _Role(
            labels={key: value or "" for key, value in (meta.labels or {}).items()},
            selectors=[one.canonical for one in selectors or ()],
            rules=[parts_of(rule) for rule in role.rules or ()],
            computed=bool(selectors),
            assumed=True,
        )
    return found


def _bound(bindings: pd.DataFrame) -> set[_Key]:
    return {
        (kind, namespace if kind == "Role" else "", role)
        for kind, namespace, role in plain_rows(bindings, "role_kind", "namespace", "role")
    }
