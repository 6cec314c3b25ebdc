"""The collection itself: what it could not see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-RUN-021",
    layer="runtime",
    severity="medium",
    applies="of_cluster",
    null="the source does not speak of it, or does not tell how old it is",
    expected="read whole, and not older than the limit",
    shows=("state", "detail", "objects", "hours", "tables"),
)
def blind_spots(collection_log: pd.DataFrame) -> pd.Series[Any]:
    """The collection has no blind spot.

    What was refused, cut short, left out or never brought is no proof that there is nothing:
    whoever takes an empty list for a clean one concludes on what nobody has looked at.

    Remedy:
        Grant what was refused, and bring what is missing beside the API: a node's kube-bench, the
        registry's settings, scans of the images, the logs of the sensors and of the API server.

        kaudit rbac | kubectl apply -f -

    Cases:
        # cluster: bad-no-packs
        {apiVersion: v1, kind: Node, metadata: {name: n}}
        # cluster: bad-old-log
        {apiVersion: v1, kind: Node, metadata: {name: n}}
        ---
        kaudit-file: falco.jsonl
        lines:
          - '{"rule": "Miner", "priority": "Critical", "time": "2025-11-20T00:00:00Z", "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": "web"}}'
        # cluster: ok-manifests
        {apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: c, image: i}]}}
        # cluster: ok-whole
        {apiVersion: v1, kind: Node, metadata: {name: n}}
        ---
        kaudit-file: falco.jsonl
        lines:
          - '{"rule": "Miner", "priority": "Notice", "time": "2025-11-30T12:00:00Z", "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": "web"}}'
        ---
        kaudit-file: audit.log
        lines:
          - '{"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "1", "stage": "ResponseComplete", "requestURI": "/api", "verb": "get", "user": {"username": "anna"}, "requestReceivedTimestamp": "2025-11-30T12:00:00.000000Z", "stageTimestamp": "2025-11-30T12:00:00.000000Z"}'
        ---
        {kaudit-file: trivy.json, content: {SchemaVersion: 2, ArtifactName: "example.com/web:1", ArtifactType: container_image, Results: [{Target: os, Class: os-pkgs, Type: debian, Packages: [{Name: a, Version: "1"}]}]}}
        ---
        {kaudit-file: kube-bench.json, content: {Controls: [{id: "4", version: cis-1.11, text: Worker Node, node_type: node, tests: [{section: "4.1", desc: Files, results: [{test_number: "4.1.1", test_desc: Kubelet service file, status: PASS}]}]}], Totals: {total_pass: 1}}}
        ---
        {kaudit-file: certs.d/a.example/hosts.toml, lines: ['server = "https://a.example"']}
    """
    return collection_log["blind"]
