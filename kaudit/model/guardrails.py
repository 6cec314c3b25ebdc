"""What takes a guardrail away, and which right of RBAC gives it into somebody's hands.

Sources: Kubernetes, "Enforce Pod Security Standards with Namespace Labels" and "Dynamic
Admission Control"; Gatekeeper, "Exempting Namespaces"; Kyverno, "Policy Exceptions".
"""

from __future__ import annotations

from functools import lru_cache

from kaudit.model.rbac_rule import Rule

LABELS = "labels of the namespace"
OWN_LABELS = "labels of its own pods"
EXCEPTIONS = "exceptions of Kyverno"
WEBHOOKS = "webhook configurations"
_OBJECTS = {
    "Gatekeeper": (
        ("constraints.gatekeeper.sh", "*"),
        ("templates.gatekeeper.sh", "constrainttemplates"),
        ("config.gatekeeper.sh", "configs"),
    ),
    "Kyverno": (
        ("kyverno.io", "clusterpolicies"),
        ("policies.kyverno.io", "validatingpolicies"),
        ("policies.kyverno.io", "imagevalidatingpolicies"),
    ),
    "ValidatingAdmissionPolicy": (
        ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
        ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
    ),
}
_WRITE = ("create", "update", "patch")
_REMOVE = ("update", "patch", "delete", "deletecollection")
#: Engines that are asked by a webhook.
ASKED = ("Gatekeeper", "Kyverno")
#: Controls whose fault leads out of a container to its node, of those that admission refuses.
ESCAPES = ("KA-DEP-001", "KA-DEP-002", "KA-DEP-004", "KA-DEP-005", "KA-DEP-009", "KA-DEP-010")


def objects_of(engine: str) -> str:
    """Name the lever of an engine's own objects.

    >>> objects_of("Kyverno")
    'policies of Kyverno'
    """
    return f"policies of {engine}"


def _changes(rule: Rule, engine: str) -> bool:
    return any(
        rule.allows(group, kind, *_REMOVE)
        or (kind == "*" and group in rule.groups and not rule.verbs.isdisjoint({"*", *_REMOVE}))
        for group, kind in _OBJECTS[engine]
    )


@lru_cache(maxsize=65536)
def levers_of(rule: Rule, namespace: str) -> frozenset[str]:
    """Say which levers on the guards of a namespace a rule, granted there or everywhere, gives.

    >>> sorted(levers_of(Rule.of((["patch"], [""], ["namespaces"], [], [])), "shop"))
    ['labels of the namespace']
    """
    found = set()
    if rule.allows("", "namespaces", "update", "patch") and (
        not rule.names or namespace in rule.names
    ):
        found.add(LABELS)
    if any(
        rule.allows(group, "policyexceptions", *_WRITE)
        for group in ("kyverno.io", "policies.kyverno.io")
    ):
        found.add(EXCEPTIONS)
    if rule.names:
        return frozenset(found)
    found |= {objects_of(engine) for engine in _OBJECTS if _changes(rule, engine)}
    if rule.allows("admissionregistration.k8s.io", "validatingwebhookconfigurations", *_REMOVE):
        found.add(WEBHOOKS)
    return frozenset(found)
