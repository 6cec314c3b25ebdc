"""The policy of the API server's audit log: what it logs, and what it must not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import over_lists
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

_REFUSED = "the API server refuses the policy, or it is larger than any that is meant"


@control(
    "KA-RUN-014c",
    layer="runtime",
    severity="high",
    expected="uses of Secrets, changes of pods and ways into them are logged, whoever asks",
    shows=("unlogged",),
    null=_REFUSED,
    references={"cis-kubernetes": ("3.2.2",)},
)
def thin_audit_policy(audit_policies: pd.DataFrame) -> pd.Series[Any]:
    r"""The audit policy logs what an investigation asks for.

    Who read a Secret, changed a workload or opened a shell is told by nothing else. The first
    rule that matches decides, so that one `level: None` too early silences those behind it.

    Remedy:
        End with a rule for everything, and leave out before it only what is named in full.

        rules:
          - {level: None, users: ["system:kube-proxy"], verbs: [watch], resources: [{group: "", resources: [endpoints, services]}]}
          - {level: Metadata, omitStages: [RequestReceived]}

    Cases:
        {kaudit-file: bad-nothing-after.yaml, content: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Metadata, resources: [{group: "", resources: [secrets]}]}]}}
        ---
        {kaudit-file: bad-silenced.yaml, content: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None}, {level: Metadata}]}}
        ---
        {kaudit-file: bad-reads.json, content: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, verbs: [get, list, watch]}, {level: Metadata}]}}
        ---
        {kaudit-file: bad-exec.yaml, content: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, resources: [{group: "", resources: ["pods/*"]}]}, {level: Metadata}]}}
        ---
        {kaudit-file: bad-robots.yaml, content: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, userGroups: ["system:serviceaccounts"]}, {level: Metadata}]}}
        ---
        {kaudit-file: bad-stages.yaml, content: {apiVersion: audit.k8s.io/v1, kind: Policy, omitStages: [RequestReceived], rules: [{level: Metadata, omitStages: [ResponseComplete]}]}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: bad-one-namespace, namespace: kube-system}, data: {policy.yaml: "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None, namespaces: [kube-system]}, {level: Metadata}]"}}
        ---
        {kaudit-file: ok-catch-all.yaml, content: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, users: ["system:kube-proxy"], verbs: [watch]}, {level: None, nonResourceURLs: ["/healthz*"]}, {level: Metadata, omitStages: [RequestReceived]}]}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: ok-held, namespace: kube-system}, data: {policy.yaml: "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]"}}
    """
    return _where(audit_policies, "unlogged")


@control(
    "KA-RUN-014d",
    layer="runtime",
    severity="high",
    expected="Secrets, ConfigMaps, TokenReviews and tokens at Metadata, no deeper",
    shows=("exposed",),
    null=_REFUSED,
    references={"cis-kubernetes": ("3.2.2",)},
)
def secrets_in_audit_log(audit_policies: pd.DataFrame) -> pd.Series[Any]:
    r"""The audit log holds no value of a Secret.

    At Request and RequestResponse the bodies are logged: whoever reads the log, or where it is
    sent, has every Secret that was written since, and every token that was asked for.

    Remedy:
        Put a rule for them before the deeper ones.

        rules:
          - level: Metadata
            resources:
              - {group: "", resources: [secrets, configmaps, serviceaccounts/token]}
              - {group: authentication.k8s.io, resources: [tokenreviews]}

    Cases:
        {kaudit-file: bad-request.yaml, content: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Request, verbs: [create, update, patch]}, {level: Metadata}]}}
        ---
        {kaudit-file: bad-response.json, content: {apiVersion: audit.k8s.io/v1beta1, kind: Policy, rules: [{level: RequestResponse, resources: [{group: "", resources: [secrets]}]}, {level: Metadata}]}}
        ---
        {kaudit-file: bad-too-late.yaml, content: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Request, resources: [{group: ""}]}, {level: Metadata, resources: [{group: "", resources: [secrets, configmaps]}]}]}}
        ---
        {kaudit-file: bad-reviews.yaml, content: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Request, resources: [{group: authentication.k8s.io, resources: ["*"]}]}]}}
        ---
        {kaudit-file: bad-tokens.yaml, content: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: RequestResponse, resources: [{group: "", resources: ["serviceaccounts/*"]}]}]}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: bad-one-name, namespace: kube-system}, data: {policy.yaml: "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Request, resources: [{resources: [secrets], resourceNames: [db]}]}, {level: Metadata}]"}}
        ---
        {kaudit-file: ok-metadata.yaml, content: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Metadata, resources: [{group: "", resources: [secrets, configmaps, serviceaccounts/token]}, {group: authentication.k8s.io, resources: [tokenreviews]}]}, {level: RequestResponse}]}}
        ---
        {kaudit-file: ok-nothing.yaml, content: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None}]}}
    """
    return _where(audit_policies, "exposed")


def _where(policies: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Tell which policies have entries in a column; null for those that were not judged."""
    return over_lists(policies[column], bool).mask(policies["fault"] != "")
