"""Rights that lead further: what subjects may do through their bindings."""

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
    "KA-DEP-063",
    layer="deploy",
    severity="high",
    applies="resolved",
    expected="no right to make or change workloads",
    shows=("subject", "role", "grants"),
)
def workload_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Only deployers may create or change workloads.

    Whoever makes a pod chooses its service account, its mounts and, without admission policy,
    its privileges: the right is as good as every secret and account of the namespace.

    Remedy:
        Give it to the deployer alone, by namespace.

        kind: RoleBinding

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-workflows}, rules: [{apiGroups: [argoproj.io], resources: [workflows], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-workflows}, roleRef: {kind: ClusterRole, name: r-bad-workflows}, subjects: [{kind: ServiceAccount, name: bad-workflows, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-pods}, rules: [{apiGroups: [""], resources: [pods], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-pods}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-pods}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-controllers}, rules: [{apiGroups: ["apps"], resources: [daemonsets], verbs: [patch]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-controllers}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-controllers}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-reads}, rules: [{apiGroups: [""], resources: [pods], verbs: [get, list, watch]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-reads}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-reads}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-other-group}, rules: [{apiGroups: ["example.com"], resources: [pods], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-other-group}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-other-group}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
    """
    return permissions["workloads"]


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


@control(
    "KA-DEP-069",
    layer="deploy",
    severity="medium",
    applies="resolved",
    expected="no right to create persistent volumes",
    shows=("subject", "role", "grants"),
)
def volume_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Only storage provisioners may create persistent volumes.

    A volume of type hostPath or local leads to the file system of any node, past Pod
    Security Standards.

    Remedy:
        Use claims and a storage class.

        kind: PersistentVolumeClaim

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-attaches}, rules: [{apiGroups: [storage.k8s.io], resources: [volumeattachments], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-attaches}, roleRef: {kind: ClusterRole, name: r-bad-attaches}, subjects: [{kind: ServiceAccount, name: bad-attaches, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-of-a-namespace}, rules: [{apiGroups: [""], resources: [persistentvolumes], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: ok-of-a-namespace, namespace: shop}, roleRef: {kind: ClusterRole, name: r-ok-of-a-namespace}, subjects: [{kind: ServiceAccount, name: ok-of-a-namespace, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-create}, rules: [{apiGroups: [""], resources: [persistentvolumes], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-create}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-create}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-claims}, rules: [{apiGroups: [""], resources: [persistentvolumeclaims], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-claims}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-claims}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
    """
    return permissions["volumes"]


@control(
    "KA-DEP-070",
    layer="deploy",
    severity="critical",
    applies="resolved",
    expected="no nodes/proxy and no right to write nodes",
    shows=("subject", "role", "grants"),
)
def node_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Nobody reaches kubelets through nodes/proxy or writes nodes.

    nodes/proxy runs commands in every pod of the node, past audit and admission; a GET is
    enough. Whoever writes nodes, or their status, draws pods and their tokens to another.

    Remedy:
        Ask for nodes/metrics, nodes/stats or nodes/configz instead.

        rules:
          - {apiGroups: [""], resources: [nodes/metrics], verbs: [get]}

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-status}, rules: [{apiGroups: [""], resources: [nodes/status], verbs: [patch]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-status}, roleRef: {kind: ClusterRole, name: r-bad-status}, subjects: [{kind: ServiceAccount, name: bad-status, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-of-a-namespace}, rules: [{apiGroups: [""], resources: [nodes/proxy], verbs: [get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: ok-of-a-namespace, namespace: shop}, roleRef: {kind: ClusterRole, name: r-ok-of-a-namespace}, subjects: [{kind: ServiceAccount, name: ok-of-a-namespace, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-proxy}, rules: [{apiGroups: [""], resources: [nodes/proxy], verbs: [get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-proxy}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-proxy}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-write}, rules: [{apiGroups: [""], resources: [nodes], verbs: [patch]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-write}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-write}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-metrics}, rules: [{apiGroups: [""], resources: [nodes/metrics, nodes], verbs: [get, list]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-metrics}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-metrics}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
    """
    return permissions["node_proxy"]


@control(
    "KA-DEP-071",
    layer="deploy",
    severity="high",
    applies="resolved",
    expected="no exec, attach, port-forward or debug",
    shows=("subject", "role", "grants"),
)
def exec_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Nobody may enter running pods.

    Entering a pod is acting as it, with its secrets and rights; get counts, since the
    connection is upgraded from a GET.

    Remedy:
        Give the right for a limited time, when it is needed.

        rules: []

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-exec}, rules: [{apiGroups: [""], resources: [pods/exec], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-exec}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-exec}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-get}, rules: [{apiGroups: [""], resources: [pods/attach], verbs: [get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-get}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-get}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-debug}, rules: [{apiGroups: [""], resources: [pods/ephemeralcontainers], verbs: [patch]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-debug}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-debug}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-logs}, rules: [{apiGroups: [""], resources: [pods/log, pods], verbs: [get, list]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-logs}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-logs}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
    """
    return permissions["execs"]


@control(
    "KA-DEP-077",
    layer="deploy",
    severity="medium",
    applies="resolved",
    expected="no right to delete namespaces, claims, events, reports or many objects at once",
    shows=("subject", "role", "grants"),
)
def destruction_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Nobody may destroy many things or the evidence of them.

    deletecollection, and the deletion of namespaces, claims, backups or workloads of the whole
    cluster, lose what is not easily made again; without events and reports nobody sees what
    happened.

    Remedy:
        Remove the verbs.

        rules: []

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-reports}, rules: [{apiGroups: [openreports.io], resources: [reports], verbs: [delete]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-reports}, roleRef: {kind: ClusterRole, name: r-bad-reports}, subjects: [{kind: ServiceAccount, name: bad-reports, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-claims}, rules: [{apiGroups: [""], resources: [persistentvolumeclaims], verbs: [delete]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: bad-claims, namespace: shop}, roleRef: {kind: ClusterRole, name: r-bad-claims}, subjects: [{kind: ServiceAccount, name: bad-claims, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-all-workloads}, rules: [{apiGroups: [apps], resources: [deployments], verbs: [delete]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-all-workloads}, roleRef: {kind: ClusterRole, name: r-bad-all-workloads}, subjects: [{kind: ServiceAccount, name: bad-all-workloads, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-own-workloads}, rules: [{apiGroups: [apps], resources: [deployments], verbs: [delete]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: ok-own-workloads, namespace: shop}, roleRef: {kind: ClusterRole, name: r-ok-own-workloads}, subjects: [{kind: ServiceAccount, name: ok-own-workloads, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-events}, rules: [{apiGroups: [""], resources: [events], verbs: [delete]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-events}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-events}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-collection}, rules: [{apiGroups: [""], resources: [secrets], verbs: [deletecollection]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-collection}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-collection}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-namespaces}, rules: [{apiGroups: [""], resources: [namespaces], verbs: [delete]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-namespaces}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-namespaces}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-one-pod}, rules: [{apiGroups: [""], resources: [pods], verbs: [delete]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-one-pod}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-one-pod}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
    """
    return permissions["evidence"]


@control(
    "KA-DEP-078",
    layer="deploy",
    severity="medium",
    applies="resolved",
    expected="no right to write all ConfigMaps there, or one of those",
    shows=("subject", "role", "grants"),
)
def configuration_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Nobody may write the ConfigMaps that the whole cluster relies on.

    Cluster DNS, proxies and cloud identity mappings are ConfigMaps of kube-system, the identity
    of the cluster is one of kube-public: whoever writes them redirects traffic and grants access.

    Remedy:
        Narrow the rule to names.

        rules:
          - {apiGroups: [""], resources: [configmaps], resourceNames: [app], verbs: [update]}

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-of-the-system}, rules: [{apiGroups: [""], resources: [configmaps], verbs: [patch]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: bad-of-the-system, namespace: kube-system}, roleRef: {kind: ClusterRole, name: r-bad-of-the-system}, subjects: [{kind: ServiceAccount, name: bad-of-the-system, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-dns}, rules: [{apiGroups: [""], resources: [configmaps], resourceNames: [coredns], verbs: [patch]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-dns}, roleRef: {kind: ClusterRole, name: r-bad-dns}, subjects: [{kind: ServiceAccount, name: bad-dns, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-of-a-namespace}, rules: [{apiGroups: [""], resources: [configmaps], verbs: [patch]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: ok-of-a-namespace, namespace: shop}, roleRef: {kind: ClusterRole, name: r-ok-of-a-namespace}, subjects: [{kind: ServiceAccount, name: ok-of-a-namespace, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-all}, rules: [{apiGroups: [""], resources: [configmaps], verbs: [update]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-all}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-all}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-named}, rules: [{apiGroups: [""], resources: [configmaps], verbs: [update], resourceNames: [app]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-named}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-named}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-reads}, rules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-reads}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-reads}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
    """
    return permissions["configuration"]


@control(
    "KA-SEC-015",
    layer="secrets",
    severity="high",
    applies="resolved",
    expected="Secrets narrowed to names",
    shows=("subject", "role", "grants"),
)
def secret_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Nobody may read every Secret of a namespace or the cluster.

    list and watch return the values too. A * on resources of another API group does not
    grant Secrets, and is not counted.

    Remedy:
        Narrow the rule to names, or mount the Secret.

        rules:
          - {apiGroups: [""], resources: [secrets], resourceNames: [app], verbs: [get]}

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-list}, rules: [{apiGroups: [""], resources: [secrets], verbs: [list]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-list}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-list}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-star}, rules: [{apiGroups: [""], resources: ["*"], verbs: [get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-star}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-star}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-named}, rules: [{apiGroups: [""], resources: [secrets], verbs: [get], resourceNames: [app]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-named}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-named}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-star-elsewhere}, rules: [{apiGroups: ["apps"], resources: ["*"], verbs: [get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-star-elsewhere}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-star-elsewhere}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
    """
    return permissions["all_secrets"]
