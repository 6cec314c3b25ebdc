"""Add-ons of the cluster are supported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-BLD-023",
    layer="build",
    severity="high",
    null="its tag tells no version, or the moment of the evidence is not known",
    expected="a version that is still supported",
    shows=("addon", "version", "support_ends_at", "workloads"),
)
def unsupported_addon(addons: pd.DataFrame) -> pd.Series[Any]:
    """Add-ons of the cluster are versions that are still supported.

    Controllers of ingress, certificates and meshes hold wide rights, and nobody mends them
    after their end. A dated table knows common ones; a version that is newer than the table
    is taken for supported.

    Remedy:
        Upgrade it, or move to what has taken its place.

        helm upgrade cert-manager oci://quay.io/jetstack/charts/cert-manager --version <newest>

    Cases:
        # cluster: bad-retired
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "gcr.io/kubernetes-helm/tiller:v2.17.0"}]}}
        ---
        # cluster: bad-old-version
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "quay.io/jetstack/cert-manager-controller:v1.9.1"}]}}
        ---
        # cluster: ok-newer-than-the-table
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "quay.io/jetstack/cert-manager-controller:v1.30.0"}]}}
        ---
        # cluster: ok-still-supported
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "registry.k8s.io/ingress-nginx/controller:v1.13.0"}]}}
        ---
        # cluster: ok-no-version
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "docker.io/istio/pilot:latest"}]}}
        ---
        # cluster: ok-something-else
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "docker.io/mytiller:v1"}]}}
    """
    return addons["ended"]
