"""Rights over what runs: workloads, their volumes, their processes, and nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


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
