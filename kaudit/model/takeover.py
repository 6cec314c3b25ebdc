"""How rights of one identity lead to another: what a rule contributes, and what that makes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import msgspec

from kaudit.model.rbac_rule import Rule
from kaudit.model.rights import CERTIFICATES, RBAC, WORKLOADS

#: Kinds of Kubernetes that make pods, but for pods themselves.
_MAKERS = [
    (group, kind)
    for group, kinds in WORKLOADS.items()
    if group in ("", "apps", "batch")
    for kind in kinds
    if kind not in ("pods", "podtemplates")
]
_API_SIGNERS = frozenset(["kubernetes.io/*", "kubernetes.io/kube-apiserver-client"])
_WEBHOOKS = ("mutatingwebhookconfigurations", "mutatingadmissionpolicies")
_ADMISSION = "admissionregistration.k8s.io"


def _free(test: Callable[[Rule], bool]) -> Callable[[Rule], bool]:
    """Count a rule only where it is not narrowed to names."""
    return lambda r: not r.names and test(r)


def _every(r: Rule) -> bool:
    return "*" in r.verbs and "*" in r.groups and "*" in r.resources


#: Name of what a rule contributes to its test.
_PARTS: dict[str, Callable[[Rule], bool]] = {
    "all": _free(_every),
    "make pods": _free(
        lambda r: (
            r.allows("", "pods", "create")
            or any(r.allows(g, k, "create", "update", "patch") for g, k in _MAKERS)
        )
    ),
    "change pods": _free(
        lambda r: (
            r.allows("", "pods", "update", "patch")
            or any(r.allows(g, k, "update", "patch") for g, k in _MAKERS)
        )
    ),
    "enter pods": _free(
        lambda r: (
            any(r.allows("", f"pods/{s}", "create", "get") for s in ("exec", "attach"))
            or r.allows("", "pods/ephemeralcontainers", "update", "patch")
        )
    ),
    "read logs": _free(lambda r: r.allows("", "pods/log", "get")),
    "make tokens": lambda r: r.allows("", "serviceaccounts/token", "create"),
    "list secrets": _free(lambda r: r.allows("", "secrets", "list", "watch", "deletecollection")),
    "get secrets": _free(lambda r: r.allows("", "secrets", "get", "patch")),
    "make secrets": _free(lambda r: r.allows("", "secrets", "create")),
    "pose as accounts": lambda r: r.allows("", "serviceaccounts", "impersonate"),
    "pose as users": lambda r: r.allows("", "users", "impersonate"),
    "pose as groups": lambda r: r.allows("", "groups", "impersonate"),
    "make role bindings": _free(lambda r: r.allows(RBAC, "rolebindings", "create")),
    "make cluster bindings": _free(lambda r: r.allows(RBAC, "clusterrolebindings", "create")),
    "bind roles": _free(lambda r: r.allows(RBAC, "roles", "bind")),
    "bind cluster roles": lambda r: (
        r.allows(RBAC, "clusterroles", "bind") and (not r.names or "cluster-admin" in r.names)
    ),
    "write roles": _free(lambda r: r.allows(RBAC, "roles", "update", "patch")),
    "escalate roles": _free(lambda r: r.allows(RBAC, "roles", "escalate")),
    "write cluster roles": _free(lambda r: r.allows(RBAC, "clusterroles", "update", "patch")),
    "escalate cluster roles": _free(lambda r: r.allows(RBAC, "clusterroles", "escalate")),
    "request certificates": _free(
        lambda r: r.allows(CERTIFICATES, "certificatesigningrequests", "create")
    ),
    "approve requests": lambda r: r.allows(
        CERTIFICATES, "certificatesigningrequests/approval", "update", "patch"
    ),
    "approve for signer": lambda r: (
        r.allows(CERTIFICATES, "signers", "approve")
        and (not r.names or not r.names.isdisjoint(_API_SIGNERS))
    ),
    "change admission": lambda r: any(
        r.allows(_ADMISSION, kind, "create", "update", "patch") for kind in _WEBHOOKS
    ),
    "reach kubelets": lambda r: r.allows("", "nodes/proxy", "get", "create"),
    "make volumes": _free(lambda r: r.allows("", "persistentvolumes", "create")),
    "make claims": _free(lambda r: r.allows("", "persistentvolumeclaims", "create")),
}


class Step(msgspec.Struct, frozen=True):
    """A way to others: its name, the parts that it takes, and where it leads.

    Attributes
    ----------
    target
        ``accounts``, ``pods``, ``users``, ``groups`` or ``roles`` (all, or those of the
        namespace), ``nodes``, ``namespace`` or ``cluster-admin``.
    scope
        ``any``; ``cluster`` where the parts must hold in the whole cluster; ``namespace``
        where it adds nothing to what the whole cluster gives.
    named
        The part whose names, where it is narrowed to some, are the targets.
    """

    kind: str
    parts: tuple[str, ...]
    target: str
    scope: str = "any"
    named: str = ""
    condition: str = ""


TOKEN = "if a Secret holds a token of it"  # noqa: S105  a condition, not a token
STEPS = (
    Step("all_rights", ("all",), "cluster-admin", "cluster"),
    Step("all_rights", ("all",), "namespace", "namespace"),
    Step("pod_create", ("make pods",), "accounts"),
    Step("pod_create", ("make pods",), "nodes"),
    Step("pod_patch", ("change pods",), "pods"),
    Step("pod_exec", ("enter pods",), "pods"),
    Step("token_create", ("make tokens",), "accounts", named="make tokens"),
    Step("token_list", ("list secrets",), "accounts", condition=TOKEN),
    Step("token_bruteforce", ("get secrets",), "accounts", condition=TOKEN),
    Step("token_secret", ("make secrets", "get secrets"), "accounts"),
    Step("token_secret", ("make secrets", "list secrets"), "accounts"),
    Step("identity_impersonate", ("pose as accounts",), "accounts", named="pose as accounts"),
    Step("identity_impersonate", ("pose as users",), "users", "cluster", "pose as users"),
    Step(
        "identity_impersonate",
        ("pose as users", "pose as groups"),
        "groups",
        "cluster",
        "pose as groups",
    ),
    Step(
        "identity_impersonate",
        ("pose as accounts", "pose as groups"),
        "groups",
        "cluster",
        "pose as groups",
    ),
    Step("role_bind", ("make cluster bindings", "bind cluster roles"), "cluster-admin", "cluster"),
    Step("role_bind", ("make role bindings", "bind cluster roles"), "namespace"),
    Step("role_bind", ("make role bindings", "bind roles"), "roles"),
    Step(
        "role_escalate",
        ("write cluster roles", "escalate cluster roles"),
        "cluster-admin",
        "cluster",
    ),
    Step(
        "role_escalate",
        ("write roles", "escalate roles"),
        "namespace",
        condition="if bound to a Role there",
    ),
    Step(
        "certificate_approve",
        ("request certificates", "approve requests", "approve for signer"),
        "users",
        "cluster",
    ),
    Step(
        "certificate_approve",
        ("request certificates", "approve requests", "approve for signer"),
        "groups",
        "cluster",
        condition="but for system:masters",
    ),
    Step("webhook_write", ("change admission",), "pods", "cluster"),
    Step("node_proxy", ("reach kubelets",), "pods", "cluster"),
    Step("volume_create", ("make volumes", "make claims", "make pods"), "nodes", "cluster"),
)


@lru_cache(maxsize=65536)
def parts_of(rule: Rule) -> frozenset[str]:
    """Names of what a rule contributes."""
    return frozenset(name for name, test in _PARTS.items() if test(rule))
