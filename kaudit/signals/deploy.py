"""Signals of the deploy layer: what a taken workload could do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.chains import of_controls, signal
from kaudit.columns import over_lists

if TYPE_CHECKING:
    import pandas as pd

of_controls(
    "escapes",
    "KA-DEP-001",
    "KA-DEP-002",
    "KA-DEP-006",
    "KA-DEP-007",
    "KA-DEP-011",
    layer="deploy",
    stage="foothold",
    effort="one setting",
    title="It can get out of its container to the node",
    remedy="Take away privileged mode, host namespaces, host paths and strong capabilities.",
)
of_controls(
    "powerful",
    "KA-DEP-075",
    layer="deploy",
    stage="reach",
    effort="fewer rights",
    title="Its token leads to the rights of others",
    remedy="Bind its service account to what it needs, and mount no token that it does not use.",
)
of_controls(
    "weak",
    "KA-DEP-015",
    "KA-DEP-015a",
    "KA-DEP-017",
    "KA-DEP-018",
    "KA-DEP-019",
    layer="deploy",
    stage="foothold",
    effort="one setting",
    title="It runs as root, may change its own files, or has no system-call filter",
    remedy="Run as a user of its own, with a read-only root filesystem and the default filter.",
)
of_controls(
    "permissive",
    "KA-DEP-036",
    layer="deploy",
    stage="foothold",
    effort="one setting",
    title="Its namespace enforces no Pod Security level",
    remedy="Label the namespace to enforce baseline, or restricted where its pods allow.",
)


#: Tables that make, or explain, that something runs although a policy denies it.
_POLICIES = (
    *("constraints", "constraint_templates", "gatekeeper_exclusions", "kyverno_policies"),
    *("kyverno_rules", "policy_exceptions", "admission_policies", "admission_bindings"),
    *(
        "kyverno_filters",
        "webhooks",
        "webhook_rules",
        "namespaces",
        "workloads",
        "cluster",
        "pod_security_config",
    ),
)


@signal(
    layer="deploy",
    stage="foothold",
    effort="a review",
    shows=("control", "engine", "policy", "clause"),
    clears=_POLICIES,
)
def admitted_against_policy(
    why_admitted: pd.DataFrame,
    policy_anatomy: pd.DataFrame,  # noqa: ARG001  a gap in policies makes it unknown
    namespace_security: pd.DataFrame,  # noqa: ARG001  and so one in levels
) -> pd.Series[Any]:
    """A policy in force should have denied it, and it runs.

    Nothing explains it: it is younger than the policy, of a kind that is looked at, and no
    exception names it.

    Remedy:
        Look in the audit log for who made it while the engine did not answer, and make it again.

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, creationTimestamp: "2025-01-01T00:00:00Z"}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p, creationTimestamp: "2025-02-01T00:00:00Z"}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {failureAction: Enforce, pattern: {spec: {"=(hostPID)": "false"}}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-younger, namespace: shop, creationTimestamp: "2025-03-01T00:00:00Z"}, spec: {hostPID: true, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-older, namespace: shop, creationTimestamp: "2025-01-15T00:00:00Z"}, spec: {hostPID: true, containers: [{name: c, image: i}]}}
    """
    return why_admitted["unexplained"]


@signal(
    layer="deploy",
    stage="reach",
    effort="fewer rights",
    shows=("steps", "cut"),
    null="a step of the way depends on what the evidence does not tell",
)
def leads_to_admin(admin_paths: pd.DataFrame) -> pd.Series[Any]:
    """A way leads from it to all rights in the cluster.

    Step by step, each by a right or a setting that is there: tokens, pods of stronger accounts,
    roles that may be bound, the node beneath.

    Remedy:
        Remove the binding or the setting that is named as the cut: no way is left without it.

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
        ---
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: robot, namespace: shop}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: b}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}, subjects: [{kind: ServiceAccount, name: robot, namespace: shop}]}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-admin, namespace: shop}, spec: {serviceAccountName: robot, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bank}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-plain, namespace: bank}, spec: {automountServiceAccountToken: false, containers: [{name: c, image: i}]}}
    """
    import pandas as pd

    doubtful = over_lists(admin_paths["conditions"], bool)
    return (~doubtful).mask(doubtful, pd.NA)


@signal(
    layer="deploy",
    stage="foothold",
    effort="a review",
    about="namespace",
    shows=("control", "engine", "policies"),
    clears=("gatekeeper_exclusions", "policy_exceptions", "kyverno_filters"),
    null="a policy is there of which it cannot be told what it refuses",
)
def kept_from_nodes(
    namespace_guards: pd.DataFrame,
    policy_anatomy: pd.DataFrame,  # noqa: ARG001  a gap in policies makes it unknown
) -> pd.Series[Any]:
    """What keeps its pods from the node is a guard at admission.

    Without it whoever makes a pod there has the node, and every pod on it.

    Remedy:
        Let two guards stand on each other's way: a level, and a policy of an engine.

    Cases:
        # cluster: bad-level
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: baseline}}}
        # cluster: ok-none
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
    """
    import pandas as pd

    known = namespace_guards["known"]
    return known.mask(~known, pd.NA)


@signal(
    layer="deploy",
    stage="reach",
    effort="fewer rights",
    about="namespace",
    shows=("subject_kind", "subject", "levers", "by", "lost"),
    null="it takes an exception of Kyverno, and none is there: whether they are heeded is not told",
)
def held_by_tenants(guardrail_rights: pd.DataFrame) -> pd.Series[Any]:
    """Who makes pods in it may take that guard away.

    By the labels of the namespace, an exception or the policy itself, as the rights say that
    are named.

    Remedy:
        Take the right from those who make pods; let the platform label namespaces.

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: baseline}}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b, namespace: shop}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}, subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: sellers}]}
        # cluster: bad-labels
        {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r, namespace: shop}, rules: [{apiGroups: ["", apps], resources: [namespaces, deployments], verbs: [patch, create]}]}
        # cluster: ok-no-pods
        {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r, namespace: shop}, rules: [{apiGroups: [""], resources: [namespaces], verbs: [patch]}]}
    """
    import pandas as pd

    certain = guardrail_rights["certain"]
    return certain.mask(~certain, pd.NA)
