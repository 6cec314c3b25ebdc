"""What the right that an RBAC rule gives leads to.

``get`` on proxy, exec, attach and port-forward counts, since a WebSocket upgrade is a GET.
What a rule says of resources without a namespace counts only where it is granted in the
whole cluster. Some rights lead somewhere only beside another of the same subject.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache

from kaudit.model.rbac_rule import Rule

_WRITE = ("create", "update", "patch")
_DELETE = ("delete", "deletecollection")
_CHANGE = (*_WRITE, *_DELETE)
#: Verbs whose answer holds the values: a patch returns the object, a deletecollection the list.
_READ = ("get", "list", "watch", "patch", "deletecollection")
#: Together they are as good as ``*`` (Kubernetes, "Using RBAC Authorization").
_ALL_VERBS = frozenset(["get", "list", "watch", "create", "update", "patch", "delete"])
#: Namespace to the ConfigMaps in it on which the whole cluster relies.
_SHARED = {
    "kube-system": frozenset(["aws-auth", "coredns", "kube-proxy", "kubeadm-config"]),
    "kube-public": frozenset(["cluster-info"]),
}
RBAC = "rbac.authorization.k8s.io"
CERTIFICATES = "certificates.k8s.io"

#: Kinds that make pods, by group: those of Kubernetes, and of operators that run what they say.
WORKLOADS = {
    "": ("pods", "replicationcontrollers", "podtemplates"),
    "apps": ("deployments", "daemonsets", "statefulsets", "replicasets"),
    "batch": ("jobs", "cronjobs"),
    "apps.openshift.io": ("deploymentconfigs",),
    "argoproj.io": ("workflows", "cronworkflows", "workflowtemplates", "rollouts"),
    "batch.volcano.sh": ("jobs",),
    "ray.io": ("rayclusters", "rayjobs", "rayservices"),
    "serving.knative.dev": ("services", "configurations", "revisions"),
    "sparkoperator.k8s.io": ("sparkapplications", "scheduledsparkapplications"),
    "tekton.dev": ("tasks", "taskruns", "pipelines", "pipelineruns"),
}
#: Kinds that decide what is admitted.
_POLICY = {
    "admissionregistration.k8s.io": (
        "validatingwebhookconfigurations",
        "mutatingwebhookconfigurations",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
    ),
    "apiextensions.k8s.io": ("customresourcedefinitions",),
    "apiregistration.k8s.io": ("apiservices",),
    "config.gatekeeper.sh": ("configs",),
    "constraints.gatekeeper.sh": ("*",),
    "kyverno.io": ("clusterpolicies", "policies", "policyexceptions"),
    "mutations.gatekeeper.sh": ("assign", "assignimage", "assignmetadata", "modifyset"),
    "policies.kyverno.io": (
        "validatingpolicies",
        "mutatingpolicies",
        "imagevalidatingpolicies",
        "generatingpolicies",
        "deletingpolicies",
        "policyexceptions",
    ),
    "policy.sigstore.dev": ("clusterimagepolicies",),
    "templates.gatekeeper.sh": ("constrainttemplates",),
}
#: Those of them that change what is admitted, or make more of it.
_MUTATING = {
    "admissionregistration.k8s.io": (
        "validatingwebhookconfigurations",
        "mutatingwebhookconfigurations",
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
    ),
    "kyverno.io": ("clusterpolicies", "policies"),
    "policies.kyverno.io": ("mutatingpolicies", "generatingpolicies"),
}
#: Kinds that tell what happened or what is wrong.
_TRACES = {
    "": ("events", "pods/log"),
    "aquasecurity.github.io": ("vulnerabilityreports", "configauditreports"),
    "auditregistration.k8s.io": ("auditsinks",),
    "cilium.io": ("tracingpolicies", "tracingpoliciesnamespaced"),
    "events.k8s.io": ("events",),
    "falco.org": ("falcorules",),
    "openreports.io": ("reports", "clusterreports"),
    "wgpolicyk8s.io": ("policyreports", "clusterpolicyreports"),
}
#: Kinds whose deletion loses data or all that runs; the last ones where it is cluster-wide.
_STOCK = {
    "": ("namespaces", "persistentvolumeclaims", "persistentvolumes"),
    "snapshot.storage.k8s.io": ("volumesnapshots", "volumesnapshotcontents"),
    "velero.io": ("backups",),
}
_RUNNING = {
    "apps": ("deployments", "daemonsets", "statefulsets", "replicasets"),
    "batch": ("jobs", "cronjobs"),
}
_STORAGE = ("volumeattachments", "csidrivers", "csinodes", "storageclasses")
_ROLES = ("roles", "clusterroles")
_BINDINGS = ("rolebindings", "clusterrolebindings")
#: Verbs of constrained impersonation (KEP-5284), each of what one may pose as.
_POSING = (
    "impersonate:user-info",
    "impersonate:serviceaccount",
    "impersonate:arbitrary-node",
    "impersonate:associated-node",
)
#: Signers whose certificates the API server, or whoever calls a kubelet, trusts.
_SIGNERS = frozenset(
    [
        "kubernetes.io/*",
        "kubernetes.io/kube-apiserver-client",
        "kubernetes.io/kube-apiserver-client-kubelet",
        "kubernetes.io/kubelet-serving",
        "kubernetes.io/legacy-unknown",
    ]
)


def _any(r: Rule, kinds: dict[str, tuple[str, ...]], *verbs: str) -> bool:
    return any(
        r.allows(group, kind, *verbs) or (kind == "*" and _names_group(r, group, verbs))
        for group, names in kinds.items()
        for kind in names
    )


def _names_group(r: Rule, group: str, verbs: tuple[str, ...]) -> bool:
    """Tell whether it names a group of which every kind counts."""
    return group in r.groups and bool(r.resources) and not r.verbs.isdisjoint({"*", *verbs})


def _escalates(r: Rule) -> bool:
    return (
        any(r.allows(RBAC, kind, "bind", "escalate") for kind in (*_ROLES, *_BINDINGS))
        or any(r.allows("", k, "impersonate") for k in ("users", "groups", "serviceaccounts"))
        or any(r.allows("authentication.k8s.io", k, "impersonate") for k in ("uids", "userextras"))
        or not r.verbs.isdisjoint(_POSING)
    )


def _policy(r: Rule) -> bool:
    return _any(r, _POLICY, *_CHANGE) or r.allows("", "namespaces", "update", "patch")


def _evidence(r: Rule) -> bool:
    return (
        any(r.allows("", kind, "deletecollection") for kind in ("pods", "secrets", "configmaps"))
        or _any(r, _TRACES, *_DELETE)
        or _any(r, _STOCK, *_DELETE)
        or (not r.bounded and not r.names and _any(r, _RUNNING, *_DELETE))
    )


def _node_proxy(r: Rule) -> bool:
    return (
        (bool(r.verbs) and r.allows("", "nodes/proxy", *r.verbs))
        or r.allows("", "nodes", *_CHANGE)
        or r.allows("", "nodes/status", "update", "patch")
    )


def _execs(r: Rule) -> bool:
    return any(
        r.allows("", f"pods/{sub}", "create", "get") for sub in ("exec", "attach", "portforward")
    ) or r.allows("", "pods/ephemeralcontainers", "update", "patch")


def _admin(r: Rule) -> bool:
    every = "*" in r.verbs or r.verbs.issuperset(_ALL_VERBS)
    return every and "*" in r.groups and "*" in r.resources and not r.names


def _volumes(r: Rule) -> bool:
    storage = any(r.allows("storage.k8s.io", kind, "create") for kind in _STORAGE)
    return storage or r.allows("", "persistentvolumes", *_WRITE)


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


def _configuration(r: Rule, namespace: str) -> bool:
    """Writing ConfigMaps of the cluster; an empty namespace is all of them."""
    if not r.allows("", "configmaps", *_CHANGE):
        return False
    if not r.names:
        return namespace in ("", *_SHARED)
    shared = [names for place, names in _SHARED.items() if namespace in ("", place)]
    return any(not r.names.isdisjoint(names) for names in shared)


#: Column to what a rule must allow for it.
_FLAGS: dict[str, Callable[[Rule], bool]] = {
    "admin": _admin,
    "wildcard": lambda r: "*" in r.verbs | r.groups | r.resources,
    "workloads": lambda r: _any(r, WORKLOADS, *_WRITE),
    "escalates": _escalates,
    "rbac": lambda r: any(r.allows(RBAC, kind, *_CHANGE) for kind in (*_ROLES, *_BINDINGS)),
    "policy": _policy,
    "volumes": _volumes,
    "node_proxy": _node_proxy,
    "execs": _execs,
    "secrets": lambda r: r.allows("", "secrets", *_READ),
    "all_secrets": lambda r: not r.names and r.allows("", "secrets", *_READ),
    "secret_writes": lambda r: not r.names and r.allows("", "secrets", *_CHANGE),
    "store_users": _store_users,
    "evidence": _evidence,
    "network": _network,
}


def _signer(r: Rule, verb: str) -> bool:
    chosen = not r.names or not r.names.isdisjoint(_SIGNERS)
    return chosen and r.allows(CERTIFICATES, "signers", verb)


#: Halves of rights: what a rule must allow for each.
_HALVES: dict[str, Callable[[Rule], bool]] = {
    "approve requests": lambda r: r.allows(
        CERTIFICATES, "certificatesigningrequests/approval", "update", "patch"
    ),
    "approve for signer": lambda r: _signer(r, "approve"),
    "write certificates": lambda r: r.allows(
        CERTIFICATES, "certificatesigningrequests/status", "update", "patch"
    ),
    "sign for signer": lambda r: _signer(r, "sign"),
    "create secrets": lambda r: r.allows("", "secrets", "create"),
    "read secrets": lambda r: r.allows("", "secrets", *_READ),
}
#: Column to pairs of halves, both of which are needed.
_PAIRS = {
    "certificates": (
        ("approve requests", "approve for signer"),
        ("write certificates", "sign for signer"),
    ),
    "tokens": (("create secrets", "read secrets"),),
}
_TAKEOVER = (
    "admin",
    "workloads",
    "escalates",
    "rbac",
    "certificates",
    "tokens",
    "node_proxy",
    "execs",
    "all_secrets",
)


def _further(r: Rule) -> bool:
    """Rights that lead to those of others without a column of their own."""
    return _any(r, _MUTATING, *_WRITE) or r.allows("", "persistentvolumes", *_WRITE)


@lru_cache(maxsize=65536)
def halves_of(rule: Rule) -> frozenset[str]:
    """Halves of rights that a rule gives."""
    return frozenset(name for name, test in _HALVES.items() if test(rule))


def may_be_half(rule: Rule, flags: Mapping[str, bool]) -> bool:
    """Tell whether a rule would lead to tokens beside another that is perhaps not seen."""
    own = halves_of(rule)
    return not flags["tokens"] and any(own & {*pair} for pair in _PAIRS["tokens"])


@lru_cache(maxsize=65536)
def _plain(rule: Rule) -> dict[str, bool]:
    return {name: test(rule) for name, test in _FLAGS.items()}


def flags_of(rule: Rule, *, beside: Collection[str] = (), namespace: str = "") -> dict[str, bool]:
    """Say what a rule leads to.

    Parameters
    ----------
    beside
        Halves of rights that other rules give to the same subject.
    namespace
        Where the rule is granted; empty: everywhere.
    """
    found = dict(_plain(rule))
    own = halves_of(rule)
    held = own.union(beside)
    for name, pairs in _PAIRS.items():
        found[name] = any(held.issuperset(pair) and own & {*pair} for pair in pairs)
    found["tokens"] |= rule.allows("", "serviceaccounts/token", "create")
    found["configuration"] = _configuration(rule, namespace)
    found["takeover"] = any(found[name] for name in _TAKEOVER) or _further(rule)
    return found
