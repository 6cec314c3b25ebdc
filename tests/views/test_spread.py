"""Which terms of anti-affinity spread the replicas of a workload: those about its own pods."""

import json
from typing import Any

import pytest

import kaudit as ka
from kaudit.collect import collect
from kaudit.columns import plain_rows
from kaudit.model.words import Status
from tests.memory_source import MemorySource

OWN = {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "host"}
NAME = "kubernetes.io/metadata.name"


def workload(*terms: Any, preferred: bool = False, name: str = "web") -> dict[str, Any]:
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    affinity: dict[str, Any] = {required: list(terms)}
    if preferred:
        weighed = [{"weight": 1, "podAffinityTerm": term} for term in terms]
        affinity = {"preferredDuringSchedulingIgnoredDuringExecution": weighed}
    spec = {
        "containers": [{"name": "c", "image": "i"}],
        "affinity": {"podAntiAffinity": affinity},
    }
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"replicas": 3, "template": template},
    }


CASES = [
    ({}, True),
    ({"namespaces": []}, True),
    ({"namespaces": None, "namespaceSelector": None}, True),
    ({"namespaces": ["shop"]}, True),
    ({"namespaces": ["other", "shop"]}, True),
    ({"namespaces": ["other"]}, False),
    ({"namespaceSelector": {}}, True),
    ({"namespaces": ["other"], "namespaceSelector": {}}, True),
    ({"namespaceSelector": {"matchLabels": {NAME: "shop"}}}, True),
    ({"namespaceSelector": {"matchLabels": {NAME: "other"}}}, False),
    ({"namespaceSelector": {"matchLabels": {"team": "a"}}}, None),
    ({"namespaces": ["shop"], "namespaceSelector": {"matchLabels": {"team": "a"}}}, True),
    ({"namespaceSelector": {}, "labelSelector": {"matchLabels": {"app": "db"}}}, False),
    ({"namespaceSelector": {}, "labelSelector": None}, False),
    ({"namespaceSelector": {}, "mismatchLabelKeys": ["app"]}, False),
]


@pytest.mark.parametrize(("more", "expected"), CASES, ids=[json.dumps(more) for more, _ in CASES])
@pytest.mark.parametrize("preferred", [True, False])
def test_terms_that_name_namespaces(more: Any, expected: bool | None, preferred: bool) -> None:
    evidence = collect(MemorySource(workload({**OWN, **more}, preferred=preferred)))
    assert list(plain_rows(evidence["pod_context"], "spread")) == [(expected,)]


def test_one_term_that_is_about_the_pods_is_enough() -> None:
    labelled = {**OWN, "namespaceSelector": {"matchLabels": {"team": "a"}}}
    far = {**OWN, "namespaces": ["other"]}
    objects = [
        workload(far, OWN, name="near"),
        workload(far, labelled, name="open"),
        workload(labelled, {**OWN, "namespaces": ["shop"]}, name="named"),
        workload(far, name="far"),
    ]
    evidence = collect(MemorySource(*objects))
    assert dict(plain_rows(evidence["pod_context"], "pod", "spread")) == {
        "near": True,
        "open": None,
        "named": True,
        "far": False,
    }
    results = ka.assess(evidence, control="KA-DEP-035c").by_control["KA-DEP-035c"].results()
    assert {one.name: one.status for one in results} == {
        "near": Status.PASS,
        "open": Status.NOT_ASSESSED,
        "named": Status.PASS,
        "far": Status.FAIL,
    }
