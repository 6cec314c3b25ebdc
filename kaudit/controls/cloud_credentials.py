"""Long-lived credentials of clouds and registries in the cluster."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kaudit.columns import over_lists, over_texts, text_is
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-SEC-019",
    layer="secrets",
    severity="high",
    expected="a service account that stands for a role of the cloud",
    shows=("container_type", "variable", "source", "service_account"),
)
def static_cloud_credential(cloud_credentials: pd.DataFrame) -> pd.Series[Any]:
    """No workload is given a long-lived credential of the cloud.

    Whoever reads it once can use it from anywhere, until somebody changes it. Accounts that
    stand for a role get short-lived ones.

    Remedy:
        Bind the service account to a role of the cloud, and delete the key.

        annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::<account>:role/<role>"}

    Cases:
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: role, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::1:role/r"}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-key}, spec: {containers: [{name: c, image: i, env: [{name: AWS_SECRET_ACCESS_KEY, valueFrom: {secretKeyRef: {name: aws, key: k}}}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-file}, spec: {volumes: [{name: v, secret: {secretName: gcp}}], containers: [{name: c, image: i, env: [{name: GOOGLE_APPLICATION_CREDENTIALS, value: /v/key.json}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-role}, spec: {serviceAccountName: role, containers: [{name: c, image: i, env: [{name: AWS_ACCESS_KEY_ID, value: ""}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-federated}, spec: {volumes: [{name: v, configMap: {name: gcp}}], containers: [{name: c, image: i, env: [{name: GOOGLE_APPLICATION_CREDENTIALS, value: /v/config.json}]}]}}
    """
    return cloud_credentials["static"]


@control(
    "KA-SEC-019a",
    layer="secrets",
    severity="medium",
    expected="no image pull secret on the account default",
    shows=("image_pull_secrets",),
)
def pull_secret_for_all(service_accounts: pd.DataFrame) -> pd.Series[Any]:
    """No registry credential hangs on the default service account.

    Every pod of the namespace that names no account pulls with it, also one that somebody just
    made to see what the registry holds.

    Remedy:
        Name it in the accounts of the workloads that need it.

        kind: ServiceAccount
        imagePullSecrets: [{name: registry}]

    Cases:
        # cluster: bad-default
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: default, namespace: shop}, imagePullSecrets: [{name: registry}]}
        # cluster: ok-own
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: web, namespace: shop}, imagePullSecrets: [{name: registry}]}
        ---
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: default, namespace: shop}}
    """
    named = over_lists(service_accounts["image_pull_secrets"], bool)
    return text_is(service_accounts["name"], "default") & named


@control(
    "KA-SEC-019b",
    layer="secrets",
    severity="high",
    applies="of_host",
    expected="no path with credentials of the node",
    shows=("volume", "path"),
)
def cloud_file_of_node(pod_volumes: pd.DataFrame) -> pd.Series[Any]:
    """No workload mounts the file that a node logs in to its cloud with.

    azure.json and its like hold the credential of the node, or of the whole cluster.

    Remedy:
        Remove the volume; use an identity of the workload's own.

        volumes: []

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-azure}, spec: {volumes: [{name: v, hostPath: {path: /etc/kubernetes/azure.json}}], containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-home}, spec: {volumes: [{name: v, hostPath: {path: /home/admin/.aws}}], containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-logs}, spec: {volumes: [{name: v, hostPath: {path: /var/log}}], containers: [{name: c, image: i}]}}
    """
    return over_texts(pod_volumes["path"], _of_cloud)


#: Files with credentials of nodes and of their users.
_FILES = re.compile(
    r"/(?:etc/kubernetes/(?:azure\.json|cloud\.conf|cloud-config)|var/lib/kubelet/config\.json"
    r"|(?:root|home/[^/]+)/(?:\.aws|\.azure|\.config/gcloud|\.docker/config\.json))(?:/.*)?",
    re.DOTALL,
)


def _of_cloud(path: str) -> bool:
    plain = "/" + "/".join(part for part in path.split("/") if part not in ("", "."))
    return _FILES.fullmatch(plain) is not None
