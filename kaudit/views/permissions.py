"""Effective RBAC grants: who may do what, through which binding, and what that leads to.

Matching follows the API server's RBAC authorizer: groups, resources with subresources and
verbs must all match, ``*`` matches all of its own column only. ``get`` on proxy, exec, attach
and port-forward counts, since a WebSocket upgrade is a GET.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

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
    lost: Annotated[bool, doc("the service account is not in the evidence")]
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

_WRITE = ("create", "update", "patch")
_CHANGE = (*_WRITE, "delete", "deletecollection")
#: Verbs whose answer holds the values: a patch returns the object, a deletecollection the list.
_READ = ("get", "list", "watch", "patch", "deletecollection")
#: Together they are as good as ``*`` (Kubernetes, "Using RBAC Authorization").
_ALL_VERBS = frozenset(["get", "list", "watch", "create", "update", "patch", "delete"])
#: ConfigMaps on which the whole cluster relies.
_SHARED = frozenset(["aws-auth", "cluster-info", "coredns", "kube-proxy", "kubeadm-config"])
_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"


class Rule(msgspec.Struct, frozen=True):
    """One rule, ready to be asked."""

    verbs: frozenset[str]
    groups: frozenset[str]
    resources: frozenset[str]
    names: frozenset[str]
    urls: frozenset[str]

    def allows(self, group: str, resource: str, *verbs: str) -> bool:
        """Tell whether it allows one of the verbs on a resource."""
        if "*" not in self.groups and group not in self.groups:
            return False
        main, _, sub = resource.partition("/")
        names = {"*", resource, f"*/{sub}"} if sub else {"*", main}
        if names.isdisjoint(self.resources):
            return False
        return "*" in self.verbs or not self.verbs.isdisjoint(verbs)

    @property
    def text(self) -> str:
        """The rule in one line."""
        groups = ",".join(sorted(g or "core" for g in self.groups))
        what = f"{groups}/{','.join(sorted(self.resources))}" if self.resources else ""
        return f"{','.join(sorted(self.verbs))} on {what or ','.join(sorted(self.urls))}"


def _workloads(r: Rule) -> bool:
    return any(
        r.allows(group, resource, *_WRITE)
        for group, resources in (
            ("", ("pods", "replicationcontrollers", "podtemplates")),
            ("apps", ("deployments", "daemonsets", "statefulsets", "replicasets")),
            ("batch", ("jobs", "cronjobs")),
        )
        for resource in resources
    )


def _escalates(r: Rule) -> bool:
    return (
        any(
            r.allows(_RBAC, kind, "bind", "escalate")
            for kind in ("roles", "clusterroles", "rolebindings", "clusterrolebindings")
        )
        or any(r.allows("", kind, "impersonate") for kind in ("users", "groups", "serviceaccounts"))
        or any(
            r.allows("authentication.k8s.io", kind, "impersonate")
            for kind in ("uids", "userextras")
        )
    )


def _rbac(r: Rule) -> bool:
    kinds = ("roles", "clusterroles", "rolebindings", "clusterrolebindings")
    return any(r.allows(_RBAC, kind, *_CHANGE) for kind in kinds)


def _policy(r: Rule) -> bool:
    kinds = [
        "validatingwebhookconfigurations",
        "mutatingwebhookconfigurations",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
    ]
    return (
        any(r.allows(_ADMISSION, kind, *_CHANGE) for kind in kinds)
        or any(
            r.allows("kyverno.io", kind, *_CHANGE)
            for kind in ("clusterpolicies", "policies", "policyexceptions")
        )
        or r.allows("templates.gatekeeper.sh", "constrainttemplates", *_CHANGE)
        or r.allows("apiregistration.k8s.io", "apiservices", *_CHANGE)
    )


def _evidence(r: Rule) -> bool:
    return (
        any(r.allows("", kind, "deletecollection") for kind in ("pods", "secrets", "configmaps"))
        or any(
            r.allows(group, "events", "delete", "deletecollection")
            for group in ("", "events.k8s.io")
        )
        or r.allows("", "namespaces", "delete")
        or r.allows("wgpolicyk8s.io", "policyreports", "delete", "deletecollection")
    )


def _node_proxy(r: Rule) -> bool:
    every = ("get", "create", "update", "patch", "delete")
    return r.allows("", "nodes/proxy", *every) or r.allows("", "nodes", *_WRITE, "delete")


def _execs(r: Rule) -> bool:
    return any(
        r.allows("", f"pods/{sub}", "create", "get") for sub in ("exec", "attach", "portforward")
    ) or r.allows("", "pods/ephemeralcontainers", "update", "patch")


def _admin(r: Rule) -> bool:
    every = "*" in r.verbs or r.verbs.issuperset(_ALL_VERBS)
    return every and "*" in r.groups and "*" in r.resources and not r.names


def _configuration(r: Rule) -> bool:
    chosen = not r.names or not r.names.isdisjoint(_SHARED)
    return chosen and r.allows("", "configmaps", *_CHANGE)


def _network(r: Rule) -> bool:
    return any(
        r.allows(group, resource, *_CHANGE)
        for group, resources in (
            ("", ("services", "services/status", "endpoints")),
            ("discovery.k8s.io", ("endpointslices",)),
            ("networking.k8s.io", ("networkpolicies", "ingresses")),
        )
        for resource in resources
    )


def _certificates(r: Rule) -> bool:
    group = "certificates.k8s.io"
    approve = r.allows(group, "certificatesigningrequests/approval", "update", "patch")
    return approve or r.allows(group, "signers", "approve", "sign")


#: Column to what a rule must allow for it.
_FLAGS: dict[str, Callable[[Rule], bool]] = {
    "admin": _admin,
    "wildcard": lambda r: "*" in r.verbs | r.groups | r.resources,
    "workloads": _workloads,
    "escalates": _escalates,
    "rbac": _rbac,
    "policy": _policy,
    "certificates": _certificates,
    "tokens": lambda r: r.allows("", "serviceaccounts/token", "create"),
    "volumes": lambda r: r.allows("", "persistentvolumes", *_WRITE),
    "node_proxy": _node_proxy,
    "execs": _execs,
    "secrets": lambda r: r.allows("", "secrets", *_READ),
    "all_secrets": lambda r: not r.names and r.allows("", "secrets", *_READ),
    "secret_writes": lambda r: not r.names and r.allows("", "secrets", *_CHANGE),
    "evidence": _evidence,
    "configuration": _configuration,
    "network": _network,
}
_TAKEOVER = [
    "admin",
    "workloads",
    "escalates",
    "rbac",
    "policy",
    "certificates",
    "tokens",
    "volumes",
    "node_proxy",
    "execs",
    "all_secrets",
]
_EVERYTHING = Rule(frozenset("*"), frozenset("*"), frozenset("*"), frozenset(), frozenset())


def flags_of(rule: Rule) -> dict[str, bool]:
    """Say what a rule leads to."""
    found = {name: test(rule) for name, test in _FLAGS.items()}
    found["takeover"] = any(found[name] for name in _TAKEOVER)
    return found


_NOTHING = dict.fromkeys((*_FLAGS, "takeover"), False)


@view(PERMISSIONS)
def permissions(
    rbac_bindings: pd.DataFrame,
    rbac_rules: pd.DataFrame,
    roles: pd.DataFrame,
    service_accounts: pd.DataFrame,
) -> pd.DataFrame:
    """Resolve each binding to the rules of its role, for each of its subjects."""
    rules = _rules(rbac_rules)
    known = set(zip(roles["kind"], roles["namespace"], roles["name"], strict=True))
    accounts = set(zip(service_accounts["namespace"], service_accounts["name"], strict=True))
    complete = bool(accounts)
    rows = []
    for b in rbac_bindings.to_dict("records"):
        key = (b["role_kind"], b["namespace"] if b["role_kind"] == "Role" else "", b["role"])
        granted = rules.get(key, [])
        if (b["role_kind"], b["role"]) == ("ClusterRole", "cluster-admin"):
            # The API server restores what is missing from it at every start.
            granted = [(-1, _EVERYTHING, flags_of(_EVERYTHING))]
        account = (b["subject_namespace"], b["subject"])
        base = {
            "raw": b["raw"],
            "raw_line": b["raw_line"],
            "binding_kind": b["binding_kind"],
            "namespace": b["namespace"],
            "binding": b["binding"],
            "subject_kind": _text(b["subject_kind"]),
            "subject": _subject(b),
            "subject_class": _class(b),
            "role": f"{b['role_kind']}/{b['role']}",
            "judged": not _default(b),
            "dangling": key not in known and b["role"] != "cluster-admin",
            "lost": complete and b["subject_kind"] == "ServiceAccount" and account not in accounts,
        }
        for position, rule, flags in granted or [(-1, None, _NOTHING)]:
            text = rule.text if rule else ""
            rows.append(PermissionRow(**base, **flags, position=position, grants=text))
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
