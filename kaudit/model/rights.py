"""What an RBAC rule allows, and what that leads to.

Matching follows the API server's RBAC authorizer: groups, resources with subresources and
verbs must all match, ``*`` matches all of its own column only. ``get`` on proxy, exec, attach
and port-forward counts, since a WebSocket upgrade is a GET.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

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


def _store_users(r: Rule) -> bool:
    kinds = ("externalsecrets", "clusterexternalsecrets")
    return any(r.allows("external-secrets.io", kind, *_WRITE) for kind in kinds)


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
    "store_users": _store_users,
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
#: What cluster-admin is.
EVERYTHING = Rule(frozenset("*"), frozenset("*"), frozenset("*"), frozenset(), frozenset())


def flags_of(rule: Rule) -> dict[str, bool]:
    """Say what a rule leads to."""
    found = {name: test(rule) for name, test in _FLAGS.items()}
    found["takeover"] = any(found[name] for name in _TAKEOVER)
    return found
