"""Chains in which a guardrail failed, or can be taken away by those whom it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.chains import correlation

if TYPE_CHECKING:
    import pandas as pd


@correlation("KA-RSK-013", layer="deploy", severity="critical")
def denied_and_alerted(
    admitted_against_policy: pd.Series[Any], alerted: pd.Series[Any]
) -> pd.Series[Any]:
    """Workload that should have been denied, and raised an alert.

    The control failed, and what it was to keep out did what it was feared for: somebody went
    around the engine, or it was off.

    Remedy:
        Isolate the workload and keep its evidence; then find how it was admitted.

    Cases:
        # cluster: bad-both
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, creationTimestamp: "2025-01-01T00:00:00Z"}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p, creationTimestamp: "2025-02-01T00:00:00Z"}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {failureAction: Enforce, pattern: {spec: {"=(hostPID)": "false"}}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, creationTimestamp: "2025-03-01T00:00:00Z"}, spec: {hostPID: true, containers: [{name: c, image: i}]}}
        ---
        kaudit-file: falco.jsonl
        lines:
          - '{"rule": "Miner", "priority": "Critical", "time": "2025-11-30T00:00:00Z", "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": "web"}}'
        # cluster: bad-level
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, creationTimestamp: "2025-01-01T00:00:00Z", labels: {pod-security.kubernetes.io/enforce: baseline}, managedFields: [{manager: m, operation: Update, time: "2025-01-01T00:00:00Z", fieldsV1: {"f:metadata": {"f:labels": {"f:pod-security.kubernetes.io/enforce": {}}}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, creationTimestamp: "2025-03-01T00:00:00Z"}, spec: {hostPID: true, containers: [{name: c, image: i}]}}
        ---
        kaudit-file: falco.jsonl
        lines:
          - '{"rule": "Miner", "priority": "Critical", "time": "2025-11-30T00:00:00Z", "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": "web"}}'
        # cluster: ok-explained
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, creationTimestamp: "2025-01-01T00:00:00Z"}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p, creationTimestamp: "2025-02-01T00:00:00Z"}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {failureAction: Enforce, pattern: {spec: {"=(hostPID)": "false"}}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, creationTimestamp: "2025-01-15T00:00:00Z"}, spec: {hostPID: true, containers: [{name: c, image: i}]}}
        ---
        kaudit-file: falco.jsonl
        lines:
          - '{"rule": "Miner", "priority": "Critical", "time": "2025-11-30T00:00:00Z", "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": "web"}}'
        # cluster: ok-quiet
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, creationTimestamp: "2025-01-01T00:00:00Z"}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p, creationTimestamp: "2025-02-01T00:00:00Z"}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {failureAction: Enforce, pattern: {spec: {"=(hostPID)": "false"}}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, creationTimestamp: "2025-03-01T00:00:00Z"}, spec: {hostPID: true, containers: [{name: c, image: i}]}}
    """
    return admitted_against_policy & alerted
