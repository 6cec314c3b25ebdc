"""Connection lists of real applications, beside a plain evaluator that reads the files itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from kaudit.connections import Cluster
from kaudit.opening import evidence_of
from tests.shared import needs_shared, shared
from tests.slow_network import SlowNetwork

_CASES = {
    "online-boutique": (
        "online-boutique/manifests/release/kubernetes-manifests.yaml",
        "online-boutique/manifests/kustomize/components/network-policies",
    ),
    "argo-cd": ("argo-cd/manifests/manifests/install.yaml",),
    "argo-cd-ha": ("argo-cd/manifests/manifests/ha/install.yaml",),
    "argo-cd-namespace": ("argo-cd/manifests/manifests/namespace-install.yaml",),
    "kubernetes-goat": ("kubernetes-goat",),
}
_PORTS = (("TCP", 80), ("TCP", 8080), ("TCP", 6379), ("TCP", 8082), ("UDP", 53), ("TCP", 65535))
_MADE = {"Deployment", "StatefulSet", "DaemonSet", "Job", "ReplicaSet", "Pod"}
Object = dict[str, Any]


def _objects(paths: list[Path]) -> list[Object]:
    found = []
    for path in paths:
        try:
            documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
        except yaml.YAMLError:
            continue  # a template of Helm
        found += [d for d in documents if isinstance(d, dict) and "kind" in d]
    return found


def _pods(objects: list[Object]) -> list[Object]:
    """Pods that the workloads would make, named by them."""
    found = []
    for o in objects:
        if o["kind"] in _MADE:
            template = o if o["kind"] == "Pod" else o["spec"]["template"]
            space = o["metadata"].get("namespace", "default")
            name = f"{space}/{o['metadata']['name']}[{o['kind']}]"
            labels = (template.get("metadata") or {}).get("labels") or {}
            found.append(
                {
                    "kind": "Pod",
                    "metadata": {"name": name, "namespace": space, "labels": labels},
                    "spec": template["spec"],
                }
            )
    return found


def _files(*places: str) -> list[Path]:
    paths = [shared("apps", place) for place in places]
    return [file for p in paths for file in ([p] if p.is_file() else sorted(p.rglob("*.yaml")))]


@needs_shared
@pytest.mark.parametrize("name", _CASES)
def test_lists_of_applications(name: str) -> None:
    paths = _files(*_CASES[name])
    objects = _objects(paths)
    pods = _pods(objects)
    policies = [o for o in objects if o["kind"] == "NetworkPolicy"]
    spaces = {o["metadata"].get("namespace", "default") for o in [*pods, *policies]}
    for policy in policies:
        policy["metadata"].setdefault("namespace", "default")
    names = [{"kind": "Namespace", "metadata": {"name": name}} for name in spaces]
    slow = SlowNetwork([*pods, *policies, *names])
    listed = {(c.src, c.dst): c.connections for c in _connections(paths)}
    labels = sorted({pod["metadata"]["name"] for pod in pods})
    assert len(labels) == len(pods) > 5
    for source in pods:
        for target in pods:
            if source is target:
                continue
            ends = (source["metadata"]["name"], target["metadata"]["name"])
            ranges = listed.get(ends, ())
            for protocol, port in _PORTS:
                found = any(
                    r.protocol == protocol and r.from_port <= port <= r.to_port for r in ranges
                )
                assert found is slow.allows(source, target, protocol, port), (ends, protocol, port)


def _connections(paths: list[Path]) -> list[Any]:
    found = Cluster(evidence_of([str(path) for path in paths])).connections()
    return [c for c in found if "/" in c.src and "[" in c.src and "[" in c.dst]
