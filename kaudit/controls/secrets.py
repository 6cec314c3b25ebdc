"""Secrets and ConfigMaps, by their metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import empty, over_lists, text_is
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-SEC-005",
    layer="secrets",
    severity="high",
    expected="no credential in a ConfigMap",
    shows=("suspects",),
)
def credential_in_config_map(config_maps: pd.DataFrame) -> pd.Series[Any]:
    """No ConfigMap holds a credential.

    ConfigMaps are readable by far more subjects than Secrets, are not encrypted at rest by
    default, and land in logs and repositories. The value is not kept here.

    Remedy:
        Move the key to a Secret that an external store manages, and rotate it.

        kind: Secret

    Cases:
        {apiVersion: v1, kind: ConfigMap, metadata: {name: bad-key}, data: {db-password: correct-horse, host: db}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: bad-shape}, data: {url: "postgres://app:battery-staple@db/app"}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: ok-plain}, data: {host: db, password-file: /run/p}}
    """
    return over_lists(config_maps["suspects"], bool)


@control(
    "KA-SEC-006a",
    layer="secrets",
    severity="medium",
    expected="no last-applied annotation on a Secret",
    shows=("type", "last_applied"),
)
def secret_repeats_itself(secrets: pd.DataFrame) -> pd.Series[Any]:
    """No Secret repeats its values in an annotation.

    kubectl apply leaves the whole object, values included, in an annotation that tools and
    dumps show in the clear. kaudit does not read it.

    Remedy:
        Apply on the server side, and remove the annotation.

        kubectl apply --server-side -f secret.yaml

    Cases:
        {apiVersion: v1, kind: Secret, metadata: {name: bad-applied, annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}"}}, type: Opaque}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-clean}, type: Opaque}
    """
    return secrets["last_applied"]


@control(
    "KA-SEC-006c",
    layer="secrets",
    severity="high",
    expected="no annotation or label with a credential",
    shows=("credentials",),
)
def credential_in_note(notes: pd.DataFrame) -> pd.Series[Any]:
    """No annotation and no label holds a credential.

    Whoever may list objects reads them, they are copied into events and metrics, and nothing
    rotates them. They are judged by the shape of the value; the value is not kept here.

    Remedy:
        Remove it, and rotate what it opens.

        kubectl annotate <kind> <name> <key>-

    Cases:
        {apiVersion: v1, kind: Service, metadata: {name: bad-url, annotations: {example.org/upstream: "https://app:battery-staple@db.example"}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-template}, spec: {template: {metadata: {annotations: {example.org/key: AKIAABCDEFGHIJKLMNOP}}, spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: ok-plain, annotations: {example.org/upstream: "https://db.example"}, labels: {app: web}}}
    """
    return over_lists(notes["credentials"], bool)


@control(
    "KA-SEC-013",
    layer="secrets",
    severity="medium",
    applies="rotated",
    expected="changed within the time for rotation",
    shows=("type", "age_days", "limit_days"),
    null="the source does not tell its date (--as-of does), or the Secret its age",
)
def old_secret(secret_ages: pd.DataFrame) -> pd.Series[Any]:
    """Secrets are changed within the time set for rotation.

    A credential that never changes is good for whoever copied it once. The limits are the
    parameters secret_max_age_days and registry_secret_max_age_days. Records of tools and tokens
    are not counted; certificates are judged by their end. The age is that of the last change of
    values where it is told; a tool that makes the Secret anew resets what else there is.

    Remedy:
        Rotate it in the store that manages it.

        refreshInterval: 1h

    Cases:
        {apiVersion: v1, kind: Secret, metadata: {name: bad-old, creationTimestamp: "2025-01-01T00:00:00Z"}, type: Opaque}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: bad-labelled-since, creationTimestamp: "2025-01-01T00:00:00Z", managedFields: [{manager: a, operation: Update, time: "2025-11-20T00:00:00Z", fieldsV1: {"f:metadata": {}}}]}, type: Opaque}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-young, creationTimestamp: "2025-11-20T00:00:00Z"}, type: Opaque}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-changed, creationTimestamp: "2025-01-01T00:00:00Z", managedFields: [{manager: a, operation: Update, time: "2025-11-20T00:00:00Z", fieldsV1: {"f:data": {"f:k": {}}}}]}, type: Opaque}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-registry, creationTimestamp: "2025-08-01T00:00:00Z"}, type: kubernetes.io/dockerconfigjson}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-sealed-by-its-end, creationTimestamp: "2025-01-01T00:00:00Z"}, type: kubernetes.io/tls}
    """
    return secret_ages["old"]


@control(
    "KA-SEC-017",
    layer="secrets",
    severity="high",
    expected="no Secret of type service-account-token",
    shows=("type", "service_account", "labels"),
)
def token_secret(secrets: pd.DataFrame) -> pd.Series[Any]:
    """No service-account token is kept in a Secret.

    Such a token never ends. Pods have short-lived tokens of their own since v1.22. The label
    kubernetes.io/legacy-token-last-used tells when it was last used. Where only metadata was
    read, the annotation that names its account tells what it is.

    Remedy:
        Delete it; ask for a token where one is needed.

        kubectl create token <account> --duration 1h

    Cases:
        {apiVersion: v1, kind: Secret, metadata: {name: bad-token, annotations: {kubernetes.io/service-account.name: app}}, type: kubernetes.io/service-account-token}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: bad-metadata-alone, annotations: {kubernetes.io/service-account.name: app}}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-opaque}, type: Opaque}
    """
    untyped = empty(secrets["type"]) & ~empty(secrets["service_account"])
    return text_is(secrets["type"], "kubernetes.io/service-account-token") | untyped
