"""Chains in which a guardrail failed, or can be taken away by those whom it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.chains import correlation

if TYPE_CHECKING:
    import pandas as pd


@correlation("KA-RSK-013", layer="deploy", severity="critical")
def denied_and_alerted(
    admitted_against_policy: pd.Series[Any], alerted: pd.Series[Any]
) -> pd.Series[Any]:
    """Workload that should have been denied, and raised an alert.

    The control failed, and what it was to keep out did what it was feared for: somebody went
    around the engine, or it was off.

    Remedy:
        Isolate the workload and keep its evidence; then find how it was admitted.

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, creationTimestamp: "2025-01-01T00:00:00Z"}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, creationTimestamp: "2025-03-01T00:00:00Z"}, spec: {hostPID: true, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p, creationTimestamp: "2025-02-01T00:00:00Z"}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {failureAction: Enforce, pattern: {spec: {"=(hostPID)": "false"}}}}]}}
        ---
        kaudit-file: falco.jsonl
        lines:
          - '{"rule": "Miner", "priority": "Critical", "time": "2025-11-30T00:00:00Z", "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": "web"}}'
        # cluster: bad-both
        # cluster: bad-level
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, creationTimestamp: "2025-01-01T00:00:00Z", labels: {pod-security.kubernetes.io/enforce: baseline}, managedFields: [{manager: m, operation: Update, time: "2025-01-01T00:00:00Z", fieldsV1: {"f:metadata": {"f:labels": {"f:pod-security.kubernetes.io/enforce": {}}}}}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p, creationTimestamp: "2025-02-01T00:00:00Z"}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {failureAction: Audit, pattern: {spec: {"=(hostPID)": "false"}}}}]}}
        # cluster: ok-explained
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, creationTimestamp: "2025-01-15T00:00:00Z"}, spec: {hostPID: true, containers: [{name: c, image: i}]}}
        # cluster: ok-quiet
        kaudit-file: falco.jsonl
        lines:
          - '{"rule": "Miner", "priority": "Notice", "time": "2025-11-30T00:00:00Z", "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": "web"}}'
    """
    return admitted_against_policy & alerted


@correlation("KA-RSK-007", layer="deploy", severity="critical")
def own_guard_switched_off(
    kept_from_nodes: pd.Series[Any], held_by_tenants: pd.Series[Any]
) -> pd.Series[Any]:
    """Tenant can switch off its own guardrails.

    Who is held by a guard and may take it away is not held: a label is changed, a privileged
    pod is made, and the node is theirs.

    Remedy:
        Take the right to label namespaces, except from policies or change them from whoever
        makes workloads.

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r, namespace: shop}, rules: [{apiGroups: [""], resources: [pods, namespaces], verbs: ["*"]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b, namespace: shop}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}, subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: anna}]}
        # cluster: bad-labels
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: restricted}}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: labels}, rules: [{apiGroups: [""], resources: [namespaces], resourceNames: [shop], verbs: [get, patch]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: labels}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: labels}, subjects: [{kind: ServiceAccount, name: robot, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r, namespace: shop}, rules: [{apiGroups: [""], resources: [pods], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b, namespace: shop}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}, subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: "system:serviceaccounts:shop"}]}
        # cluster: bad-exceptions
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {failureAction: Enforce, pattern: {spec: {"=(hostPID)": "false"}}}}]}}
        ---
        {apiVersion: kyverno.io/v2, kind: PolicyException, metadata: {name: e, namespace: kyverno}, spec: {exceptions: [{policyName: other, ruleNames: [r]}], match: {any: [{resources: {kinds: [Pod]}}]}}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r, namespace: shop}, rules: [{apiGroups: ["", kyverno.io], resources: [pods, policyexceptions], verbs: [create]}]}
        # cluster: bad-opt-out
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {failureAction: Enforce, pattern: {spec: {"=(hostPID)": "false"}}}}]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: kyverno-resource-validating-webhook-cfg}, webhooks: [{name: validate.kyverno.svc-fail, admissionReviewVersions: [v1], sideEffects: None, clientConfig: {service: {namespace: kyverno, name: kyverno-svc}}, namespaceSelector: {matchExpressions: [{key: exempt, operator: DoesNotExist}]}, rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods, pods/ephemeralcontainers]}]}]}
        # cluster: ok-second-guard
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: baseline}}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {failureAction: Enforce, podSecurity: {level: baseline, version: latest}}}]}}
        # cluster: ok-two-subjects
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: restricted}}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: labels, namespace: shop}, rules: [{apiGroups: [""], resources: [namespaces], verbs: [patch]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: labels, namespace: shop}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: labels}, subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: anna}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r, namespace: shop}, rules: [{apiGroups: [""], resources: [pods], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b, namespace: shop}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}, subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: bert}]}
        # cluster: ok-nothing-guarded
    """
    return kept_from_nodes & held_by_tenants
