"""Kyverno sees a CronJob of an older version as its webhooks would; others are left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kaudit.source.run.versions import asked_for, followed
from tests.source.run.test_policies import (
    CLUSTER,
    CONSTRAINT,
    TEMPLATE,
    collected,
    engines,
    kyverno,
    laid,
    seen,
    stand_in,
)

__all__ = ["engines"]
OLD = {"apiVersion": "batch/v1beta1", "kind": "CronJob", "metadata": {"name": "hello"}, "spec": {}}
NEW = {**OLD, "apiVersion": "batch/v1", "metadata": {"name": "new"}}


def policy(*kinds: str, **more: Any) -> dict[str, Any]:
    rule = {"name": "r", "match": {"any": [{"resources": {"kinds": [*kinds]}}]}}
    rule["validate"] = {"pattern": {"spec": more}}
    return {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": "p"},
        "spec": {"rules": [rule]},
    }


@pytest.mark.parametrize(
    ("one", "asked"),
    [
        (policy("Pod"), False),
        (policy("batch/v1/CronJob", "apps/v1/Deployment"), False),
        (policy("CronJob"), True),
        (policy("batch/*/CronJob"), True),
        (policy("*"), True),
        (policy("Pod", a="{{ request.kind.version }}"), True),
        (policy("Pod", a="{{ request.object.apiVersion }}"), True),
        (policy("Pod", a="*beta*"), True),
        ({"spec": {"matchConstraints": {"resourceRules": [{"resources": ["pods"]}]}}}, False),
        (
            {
                "spec": {
                    "matchConstraints": {
                        "resourceRules": [{"resources": ["cronjobs"], "apiVersions": ["*"]}]
                    }
                }
            },
            True,
        ),
        (
            {
                "spec": {
                    "matchConstraints": {
                        "resourceRules": [{"resources": ["cronjobs"], "apiVersions": ["v1"]}]
                    }
                }
            },
            False,
        ),
        ({}, False),
    ],
)
def test_who_asks_for_an_older_version(one: dict[str, Any], asked: bool) -> None:
    assert asked_for([policy("Pod"), one]) is asked


def test_only_what_is_the_same_in_both_versions_is_changed() -> None:
    assert followed(OLD) == {**OLD, "apiVersion": "batch/v1"}
    assert followed(NEW) is None
    assert followed({**OLD, "kind": "Ingress", "apiVersion": "extensions/v1beta1"}) is None


@pytest.mark.parametrize(("kind", "version"), [("Pod", "batch/v1"), ("CronJob", "batch/v1beta1")])
def test_kyverno_gets_it_as_its_webhook_does_and_gator_as_it_is(
    engines: Path, tmp_path: Path, kind: str, version: str
) -> None:
    stand_in(engines, "kyverno", kyverno())
    stand_in(engines, "gator", 'print("null")')
    collected(tmp_path, policy(kind), TEMPLATE, {**CONSTRAINT, "spec": {}}, OLD, NEW)
    found = laid(seen(engines, "kyverno", CLUSTER)["files"]["objects.yaml"])
    assert [(one["metadata"]["name"], one["apiVersion"]) for one in found] == [
        ("hello", version),
        ("new", "batch/v1"),
    ]
    for_gator = laid(seen(engines, "gator", CLUSTER)["files"]["objects.yaml"])
    assert [one["apiVersion"] for one in for_gator] == ["batch/v1beta1", "batch/v1"]
