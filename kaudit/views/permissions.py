"""Effective RBAC grants: who may do what, through which binding, and what that leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from kaudit.columns import plain_rows
from kaudit.model.rbac_defaults import is_default_binding
from kaudit.model.rbac_rule import EVERYTHING, PARTS, Rule
from kaudit.model.rights import flags_of, halves_of, may_be_half
from kaudit.model.service_account import groups_of
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd


class PermissionRow(Trace, kw_only=True):
    binding_kind: Annotated[str, doc("RoleBinding or ClusterRoleBinding")]
    namespace: Annotated[str, doc("namespace of the binding; empty: the whole cluster")]
    binding: Annotated[str, doc("name of the binding")]
    subject_kind: Annotated[str, doc("User, Group or ServiceAccount; empty: no subject")]
    subject: Annotated[str, doc("name of the subject; namespace/name of a service account")]
    subject_class: Annotated[str, doc("anonymous, everyone, masters, account, default account, …")]
    role: Annotated[str, doc("kind and name of the role")]
    position: Annotated[int, doc("place of the rule in the role; -1: no rule is known")]
    grants: Annotated[str, doc("the rule: verbs on groups/resources")]
    taken_from: Annotated[str, doc("ClusterRole that the rule is aggregated from; empty: its own")]
    verbs: Annotated[list[str], doc("verbs of the rule")]
    api_groups: Annotated[list[str], doc("API groups of the rule; '' is the core")]
    resources: Annotated[list[str], doc("resources, with subresources after a slash")]
    resource_names: Annotated[list[str], doc("resource names that it is narrowed to")]
    non_resource_urls: Annotated[list[str], doc("non-resource URLs")]
    judged: Annotated[bool, doc("not one of the defaults of Kubernetes")]
    dangling: Annotated[bool, doc("the role is not there")]
    unknown_kinds: Annotated[list[str], doc("kind of that role, where it is not there")]
    assumed: Annotated[bool, doc("a default role of Kubernetes, which the source lacks")]
    resolved: Annotated[bool, doc("judged, and its rules are known")]
    admin: Annotated[bool, doc("everything on everything")]
    wildcard: Annotated[bool, doc("a * among verbs, resources or groups")]
    workloads: Annotated[bool, doc("creates or changes pods, directly or by a controller")]
    escalates: Annotated[bool, doc("bind, escalate or impersonate")]
    rbac: Annotated[bool, doc("writes roles or bindings")]
    policy: Annotated[bool, doc("writes what decides on admission, or labels of namespaces")]
    certificates: Annotated[bool, doc("part of the right to approve or sign certificates")]
    tokens: Annotated[
        bool | None,
        doc("creates tokens, or part of the right to; null: the other part may not be seen"),
    ] = None
    volumes: Annotated[bool, doc("creates persistent volumes, or what attaches them")]
    node_proxy: Annotated[bool, doc("reaches kubelets through nodes/proxy, or writes nodes")]
    execs: Annotated[bool, doc("exec, attach, port-forward or ephemeral containers")]
    secrets: Annotated[bool, doc("reads Secrets")]
    all_secrets: Annotated[bool, doc("reads Secrets, not narrowed to names")]
    secret_writes: Annotated[bool, doc("writes Secrets, not narrowed to names")]
    store_users: Annotated[bool, doc("writes ExternalSecrets, which fetch from secret stores")]
    evidence: Annotated[bool, doc("deletes events, reports or many things at once")]
    configuration: Annotated[bool, doc("writes ConfigMaps that the whole cluster relies on")]
    network: Annotated[bool, doc("writes what steers traffic: services, endpoints, policies")]
    takeover: Annotated[bool, doc("any right that leads to the rights of others")]


PERMISSIONS = Table(
    "permissions",
    PermissionRow,
    grain="one rule granted to one subject by one binding",
    key=("binding_kind", "namespace", "binding", "subject_kind", "subject", "position"),
    resource=Resource("binding_kind", name="binding"),
)


_NO_RULE = Rule.of([()] * len(PARTS))
_ADMIN = ("ClusterRole", "", "cluster-admin")


class _Given(msgspec.Struct, frozen=True):
    """A rule of a role: its place, and the ClusterRole that it is aggregated from."""

    position: int
    taken_from: str
    assumed: bool
    rule: Rule


@view(PERMISSIONS, missing={"unknown_kinds": ("rbac_rules", "roles")})
def permissions(
    rbac_bindings: pd.DataFrame,
    role_rules: pd.DataFrame,
    roles: pd.DataFrame,
) -> pd.DataFrame:
    """Resolve each binding to the rules of its role, for each of its subjects."""
    rules = _rules(role_rules)
    known = {*plain_rows(roles, "kind", "namespace", "name"), *rules, _ADMIN}
    bindings = [*_bindings(rbac_bindings)]
    halves = _halves(bindings, rules)
    # A cluster has bindings of both kinds: without one, the other half of a right may be there.
    whole = len({b["binding_kind"] for b, _ in bindings}) > 1
    rows = []
    for b, subject in bindings:
        given = _granted(b, rules)
        judged, dangling = not _default(b, subject, given), _role(b) not in known
        held = _held(subject, halves)
        base: dict[str, Any] = {
            "raw": b["raw"],
            "raw_line": b["raw_line"],
            "binding_kind": b["binding_kind"],
            "namespace": b["namespace"],
            "binding": b["binding"],
            "subject_kind": subject[0],
            "subject": subject[1],
            "subject_class": _class(*subject),
            "role": f"{b['role_kind']}/{b['role']}",
            "judged": judged,
            "dangling": dangling,
            "unknown_kinds": [b["role_kind"]] if dangling else [],
            "resolved": judged and not dangling,
        }
        for one in given or [_Given(-1, "", False, _NO_RULE)]:
            flags: dict[str, Any] = flags_of(one.rule, beside=held, namespace=b["namespace"])
            if not whole and may_be_half(one.rule, flags):
                flags["tokens"] = None
            rows.append(PermissionRow(**base, **flags, **_of_rule(one)))
    return frame(PERMISSIONS.sorted(PERMISSIONS.arrow(rows)))


def _rules(table: pd.DataFrame) -> dict[tuple[str, str, str], list[_Given]]:
    found: dict[tuple[str, str, str], list[_Given]] = {}
    names = ("role_kind", "namespace", "role", "position", "taken_from", "assumed", *PARTS)
    for kind, namespace, role, position, source, assumed, *parts in plain_rows(table, *names):
        rule = Rule.of(parts)
        found.setdefault((kind, namespace, role), []).append(
            _Given(position, source, assumed, rule)
        )
    return found


def _bindings(table: pd.DataFrame) -> Iterator[tuple[dict[str, Any], tuple[str, str]]]:
    """Bindings as dictionaries, with kind and name of the subject."""
    names = [*table.columns]
    for cells in plain_rows(table, *names):
        b = dict(zip(names, cells, strict=True))
        kind, name = b["subject_kind"] or "", b["subject"] or ""
        if kind == "ServiceAccount":
            name = f"{b['subject_namespace'] or ''}/{name}"
        yield b, (kind, name)


def _role(b: dict[str, Any]) -> tuple[str, str, str]:
    """Where the role of a binding is: a ClusterRoleBinding leads to no Role."""
    return b["role_kind"], b["namespace"] if b["role_kind"] == "Role" else "", b["role"]


def _granted(b: dict[str, Any], rules: dict[tuple[str, str, str], list[_Given]]) -> list[_Given]:
    """Rules as the binding grants them: in its namespace, or everywhere."""
    # The API server restores what is missing from cluster-admin at every start.
    admin = [_Given(-1, "", False, EVERYTHING)]
    found = admin if _role(b) == _ADMIN else rules.get(_role(b), [])
    if b["binding_kind"] != "RoleBinding":
        return found
    replaced = msgspec.structs.replace
    return [replaced(one, rule=replaced(one.rule, bounded=True)) for one in found]


def _halves(
    bindings: list[tuple[dict[str, Any], tuple[str, str]]],
    rules: dict[tuple[str, str, str], list[_Given]],
) -> dict[tuple[str, str], set[str]]:
    """Halves of rights of each subject, by any of its bindings."""
    found: dict[tuple[str, str], set[str]] = {}
    for b, subject in bindings:
        for one in _granted(b, rules):
            found.setdefault(subject, set()).update(halves_of(one.rule))
    return found


def _held(subject: tuple[str, str], halves: dict[tuple[str, str], set[str]]) -> set[str]:
    """Halves that a subject holds, a service account those of its groups too."""
    found = set(halves.get(subject, ()))
    if subject[0] == "ServiceAccount":
        for group in groups_of(subject[1].partition("/")[0]):
            found |= halves.get(("Group", group), set())
    return found


def _of_rule(one: _Given) -> dict[str, Any]:
    rule = one.rule
    parts = (rule.verbs, rule.groups, rule.resources, rule.names, rule.urls)
    return {
        "position": one.position,
        "taken_from": one.taken_from,
        "assumed": one.assumed,
        "grants": rule.text if rule.verbs else "",
        **{name: sorted(part) for name, part in zip(PARTS, parts, strict=True)},
    }


def _class(kind: str, subject: str) -> str:
    if kind == "ServiceAccount":
        return "default account" if subject.endswith("/default") else "account"
    if subject in ("system:anonymous", "system:unauthenticated"):
        return "anonymous"
    if subject == "system:authenticated" or subject.startswith("system:serviceaccounts"):
        return "everyone"
    if subject == "system:masters":
        return "masters"
    if subject.startswith("system:"):
        return "component"
    return {"User": "user", "Group": "group"}.get(kind, "none")


def _default(b: dict[str, Any], subject: tuple[str, str], given: list[_Given]) -> bool:
    """Tell whether it is one that Kubernetes made for itself, and nobody made stronger."""
    key = (b["binding_kind"], b["namespace"], b["binding"], b["role_kind"], b["role"], *subject)
    to_all = _class(*subject) in ("anonymous", "everyone")
    return is_default_binding(key, (one.rule for one in given), to_all=to_all)
