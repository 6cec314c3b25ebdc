"""How policies name what they match, in one form: ``Kind`` of the core, ``Kind.group``.

``*`` stands for any kind or group. A subresource follows after a slash. A resource whose kind
is not known stays in small letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product

from kaudit.model.admission import RuleWithOperations

#: Plural to kind and group of what Kubernetes itself serves and policies speak of.
_BUILT_IN: dict[str, tuple[str, str]] = {
    "pods": ("Pod", ""),
    "services": ("Service", ""),
    "namespaces": ("Namespace", ""),
    "nodes": ("Node", ""),
    "secrets": ("Secret", ""),
    "configmaps": ("ConfigMap", ""),
    "endpoints": ("Endpoints", ""),
    "events": ("Event", ""),
    "serviceaccounts": ("ServiceAccount", ""),
    "persistentvolumes": ("PersistentVolume", ""),
    "persistentvolumeclaims": ("PersistentVolumeClaim", ""),
    "replicationcontrollers": ("ReplicationController", ""),
    "resourcequotas": ("ResourceQuota", ""),
    "limitranges": ("LimitRange", ""),
    "podtemplates": ("PodTemplate", ""),
    "deployments": ("Deployment", "apps"),
    "daemonsets": ("DaemonSet", "apps"),
    "statefulsets": ("StatefulSet", "apps"),
    "replicasets": ("ReplicaSet", "apps"),
    "controllerrevisions": ("ControllerRevision", "apps"),
    "jobs": ("Job", "batch"),
    "cronjobs": ("CronJob", "batch"),
    "ingresses": ("Ingress", "networking.k8s.io"),
    "ingressclasses": ("IngressClass", "networking.k8s.io"),
    "networkpolicies": ("NetworkPolicy", "networking.k8s.io"),
    "roles": ("Role", "rbac.authorization.k8s.io"),
    "clusterroles": ("ClusterRole", "rbac.authorization.k8s.io"),
    "rolebindings": ("RoleBinding", "rbac.authorization.k8s.io"),
    "clusterrolebindings": ("ClusterRoleBinding", "rbac.authorization.k8s.io"),
    "poddisruptionbudgets": ("PodDisruptionBudget", "policy"),
    "horizontalpodautoscalers": ("HorizontalPodAutoscaler", "autoscaling"),
    "storageclasses": ("StorageClass", "storage.k8s.io"),
    "volumeattachments": ("VolumeAttachment", "storage.k8s.io"),
    "priorityclasses": ("PriorityClass", "scheduling.k8s.io"),
    "runtimeclasses": ("RuntimeClass", "node.k8s.io"),
    "leases": ("Lease", "coordination.k8s.io"),
    "endpointslices": ("EndpointSlice", "discovery.k8s.io"),
    "flowschemas": ("FlowSchema", "flowcontrol.apiserver.k8s.io"),
    "prioritylevelconfigurations": (
        "PriorityLevelConfiguration",
        "flowcontrol.apiserver.k8s.io",
    ),
    "certificatesigningrequests": ("CertificateSigningRequest", "certificates.k8s.io"),
    "customresourcedefinitions": ("CustomResourceDefinition", "apiextensions.k8s.io"),
    "mutatingwebhookconfigurations": (
        "MutatingWebhookConfiguration",
        "admissionregistration.k8s.io",
    ),
    "validatingwebhookconfigurations": (
        "ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io",
    ),
}
_VERSION = re.compile(r"\*|v\d+((alpha|beta)\d+)?", re.ASCII)
_GROUP_OF = dict(_BUILT_IN.values())
#: Kinds that hold a pod template, as policies name them.
CONTROLLERS = (
    "CronJob.batch",
    "DaemonSet.apps",
    "Deployment.apps",
    "Job.batch",
    "ReplicaSet.apps",
    "ReplicationController",
    "StatefulSet.apps",
)


def pods_among(found: Iterable[str]) -> bool:
    """Tell whether kinds are of pods, or of what makes pods."""
    return not {"Pod", "*", "*.*", "*.apps", "*.batch", *CONTROLLERS}.isdisjoint(found)


def written(kind: str, group: str, part: str = "") -> str:
    """Return one form for a kind, its group and subresource."""
    whole = f"{kind}.{group}" if group else kind
    return f"{whole}/{part}" if part else whole


def of_text(text: str) -> str:
    """Return the kind that Kyverno writes as ``group/version/Kind/part``, with less or all of it.

    >>> of_text("Pod"), of_text("apps/v1/Deployment"), of_text("v1/Pod/exec"), of_text("*")
    ('Pod', 'Deployment.apps', 'Pod/exec', '*.*')
    >>> of_text("*/Pod"), of_text("*/*"), of_text("batch/*/CronJob"), of_text("Pod.status")
    ('Pod', '*.*/*', 'CronJob.batch', 'Pod/status')
    >>> of_text("Deployment"), of_text("Pod/ephemeralcontainers"), of_text("Widget")
    ('Deployment.apps', 'Pod/ephemeralcontainers', 'Widget.*')
    """
    parts = text.split("/")
    group, version, part = "", "", ""
    if len(parts) > 2 and _VERSION.fullmatch(parts[1]):
        group, version, parts = parts[0], parts[1], parts[2:]
    elif len(parts) > 1 and _VERSION.fullmatch(parts[0]) and parts != ["*", "*"]:
        version, parts = parts[0], parts[1:]
    kind, dot, behind = parts[0].partition(".")
    part = behind if dot else "/".join(parts[1:])
    core = version not in ("", "*") and not group
    return written(kind, group or _GROUP_OF.get(kind, "" if core else "*"), part)


def of_rule(rule: RuleWithOperations) -> set[str]:
    """Kinds of a rule of a webhook or an admission policy."""
    found = set()
    for group, resource in product(rule.api_groups or ["*"], rule.resources or ["*"]):
        plural, _, part = resource.partition("/")
        kind, own = _BUILT_IN.get(plural, (plural, group))
        known = group in (own, "*")
        found.add(written(kind if known else plural, own if known else group, part))
    return found


def of_rules(rules: list[RuleWithOperations] | None) -> list[str]:
    """Kinds of several rules, sorted."""
    return sorted(set().union(*map(of_rule, rules))) if rules else []
