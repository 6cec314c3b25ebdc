"""Pod Security Admission: what namespaces enforce, and whether their pods keep to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import arrow, flags, looked_up, over_lists, positions, series, text_is
from kaudit.model.admission_causes import BASELINE
from kaudit.model.platform import NAMESPACES
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-036",
    layer="deploy",
    severity="high",
    weak=(
        *("constraints", "constraint_templates", "gatekeeper_exclusions", "kyverno_policies"),
        *("kyverno_rules", "policy_exceptions", "admission_policies", "admission_bindings"),
        *("webhooks", "webhook_rules", "cluster", "pod_security_config"),
    ),
    hides=("pod_security_config",),
    null="an engine may enforce all of the baseline level; what it excepts is not told with certainty",
    expected="enforce is baseline or restricted, or an engine enforces the same",
    shows=("enforce", "enforces", "exempt"),
)
def namespace_without_enforcement(
    namespace_security: pd.DataFrame, namespace_enforcement: pd.DataFrame
) -> pd.Series[Any]:
    """Namespaces enforce the baseline or the restricted level.

    Without the label nothing of Kubernetes itself refuses a privileged pod. An engine that
    denies all that the baseline level does, in all of the namespace, is as good.

    Remedy:
        Label the namespace; look at what would break first (kaudit pss).

        metadata:
          labels:
            pod-security.kubernetes.io/enforce: restricted
            pod-security.kubernetes.io/enforce-version: v1.34

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-unset}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-privileged, labels: {
          pod-security.kubernetes.io/enforce: privileged}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-warn-only, labels: {
          pod-security.kubernetes.io/warn: restricted}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-baseline, labels: {
          pod-security.kubernetes.io/enforce: baseline}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-engine}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod], namespaces: [ok-engine]}}]},
          validate: {failureAction: Enforce, podSecurity: {level: baseline, version: latest}}}]}}
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    at = positions(namespace_security["name"], namespace_enforcement["name"])
    missing, partial = (
        arrow(over_lists(looked_up(namespace_enforcement, at, column, namespace_security), test))
        for column, test in (("missing_baseline", bool), ("partial", _of_baseline))
    )
    # No lack is no proof: what an engine excepts may stand where nobody has looked.
    lacks = pc.if_else(pc.or_(missing, partial), True, pa.scalar(None, pa.bool_()))
    return series(pc.and_kleene(arrow(namespace_security["unguarded"]), lacks), namespace_security)


def _of_baseline(controls: list[str]) -> bool:
    """Tell whether any is of the baseline level: an engine that slips elsewhere does for it."""
    return not set(BASELINE).isdisjoint(controls)


@control(
    "KA-DEP-036a",
    layer="deploy",
    severity="low",
    applies="labelled",
    expected="enforce-version is a fixed version",
    shows=("enforce", "enforce_version"),
)
def enforcement_not_pinned(namespace_security: pd.DataFrame) -> pd.Series[Any]:
    """The level in force is pinned to a version.

    With latest, or nothing, an upgrade of the cluster changes what is refused: pods that ran
    yesterday may not start tomorrow. The guide uses latest; pinning is the safer habit.

    Remedy:
        Pin it to the version of the cluster, and move it with each upgrade.

        metadata:
          labels:
            pod-security.kubernetes.io/enforce-version: v1.34

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-unset, labels: {
          pod-security.kubernetes.io/enforce: baseline}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-latest, labels: {
          pod-security.kubernetes.io/enforce: baseline, pod-security.kubernetes.io/enforce-version: latest}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-pinned, labels: {
          pod-security.kubernetes.io/enforce: baseline, pod-security.kubernetes.io/enforce-version: v1.34}}}
    """
    return ~namespace_security["pinned"]


@control(
    "KA-DEP-036b",
    layer="deploy",
    severity="info",
    applies="labelled",
    expected="audit and warn at least as strict as enforce",
    shows=("enforce", "audit", "warn"),
)
def audit_weaker_than_enforcement(namespace_security: pd.DataFrame) -> pd.Series[Any]:
    """Audit and warn are at least as strict as enforce.

    Enforcement acts on pods only: with a weaker warn nobody learns at the Deployment why its
    pods do not start, and without audit the log has no trace of it. A warn label that is unset
    follows enforce; one that is mistyped warns of nothing.

    Remedy:
        Set all three.

        metadata:
          labels:
            pod-security.kubernetes.io/audit: restricted
            pod-security.kubernetes.io/warn: restricted

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-enforce-only, labels: {
          pod-security.kubernetes.io/enforce: baseline}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-weak-warn, labels: {
          pod-security.kubernetes.io/enforce: restricted, pod-security.kubernetes.io/audit: restricted,
          pod-security.kubernetes.io/warn: baseline}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-mistyped-warn, labels: {
          pod-security.kubernetes.io/enforce: baseline, pod-security.kubernetes.io/audit: baseline,
          pod-security.kubernetes.io/warn: basline}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-warn-unset, labels: {
          pod-security.kubernetes.io/enforce: baseline, pod-security.kubernetes.io/audit: baseline}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-all, labels: {
          pod-security.kubernetes.io/enforce: baseline, pod-security.kubernetes.io/audit: restricted,
          pod-security.kubernetes.io/warn: baseline}}}
    """
    return namespace_security["weaker_audit"] | namespace_security["weaker_warn"]


@control(
    "KA-DEP-036c",
    layer="deploy",
    severity="medium",
    expected="labels and values that Kubernetes knows",
    shows=("enforce", "enforce_version", "audit", "warn"),
)
def mistyped_label(namespace_security: pd.DataFrame) -> pd.Series[Any]:
    """Pod Security labels are spelt as Kubernetes knows them.

    A mistyped enforce level means restricted, a mistyped audit or warn level means nothing,
    and a mistyped label name is ignored: none is what was meant.

    Remedy:
        Correct the spelling.

        metadata:
          labels:
            pod-security.kubernetes.io/enforce: restricted

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-level, labels: {
          pod-security.kubernetes.io/enforce: strict}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-version, labels: {
          pod-security.kubernetes.io/enforce: baseline, pod-security.kubernetes.io/enforce-version: "1.34"}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-name, labels: {
          pod-security.kubernetes.io/enforced: baseline}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-empty, labels: {
          pod-security.kubernetes.io/enforce: ""}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-digits, labels: {
          pod-security.kubernetes.io/audit: baseline, pod-security.kubernetes.io/audit-version: v1.²}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-none}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-right, labels: {
          pod-security.kubernetes.io/enforce: baseline, pod-security.kubernetes.io/enforce-version: v1.30}}}
    """
    return namespace_security["mistyped"]


@control(
    "KA-DEP-036d",
    layer="deploy",
    severity="low",
    applies="pinned",
    expected="enforce-version is the version of the cluster",
    shows=("enforce", "enforce_version"),
    null="the version of the cluster is not known",
)
def enforcement_of_other_version(
    namespace_security: pd.DataFrame, cluster: pd.DataFrame
) -> pd.Series[Any]:
    """A level that is pinned is pinned to the version of the cluster.

    An older version lacks the checks that were added since; a newer one is taken for the
    latest that the cluster has, and changes its meaning at the next upgrade.

    Remedy:
        Move the label with each upgrade.

        metadata:
          labels:
            pod-security.kubernetes.io/enforce-version: v1.34

    Cases:
        # cluster: bad-behind
        {serverVersion: {gitVersion: v1.34.1, platform: linux/amd64}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: old, labels: {
          pod-security.kubernetes.io/enforce: baseline, pod-security.kubernetes.io/enforce-version: v1.30}}}
        # cluster: bad-ahead
        {serverVersion: {gitVersion: v1.34.1, platform: linux/amd64}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: new, labels: {
          pod-security.kubernetes.io/enforce: baseline, pod-security.kubernetes.io/enforce-version: v1.35}}}
        # cluster: ok-same
        {serverVersion: {gitVersion: v1.34.1, platform: linux/amd64}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: same, labels: {
          pod-security.kubernetes.io/enforce: baseline, pod-security.kubernetes.io/enforce-version: v1.34}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: floating, labels: {
          pod-security.kubernetes.io/enforce: baseline, pod-security.kubernetes.io/enforce-version: latest}}}
        # cluster: ok-not-known
        {apiVersion: v1, kind: Namespace, metadata: {name: pinned, labels: {
          pod-security.kubernetes.io/enforce: baseline, pod-security.kubernetes.io/enforce-version: v1.30}}}
    """
    import pyarrow as pa

    minors = cluster["minor"].dropna()
    if not len(minors):
        return series(pa.nulls(len(namespace_security), pa.bool_()), namespace_security)
    return flags(namespace_security["pinned_minor"] != int(minors.iloc[0]))


@control(
    "KA-DEP-037",
    layer="deploy",
    severity="high",
    hides=("pod_security_config",),
    expected="pods keep to the level that their namespace enforces",
    shows=("level", "violations"),
)
def violates_own_namespace(
    pod_security: pd.DataFrame, namespace_security: pd.DataFrame
) -> pd.Series[Any]:
    """Running pods keep to the level that their namespace enforces.

    Admission acts when a pod is made: pods older than the label, exempt users and runtime
    classes, and static pods run on. A template that would be refused fails too.

    Remedy:
        Repair the workload and replace its pods; look for exemptions in the API server's
        configuration.

        kubectl rollout restart deployment/<name>

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: strict, labels: {pod-security.kubernetes.io/enforce: restricted}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: loose, labels: {pod-security.kubernetes.io/enforce: baseline}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-strict, namespace: strict}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-loose, namespace: loose}, spec: {hostPID: true, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-loose, namespace: loose}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-free, namespace: other}, spec: {hostPID: true, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: other}}
    """
    at = positions(pod_security["namespace"], namespace_security["name"])
    enforced = looked_up(namespace_security, at, "enforces", pod_security)
    baseline = text_is(enforced, "baseline") & ~pod_security["baseline"]
    return baseline | (text_is(enforced, "restricted") & ~pod_security["restricted"])


@control(
    "KA-DEP-038",
    layer="deploy",
    severity="medium",
    expected="no exemption, and a default that is at least baseline",
    shows=("enforce", "exempt_usernames", "exempt_runtime_classes", "exempt_namespaces"),
)
def exemptions_or_permissive_default(pod_security_config: pd.DataFrame) -> pd.Series[Any]:
    """The configuration of the plugin PodSecurity exempts nothing of the users.

    Who or what is exempt leaves no mark on the object, and labels of an exempt namespace have
    no effect. The file lies on the control plane: without it this is not assessed.

    Remedy:
        Empty the exemptions, and enforce a level where no label says so.

        defaults: {enforce: baseline, enforce-version: latest}
        exemptions: {usernames: [], runtimeClasses: [], namespaces: [kube-system]}

    Cases:
        # cluster: bad-exempt-user
        {kaudit-file: psa.yaml, lines: ["apiVersion: pod-security.admission.config.k8s.io/v1", "kind: PodSecurityConfiguration", "defaults: {enforce: baseline}", "exemptions: {usernames: [root]}"]}
        # cluster: bad-no-default
        {kaudit-file: psa.yaml, lines: ["apiVersion: pod-security.admission.config.k8s.io/v1", "kind: PodSecurityConfiguration", "defaults: {enforce: privileged}"]}
        # cluster: ok-platform-only
        {kaudit-file: psa.yaml, lines: ["apiVersion: pod-security.admission.config.k8s.io/v1", "kind: PodSecurityConfiguration", "defaults: {enforce: baseline}", "exemptions: {namespaces: [kube-system]}"]}
    """
    p = pod_security_config
    of_users = over_lists(p["exempt_namespaces"], lambda names: not set(names) <= {*NAMESPACES})
    who = over_lists(p["exempt_usernames"], bool) | over_lists(p["exempt_runtime_classes"], bool)
    return of_users | who | text_is(p["enforce"], "privileged")
