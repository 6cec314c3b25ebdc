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
    policies off.

    Remedy:
        Leave them to the policy engine and its deployer.

        rules: []

    Cases:
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
    expected="no right to approve or sign certificates",
    shows=("subject", "role", "grants"),
)
def certificate_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Only administrators may approve certificates.

    An approved client certificate is a user of any name and group, and cannot be revoked.

    Remedy:
        Leave approval to the built-in approvers.

        rules: []

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-approval}, rules: [{apiGroups: ["certificates.k8s.io"], resources: [certificatesigningrequests/approval], verbs: [update]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-approval}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-approval}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-signers}, rules: [{apiGroups: ["certificates.k8s.io"], resources: [signers], verbs: [approve]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-signers}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-signers}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-requests}, rules: [{apiGroups: ["certificates.k8s.io"], resources: [certificatesigningrequests], verbs: [create, get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-requests}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-requests}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
    """
    return permissions["certificates"]


@control(
    "KA-DEP-068",
    layer="deploy",
    severity="high",
    applies="resolved",
    expected="no right to create service-account tokens",
    shows=("subject", "role", "grants"),
)
def token_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Nobody may mint tokens of service accounts.

    The right is as good as all rights of every service account in its scope.

    Remedy:
        Remove it, or narrow it to named accounts.

        rules: []

    Cases:
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
    enough.

    Remedy:
        Ask for nodes/metrics, nodes/stats or nodes/configz instead.

        rules:
          - {apiGroups: [""], resources: [nodes/metrics], verbs: [get]}

    Cases:
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
    expected="no right to delete namespaces, events or many objects at once",
    shows=("subject", "role", "grants"),
)
def destruction_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Nobody may destroy many things or the evidence of them.

    deletecollection and the deletion of namespaces remove all at once; without events and
    reports nobody sees what happened.

    Remedy:
        Remove the verbs.

        rules: []

    Cases:
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
    expected="ConfigMaps narrowed to names",
    shows=("subject", "role", "grants"),
)
def configuration_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Nobody may write every ConfigMap.

    Cluster DNS, proxies and cloud identity mappings are ConfigMaps: whoever writes them all
    redirects traffic and grants access.

    Remedy:
        Narrow the rule to names.

        rules:
          - {apiGroups: [""], resources: [configmaps], resourceNames: [app], verbs: [update]}

    Cases:
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
