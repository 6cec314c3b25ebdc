"""What is fetched from secret stores: by whom, in which version, into how many places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-SEC-008d",
    layer="secrets",
    severity="medium",
    weak=("crds",),
    hides=("crds",),
    named_by={"crds": "definitions"},
    expected="a version that the cluster serves: external-secrets.io/v1",
    shows=("version", "served"),
)
def version_not_served(served_versions: pd.DataFrame) -> pd.Series[Any]:
    """External Secrets and their stores are written in a version that is served.

    An API server refuses the others: what the manifest asks for is never fetched. Current
    definitions serve v1 alone, and no longer v1beta1.

    Remedy:
        Write them in v1; no field needs to change.

        apiVersion: external-secrets.io/v1

    Cases:
        {apiVersion: external-secrets.io/v1beta1, kind: ExternalSecret, metadata: {name: bad-beta}, spec: {secretStoreRef: {name: vault-backend}}}
        ---
        {apiVersion: external-secrets.io/v1beta1, kind: SecretStore, metadata: {name: bad-store}, spec: {provider: {vault: {}}}}
        ---
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: ok-current}, spec: {secretStoreRef: {name: vault-backend}}}
        ---
        {apiVersion: external-secrets.io/v1beta1, kind: ExternalSecret, metadata: {name: ok-taken}, spec: {secretStoreRef: {name: vault-backend}}, status: {conditions: [{type: Ready, status: "True"}]}}
    """
    return served_versions["refused"]


@control(
    "KA-SEC-011c",
    layer="secrets",
    severity="medium",
    expected="changed within the time for rotation",
    shows=("provider", "secret", "age_days"),
    null="that Secret is not in the evidence, or its age is not told",
)
def old_login(store_logins: pd.DataFrame) -> pd.Series[Any]:
    """The credential that a secret store logs in with is rotated.

    It opens all that the store guards, for whoever copied it once. The limit is the parameter
    secret_max_age_days.

    Remedy:
        Rotate it, or let the store log in by a service account.

        auth: {kubernetes: {role: app, serviceAccountRef: {name: vault-auth}}}

    Cases:
        {apiVersion: external-secrets.io/v1, kind: SecretStore, metadata: {name: bad-old, namespace: shop}, spec: {provider: {vault: {auth: {tokenSecretRef: {name: old, key: token}}}}}}
        ---
        {apiVersion: external-secrets.io/v1, kind: SecretStore, metadata: {name: ok-young, namespace: shop}, spec: {provider: {vault: {auth: {tokenSecretRef: {name: young, key: token}}}}}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: old, namespace: shop, creationTimestamp: "2024-01-01T00:00:00Z"}, type: Opaque}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: young, namespace: shop, creationTimestamp: "2025-11-20T00:00:00Z"}, type: Opaque}
    """
    return store_logins["old"]


@control(
    "KA-SEC-011d",
    layer="secrets",
    severity="high",
    applies="stored",
    expected="no cluster-wide store that it can fetch from",
    shows=("subject", "role", "grants", "stores"),
)
def fetches_from_cluster_store(store_access: pd.DataFrame) -> pd.Series[Any]:
    """Who may create ExternalSecrets cannot fetch from stores of the whole cluster.

    An ExternalSecret copies any key that the store's login can read into a Secret beside it.
    The right to create one is thus a right to read what the store holds. Administrators are not
    counted.

    Remedy:
        Name the namespaces in the store's conditions, or use a SecretStore in each.

        conditions: [{namespaces: [payments]}]

    Cases:
        {apiVersion: external-secrets.io/v1, kind: ClusterSecretStore, metadata: {name: vault}, spec: {provider: {vault: {}}, conditions: [{namespaces: [payments]}]}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: fetch}, rules: [{apiGroups: [external-secrets.io], resources: [externalsecrets], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: bad-let-in, namespace: payments}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: fetch}, subjects: [{kind: Group, name: developers}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-anywhere}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: fetch}, subjects: [{kind: Group, name: developers}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: ok-kept-out, namespace: shop}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: fetch}, subjects: [{kind: Group, name: developers}]}
    """
    return store_access["fetches"]


@control(
    "KA-SEC-020",
    layer="secrets",
    severity="medium",
    expected="keys of its own",
    compares=True,
    shows=("store", "shared_keys", "shared_with", "spread"),
)
def shared_remote_key(remote_keys: pd.DataFrame) -> pd.Series[Any]:
    """No value of a store is fetched into several namespaces.

    Who breaks into one of them has the value of all, and all must be rotated at once. Stores of
    the same name are taken for one. Secrets that no store fills are not compared.

    Remedy:
        Give each namespace a credential of its own.

        remoteRef: {key: staging/database}

    Cases:
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: bad-prod, namespace: prod}, spec: {secretStoreRef: {kind: ClusterSecretStore, name: vault}, data: [{secretKey: p, remoteRef: {key: db, property: password}}]}}
        ---
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: bad-test, namespace: test}, spec: {secretStoreRef: {kind: ClusterSecretStore, name: vault}, data: [{secretKey: p, remoteRef: {key: db, property: password}}]}}
        ---
        {apiVersion: external-secrets.io/v1, kind: ClusterExternalSecret, metadata: {name: bad-everywhere}, spec: {externalSecretSpec: {secretStoreRef: {kind: ClusterSecretStore, name: vault}}}, status: {provisionedNamespaces: [prod, test]}}
        ---
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: ok-other-property, namespace: test}, spec: {secretStoreRef: {kind: ClusterSecretStore, name: vault}, data: [{secretKey: p, remoteRef: {key: db, property: user}}]}}
        ---
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: ok-other-store, namespace: dev}, spec: {secretStoreRef: {kind: ClusterSecretStore, name: aws}, data: [{secretKey: p, remoteRef: {key: db, property: password}}]}}
    """
    return remote_keys["shared"]
