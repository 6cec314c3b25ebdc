"""What kyverno itself passes over in silence is told; what is left is judged all the same."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from kaudit.opening import evidence_of
from kaudit.source.run.tool import Settings
from tests.integration.engine import engine
from tests.memory_source import rows

OBJECT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"key": "x"}}
RESOURCES = {"kinds": ["ConfigMap"]}
MATCHED = {
    "resourceRules": [
        {
            "apiGroups": [""],
            "apiVersions": ["v1"],
            "operations": ["CREATE"],
            "resources": ["configmaps"],
        }
    ]
}


@pytest.fixture(autouse=True)
def _on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = engine("kyverno").parent
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), os.environ["PATH"]]))


def policy(name: str, *, version: str = "v1", spec: Any = None, **more: Any) -> dict[str, Any]:
    validate = {"message": "wrong", "pattern": {"data": {"key": "x"}}} | more
    rule = {"name": "r", "match": {"any": [{"resources": RESOURCES}]}, "validate": validate}
    return {
        "apiVersion": f"kyverno.io/{version}",
        "kind": "ClusterPolicy",
        "metadata": {"name": name},
        "spec": {"rules": [rule]} | (spec or {}),
    }


def of_cel(name: str, code: str, **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "policies.kyverno.io/v1alpha1",
        "kind": "ValidatingPolicy",
        "metadata": {"name": name},
        "spec": {"matchConstraints": MATCHED, "validations": [{"expression": code}]} | more,
    }


BAD = [
    policy("unknown-field", spec={"surprise": 1}),
    policy("misspelt", patern={}),
    policy("no-text", message=False),
    policy("version", version="v9"),
    of_cel("syntax", "object.data.("),
    of_cel("no-truth", "'text'"),
    of_cel("unknown-too", "true", surprise=1),
]


@pytest.mark.parametrize("proposed", [False, True])
def test_bad_policies_cost_no_others_and_are_told(tmp_path: Path, proposed: bool) -> None:
    """kyverno drops them, or even all beside them, and ends with 0."""
    policies = tmp_path / "p.json"
    items = [*BAD, policy("good"), of_cel("good-too", "object.data.key == 'y'")]
    policies.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    objects = tmp_path / "o.json"
    objects.write_text(json.dumps(OBJECT))
    asked = (policies,) if proposed else ()
    settings = Settings(images=False, seconds=60.0, proposed=asked, policies=not proposed)
    sources = [str(objects)] if proposed else [str(objects), str(policies)]
    evidence = evidence_of(sources, scan=settings)
    found = rows(evidence, "engine_verdicts", "policy", "result")
    assert sorted((r["policy"], r["result"]) for r in found) == [
        ("good", "pass"),
        ("good-too", "fail"),
    ]
    details = [gap.detail for gap in evidence.gaps if "was not evaluated" in gap.detail]
    told = sorted(detail.split(" was not")[0].split()[-1] for detail in details)
    assert told == sorted(one["metadata"]["name"] for one in BAD)
    assert not [detail for detail in details if "kaudit-objects" in detail or "/tmp" in detail]


def test_where_every_policy_is_bad_no_verdict_is_a_pass(tmp_path: Path) -> None:
    (tmp_path / "o.json").write_text(json.dumps(OBJECT))
    (tmp_path / "p.json").write_text(json.dumps(BAD[0]))
    settings = Settings(images=False, policies=True, seconds=60.0)
    evidence = evidence_of([str(tmp_path)], scan=settings)
    assert len(evidence["engine_verdicts"]) == 0
    assert [gap for gap in evidence.gaps if "was not evaluated" in gap.detail]
