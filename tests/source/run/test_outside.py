"""Policies that ask a server, a registry or the network have no verdict, and that is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kaudit.cli import app
from kaudit.source.run.outside import policy_asks, rule_asks, template_asks
from tests.source.run.test_policies import (
    CLUSTER,
    CONSTRAINT,
    POD,
    POLICY,
    TEMPLATE,
    collected,
    engines,
    gaps,
    kyverno,
    laid,
    seen,
    stand_in,
)

__all__ = ["engines"]
CALL = {"name": "found", "apiCall": {"urlPath": "/api/v1/namespaces"}}


@pytest.mark.parametrize(
    ("rule", "asks"),
    [
        ({"context": [CALL]}, "the API server or a service"),
        ({"validate": {"foreach": [{"context": [CALL]}]}}, "the API server or a service"),
        ({"context": [{"globalReference": {"name": "g"}}]}, "what Kyverno keeps of the API server"),
        ({"context": [{"imageRegistry": {"reference": "r"}}]}, "registries"),
        ({"context": [{"variable": {"value": "apiCall"}}]}, ""),
        ({"validate": {"message": "apiCall"}}, ""),
    ],
)
def test_rules(rule: dict[str, Any], asks: str) -> None:
    assert rule_asks(rule) == asks


@pytest.mark.parametrize(
    ("code", "asks"),
    [
        ("resource.Get('v1', 'secrets', 'a', 'b').type == 'x'", "the API server"),
        ("globalContext.Get('g', '') == 1", "what Kyverno keeps of the API server"),
        ("http.Get('http://x').ok && resource.List('v1', 'pods', 'a') == []", "a service and the"),
        ("object.spec.resource == 'http'", ""),
        ("object.rules.exists(resource, resource == '*' || resource.startsWith('a'))", ""),
        ("object.resource.( ", ""),
    ],
)
def test_policies_of_cel(code: str, asks: str) -> None:
    found = policy_asks({"spec": {"variables": [{"name": "a", "expression": code}]}})
    assert found.startswith(asks)
    assert bool(found) == bool(asks)


def of_rego(code: str) -> dict[str, Any]:
    spec = {
        **TEMPLATE["spec"],  # type: ignore[dict-item]
        "targets": [{"target": "t", "rego": f"package p\n{code}"}],
    }
    return {**TEMPLATE, "spec": spec}


def test_templates() -> None:
    assert template_asks(of_rego('violation[x] { http.send({"url": "x"}) }')) == "the network"
    assert template_asks(of_rego("violation[x] { input.review.object }")) == ""


def test_they_are_left_out_and_told(engines: Path, tmp_path: Path) -> None:
    """Where nobody answers, both engines would say nothing, or that all is well."""
    stand_in(engines, "gator", 'print("null")')
    stand_in(engines, "kyverno", kyverno())
    validate = {"message": "m", "pattern": {"a": "b"}}
    rules = [
        {"name": "calls", "context": [CALL], "validate": validate},
        {"name": "plain", "validate": validate},
    ]
    asking = {**POLICY, "spec": {"rules": rules}}
    template = of_rego('violation[x] { http.send({"url": "x"}) }')
    evidence = collected(tmp_path, asking, template, {**CONSTRAINT, "spec": {}}, POD)
    assert sorted((gap.name, gap.detail.split(" asks")[0]) for gap in gaps(evidence)) == [
        ("labels", "rule calls"),
        ("owner", "its template"),
    ]
    (policy,) = laid(seen(engines, "kyverno", CLUSTER)["files"]["policies.yaml"])
    assert [rule["name"] for rule in policy["spec"]["rules"]] == ["plain"]
    assert not (tmp_path / f"gator.json-gator-{CLUSTER}").exists()


def test_where_nothing_is_left_to_judge_the_command_says_why(tmp_path: Path) -> None:
    rule = {"name": "calls", "context": [CALL], "validate": {"message": "m", "pattern": {}}}
    (tmp_path / "policy.json").write_text(json.dumps({**POLICY, "spec": {"rules": [rule]}}))
    (tmp_path / "pod.json").write_text(json.dumps(POD))
    words = ["admission", str(tmp_path / "pod.json"), "--policies", str(tmp_path / "policy.json")]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 2
    assert "rule calls asks the API server" in found.stderr
