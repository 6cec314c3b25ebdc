"""Effective RBAC grants: who may do what, through which binding, and what that leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.model.rights import EVERYTHING, Rule, flags_of
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
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
    judged: Annotated[bool, doc("not one of the defaults of Kubernetes")]
    dangling: Annotated[bool, doc("the role is not in the evidence")]
    resolved: Annotated[bool, doc("judged, and its role is in the evidence")]
    admin: Annotated[bool, doc("everything on everything")]
    wildcard: Annotated[bool, doc("a * among verbs, resources or groups")]
    workloads: Annotated[bool, doc("creates or changes pods, directly or by a controller")]
    escalates: Annotated[bool, doc("bind, escalate or impersonate")]
    rbac: Annotated[bool, doc("writes roles or bindings")]
    policy: Annotated[bool, doc("writes admission webhooks or policies")]
    certificates: Annotated[bool, doc("approves or signs certificates")]
    tokens: Annotated[bool, doc("creates service-account tokens")]
    volumes: Annotated[bool, doc("creates persistent volumes")]
    node_proxy: Annotated[bool, doc("reaches kubelets through nodes/proxy, or writes nodes")]
    execs: Annotated[bool, doc("exec, attach, port-forward or ephemeral containers")]
    secrets: Annotated[bool, doc("reads Secrets")]
    all_secrets: Annotated[bool, doc("reads Secrets, not narrowed to names")]
    secret_writes: Annotated[bool, doc("writes Secrets, not narrowed to names")]
    store_users: Annotated[bool, doc("writes ExternalSecrets, which fetch from secret stores")]
    evidence: Annotated[bool, doc("deletes events, reports or many things at once")]
    configuration: Annotated[bool, doc("writes all ConfigMaps, or those of the cluster")]
    network: Annotated[bool, doc("writes what steers traffic: services, endpoints, policies")]
    takeover: Annotated[bool, doc("any right that leads to the rights of others")]


PERMISSIONS = Table(
    "permissions",
    PermissionRow,
    grain="one rule granted to one subject by one binding",
    key=("binding_kind", "namespace", "binding", "subject_kind", "subject", "position"),
    resource=Resource("binding_kind", name="binding"),
)


_NOTHING = dict.fromkeys(flags_of(EVERYTHING), False)


@view(PERMISSIONS)
def permissions(
    rbac_bindings: pd.DataFrame,
    rbac_rules: pd.DataFrame,
    roles: pd.DataFrame,
) -> pd.DataFrame:
    """Resolve each binding to the rules of its role, for each of its subjects."""
    rules = _rules(rbac_rules)
    known = set(zip(roles["kind"], roles["namespace"], roles["name"], strict=True))
    rows = []
    for b in rbac_bindings.to_dict("records"):
        key = (b["role_kind"], b["namespace"] if b["role_kind"] == "Role" else "", b["role"])
        granted: list[tuple[int, Rule | None, dict[str, bool]]] = [*rules.get(key, ())]
        if (b["role_kind"], b["role"]) == ("ClusterRole", "cluster-admin"):
            # The API server restores what is missing from it at every start.
            granted = [(-1, EVERYTHING, flags_of(EVERYTHING))]
        judged, dangling = not _default(b), key not in known and b["role"] != "cluster-admin"
        base: dict[str, Any] = {
            "raw": b["raw"],
            "raw_line": b["raw_line"],
            "binding_kind": b["binding_kind"],
            "namespace": b["namespace"],
            "binding": b["binding"],
            "subject_kind": _text(b["subject_kind"]),
            "subject": _subject(b),
            "subject_class": _class(b),
            "role": f"{b['role_kind']}/{b['role']}",
            "judged": judged,
            "dangling": dangling,
            "resolved": judged and not dangling,
        }
        for position, rule, flags in granted or [(-1, None, _NOTHING)]:
            of_rule = {"position": position, "grants": rule.text if rule else ""}
            rows.append(PermissionRow(**{**base, **flags, **of_rule}))
    return frame(PERMISSIONS.sorted(PERMISSIONS.arrow(rows)))


def _rules(
    table: pd.DataFrame,
) -> dict[tuple[str, str, str], list[tuple[int, Rule, dict[str, bool]]]]:
    found: dict[tuple[str, str, str], list[tuple[int, Rule, dict[str, bool]]]] = {}
    for r in table.to_dict("records"):
        rule = Rule(
            frozenset(r["verbs"]),
            frozenset(r["api_groups"]),
            frozenset(r["resources"]),
            frozenset(r["resource_names"]),
            frozenset(r["non_resource_urls"]),
        )
        key = (r["role_kind"], r["namespace"], r["role"])
        found.setdefault(key, []).append((r["position"], rule, flags_of(rule)))
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _subject(b: dict[Any, Any]) -> str:
    name = _text(b["subject"])
    return (
        f"{_text(b['subject_namespace'])}/{name}" if b["subject_kind"] == "ServiceAccount" else name
    )


def _class(b: dict[Any, Any]) -> str:
    name = _text(b["subject"])
    if b["subject_kind"] == "ServiceAccount":
        return "default account" if name == "default" else "account"
    if name in ("system:anonymous", "system:unauthenticated"):
        return "anonymous"
    if name == "system:authenticated" or name.startswith("system:serviceaccounts"):
        return "everyone"
    if name == "system:masters":
        return "masters"
    if name.startswith("system:"):
        return "component"
    return {"User": "user", "Group": "group"}.get(_text(b["subject_kind"]), "none")


def _default(b: dict[Any, Any]) -> bool:
    """Bindings that Kubernetes makes for itself: by label, or by name, role and subject."""
    if b["built_in"]:
        return True
    ours = b["binding"].startswith(("system:", "kubeadm:")) and b["role"].startswith(
        ("system:", "kubeadm:")
    )
    masters = (b["binding"], b["role"], b["subject"]) == (
        "cluster-admin",
        "cluster-admin",
        "system:masters",
    )
    component = (
        _class(b) in ("component", "masters") or _text(b["subject_namespace"]) == "kube-system"
    )
    return masters or (ours and (component or _class(b) in ("anonymous", "everyone")))
