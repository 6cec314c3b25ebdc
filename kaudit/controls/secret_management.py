"""Who keeps Secrets, whether anything uses them, and copies of one value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import over_lists, where_known
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-SEC-007",
    layer="secrets",
    severity="medium",
    applies="credential",
    weak=(
        *("external_secrets", "push_secrets", "sealed_secrets", "secret_provider_classes"),
        "certificates",
    ),
    expected="an ExternalSecret, a SealedSecret, a Certificate or an operator keeps it",
    shows=("type", "purpose"),
)
def unmanaged_secret(secret_management: pd.DataFrame) -> pd.Series[Any]:
    """Every Secret is kept by something that can rotate it.

    What somebody made by hand is rotated by hand, if at all, and its value lies wherever they
    had it from. Tokens, release records and certificates of webhooks are not counted.

    Remedy:
        Put the value into a store, and let it be fetched.

        kind: ExternalSecret
        spec: {secretStoreRef: {kind: SecretStore, name: vault}, target: {name: app-secrets}, refreshInterval: 1h}

    Cases:
        {apiVersion: v1, kind: Secret, metadata: {name: bad-opaque}, type: Opaque}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: bad-registry, labels: {reconcile.external-secrets.io/managed: "false"}}, type: kubernetes.io/dockerconfigjson}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-owned, ownerReferences: [{apiVersion: external-secrets.io/v1, kind: ExternalSecret, name: e, uid: u}]}, type: Opaque}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-merged}, type: Opaque}
        ---
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: e}, spec: {target: {name: ok-merged, creationPolicy: Merge}}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-issued, annotations: {cert-manager.io/certificate-name: web}}, type: kubernetes.io/tls}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-operator, ownerReferences: [{apiVersion: kafka.strimzi.io/v1, kind: Kafka, name: logs, uid: u}]}, type: Opaque}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-release}, type: helm.sh/release.v1}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-webhook-server-cert}, type: Opaque}
    """
    return ~secret_management["managed"]


@control(
    "KA-SEC-014",
    layer="secrets",
    severity="low",
    applies="judged",
    weak=(
        *("service_accounts", "ingresses", "gateway_listeners", "secret_stores"),
        *("secret_generators", "push_secrets", "persistent_volumes", "storage_classes"),
        *("certificate_issuers", "pods", "env", "volumes", "projections", "mounts", "containers"),
        *("rbac_bindings", "rbac_rules", "roles", "workloads", "inventory"),
    ),
    expected="something names it",
    shows=("purpose", "api_readers"),
    null="an account may read it by name, or the evidence holds no workload",
)
def unused_secret(secret_usage: pd.DataFrame) -> pd.Series[Any]:
    """Every Secret is used by something.

    One that nothing uses still opens what it is for, and nobody misses it when it leaks.
    Operators read Secrets by name through the API: where an account has a right on the Secret
    or its namespace, disuse cannot be told. Subjects with rights on the whole cluster are not
    taken for users.

    Remedy:
        Revoke what it opens, then delete it.

        kubectl delete secret <name>

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {imagePullSecrets: [{name: ok-pull}], containers: [{name: c, image: i, envFrom: [{secretRef: {name: ok-env}}]}], volumes: [{name: v, projected: {sources: [{secret: {name: ok-file}}]}}]}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: bad-left}, type: Opaque}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-env}, type: Opaque}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-pull}, type: kubernetes.io/dockerconfigjson}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-file}, type: Opaque}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-tls}, type: kubernetes.io/tls}
        ---
        {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i}, spec: {tls: [{secretName: ok-tls}]}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-read}, type: Opaque}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r, namespace: default}, rules: [{apiGroups: [""], resources: [secrets], verbs: [get], resourceNames: [ok-read]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b, namespace: default}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}, subjects: [{kind: ServiceAccount, name: op, namespace: default}]}
    """
    return secret_usage["unused"]


@control(
    "KA-SEC-020a",
    layer="secrets",
    severity="medium",
    expected="a value of its own in each namespace",
    shows=("copies",),
    null="no hash of its values is noted, and kaudit reads none of them",
    compares=True,
)
def copied_secret(secret_management: pd.DataFrame) -> pd.Series[Any]:
    """No Secret holds the same as one of another namespace.

    Who breaks into one of them has the other, and both must be rotated at once. Only the hashes
    that the External Secrets Operator notes are compared.

    Remedy:
        Give each namespace a credential of its own.

        remoteRef: {key: staging/database}

    Cases:
        {apiVersion: v1, kind: Secret, metadata: {name: bad-copy, namespace: prod, annotations: {reconcile.external-secrets.io/data-hash: aa11}}, type: Opaque}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: bad-again, namespace: test, annotations: {reconcile.external-secrets.io/data-hash: aa11}}, type: Opaque}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-own, namespace: test, annotations: {reconcile.external-secrets.io/data-hash: bb22}}, type: Opaque}
    """
    same = over_lists(secret_management["copies"], bool)
    return where_known(same, secret_management["compared"])


@control(
    "KA-SEC-021",
    layer="secrets",
    severity="medium",
    expected="only administrators can read it",
    shows=("purpose", "age_days", "readers"),
)
def readable_record(secret_records: pd.DataFrame) -> pd.Series[Any]:
    """Records of tools that hold the values of other Secrets are for administrators alone.

    A Helm release repeats all values of its chart, an Argo CD Secret opens a repository or a
    whole cluster, a Terraform state holds what it made, kubeadm-certs the keys of the cluster.

    Remedy:
        Narrow the rights on Secrets to names; let releases be stored elsewhere; delete
        kubeadm-certs once the nodes have joined.

        rules:
          - {apiGroups: [""], resources: [secrets], resourceNames: [app], verbs: [get]}

    Cases:
        # in every cluster
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}, rules: [{apiGroups: [""], resources: [secrets], verbs: [list]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b, namespace: shop}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}, subjects: [{kind: Group, name: developers}]}
        # cluster: bad-release
        {apiVersion: v1, kind: Secret, metadata: {name: sh.helm.release.v1.web.v1, namespace: shop}, type: helm.sh/release.v1}
        # cluster: ok-elsewhere
        {apiVersion: v1, kind: Secret, metadata: {name: repo, namespace: argocd, labels: {argocd.argoproj.io/secret-type: repository}}, type: Opaque}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: admins}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}, subjects: [{kind: Group, name: admins}]}
    """
    return secret_records["readable"]
