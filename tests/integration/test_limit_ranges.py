"""What LimitRanges fill in is foretold of templates as the server's admission does it to pods."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest

from kaudit.collect import collect
from tests.integration.cluster import Cluster
from tests.integration.process import awaited
from tests.memory_source import MemorySource, rows

_FLAGS = ("requests_cpu", "requests_memory", "limits_cpu", "limits_memory", "limits_storage")

#: Limits of LimitRanges by the name of their namespace: one list an object.
_RANGES: dict[str, list[list[dict[str, Any]]]] = {
    "default": [[{"type": "Container", "default": {"cpu": "1", "memory": "1Gi"}}]],
    "default-request": [[{"type": "Container", "defaultRequest": {"cpu": "10m"}}]],
    "max": [[{"type": "Container", "max": {"cpu": "2", "ephemeral-storage": "2Gi"}}]],
    "min": [[{"type": "Container", "min": {"cpu": "1m", "memory": "1Mi"}}]],
    "both": [
        [
            {
                "type": "Container",
                "default": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi"},
                "defaultRequest": {"cpu": "10m", "memory": "10Mi"},
                "max": {"cpu": "2"},
            }
        ]
    ],
    "of-pods": [[{"type": "Pod", "max": {"cpu": "20", "memory": "20Gi"}}]],
    "two": [
        [{"type": "Container", "default": {"cpu": "1"}}],
        [{"type": "Container", "default": {"memory": "1Gi"}}],
    ],
    "none": [],
}
_RESOURCES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "limit": {"limits": {"cpu": "500m"}},
    "request": {"requests": {"cpu": "100m", "memory": "16Mi"}},
    "all": {
        "limits": {"cpu": "500m", "memory": "64Mi", "ephemeral-storage": "1Gi"},
        "requests": {"cpu": "100m", "memory": "16Mi"},
    },
}


def spec() -> dict[str, Any]:
    """Containers that ask for nothing, for something and for everything, first and later."""
    containers = [
        {"name": name, "image": "registry.example.org/c:1", "resources": resources}
        for name, resources in _RESOURCES.items()
    ]
    first = [one | {"name": f"first-{one['name']}"} for one in containers]
    return {"containers": containers, "initContainers": first}


def flags(*objects: dict[str, Any]) -> dict[str, tuple[bool, ...]]:
    """What each container is taken to have."""
    found = rows(collect(MemorySource(*objects)), "container_resources", "container", *_FLAGS)
    return {row["container"]: tuple(row[flag] for flag in _FLAGS) for row in found}


@pytest.mark.parametrize("case", _RANGES)
def test_what_they_fill_in(cluster: Cluster, case: str) -> None:
    namespace = f"ranges-{case}"
    base = f"/api/v1/namespaces/{namespace}"
    cluster.kubectl("create", "namespace", namespace)
    ranges = []
    for number, limits in enumerate(_RANGES[case]):
        meta = {"name": f"range-{number}", "namespace": namespace}
        one = {"apiVersion": "v1", "kind": "LimitRange", "metadata": meta}
        ranges.append(one | {"spec": {"limits": limits}})
        assert cluster.request("POST", f"{base}/limitranges", ranges[-1]).status == 201
    pod = {"metadata": {"name": "p", "namespace": namespace}, "spec": spec()}
    template = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": pod["metadata"],
        "spec": {"template": {"spec": spec()}},
    }
    told = flags(template, *ranges)

    def filled() -> dict[str, tuple[bool, ...]] | None:
        """What the server fills in, once it knows all ranges: it learns of them later."""
        answer = cluster.request("POST", f"{base}/pods?dryRun=All", pod)
        assert answer.status == HTTPStatus.CREATED, answer.body
        made = flags({"apiVersion": "v1", "kind": "Pod", **answer.body})
        return made if made == told else None

    assert len(awaited(filled)) == 2 * len(_RESOURCES)
