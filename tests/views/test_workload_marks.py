"""Environments and sensitivity by labels: whose label counts, and what no label tells."""

from __future__ import annotations

from typing import Any

import pytest

from kaudit.assess import assess
from kaudit.model.words import Status
from kaudit.parameters import Parameters, using
from tests.memory_source import evidence_of, rows

SPACE = "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {%s}}}"
POD = (
    "{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: shop, labels: {%s}}, "
    "spec: {%scontainers: [{name: c, image: i}]}}"
)


def marks(*documents: str, decided: Parameters | None = None) -> dict[str, dict[str, Any]]:
    with using(decided or Parameters()):
        found = rows(evidence_of("\n---\n".join(documents)), "workload_marks")
    return {row["owner_name"]: row for row in found}


@pytest.mark.parametrize(
    ("of_space", "of_pod", "environments", "production"),
    [
        ("", "", [], None),
        ("", "env: prod", ["prod"], True),
        ("", "app.kubernetes.io/environment: LIVE", ["LIVE"], True),
        ("", "env: staging", ["staging"], False),
        ("", 'env: ""', [], None),
        ("env: production", "", ["production"], True),
        ("env: production", "env: dev", ["dev"], False),
        ("env: production", "stage: dev", ["dev"], False),
        ("", "env: prod, stage: canary", ["canary", "prod"], True),
        ("", "environments: prod", [], None),
    ],
)
def test_environment(
    of_space: str, of_pod: str, environments: list[str], production: bool | None
) -> None:
    row = marks(SPACE % of_space, POD % ("p", of_pod, ""))["p"]
    assert (row["environments"], row["production"]) == (environments, production)


def test_labels_that_count_are_decided() -> None:
    mine = Parameters(
        environment_labels=("realm",),
        production_environments=("Real",),
        sensitive_labels=("data=*",),
    )
    row = marks(POD % ("p", "realm: real, env: dev, data: x", ""), decided=mine)["p"]
    assert (row["environments"], row["production"], row["sensitive"]) == (["real"], True, True)
    assert not marks(POD % ("p", "data: x", ""))["p"]["sensitive"]
    assert marks(SPACE % 'pci: "true"', POD % ("p", "", ""))["p"]["sensitive"]


@pytest.mark.parametrize(
    ("pods", "mixed", "unmarked"),
    [
        (["env: prod", "env: dev"], True, 0),
        (["env: prod", "env: live"], False, 0),
        (["env: qa", "env: dev"], False, 0),
        (["env: prod", ""], None, 1),
        (["env: prod", "env: dev", ""], True, 1),
        (["", ""], None, 2),
    ],
)
def test_a_namespace(pods: list[str], mixed: bool | None, unmarked: int) -> None:
    documents = [POD % (f"p{n}", labels, "") for n, labels in enumerate(pods)]
    evidence = evidence_of("\n---\n".join([SPACE % "", *documents]))
    (row,) = rows(evidence, "namespace_environments")
    assert (row["mixed"], row["unmarked"]) == (mixed, unmarked)
    assert row["shared_accounts"] == (["default"] if mixed else [])
    (result,) = assess(evidence).results_of("KA-DEP-033")
    expected = {True: Status.FAIL, False: Status.PASS, None: Status.NOT_ASSESSED}
    assert result.status is expected[mixed]


def test_without_labels_nothing_is_assessed_and_nothing_passes() -> None:
    judged = assess(evidence_of(POD % ("p", "", "nodeName: one, ")))
    for control in ("KA-DEP-033", "KA-DEP-033a"):
        (result,) = judged.results_of(control)
        assert result.status is Status.NOT_ASSESSED
        assert "label" in result.reason


def test_what_runs_nowhere_is_not_assessed() -> None:
    judged = assess(evidence_of(POD % ("p", 'pci: "true"', "")))
    (result,) = judged.results_of("KA-DEP-033a")
    assert result.status is Status.NOT_ASSESSED


def test_a_node_without_a_pool_is_a_place_of_its_own() -> None:
    node = "{apiVersion: v1, kind: Node, metadata: {name: one}}"
    service = (
        "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: shop}, spec: {type: "
        "LoadBalancer, selector: {app: web}, ports: [{port: 1}]}, "
        "status: {loadBalancer: {ingress: [{ip: 8.8.8.8}]}}}"
    )
    pods = [
        POD % ("web", "app: web", "nodeName: one, "),
        POD % ("beside", 'pci: "true"', "nodeName: one, "),
        POD % ("apart", 'pci: "true"', "nodeName: two, "),
    ]
    evidence = evidence_of("\n---\n".join([node, service, *pods]))
    found = {row["owner_name"]: row for row in rows(evidence, "workload_places")}
    assert found["web"]["exposed"]
    assert found["web"]["exposed_beside"] == []
    assert found["beside"]["exposed_beside"] == ["Pod shop/web"]
    assert (found["apart"]["places"], found["apart"]["exposed_beside"]) == (["two"], [])
