"""Edges by which an intruder goes from one thing to the next, up to all rights.

From a container to its account and its node, from an identity to what its rights let it take.
What leads to many of a kind leads to all of them at once ("Accounts", "Pods", …), and these to
each, so that there are about as many edges as grants and workloads. Named as KubeHound names
them, in small letters, where it knows them (DataDog/KubeHound, docs/reference/attacks).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import msgspec

from kaudit.columns import plain_rows
from kaudit.model import escapes
from kaudit.model.rbac_rule import PARTS, Rule, given_by
from kaudit.model.service_account import USER, groups_of
from kaudit.model.takeover import STEPS, TOKEN, Step, parts_of
from kaudit.registry import view
from kaudit.table import Row, Table, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class EscalationEdgeRow(Row, kw_only=True):
    source_kind: Annotated[str, doc("kind of workload or subject; Accounts, Pods, …: all of them")]
    source_namespace: Annotated[str, doc("its namespace; empty: none, or all")]
    source: Annotated[str, doc("its name; empty: all")]
    container: Annotated[str, doc("container of the workload; empty: not of one")]
    kind: Annotated[str, doc("how: pod_exec, token_create, role_bind, ce_priv_mount, …")]
    target_kind: Annotated[str, doc("kind of what it leads to; cluster-admin: all rights")]
    target_namespace: Annotated[str, doc("its namespace; empty: none, or all")]
    target: Annotated[str, doc("its name; empty: all")]
    by: Annotated[list[str], doc("bindings with their roles that give the rights, sorted")]
    rules: Annotated[list[str], doc("rules that give them, sorted")]
    condition: Annotated[str, doc("what it takes beside, and is not known; empty: nothing")]


ESCALATION_EDGES = Table(
    "escalation_edges",
    EscalationEdgeRow,
    grain="one way from one thing to another",
    key=(
        "source_kind",
        "source_namespace",
        "source",
        "container",
        "kind",
        "target_kind",
        "target_namespace",
        "target",
        "condition",
    ),
)
#: Kind, namespace and name.
Place = tuple[str, str, str]
_ADMIN: Place = ("cluster-admin", "", "")
_NODES: Place = ("Nodes", "", "")
_SUBJECTS = ("ServiceAccount", "User", "Group")
#: Containers of one pod between which edges are drawn one by one.
_BESIDE = 50


class _Edge(msgspec.Struct, frozen=True):
    source: Place
    kind: str
    target: Place
    container: str = ""
    by: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    condition: str = ""


class _Grant(msgspec.Struct, frozen=True):
    """One rule that somebody holds, by which binding."""

    by: str
    text: str
    names: tuple[str, ...]


#: Part of what may be held to its grants.
_Parts = dict[str, list[_Grant]]
#: Scope to what is held in it.
_Held = dict[str, _Parts]


@view(ESCALATION_EDGES)
def escalation_edges(
    permissions: pd.DataFrame,
    role_rules: pd.DataFrame,
    footholds: pd.DataFrame,
    namespace_security: pd.DataFrame,
    secrets: pd.DataFrame,
) -> pd.DataFrame:
    """Draw the edges of rights, of containers and of what stands for many."""
    held = _held(permissions)
    roles = _roles(role_rules)
    names = ("name", "unguarded")
    guarded = {name for name, open_ in plain_rows(namespace_security, *names) if not open_}
    edges = dict.fromkeys(
        [
            *_of_rights(held | roles, guarded, _token_accounts(secrets)),
            *_of_containers(footholds, held),
            *_of_all(held, roles, footholds, guarded),
        ]
    )
    rows = [
        EscalationEdgeRow(
            source_kind=e.source[0],
            source_namespace=e.source[1],
            source=e.source[2],
            container=e.container,
            kind=e.kind,
            target_kind=e.target[0],
            target_namespace=e.target[1],
            target=e.target[2],
            by=list(e.by),
            rules=list(e.rules),
            condition=e.condition,
        )
        for e in edges
    ]
    return frame(ESCALATION_EDGES.sorted(ESCALATION_EDGES.arrow(rows)))


def _held(permissions: pd.DataFrame) -> dict[Place, _Held]:
    """What each subject holds: by scope and part, the grants."""
    found: dict[Place, _Held] = {}
    names = (
        "subject_kind",
        "subject",
        "namespace",
        "binding_kind",
        "binding",
        "role",
        "grants",
        *PARTS,
    )
    for kind, subject, scope, binding_kind, binding, role, text, *parts in plain_rows(
        permissions, *names
    ):
        if kind not in _SUBJECTS:
            continue
        place = _place(kind, subject)
        at = found.setdefault(place, {}).setdefault(scope, {})
        grant = _Grant(given_by(binding_kind, scope, binding, role), text, tuple(parts[3]))
        for part in parts_of(Rule.of(parts, bounded=bool(scope))):
            at.setdefault(part, []).append(grant)
    return found


def _place(kind: str, subject: str) -> Place:
    """Name a subject; a service account may be named as a user too."""
    if kind == "User" and subject.startswith(USER):
        namespace, _, name = subject.removeprefix(USER).partition(":")
        return "ServiceAccount", namespace, name
    if kind == "ServiceAccount":
        namespace, _, name = subject.partition("/")
        return kind, namespace, name
    return kind, "", subject


def _roles(role_rules: pd.DataFrame) -> dict[Place, _Held]:
    """What whoever is bound to a Role would hold."""
    found: dict[Place, _Held] = {}
    names = ("role_kind", "namespace", "role", *PARTS)
    for kind, namespace, role, *parts in plain_rows(role_rules, *names):
        if kind != "Role":
            continue
        rule = Rule.of(parts, bounded=True)
        for part in parts_of(rule):
            at = found.setdefault((kind, namespace, role), {}).setdefault(namespace, {})
            at.setdefault(part, []).append(_Grant("", rule.text, tuple(parts[3])))
    return found


def _token_accounts(secrets: pd.DataFrame) -> set[tuple[str, str]] | None:
    """Accounts of which a Secret holds a token; None where no Secret was read."""
    if secrets.empty:
        return None
    names = ("namespace", "service_account")
    return {(namespace, account) for namespace, account in plain_rows(secrets, *names) if account}


def _of_rights(
    held: dict[Place, _Held], guarded: set[str], with_tokens: set[tuple[str, str]] | None
) -> Iterator[_Edge]:
    for source, scopes in held.items():
        everywhere = _shortest(scopes.get("", {}))
        if "all" in everywhere:
            scopes = {"": everywhere}
        for scope, own in scopes.items():
            parts = _both(_shortest(own), everywhere) if scope else everywhere
            for step in STEPS:
                if not parts.keys() >= {*step.parts} or not _fits(step, scope, everywhere):
                    continue
                edges = _drawn(source, step, scope, parts, guarded)
                if step.condition == TOKEN and with_tokens is not None:
                    edges = _where_tokens_are(edges, scope, with_tokens)
                yield from edges


def _shortest(parts: _Parts) -> _Parts:
    """All rights say what each of them would."""
    return {"all": parts["all"]} if "all" in parts else parts


def _both(own: _Parts, everywhere: _Parts) -> _Parts:
    names = own.keys() | everywhere.keys()
    return {name: [*own.get(name, ()), *everywhere.get(name, ())] for name in names}


def _where_tokens_are(
    edges: Iterator[_Edge], scope: str, with_tokens: set[tuple[str, str]]
) -> Iterator[_Edge]:
    """Lead to the accounts of which a Secret holds a token, as is known of them."""
    for edge in edges:
        for namespace, account in sorted(with_tokens):
            if scope in ("", namespace):
                target = ("ServiceAccount", namespace, account)
                yield msgspec.structs.replace(edge, target=target, condition="")


def _fits(step: Step, scope: str, everywhere: _Parts) -> bool:
    """Tell whether a step counts in a scope, and is not had in the whole cluster already."""
    if not scope:
        return step.scope != "namespace"
    return step.scope != "cluster" and not everywhere.keys() >= {*step.parts}


def _drawn(
    source: Place, step: Step, scope: str, held: _Parts, guarded: set[str]
) -> Iterator[_Edge]:
    condition = step.condition
    if step.kind == "pod_create" and step.target == "nodes":
        if scope in guarded:
            return
        condition = "where nothing refuses a privileged pod"
    grants = [grant for part in step.parts for grant in held[part]]
    by = tuple(sorted({g.by for g in grants} - {""}))
    rules = tuple(sorted({g.text for g in grants}))
    for target in _targets(step, scope, held):
        yield _Edge(source, step.kind, target, by=by, rules=rules, condition=condition)


def _targets(step: Step, scope: str, held: _Parts) -> Iterator[Place]:
    narrowed = held.get(step.named, []) if step.named else []
    if narrowed and all(grant.names for grant in narrowed):
        kind = {"accounts": "ServiceAccount", "users": "User", "groups": "Group"}[step.target]
        for name in sorted({name for grant in narrowed for name in grant.names}):
            yield _ADMIN if name == "system:masters" else (kind, scope, name)
        return
    if step.target == "groups" and step.named:
        yield _ADMIN  # system:masters is one of them
        return
    yield {
        "accounts": ("Accounts", scope, ""),
        "pods": ("Pods", scope, ""),
        "users": ("Users", "", ""),
        "groups": ("Groups", "", ""),
        "roles": ("Roles", scope, ""),
        "nodes": _NODES,
        "namespace": ("Namespace", scope, scope),
        "cluster-admin": _ADMIN,
    }[step.target]


def _of_containers(footholds: pd.DataFrame, held: dict[Place, _Held]) -> Iterator[_Edge]:
    names = (
        "namespace",
        "owner_kind",
        "owner_name",
        "container",
        "node",
        "service_account",
        "token",
        "shares",
        "control_plane",
        "escapes",
    )
    beside: dict[Place, list[str]] = {}
    for namespace, kind, name, container, node, account, token, shares, plane, out in plain_rows(
        footholds, *names
    ):
        source, at = (kind, namespace, name), ("Node", "", node)
        identity: Place = ("ServiceAccount", namespace, account)
        if account and token:
            yield _Edge(source, "identity_assume", identity, container)
            yield _Edge(("Tokens", "", node), "token_steal", identity, condition=_there(node))
        if plane:
            yield _Edge(at, "control_plane", _ADMIN)
        for way in map(escapes.read, out):
            if way.kind == "ce_var_log_symlink" and not _reads_logs(held.get(identity, {})):
                continue
            target = ("Tokens", "", node) if way.kind == "exploit_host_traverse" else at
            yield _Edge(source, way.kind, target, container, condition=way.condition)
        if shares and container not in beside.setdefault(source, []):
            beside[source].append(container)
    for (kind, namespace, name), containers in beside.items():
        for one in containers[:_BESIDE]:
            for other in containers[:_BESIDE]:
                if one != other:
                    target = (f"Container of {kind} {name}", namespace, other)
                    yield _Edge((kind, namespace, name), "share_ps_namespace", target, one)


def _there(node: str) -> str:
    return "" if node else "if its pods run on the node"


def _reads_logs(held: _Held) -> bool:
    return any("read logs" in parts or "all" in parts for parts in held.values())


def _of_all(
    held: dict[Place, _Held],
    roles: dict[Place, _Held],
    footholds: pd.DataFrame,
    guarded: set[str],
) -> Iterator[_Edge]:
    """From what stands for many to each of them."""
    if not held and footholds.empty:
        return
    accounts = sorted(place for place in held if place[0] == "ServiceAccount")
    for place in accounts:
        yield _Edge(("Accounts", place[1], ""), "one_of", place)
    for kind, hub in (("User", "Users"), ("Group", "Groups")):
        for place in sorted(p for p in held if p[0] == kind and p[2] != "system:masters"):
            yield _Edge((hub, "", ""), "one_of", place)
    for place in sorted(roles):
        yield _Edge(("Roles", place[1], ""), "one_of", place)
    names = ("namespace", "owner_kind", "owner_name", "node", "service_account")
    seen = {*plain_rows(footholds, *names)}
    for namespace, kind, name in sorted({cells[:3] for cells in seen}):
        yield _Edge(("Pods", namespace, ""), "one_of", (kind, namespace, name))
    spaces = {place[1] for place in accounts} | {cells[0] for cells in seen}
    spaces |= {scope for scopes in held.values() for scope in scopes if scope}
    for hub in ("Accounts", "Pods", "Roles"):
        for namespace in sorted(spaces):
            yield _Edge((hub, "", ""), "one_of", (hub, namespace, ""))
    for namespace in ("", *sorted(spaces)):
        whole = ("Namespace", namespace, namespace)
        yield _Edge(whole, "holds", ("Accounts", namespace, ""))
        yield _Edge(whole, "holds", ("Pods", namespace, ""))
        if namespace not in guarded:
            condition = "where nothing refuses a privileged pod"
            yield _Edge(whole, "pod_create", _NODES, condition=condition)
    for node in sorted({cells[3] for cells in seen} | {""}):
        yield _Edge(_NODES, "one_of", ("Node", "", node))
        yield _Edge(("Node", "", node), "token_steal", ("Tokens", "", node))
        if ("Group", "", "system:nodes") in held:
            yield _Edge(("Node", "", node), "identity_assume", ("Group", "", "system:nodes"))
    yield from _members(held, {("ServiceAccount", cells[0], cells[4]) for cells in seen})


def _members(held: dict[Place, _Held], running: set[Place]) -> Iterator[_Edge]:
    """From service accounts to those of their groups that hold something."""
    accounts = running | {place for place in held if place[0] == "ServiceAccount"}
    for place in sorted(place for place in accounts if place[2]):
        for group in groups_of(place[1]):
            if any(held.get(("Group", "", group), {}).values()):
                yield _Edge(place, "member", ("Group", "", group))
