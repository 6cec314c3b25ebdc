"""Results as SARIF: what fails, what could not be judged, and the files that they are of."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import kaudit as ka
from kaudit.assessment import Assessment
from kaudit.collect import collect
from kaudit.exporters import sarif
from kaudit.source.files import FileSource
from kaudit.source.tools import ToolSource
from kaudit.waivers import load_waivers
from tests.memory_source import evidence_of, rows

PODS = """
{apiVersion: v1, kind: Pod, metadata: {name: bad, namespace: shop}, spec: {containers: [
  {name: "<script>\\u202e", image: i, securityContext: {privileged: true}}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: good, namespace: shop}, spec: {containers: [
  {name: c, image: i}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: odd, namespace: shop}, spec: {containers: 3}}
"""
WAIVED = """
{apiVersion: v1, kind: Pod, metadata: {name: known, namespace: shop}, spec: {containers: [
  {name: c, image: i, securityContext: {privileged: true}}]}}
"""
WAIVERS = """
waivers:
  - {id: W1, control: KA-DEP-001, name: known, reason: "it \\u202e must", owner: o, approver: a,
     expires: 2999-01-01}
"""


@pytest.fixture
def assessment(tmp_path: Path) -> Assessment:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a b.yaml").write_text(PODS)
    (folder / "c.yaml").write_text(WAIVED)
    (tmp_path / "w.yaml").write_text(WAIVERS)
    evidence = collect(FileSource(folder), as_of=datetime(2026, 1, 1, tzinfo=UTC))
    return ka.assess(evidence, control="KA-DEP-001", waivers=load_waivers(tmp_path / "w.yaml"))


def document(assessment: Assessment) -> Any:
    return json.loads(b"".join(sarif.results_sarif(assessment)))


def test_what_fails_and_what_is_open(assessment: Assessment) -> None:
    (run,) = document(assessment)["runs"]
    assert [artifact["location"]["uri"] for artifact in run["artifacts"]] == [
        "a%20b.yaml",
        "c.yaml",
    ]
    assert all(len(artifact["hashes"]["sha-256"]) == 64 for artifact in run["artifacts"])
    found = {
        result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]: result
        for result in run["results"]
    }
    assert {name: (result["kind"], result["level"]) for name, result in found.items()} == {
        "Pod shop/bad, container <script>\\u{202e}": ("fail", "error"),
        "Pod shop/known, container c": ("fail", "error"),
        "Pod shop/odd": ("open", "none"),
    }
    bad, known, odd = (found[name] for name in found)
    assert bad["message"]["text"].endswith("container type: regular; privileged: true")
    assert bad["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "a%20b.yaml",
        "index": 0,
    }
    assert "suppressions" not in bad
    (suppression,) = known["suppressions"]
    assert suppression == {"kind": "external", "justification": "W1: it \\u{202e} must"}
    assert known["locations"][0]["physicalLocation"]["artifactLocation"]["index"] == 1
    assert odd["message"]["text"].startswith("Pod shop/odd: broken (document 3 of ")
    assert run["properties"]["counts"] == {
        "pass": 1,
        "fail": 2,
        "not_applicable": 0,
        "not_assessed": 1,
        "manual": 0,
        "error": 0,
    }


def test_what_could_not_be_read_is_notified(assessment: Assessment) -> None:
    (run,) = document(assessment)["runs"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (told,) = invocation["toolExecutionNotifications"]
    assert told["message"]["text"].startswith("Pod shop/odd: broken (document 3 of a b.yaml: ")


def test_rules_are_the_controls(assessment: Assessment) -> None:
    (run,) = document(assessment)["runs"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["id"] == "KA-DEP-001"
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["properties"]["security-severity"] == "9.5"
    assert "5.2.2" in rule["properties"]["references"]["cis-kubernetes"]
    assert {result["ruleIndex"] for result in run["results"]} == {0}


def test_prints_are_those_of_the_results(assessment: Assessment) -> None:
    (run,) = document(assessment)["runs"]
    prints = {result["partialFingerprints"]["kaudit/v1"] for result in run["results"]}
    wanted = assessment.results[assessment.results["status"] != "pass"]
    assert prints == {*wanted["fingerprint"]}


@pytest.mark.parametrize("size", [1, 2, 3])
def test_batches_of_any_size_are_the_same_file(
    assessment: Assessment, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = document(assessment)
    monkeypatch.setattr(sarif, "_CHUNK", size)
    assert document(assessment) == whole


def test_what_nobody_told_is_open_without_a_place() -> None:
    text = "{apiVersion: v1, kind: Namespace, metadata: {name: n}}"
    (run,) = document(ka.assess(evidence_of(text), control="KA-DEP-001"))["runs"]
    (result,) = run["results"]
    assert (result["kind"], result["locations"]) == ("open", [])
    assert result["message"]["text"].endswith("StatefulSet: not in source")


def test_it_is_read_again_as_it_was_written(assessment: Assessment, tmp_path: Path) -> None:
    path = tmp_path / "out.sarif"
    path.write_bytes(b"".join(sarif.results_sarif(assessment)))
    evidence = collect(ToolSource("sarif", path))
    assert [gap for gap in evidence.gaps if gap.failed and "sarif" in gap.what] == []
    found = rows(evidence, "tool_findings", "tool", "rule", "status", "severity")
    assert [one["tool"] for one in found] == ["kaudit"] * len(found)
    assert {(one["rule"], one["status"]) for one in found} >= {
        ("KA-DEP-001", "fail"),
        ("KA-DEP-001", "skip"),
    }
