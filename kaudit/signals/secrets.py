"""Signals of the secrets layer: what a taken workload holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.chains import of_controls, signal
from kaudit.columns import pairs, positions, series
from kaudit.parameters import parameters
from kaudit.table import Resource

if TYPE_CHECKING:
    import pandas as pd

_USER = Resource("user_kind", "user_namespace", "user_name")

of_controls(
    "reads_secrets",
    "KA-SEC-016",
    layer="secrets",
    stage="reach",
    effort="fewer rights",
    title="Its account can read Secrets that it does not use",
    remedy="Name the Secrets that it reads in its role, or leave the rule out.",
)
of_controls(
    "cloud_key",
    "KA-SEC-019",
    layer="secrets",
    stage="reach",
    effort="a rotation",
    title="It holds a long-lived credential of the cloud",
    remedy="Give its account a role of the cloud, and end the key.",
)


@signal(
    layer="secrets",
    stage="reach",
    effort="a rotation",
    shows=("name", "ways", "purpose", "manager"),
    workload=_USER,
)
def unmanaged_secret(secret_exposure: pd.DataFrame) -> pd.Series[Any]:
    """It holds a Secret that nothing rotates.

    What is taken with it stays good until somebody notices.

    Remedy:
        Let an external store keep it, rotate it, and mount it as a file.

    Cases:
        {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop}, type: Opaque}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-holds, namespace: shop}, spec: {containers: [{name: c, image: i, envFrom: [{secretRef: {name: s}}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-none, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
    """
    s = secret_exposure
    return s["of_workload"] & s["known"] & ~s["managed"]


@signal(
    layer="secrets",
    stage="reach",
    effort="a rotation",
    shows=("name", "ways", "age_days", "outdated"),
    workload=_USER,
)
def stale_secret(
    secret_exposure: pd.DataFrame, external_secret_sync: pd.DataFrame
) -> pd.Series[Any]:
    """It holds a Secret that should have been changed, or that was since.

    Who has seen it once can still use it, or it still runs with one that was withdrawn: the
    store was not asked for long, or the workload has not started again.

    Remedy:
        Rotate the Secret, and start its workloads again.

    Cases:
        {apiVersion: v1, kind: Secret, metadata: {name: old, namespace: shop, creationTimestamp: "2024-01-01T00:00:00Z"}, type: Opaque}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: new, namespace: shop, creationTimestamp: "2025-11-20T00:00:00Z"}, type: Opaque}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-old, namespace: shop}, spec: {containers: [{name: c, image: i, envFrom: [{secretRef: {name: old}}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-new, namespace: shop}, spec: {containers: [{name: c, image: i, envFrom: [{secretRef: {name: new}}]}]}}
        ---
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: late, namespace: shop}, spec: {refreshInterval: 1h}, status: {refreshTime: "2025-11-29T12:00:00Z", conditions: [{type: Ready, status: "True"}]}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: late, namespace: shop, creationTimestamp: "2025-11-20T00:00:00Z"}, type: Opaque}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-late, namespace: shop}, spec: {containers: [{name: c, image: i, envFrom: [{secretRef: {name: late}}]}]}}
    """
    s, fetched = secret_exposure, external_secret_sync
    old = (s["age_days"] > parameters().secret_max_age_days).fillna(False)
    late = fetched[fetched["overdue"].fillna(False).to_numpy(bool)]
    own = pairs(s["namespace"], s["name"])
    missed = positions(series(own, s), pairs(late["namespace"], late["target"])) >= 0
    return s["of_workload"] & (old | s["outdated"] | series(missed, s))
