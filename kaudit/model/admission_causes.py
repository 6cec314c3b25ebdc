"""Why an object was admitted although a control fails on it: causes, nearest to denial first."""

from __future__ import annotations

DENIED = "should_have_been_denied"
NO_POLICY = "no_policy"

#: Cause to what it says. Of several enforcement points, the one that came nearest counts: the
#: first cause of this order.
CAUSES = {
    DENIED: "a policy that denies covers it, and nothing explains why it is there: investigate",
    "static_pod": "a kubelet runs it from a file: admission is not asked",
    "fails_open": "the policy denies, but lets in what it cannot be asked about: possible",
    "policy_changed": "the policy was changed after it was made",
    "older_than_policy": "it is older than the policy",
    "exception": "an exception leaves it out",
    "containers_not_read": "the policy does not look at containers of that kind",
    "unknown": "it cannot be told whether the policy denies it",
    "not_asked": "the webhook of the engine is not asked about it, or its namespace",
    "exempt_namespace": "the engine leaves its namespace out for every policy",
    "excluded_namespace": "the policy does not apply to its namespace",
    "not_selected": "the policy does not select it, by label or name",
    "audit_only": "the policy audits or warns, and denies nothing",
    "not_ready": "the policy is in error, or is not served",
    "kind_not_matched": "the policy is for other kinds",
    NO_POLICY: "no policy demands it",
}
RANK = {cause: rank for rank, cause in enumerate(CAUSES)}
#: Causes of objects that a policy which denies is for.
COVERED = (
    DENIED,
    "static_pod",
    "fails_open",
    "policy_changed",
    "older_than_policy",
    "exception",
    "containers_not_read",
)

#: Tables of what denies: policies, and what puts them in force.
DENIES = (
    *("constraints", "constraint_templates", "kyverno_policies", "kyverno_rules"),
    *("admission_policies", "admission_bindings"),
)
#: Tables without which it is not known what is denied to whom, beside those of namespaces.
COVERS = (*DENIES, "pod_security_config", "webhooks", "webhook_rules")
#: Engine to the tables of what may take a namespace, or all in it, out of its policies.
UNDONE_BY = {
    "Gatekeeper": ("gatekeeper_exclusions", "webhooks", "webhook_rules"),
    "Kyverno": ("kyverno_filters", "policy_exceptions", "webhooks", "webhook_rules"),
}

#: Control to the checks of the Pod Security Standards that refuse its fault.
CHECKS = {
    "KA-DEP-001": ("privileged",),
    "KA-DEP-002": ("hostNamespaces",),
    "KA-DEP-003": ("hostNamespaces",),
    "KA-DEP-004": ("hostNamespaces",),
    "KA-DEP-005": ("hostPathVolumes", "restrictedVolumes"),
    "KA-DEP-008": ("hostPorts",),
    "KA-DEP-009": ("windowsHostProcess",),
    "KA-DEP-010": ("capabilities_baseline", "capabilities_restricted"),
    "KA-DEP-012": ("capabilities_restricted",),
    "KA-DEP-014": ("allowPrivilegeEscalation",),
    "KA-DEP-015": ("runAsNonRoot",),
    "KA-DEP-015a": ("runAsUser",),
    "KA-DEP-018": ("seccompProfile_baseline", "seccompProfile_restricted"),
    "KA-DEP-019": ("seccompProfile_restricted",),
    "KA-DEP-020": ("appArmorProfile",),
    "KA-DEP-021": ("seLinuxOptions",),
    "KA-DEP-022": ("procMount", "procMount_restricted"),
    "KA-DEP-023": ("sysctls",),
    "KA-DEP-024": ("restrictedVolumes",),
}
#: Controls that admission can enforce beside those.
BESIDE = (
    "KA-BLD-007",
    "KA-BLD-008",
    "KA-BLD-009",
    "KA-DEP-017",
    "KA-DEP-028",
    "KA-DEP-029",
    "KA-DEP-029c",
    "KA-DEP-029d",
)
ENFORCEABLE = tuple(sorted({*CHECKS, *BESIDE}))
#: Those whose fault is a setting of the pod, not of its containers.
OF_PODS = (
    "KA-DEP-002",
    "KA-DEP-003",
    "KA-DEP-004",
    "KA-DEP-005",
    "KA-DEP-023",
    "KA-DEP-024",
)
#: Controls that no pod of a cluster should be without a guard for, and those of the strict level.
BASELINE = tuple(
    id
    for id in sorted(CHECKS)
    if id not in ("KA-DEP-012", "KA-DEP-014", "KA-DEP-015", "KA-DEP-015a", "KA-DEP-019")
    and id != "KA-DEP-024"
)
