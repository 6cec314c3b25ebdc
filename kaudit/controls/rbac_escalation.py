"""Rights that lead to more rights: wildcards, escalation, identities, and what refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-062",
    layer="deploy",
    severity="high",
    applies="resolved",
    expected="no * in verbs, resources or groups",
    shows=("subject", "role", "grants"),
)
def wildcard_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Bound roles name what they allow: no wildcards.

    A wildcard grants what does not exist yet: every resource and verb that an upgrade or an
    operator adds.

    Remedy:
        Write out verbs and resources.

        rules:
          - {apiGroups: [""], resources: [configmaps], verbs: [get, list]}

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-verbs}, rules: [{apiGroups: [""], resources: [configmaps], verbs: ["*"]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-verbs}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-verbs}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-resources}, rules: [{apiGroups: ["apps"], resources: ["*"], verbs: [get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-resources}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-resources}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-named}, rules: [{apiGroups: [""], resources: [configmaps], verbs: [get, list]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-named}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-named}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
    """
    return permissions["wildcard"]


@control(
    "KA-DEP-064",
    layer="deploy",
    severity="critical",
    applies="resolved",
    expected="no bind, escalate or impersonate",
    shows=("subject", "role", "grants"),
)
def escalation_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Nobody may bind, escalate or impersonate.

    These verbs switch off the check that nobody grants more than they hold.

    Remedy:
        Remove the verb, or narrow it to named roles.

        rules: []

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-constrained}, rules: [{apiGroups: [authentication.k8s.io], resources: [users], verbs: ["impersonate:user-info"]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-constrained}, roleRef: {kind: ClusterRole, name: r-bad-constrained}, subjects: [{kind: ServiceAccount, name: bad-constrained, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-bind-here}, rules: [{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: bad-bind-here, namespace: shop}, roleRef: {kind: ClusterRole, name: r-bad-bind-here}, subjects: [{kind: ServiceAccount, name: bad-bind-here, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-users-of-a-namespace}, rules: [{apiGroups: [""], resources: [users, groups], verbs: [impersonate]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: ok-users-of-a-namespace, namespace: shop}, roleRef: {kind: ClusterRole, name: r-ok-users-of-a-namespace}, subjects: [{kind: ServiceAccount, name: ok-users-of-a-namespace, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-bind}, rules: [{apiGroups: ["rbac.authorization.k8s.io"], resources: [clusterroles], verbs: [bind]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-bind}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-bind}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-escalate}, rules: [{apiGroups: ["rbac.authorization.k8s.io"], resources: [roles], verbs: [escalate]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-escalate}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-escalate}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-impersonate}, rules: [{apiGroups: [""], resources: [users], verbs: [impersonate]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-impersonate}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-impersonate}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-reads}, rules: [{apiGroups: ["rbac.authorization.k8s.io"], resources: [clusterroles], verbs: [get, list]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-reads}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-reads}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-wrong-group}, rules: [{apiGroups: [""], resources: [clusterroles], verbs: [escalate]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-wrong-group}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-wrong-group}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
    """
    return permissions["escalates"]


@control(
    "KA-DEP-065",
    layer="deploy",
    severity="high",
    applies="resolved",
    expected="no right to write roles or bindings",
    shows=("subject", "role", "grants"),
)
def rbac_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Only administrators may write RBAC objects.

    Bindings hand on every right that their writer holds, unseen by who reviews roles.

    Remedy:
        Leave RBAC to the deployment pipeline.

        rules: []

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-bindings}, rules: [{apiGroups: ["rbac.authorization.k8s.io"], resources: [rolebindings], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-bindings}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-bindings}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-reads}, rules: [{apiGroups: ["rbac.authorization.k8s.io"], resources: [rolebindings], verbs: [get, list]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-reads}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-reads}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
    """
    return permissions["rbac"]


@control(
    "KA-DEP-066",
    layer="deploy",
    severity="high",
    applies="resolved",
    expected="no right to write admission or policy objects",
    shows=("subject", "role", "grants"),
)
def policy_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Only administrators may change admission and policy objects.

    Whoever writes them sees every object that is admitted, may change it, and can switch
    policies off. So do those who write the labels of namespaces, which decide what Pod Security
    and many policies enforce there.

    Remedy:
        Leave them to the policy engine and its deployer.

        rules: []

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-labels}, rules: [{apiGroups: [""], resources: [namespaces], verbs: [patch]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-labels}, roleRef: {kind: ClusterRole, name: r-bad-labels}, subjects: [{kind: ServiceAccount, name: bad-labels, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-constraints}, rules: [{apiGroups: [constraints.gatekeeper.sh], resources: [k8srequiredlabels], verbs: [delete]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-constraints}, roleRef: {kind: ClusterRole, name: r-bad-constraints}, subjects: [{kind: ServiceAccount, name: bad-constraints, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-crds}, rules: [{apiGroups: [apiextensions.k8s.io], resources: [customresourcedefinitions], verbs: [update]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-crds}, roleRef: {kind: ClusterRole, name: r-bad-crds}, subjects: [{kind: ServiceAccount, name: bad-crds, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-namespace-made}, rules: [{apiGroups: [""], resources: [namespaces], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-namespace-made}, roleRef: {kind: ClusterRole, name: r-ok-namespace-made}, subjects: [{kind: ServiceAccount, name: ok-namespace-made, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-webhooks-of-a-namespace}, rules: [{apiGroups: [admissionregistration.k8s.io], resources: [mutatingwebhookconfigurations], verbs: [update]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: ok-webhooks-of-a-namespace, namespace: shop}, roleRef: {kind: ClusterRole, name: r-ok-webhooks-of-a-namespace}, subjects: [{kind: ServiceAccount, name: ok-webhooks-of-a-namespace, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-webhooks}, rules: [{apiGroups: ["admissionregistration.k8s.io"], resources: [mutatingwebhookconfigurations], verbs: [update]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-webhooks}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-webhooks}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-exceptions}, rules: [{apiGroups: ["kyverno.io"], resources: [policyexceptions], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-exceptions}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-exceptions}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-reads}, rules: [{apiGroups: ["admissionregistration.k8s.io"], resources: [validatingadmissionpolicies], verbs: [get, list]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-reads}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-reads}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
    """
    return permissions["policy"]


@control(
    "KA-DEP-067",
    layer="deploy",
    severity="high",
    applies="resolved",
    compares=True,
    expected="not both: write approvals or certificates, and approve or sign for a signer",
    shows=("subject", "role", "grants"),
)
def certificate_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Only administrators may approve certificates.

    An approved client certificate is a user of any name and nearly any group, and cannot be
    revoked. It takes two rights, to write approvals and to approve for the signer: either alone
    gives nothing. A signer of one's own issues what the API server does not trust.

    Remedy:
        Leave approval to the built-in approvers.

        rules: []

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-both}, rules: [{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/approval], verbs: [update]}, {apiGroups: [certificates.k8s.io], resources: [signers], verbs: [approve], resourceNames: ["kubernetes.io/kube-apiserver-client"]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-both}, roleRef: {kind: ClusterRole, name: r-bad-both}, subjects: [{kind: ServiceAccount, name: bad-both, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-half}, rules: [{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/approval], verbs: [update]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-half}, roleRef: {kind: ClusterRole, name: r-bad-half}, subjects: [{kind: ServiceAccount, name: two-bindings, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-other-half}, rules: [{apiGroups: [certificates.k8s.io], resources: [signers], verbs: [approve]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-other-half}, roleRef: {kind: ClusterRole, name: r-bad-other-half}, subjects: [{kind: ServiceAccount, name: two-bindings, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-signs}, rules: [{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/status, signers], verbs: [update, sign]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-signs}, roleRef: {kind: ClusterRole, name: r-bad-signs}, subjects: [{kind: ServiceAccount, name: bad-signs, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-approval-alone}, rules: [{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/approval], verbs: [update]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-approval-alone}, roleRef: {kind: ClusterRole, name: r-ok-approval-alone}, subjects: [{kind: ServiceAccount, name: ok-approval-alone, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-signer-alone}, rules: [{apiGroups: [certificates.k8s.io], resources: [signers], verbs: [approve]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-signer-alone}, roleRef: {kind: ClusterRole, name: r-ok-signer-alone}, subjects: [{kind: ServiceAccount, name: ok-signer-alone, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-own-signer}, rules: [{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/approval], verbs: [update]}, {apiGroups: [certificates.k8s.io], resources: [signers], verbs: [approve], resourceNames: ["example.com/web"]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-own-signer}, roleRef: {kind: ClusterRole, name: r-ok-own-signer}, subjects: [{kind: ServiceAccount, name: ok-own-signer, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-of-a-namespace}, rules: [{apiGroups: ['*'], resources: ['*'], verbs: [update, approve]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: ok-of-a-namespace, namespace: shop}, roleRef: {kind: ClusterRole, name: r-ok-of-a-namespace}, subjects: [{kind: ServiceAccount, name: ok-of-a-namespace, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-requests}, rules: [{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests], verbs: [create, get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-requests}, roleRef: {kind: ClusterRole, name: r-ok-requests}, subjects: [{kind: ServiceAccount, name: ok-requests, namespace: shop}]}
    """
    return permissions["certificates"]


@control(
    "KA-DEP-068",
    layer="deploy",
    severity="high",
    applies="resolved",
    compares=True,
    null="it is half of the right, and no binding of the other kind is in the evidence",
    expected="no right to create service-account tokens",
    shows=("subject", "role", "grants"),
)
def token_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Nobody may mint tokens of service accounts.

    The right is as good as all rights of every service account in its scope. Whoever may make
    Secrets and read them has it too: the cluster fills a Secret of the type with a token.

    Remedy:
        Remove it, or narrow it to named accounts.

        rules: []

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-secrets}, rules: [{apiGroups: [""], resources: [secrets], verbs: [create, get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-secrets}, roleRef: {kind: ClusterRole, name: r-bad-secrets}, subjects: [{kind: ServiceAccount, name: bad-secrets, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-writes-alone}, rules: [{apiGroups: [""], resources: [secrets], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-writes-alone}, roleRef: {kind: ClusterRole, name: r-ok-writes-alone}, subjects: [{kind: ServiceAccount, name: ok-writes-alone, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: ok-accounts-of-one, namespace: shop}, roleRef: {kind: ClusterRole, name: r-ok-accounts}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-token}, rules: [{apiGroups: [""], resources: [serviceaccounts/token], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-token}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-token}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-any-sub}, rules: [{apiGroups: [""], resources: ["*/token"], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-any-sub}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-any-sub}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-accounts}, rules: [{apiGroups: [""], resources: [serviceaccounts], verbs: [create, get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-accounts}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-accounts}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
    """
    return permissions["tokens"]
