"""Segmentation: who may connect to whom, as the auditor states it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-NET-011",
    layer="network",
    severity="high",
    expected="the statement holds",
    shows=("says", "way", "ports"),
    null="nothing was stated, a policy is not understood, or nothing enforces what it denies",
)
def statement_violated(segmentation: pd.DataFrame) -> pd.Series[Any]:
    """What is stated of the network's segmentation holds.

    Policies may exist and still let pass what must not pass: what counts is who can reach whom
    once all of them are added up. Statements are the parameter segmentation, and one that
    labels make: a namespace of production is not reached from one for development or tests.

    Remedy:
        Allow what the statement allows, and nothing beside it.

        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: from-frontend, namespace: pci}
        spec:
          podSelector: {}
          policyTypes: [Ingress]
          ingress:
            - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: frontend}}}]
              ports: [{port: 443}]

    Cases:
        # cluster: bad-open
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {environment: production}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: try, labels: {environment: development}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: try}, spec: {containers: [{name: c, image: i}]}}
        # cluster: ok-denied
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {environment: production}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: try, labels: {environment: development}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: try}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {}}}
        ---
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: calico-node, namespace: kube-system}, spec: {template: {spec: {
          hostNetwork: true, containers: [{name: c, image: "docker.io/calico/node:v3.30"}]}}}}
        # cluster: ok-nothing-stated
        {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
    """
    return segmentation["violated"]
