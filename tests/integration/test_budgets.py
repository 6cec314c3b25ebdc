"""Room that disruption budgets leave is what the disruption controller works out."""

from __future__ import annotations

import json
import time
from typing import Any

from kaudit.collect import collect
from tests.integration.cluster import Cluster
from tests.memory_source import MemorySource, rows

_NAMESPACE = "budgets"
_REPLICAS = 3
#: What budgets ask for; percentages are rounded up, for what stays and for what may go.
_BUDGETS: dict[str, dict[str, Any]] = {
    "least-all": {"minAvailable": _REPLICAS},
    "least-two": {"minAvailable": 2},
    "least-more": {"minAvailable": 10},
    "least-none": {"minAvailable": 0},
    "least-percent-up": {"minAvailable": "67%"},
    "least-percent": {"minAvailable": "66%"},
    "least-whole": {"minAvailable": "100%"},
    "most-none": {"maxUnavailable": 0},
    "most-one": {"maxUnavailable": 1},
    "most-no-percent": {"maxUnavailable": "0%"},
    "most-percent": {"maxUnavailable": "1%"},
}


def objects() -> list[dict[str, Any]]:
    labels = {"matchLabels": {"app": "web"}}
    container = {"name": "c", "image": "registry.example.org/c:1"}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": _NAMESPACE},
        "spec": {"replicas": _REPLICAS, "selector": labels, "template": template},
    }
    budgets = [
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": name, "namespace": _NAMESPACE},
            "spec": {"selector": labels, **asked},
        }
        for name, asked in _BUDGETS.items()
    ]
    return [deployment, *budgets]


def worked_out(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """What the controller says of each budget once it knows all pods."""
    end = time.monotonic() + 30
    while True:
        text = cluster.kubectl("get", "poddisruptionbudgets", "-n", _NAMESPACE, "-o", "json")
        told = {one["metadata"]["name"]: one["status"] for one in json.loads(text)["items"]}
        if all(status.get("expectedPods") == _REPLICAS for status in told.values()):
            return told
        assert time.monotonic() < end, told
        time.sleep(0.2)


def test_the_room_is_what_the_controller_says(cluster_with_controllers: Cluster) -> None:
    cluster = cluster_with_controllers
    cluster.kubectl("create", "namespace", _NAMESPACE)
    deployment, *budgets = objects()
    cluster.kubectl("create", "-f", "-", given=json.dumps(deployment))
    made = f"--for=jsonpath={{.status.unavailableReplicas}}={_REPLICAS}"
    cluster.kubectl("wait", "deployment/web", "-n", _NAMESPACE, made, "--timeout=30s")
    # The controller follows a pod for one of its budgets alone: all of them come after the pods.
    given = {"apiVersion": "v1", "kind": "List", "items": budgets}
    cluster.kubectl("create", "-f", "-", given=json.dumps(given))
    expected = {
        name: (status["expectedPods"], status["desiredHealthy"] >= status["expectedPods"])
        for name, status in worked_out(cluster).items()
    }
    found = rows(collect(MemorySource(*objects())), "disruption_room", "name", "pods", "blocked")
    assert {row["name"]: (row["pods"], row["blocked"]) for row in found} == expected
    assert {blocked for _, blocked in expected.values()} == {True, False}
