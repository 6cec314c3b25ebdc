"""Selectors select what the server says that they select; directions default as it defaults them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import pytest

from kaudit.collect import collect
from tests.integration.cluster import Cluster
from tests.memory_source import MemorySource, rows

_NAMESPACE = "selected"
_LABELS: dict[str, dict[str, str]] = {
    "bare": {},
    "web": {"app": "web"},
    "web-test": {"app": "web", "stage": "test"},
    "api-test": {"app": "api", "stage": "test"},
    "empty": {"app": "", "stage": "prod"},
    "prefixed": {"example.org/app": "web"},
}


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    found: dict[str, Any] = {"key": key, "operator": operator}
    return {"matchExpressions": [found | ({"values": list(values)} if values else {})]}


#: Selectors as objects have them, and as a list is asked for them.
_SELECTORS: dict[str, dict[str, Any]] = {
    "": {},
    "app=web": {"matchLabels": {"app": "web"}},
    "app=": {"matchLabels": {"app": ""}},
    "app=web,stage=test": {"matchLabels": {"app": "web", "stage": "test"}},
    "example.org/app=web": {"matchLabels": {"example.org/app": "web"}},
    "app in (web,api)": expression("app", "In", "web", "api"),
    "app notin (web)": expression("app", "NotIn", "web"),
    "stage": expression("stage", "Exists"),
    "!app": expression("app", "DoesNotExist"),
    "app=web,!stage": {"matchLabels": {"app": "web"}, **expression("stage", "DoesNotExist")},
    "app=nobody": {"matchLabels": {"app": "nobody"}},
}
_DIRECTIONS: list[dict[str, Any]] = [
    {},
    {"ingress": []},
    {"ingress": [{}]},
    {"egress": []},
    {"egress": [{}]},
    {"ingress": [{}], "egress": [{}]},
    {"policyTypes": ["Egress"]},
    {"policyTypes": ["Ingress"], "egress": [{}]},
    {"policyTypes": ["Ingress", "Egress"]},
]


def policy(spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "policy", "namespace": _NAMESPACE},
        "spec": {"podSelector": {}} | spec,
    }


def stored(cluster: Cluster, spec: dict[str, Any]) -> dict[str, Any]:
    """A network policy as the server would keep it."""
    path = f"/apis/networking.k8s.io/v1/namespaces/{_NAMESPACE}/networkpolicies?dryRun=All"
    answer = cluster.request("POST", path, policy(spec))
    assert answer.status == HTTPStatus.CREATED, answer.body
    body: dict[str, Any] = answer.body
    return body


@pytest.fixture(scope="module")
def pods(cluster: Cluster) -> list[dict[str, Any]]:
    cluster.kubectl("create", "namespace", _NAMESPACE)
    made = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": _NAMESPACE, "labels": labels},
            "spec": {"containers": [{"name": "c", "image": "registry.example.org/c:1"}]},
        }
        for name, labels in _LABELS.items()
    ]
    items = {"apiVersion": "v1", "kind": "List", "items": made}
    cluster.kubectl("create", "-f", "-", given=json.dumps(items))
    return made


@pytest.mark.parametrize("asked", _SELECTORS)
def test_what_is_selected(cluster: Cluster, pods: list[dict[str, Any]], asked: str) -> None:
    held = cluster.kubectl("get", "pods", "-n", _NAMESPACE, "-l", asked, "-o", "json")
    expected = {one["metadata"]["name"] for one in json.loads(held)["items"]}
    for written in (
        policy({"podSelector": _SELECTORS[asked]}),
        stored(cluster, {"podSelector": _SELECTORS[asked]}),
    ):
        found = rows(collect(MemorySource(*pods, written)), "isolation", "pod", "ingress")
        assert {row["pod"] for row in found if row["ingress"]} == expected


@pytest.mark.parametrize("spec", _DIRECTIONS, ids=json.dumps)
def test_directions(cluster: Cluster, pods: list[dict[str, Any]], spec: dict[str, Any]) -> None:
    types = stored(cluster, spec)["spec"]["policyTypes"]
    evidence = collect(MemorySource(*pods, policy(spec)))
    for table in ("network_policies", "isolation"):
        for row in rows(evidence, table, "ingress", "egress"):
            assert row == {"ingress": "Ingress" in types, "egress": "Egress" in types}
