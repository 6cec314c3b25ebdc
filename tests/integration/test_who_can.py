"""Who may do what is what the API server's own authorizer says."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from random import Random
from typing import Any

import pytest

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.source.live import LiveSource
from kaudit.source.live_http import Patience
from tests.integration.cluster import Cluster
from tests.rbac_world import NAMESPACES, Question, question, slowly, world
from tests.test_who_can import allowed

_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
_PLURALS = {
    "Role": "roles",
    "ClusterRole": "clusterroles",
    "RoleBinding": "rolebindings",
    "ClusterRoleBinding": "clusterrolebindings",
}
_QUESTIONS = 2_000
_HASTE = Patience(per_second=1000, burst=1000)


@pytest.fixture(scope="module")
def objects(cluster_with_controllers: Cluster) -> list[dict[str, Any]]:
    """Random roles and bindings, held by the server, aggregation filled in by the controller."""
    cluster, random = cluster_with_controllers, Random(20261126)
    made = [found for number in range(4) for found in world(random, f"w{number}-")]
    for name in NAMESPACES:
        cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    for found in made:
        place = found["metadata"].get("namespace")
        where = f"{_RBAC}/namespaces/{place}" if place else _RBAC
        answer = cluster.request("POST", f"{where}/{_PLURALS[found['kind']]}", found)
        assert answer.status == HTTPStatus.CREATED, answer.body
    for found in made:
        if "aggregationRule" in found:
            _await_rules(cluster, found["metadata"]["name"])
    return made


def _await_rules(cluster: Cluster, name: str) -> None:
    """Every role of a tier has rules, so an aggregated one without waits for the controller."""
    for _ in range(100):
        if cluster.request("GET", f"{_RBAC}/clusterroles/{name}").body["rules"]:
            return
        time.sleep(0.1)
    pytest.fail(f"the controller of aggregation left {name} without rules")


@pytest.fixture(scope="module")
def evidence(cluster_with_controllers: Cluster, objects: list[dict[str, Any]]) -> Evidence:
    config = cluster_with_controllers.admin
    return collect(LiveSource.from_context(kubeconfig=config, patience=_HASTE))


def review(cluster: Cluster, q: Question) -> bool:
    spec: dict[str, Any] = {"user": q.user, "groups": list(q.groups)}
    if q.url:
        spec["nonResourceAttributes"] = {"path": q.url, "verb": q.verb}
    else:
        spec["resourceAttributes"] = {
            "verb": q.verb,
            "group": q.group,
            "resource": q.resource,
            "subresource": q.subresource,
            "name": q.name,
            "namespace": q.namespace,
        }
    answer = cluster.request("POST", _REVIEWS, {"spec": spec})
    assert answer.status == HTTPStatus.CREATED, answer.body
    return bool(answer.body["status"]["allowed"])


def test_it_agrees_with_subject_access_reviews(
    cluster_with_controllers: Cluster, objects: list[dict[str, Any]], evidence: Evidence
) -> None:
    random = Random(7)
    asked = [question(random) for _ in range(_QUESTIONS)]
    with ThreadPoolExecutor(4) as pool:
        said = [*pool.map(lambda q: review(cluster_with_controllers, q), asked)]
    assert 200 < sum(said) < _QUESTIONS - 200, "both answers are common"
    found = [allowed(evidence, q) for q in asked]
    assert [q for q, a, b in zip(asked, said, found, strict=True) if a != b] == []
    # The plain evaluator of the other tests is as right, but for the defaults of the server.
    plain = [slowly(objects, q) for q in asked]
    assert [q for q, a, b in zip(asked, said, plain, strict=True) if b and not a] == []
