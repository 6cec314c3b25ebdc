"""What the rules of webhooks and admission policies cover, and which engine a webhook is of.

Source: kubernetes/apiserver, ``pkg/admission/plugin/webhook/predicates/rules``: ``*`` names
every resource but no subresource, ``*/*`` both, ``pods/*`` all subresources of pods.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Rule(NamedTuple):
    """One rule: operations, and what they are done to."""

    operations: tuple[str, ...]
    groups: tuple[str, ...]
    versions: tuple[str, ...]
    resources: tuple[str, ...]
    scope: str = "*"

    def covers(self, operation: str, group: str, resource: str) -> bool:
        """Whether a request on a namespaced resource, ``pods`` or ``pods/exec``, is meant.

        >>> Rule(("CREATE",), ("*",), ("*",), ("*",)).covers("CREATE", "", "pods")
        True
        >>> Rule(("*",), ("",), ("v1",), ("*",)).covers("UPDATE", "", "pods/ephemeralcontainers")
        False
        """
        if self.scope == "Cluster":
            return False
        if not {"*", operation}.intersection(self.operations):
            return False
        if not {"*", group}.intersection(self.groups):
            return False
        main, _, sub = resource.partition("/")
        wanted = {"*/*", resource, f"{main}/*", f"*/{sub}"} if sub else {"*", "*/*", resource}
        return not wanted.isdisjoint(self.resources)


#: What makes pods, or changes what they are: operation, group, resource and its name in words.
PODS = (
    ("CREATE", "", "pods"),
    ("UPDATE", "", "pods"),
    ("UPDATE", "", "pods/ephemeralcontainers"),
    ("UPDATE", "", "pods/resize"),
)


def holes(rules: Iterable[Rule]) -> list[str]:
    """Return the requests on pods that no rule covers, sorted.

    >>> holes([Rule(("CREATE",), ("",), ("v1",), ("pods",))])[0]
    'UPDATE pods'
    """
    given = list(rules)
    return sorted(
        f"{operation} {resource}"
        for operation, group, resource in PODS
        if not any(rule.covers(operation, group, resource) for rule in given)
    )


_KINDS = {
    ("", "pods"): "Pod",
    ("apps", "deployments"): "Deployment.apps",
    ("apps", "statefulsets"): "StatefulSet.apps",
    ("apps", "daemonsets"): "DaemonSet.apps",
    ("apps", "replicasets"): "ReplicaSet.apps",
    ("batch", "jobs"): "Job.batch",
    ("batch", "cronjobs"): "CronJob.batch",
    ("", "replicationcontrollers"): "ReplicationController",
}


def seen(rules: Iterable[Rule]) -> list[str]:
    """Return Pod, and the kinds that make pods, whose creation a rule covers, sorted.

    >>> seen([Rule(("CREATE",), ("apps",), ("*",), ("deployments", "pods"))])
    ['Deployment.apps']
    """
    given = list(rules)
    return sorted(
        kind
        for (group, name), kind in _KINDS.items()
        if any(rule.covers("CREATE", group, name) for rule in given)
    )


def sees_pods(rules: Iterable[Rule]) -> bool:
    """Whether any rule covers the creation of pods, or of what makes them."""
    return bool(seen(rules))


class Engine(NamedTuple):
    """A program that answers admission webhooks, and what it is for."""

    word: str
    title: str
    purpose: str


#: Known by a word in the namespace and name of their Service. Of policy: it refuses what
#: rules forbid; signature: images that nobody signed; mesh: it adds the proxy that encrypts.
ENGINES = (
    Engine("gatekeeper", "Gatekeeper", "policy"),
    Engine("kyverno", "Kyverno", "policy"),
    Engine("kubewarden", "Kubewarden", "policy"),
    Engine("jspolicy", "jsPolicy", "policy"),
    Engine("opa", "Open Policy Agent", "policy"),
    Engine("polaris", "Polaris", "policy"),
    Engine("datree", "Datree", "policy"),
    Engine("neuvector", "NeuVector", "policy"),
    Engine("policy-controller", "Sigstore policy-controller", "signature"),
    Engine("cosign", "Sigstore policy-controller", "signature"),
    Engine("connaisseur", "Connaisseur", "signature"),
    Engine("ratify", "Ratify", "signature"),
    Engine("portieris", "Portieris", "signature"),
    Engine("istio", "Istio", "mesh"),
    Engine("linkerd", "Linkerd", "mesh"),
    Engine("consul", "Consul", "mesh"),
    Engine("kuma", "Kuma", "mesh"),
    Engine("vault", "Vault Agent Injector", "secrets"),
    Engine("external-secrets", "External Secrets", "secrets"),
    Engine("cert-manager", "cert-manager", "platform"),
    Engine("ingress-nginx", "ingress-nginx", "platform"),
    Engine("cloudnative-pg", "CloudNativePG", "platform"),
    Engine("cnpg", "CloudNativePG", "platform"),
    Engine("metallb", "MetalLB", "platform"),
    Engine("prometheus", "Prometheus Operator", "platform"),
    Engine("aws-load-balancer", "AWS Load Balancer Controller", "platform"),
    Engine("pod-identity-webhook", "pod identity", "platform"),
    Engine("azure-wi-webhook", "Azure workload identity", "platform"),
    Engine("keda", "KEDA", "platform"),
    Engine("knative", "Knative", "platform"),
    Engine("tekton", "Tekton", "platform"),
    Engine("vpa-webhook", "Vertical Pod Autoscaler", "platform"),
    Engine("snapshot-validation", "CSI snapshots", "platform"),
    Engine("cilium", "Cilium", "platform"),
    Engine("tetragon", "Tetragon", "platform"),
)
#: Purposes whose webhooks stand guard: what slips past them is not protected.
GUARDS = ("policy", "signature", "mesh")


def engine_of(service: str) -> Engine | None:
    """Return the engine behind a Service given as namespace/name.

    >>> engine_of("gatekeeper-system/gatekeeper-webhook-service").title
    'Gatekeeper'
    >>> engine_of("shop/copa") is None
    True
    """
    parts = service.replace("/", "-").split("-")
    joined = "-".join(["", *parts, ""])
    return next((engine for engine in ENGINES if f"-{engine.word}-" in joined), None)
