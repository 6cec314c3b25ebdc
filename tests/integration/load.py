"""Fill a live cluster with pods, over several connections at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from tests.integration.cluster import Cluster

_CONNECTIONS = 8


def load(cluster: Cluster, pods: int, *, namespaces: int = 20) -> None:
    """Make pods of several shapes, evenly in some namespaces, and what else they name."""
    for number in range(namespaces):
        namespace = f"team-{number:02}"
        made = {"metadata": {"name": namespace, "labels": {"team": str(number)}}}
        _post(cluster, "/api/v1/namespaces", made)
        for plural in ("configmaps", "serviceaccounts", "services"):
            _post(cluster, f"/api/v1/namespaces/{namespace}/{plural}", _SHARED[plural])
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        for done in [pool.submit(_make, cluster, n, namespaces) for n in range(pods)]:
            done.result()


def _make(cluster: Cluster, number: int, namespaces: int) -> None:
    namespace = f"team-{number % namespaces:02}"
    _post(cluster, f"/api/v1/namespaces/{namespace}/pods", pod(number))


def _post(cluster: Cluster, path: str, body: dict[str, Any]) -> None:
    answer = cluster.request("POST", path, body)
    assert answer.status == HTTPStatus.CREATED, answer.body


_SHARED: dict[str, dict[str, Any]] = {
    "configmaps": {"metadata": {"name": "settings"}, "data": {"level": "info"}},
    "serviceaccounts": {"metadata": {"name": "worker"}, "automountServiceAccountToken": False},
    "services": {
        "metadata": {"name": "front"},
        "spec": {"selector": {"app": "a1"}, "ports": [{"port": 80, "targetPort": "web"}]},
    },
}


def pod(number: int) -> dict[str, Any]:
    """Return one of many pods: as long as pods usually are, and unlike its neighbours."""
    main: dict[str, Any] = {
        "name": "main",
        "image": f"registry.example.org/team/app-{number % 97}:1.{number % 13}",
        "ports": [{"name": "web", "containerPort": 8080}],
        "env": [
            {
                "name": "LEVEL",
                "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "level"}},
            },
            {"name": "NUMBER", "value": str(number)},
        ],
        "resources": {
            "requests": {"cpu": f"{50 + number % 200}m", "memory": "64Mi"},
            "limits": {"memory": f"{128 + number % 64}Mi"},
        },
        "volumeMounts": [{"name": "work", "mountPath": "/work"}],
    }
    if number % 2:
        main["securityContext"] = {
            "allowPrivilegeEscalation": False,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        }
    side = {"name": "side", "image": "registry.example.org/side:2", "restartPolicy": "Always"}
    return {
        "metadata": {
            "name": f"pod-{number:06}",
            "labels": {"app": f"a{number % 31}", "tier": "front" if number % 3 else "back"},
        },
        "spec": {
            "serviceAccountName": "worker",
            "hostNetwork": number % 101 == 0,
            "initContainers": [side] if number % 5 == 0 else [],
            "containers": [main],
            "volumes": [
                {"name": "work", "hostPath": {"path": "/data"}}
                if number % 53 == 0
                else {"name": "work", "emptyDir": {}}
            ],
        },
    }
