"""Enforcement at admission: where nothing denies, and what was let in although something does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.model.admission_causes import COVERS, DENIES, UNDONE_BY
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

#: Tables of what explains that something was not denied.
_EXPLAINS = (
    *("gatekeeper_exclusions", "kyverno_filters", "policy_exceptions"),
    *("webhooks", "webhook_rules", "cluster"),
)
#: Tables without which a *fail* cannot stand: what enforces may not have been read. Of webhooks
#: some alone may have been, and that of the engine not.
_POLICIES = (*DENIES, "webhooks", "webhook_rules", "cluster", "pod_security_config")
#: Tables without which nothing stands, whatever it rests on.
_LEVELS = ("pod_security_config",)
_UNKNOWN = "policies are there whose code or scope cannot be followed"


@control(
    "KA-DEP-039",
    layer="deploy",
    severity="high",
    applies="users",
    weak=_POLICIES,
    hides=_LEVELS,
    rests_on="rests_on",
    undoes=UNDONE_BY,
    null=_UNKNOWN,
    expected="something that denies: a Pod Security level or a policy",
    shows=("audited", "engines"),
)
def nothing_enforced(namespace_enforcement: pd.DataFrame) -> pd.Series[Any]:
    """In every namespace of the users something is enforced at admission.

    Where nothing denies, whoever may create a pod may take the node. A webhook that is there
    is no enforcement: what counts is a rule that denies and is for the namespace.

    Remedy:
        Begin with the baseline level; it refuses what no ordinary workload needs.

        kubectl label namespace <name> pod-security.kubernetes.io/enforce=baseline

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-nothing}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-warned, labels: {pod-security.kubernetes.io/warn: restricted}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-level, labels: {pod-security.kubernetes.io/enforce: baseline}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-policy}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod], namespaces: [ok-policy]}}]},
          validate: {failureAction: Enforce, pattern: {spec: {"=(hostPID)": "false"}}}}]}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: kube-system}}
    """
    return namespace_enforcement["inactive"]


@control(
    "KA-DEP-057",
    layer="deploy",
    severity="high",
    applies="users",
    weak=_POLICIES,
    hides=_LEVELS,
    rests_on="baseline_rests_on",
    undoes=UNDONE_BY,
    null=_UNKNOWN,
    expected="every control of the baseline level denied by something",
    shows=("missing_baseline", "audited", "engines"),
)
def baseline_not_enforced(namespace_enforcement: pd.DataFrame) -> pd.Series[Any]:
    """What the baseline level refuses is refused in every namespace, by whatever engine.

    A control that no policy enforces holds by good will alone: it is met today, and nothing
    stops the pod that breaks it tomorrow. What is audited is not refused.

    Remedy:
        Label the namespace, or have a policy deny what is listed.

        kubectl label namespace <name> pod-security.kubernetes.io/enforce=baseline

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-nothing}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-audited, labels: {pod-security.kubernetes.io/audit: baseline}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-level, labels: {pod-security.kubernetes.io/enforce: baseline}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-strict, labels: {pod-security.kubernetes.io/enforce: restricted}}}
    """
    return namespace_enforcement["lacks_baseline"]


@control(
    "KA-DEP-057a",
    layer="deploy",
    severity="medium",
    applies="users",
    weak=_POLICIES,
    hides=_LEVELS,
    rests_on="restricted_rests_on",
    undoes=UNDONE_BY,
    null=_UNKNOWN,
    expected="every control of the restricted level denied by something",
    shows=("missing_restricted", "engines"),
)
def restricted_not_enforced(namespace_enforcement: pd.DataFrame) -> pd.Series[Any]:
    """What the restricted level refuses beyond the baseline is refused in every namespace.

    Root, privilege escalation and kept capabilities are what an escape needs.

    Remedy:
        See with kaudit pss what would be refused, repair it, and label the namespace.

        kubectl label namespace <name> pod-security.kubernetes.io/enforce=restricted

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-baseline, labels: {pod-security.kubernetes.io/enforce: baseline}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-strict, labels: {pod-security.kubernetes.io/enforce: restricted}}}
    """
    return namespace_enforcement["lacks_restricted"]


@control(
    "KA-DEP-052",
    layer="deploy",
    severity="high",
    applies="covered",
    weak=(*_EXPLAINS, *_LEVELS),
    hides=COVERS,
    expected="what a policy denies is not there",
    shows=("control", "engine", "policy", "clause", "pods"),
)
def should_have_been_denied(why_admitted: pd.DataFrame) -> pd.Series[Any]:
    """Nothing runs that a policy in force should have denied.

    A policy that denies covers these pods, is older than they are, looks at their containers,
    and no exception names them: they should not be there. Either the engine was off or was
    gone around, or the policy does not do what it seems to: find out which.

    Remedy:
        Create the pod again in a test: if it is refused now, look in the audit log for who made
        it, and when the webhook did not answer; if it is admitted, repair the policy.

        kubectl -n <namespace> get pod <pod> -o yaml | kubectl create --dry-run=server -f -

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, creationTimestamp: "2025-01-01T00:00:00Z"}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p, creationTimestamp: "2025-02-01T00:00:00Z"}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]},
          validate: {failureAction: Enforce, pattern: {spec: {"=(hostPID)": "false"}}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-younger, namespace: shop, creationTimestamp: "2025-03-01T00:00:00Z"}, spec: {hostPID: true, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-older, namespace: shop, creationTimestamp: "2025-01-15T00:00:00Z"}, spec: {hostPID: true, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-keeps-to-it, namespace: shop, creationTimestamp: "2025-03-01T00:00:00Z"}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-excepted, namespace: shop, creationTimestamp: "2025-03-01T00:00:00Z", labels: {app: sensor}}, spec: {hostPID: true, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: kyverno.io/v2, kind: PolicyException, metadata: {name: e, namespace: kyverno}, spec: {exceptions: [{policyName: p, ruleNames: [r]}], match: {any: [{resources: {kinds: [Pod], selector: {matchLabels: {app: sensor}}}}]}}}
    """
    return why_admitted["unexplained"]


@control(
    "KA-DEP-052a",
    layer="deploy",
    severity="medium",
    applies="covered",
    weak=COVERS,
    hides=(*_EXPLAINS, *_LEVELS),
    expected="what a policy denies is not there, however it came in",
    shows=("control", "cause", "engine", "policy", "clause", "pods"),
)
def enforced_but_there(why_admitted: pd.DataFrame) -> pd.Series[Any]:
    """Nothing runs that a policy would deny today.

    Older than the policy, excepted, in a container that the policy does not look at, or let in
    while the webhook was away: each is explained, and each runs on as if there were no policy.

    Remedy:
        Replace what is older; close the hole that let in the rest.

        kubectl -n <namespace> rollout restart deployment/<name>

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p, creationTimestamp: "2025-02-01T00:00:00Z"}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]},
          validate: {failureAction: Enforce, pattern: {spec: {"=(hostPID)": "false"}}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-older, namespace: shop, creationTimestamp: "2025-01-15T00:00:00Z"}, spec: {hostPID: true, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-other-fault, namespace: shop, creationTimestamp: "2025-01-15T00:00:00Z"}, spec: {hostIPC: true, containers: [{name: c, image: i}]}}
    """
    return ~why_admitted["unexplained"]
