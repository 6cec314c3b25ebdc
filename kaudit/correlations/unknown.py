"""Chains of images that nobody knows, and of namespaces and nodes that nobody guards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.chains import correlation

if TYPE_CHECKING:
    import pandas as pd


@correlation("KA-RSK-005", layer="runtime", severity="high")
def weak_and_unwatched(weak: pd.Series[Any], unwatched: pd.Series[Any]) -> pd.Series[Any]:
    """Weak workload on an unwatched node.

    It is easily taken over, and nobody would see it.

    Remedy:
        Run the sensor on every node, and confine the workload.

    Cases:
        # cluster: bad-nobody-looks
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: n}, status: {conditions: [{type: Ready, status: "True"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c, image: "example.com/web:1"}], nodeName: n}}
        # cluster: ok-confined
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c, image: "example.com/web:1", securityContext: {runAsNonRoot: true, readOnlyRootFilesystem: true, seccompProfile: {type: RuntimeDefault}}}]}}
    """
    return weak & unwatched


@correlation("KA-RSK-006", layer="build", severity="high")
def unknown_and_unguarded(unverified: pd.Series[Any], permissive: pd.Series[Any]) -> pd.Series[Any]:
    """Unverified image in a permissive namespace.

    Nobody knows what runs, and nothing narrows what it may do.

    Remedy:
        Enforce the baseline level in the namespace, and admit only images that are scanned and signed.

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c, image: "example.com/web:1"}]}}
        # cluster: bad-neither
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
        ---
        {kaudit-file: trivy.json, content: {SchemaVersion: 2, ArtifactName: "example.com/other:1", ArtifactType: container_image, Results: [{Target: os, Class: os-pkgs, Type: debian, Packages: [{Name: a, Version: "1"}]}]}}
        # cluster: ok-enforced
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: restricted}}}
    """
    return unverified & permissive


@correlation("KA-RSK-011", layer="runtime", severity="critical")
def alert_on_an_unknown_image(
    unverified: pd.Series[Any], alerted: pd.Series[Any]
) -> pd.Series[Any]:
    """Alert on an image that nobody verified.

    What raised the alert may have come with the image: it was never scanned, or never signed.

    Remedy:
        Isolate the workload, find where its image comes from, and admit only what is signed.

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c, image: "example.com/web:1"}]}}
        # cluster: bad-both
        kaudit-file: falco.jsonl
        lines:
          - '{"rule": "Miner", "priority": "Critical", "time": "2025-11-30T00:00:00Z", "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": "web"}}'
        ---
        {kaudit-file: trivy.json, content: {SchemaVersion: 2, ArtifactName: "example.com/other:1", ArtifactType: container_image, Results: [{Target: os, Class: os-pkgs, Type: debian, Packages: [{Name: a, Version: "1"}]}]}}
        # cluster: ok-quiet
        kaudit-file: falco.jsonl
        lines:
          - '{"rule": "Miner", "priority": "Notice", "time": "2025-11-30T00:00:00Z", "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": "web"}}'
    """
    return unverified & alerted
