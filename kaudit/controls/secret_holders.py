"""Workloads and the Secrets that they hold, or could read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-SEC-010a",
    layer="secrets",
    severity="medium",
    expected="--enable-secret-rotation=true",
    shows=("args",),
)
def driver_that_never_rotates(driver_rotation: pd.DataFrame) -> pd.Series[Any]:
    """The Secrets Store CSI driver fetches again what it has mounted.

    Without it a pod keeps what was mounted at its start, and so does the Secret that is made of
    it, whatever the store says since.

    Remedy:
        Switch it on in the driver's chart.

        args: ["--enable-secret-rotation=true", "--rotation-poll-interval=2m"]

    Cases:
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: bad-driver, namespace: kube-system}, spec: {template: {spec: {containers: [
          {name: secrets-store, image: "registry.k8s.io/csi-secrets-store/driver:v1.5.3", args: ["--endpoint=unix:///csi/csi.sock"]}]}}}}
        ---
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: ok-driver, namespace: csi}, spec: {template: {spec: {containers: [
          {name: secrets-store, image: "registry.k8s.io/csi-secrets-store/driver:v1.5.3", args: ["--enable-secret-rotation=true"]}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-other, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
    """
    return ~driver_rotation["rotates"]


@control(
    "KA-SEC-012",
    layer="secrets",
    severity="medium",
    applies="holds",
    expected="started after the last change of the Secret",
    shows=("secret", "way", "started_at", "changed_at"),
    null="the source does not tell when the container started, or when the values were changed",
)
def outdated_holder(secret_holders: pd.DataFrame) -> pd.Series[Any]:
    """No workload still holds what a Secret was before it was changed.

    An environment variable and a file under subPath are read when the container starts. Until
    it starts anew the old credential must stay valid, and who revokes it stops the workload.

    Remedy:
        Mount the Secret as a folder, or restart its workloads when it changes.

        kubectl rollout restart deployment/<name>

    Cases:
        {apiVersion: v1, kind: Secret, metadata: {name: new, namespace: shop, creationTimestamp: "2025-01-01T00:00:00Z", managedFields: [{manager: eso, operation: Update, time: "2025-11-20T00:00:00Z", fieldsV1: {"f:data": {}}}]}, type: Opaque}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: old, namespace: shop, creationTimestamp: "2025-01-01T00:00:00Z", managedFields: [{manager: a, operation: Update, time: "2025-11-20T00:00:00Z", fieldsV1: {"f:metadata": {}}}, {manager: b, operation: Update, time: "2025-02-01T00:00:00Z", fieldsV1: {"f:data": {}}}]}, type: Opaque}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-env, namespace: shop}, spec: {containers: [{name: c, image: i, envFrom: [{secretRef: {name: new}}]}]}, status: {containerStatuses: [{name: c, state: {running: {startedAt: "2025-11-01T00:00:00Z"}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-sub-path, namespace: shop}, spec: {containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /p, subPath: p}]}], volumes: [{name: v, secret: {secretName: new}}]}, status: {containerStatuses: [{name: c, state: {running: {startedAt: "2025-11-01T00:00:00Z"}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-folder, namespace: shop}, spec: {containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /p}]}], volumes: [{name: v, secret: {secretName: new}}]}, status: {containerStatuses: [{name: c, state: {running: {startedAt: "2025-11-01T00:00:00Z"}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-restarted, namespace: shop}, spec: {containers: [{name: c, image: i, envFrom: [{secretRef: {name: new}}]}]}, status: {containerStatuses: [{name: c, state: {running: {startedAt: "2025-11-21T00:00:00Z"}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-labelled-since, namespace: shop}, spec: {containers: [{name: c, image: i, envFrom: [{secretRef: {name: old}}]}]}, status: {containerStatuses: [{name: c, state: {running: {startedAt: "2025-11-01T00:00:00Z"}}}]}}
    """
    return secret_holders["outdated"]


@control(
    "KA-SEC-016",
    layer="secrets",
    severity="high",
    weak=("secrets",),
    against=("rbac_bindings", "rbac_rules", "roles"),
    expected="rights on the Secrets that it uses, or none",
    shows=("service_account", "reach", "surplus"),
)
def reaches_other_secrets(secret_reach: pd.DataFrame) -> pd.Series[Any]:
    """No workload can read Secrets that it does not use.

    Who breaks into it reads them all with its token.

    Remedy:
        Narrow the rule to names, or mount the Secret and take the right away.

        rules:
          - {apiGroups: [""], resources: [secrets], resourceNames: [app], verbs: [get]}

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: all, namespace: shop}, rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: all, namespace: shop}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: all}, subjects: [{kind: ServiceAccount, name: reader, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: one, namespace: shop}, rules: [{apiGroups: [""], resources: [secrets], verbs: [get], resourceNames: [mine]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: one, namespace: shop}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: one}, subjects: [{kind: ServiceAccount, name: narrow, namespace: shop}]}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-reader, namespace: shop}, spec: {serviceAccountName: reader, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unused, namespace: shop}, spec: {serviceAccountName: narrow, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-uses-it, namespace: shop}, spec: {serviceAccountName: narrow, containers: [{name: c, image: i, envFrom: [{secretRef: {name: mine}}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-no-token, namespace: shop}, spec: {serviceAccountName: reader, automountServiceAccountToken: false, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-no-right, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
    """
    return secret_reach["exceeds"]
