"""Whether what is excepted from policies is as narrow, and as short-lived, as it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-050",
    layer="deploy",
    severity="high",
    applies="from_policy",
    expected="bounded by names, and less than most of the cluster",
    shows=("mechanism", "excepts_from", "scope", "namespaces", "workloads", "hides"),
    null="what it covers rests on conditions that are decided when something is created",
    against=("namespaces", "pods"),
)
def policy_exception_too_broad(exceptions: pd.DataFrame) -> pd.Series[Any]:
    """An exception from a policy is for something, not for everything or most.

    A policy that excepts every namespace enforces nothing, and looks as if it did. What Kubernetes
    and the engine itself run is commonly left out, and is no fault here.

    Remedy:
        Name the workload that needs the exception, and the rule that it breaks.

        apiVersion: kyverno.io/v2
        kind: PolicyException
        metadata: {name: sensor, namespace: exceptions}
        spec:
          match: {any: [{resources: {kinds: [DaemonSet], namespaces: [falco], names: [falco]}}]}
          exceptions: [{policyName: disallow-host-path, ruleNames: [host-path]}]

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: web}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: falco}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: kube-system}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop}, spec: {containers: [{name: c, image: a}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: web}, spec: {containers: [{name: c, image: b}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: d, namespace: falco}, spec: {containers: [{name: c, image: d}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: k, namespace: kube-system}, spec: {containers: [{name: c, image: k}]}}
        ---
        {apiVersion: kyverno.io/v2, kind: PolicyException, metadata: {name: bad-everything, namespace: kyverno}, spec: {
          match: {any: [{resources: {kinds: [Pod]}}]}, exceptions: [{policyName: p, ruleNames: [r]}]}}
        ---
        {apiVersion: kyverno.io/v2, kind: PolicyException, metadata: {name: bad-most, namespace: kyverno}, spec: {
          match: {any: [{resources: {kinds: [Pod], namespaces: ["s*", "w*"]}}]}, exceptions: [{policyName: p, ruleNames: [r]}]}}
        ---
        {apiVersion: kyverno.io/v2, kind: PolicyException, metadata: {name: ok-one, namespace: kyverno}, spec: {
          match: {any: [{resources: {kinds: [Pod], namespaces: [falco], names: [d]}}]}, exceptions: [{policyName: p, ruleNames: [r]}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: bad-exclude}, spec: {rules: [
          {name: r, match: {any: [{resources: {kinds: [Pod]}}]}, exclude: {any: [{resources: {namespaces: ["*"]}}]}, validate: {message: m, pattern: {spec: {}}}}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: ok-own}, spec: {rules: [
          {name: r, match: {any: [{resources: {kinds: [Pod]}}]}, exclude: {any: [{resources: {namespaces: [kube-system, kyverno]}}]}, validate: {message: m, pattern: {spec: {}}}}]}}
        ---
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sOwner, metadata: {name: bad-excluded}, spec: {match: {excludedNamespaces: [shop, web]}}}
        ---
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sOwner, metadata: {name: ok-excluded}, spec: {match: {excludedNamespaces: [kube-*]}}}
    """
    return exceptions["broad"]


@control(
    "KA-DEP-050a",
    layer="deploy",
    severity="medium",
    expected="an owner, a reason and an end",
    shows=("policy", "rules", "owner", "reason", "expires_at"),
)
def policy_exception_without_terms(policy_exceptions: pd.DataFrame) -> pd.Series[Any]:
    """An exception from a policy says whose it is, why, and until when.

    What was let pass for one release is let pass for good where nothing ends it, and nobody can
    say whether it is still needed. Annotations owner, reason and expires say so (also below a
    domain of your own); Kyverno removes what the label cleanup.kyverno.io/ttl has outlived.

    Remedy:
        Give the exception its terms.

        metadata:
          annotations: {example.com/owner: team-shop, example.com/reason: "ticket 42"}
          labels: {cleanup.kyverno.io/ttl: "2026-12-31"}

    Cases:
        {apiVersion: kyverno.io/v2, kind: PolicyException, metadata: {name: bad-bare, namespace: shop}, spec: {
          match: {any: [{resources: {kinds: [Pod], names: [a]}}]}, exceptions: [{policyName: p, ruleNames: [r]}]}}
        ---
        {apiVersion: kyverno.io/v2, kind: PolicyException, metadata: {name: bad-endless, namespace: shop, annotations: {owner: shop, reason: old}}, spec: {
          match: {any: [{resources: {kinds: [Pod], names: [a]}}]}, exceptions: [{policyName: p, ruleNames: [r]}]}}
        ---
        {apiVersion: kyverno.io/v2, kind: PolicyException, metadata: {name: ok-ttl, namespace: shop, labels: {cleanup.kyverno.io/ttl: "2026-12-31"},
          annotations: {example.com/owner: shop, example.com/reason: "ticket 42"}}, spec: {
          match: {any: [{resources: {kinds: [Pod], names: [a]}}]}, exceptions: [{policyName: p, ruleNames: [r]}]}}
        ---
        {apiVersion: policies.kyverno.io/v1beta1, kind: PolicyException, metadata: {name: ok-cel, namespace: shop,
          annotations: {owner: shop, reason: "ticket 42", expires: "2026-12-31"}}, spec: {policyRefs: [{name: p, kind: ValidatingPolicy}], matchConditions: [{name: a, expression: "object.metadata.name == 'a'"}]}}
    """
    it = policy_exceptions
    return it["owner"].isna() | it["reason"].isna() | it["expires_at"].isna()
