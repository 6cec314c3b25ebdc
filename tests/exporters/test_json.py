"""Results as JSON: what is in them, and that they are streamed whole."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import kaudit as ka
from kaudit import registry
from kaudit.assessment import Assessment
from kaudit.collect import collect
from kaudit.exporters import json as exporter
from kaudit.registry import find_control
from kaudit.source.files import FileSource
from kaudit.waivers import Waiver
from tests.memory_source import evidence_of

PODS = """
{apiVersion: v1, kind: Pod, metadata: {name: good, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: bad, namespace: shop}, spec: {containers: [
  {name: c, image: i}, {name: d, image: i, securityContext: {privileged: true}}]}}
"""


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    return ka.assess(evidence_of(PODS), control="KA-DEP-001")


def document(assessment: Assessment) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(b"".join(exporter.results_json(assessment)))
    return found


def test_head(assessment: Assessment) -> None:
    found = document(assessment)
    assert list(found) == [
        *("schema", "kaudit", "evidence", "parameters", "waivers", "gaps"),
        *("conclusions", "controls", "results"),
    ]
    assert found["schema"] == "kaudit/results/v1"
    assert found["kaudit"] == ka.__version__
    assert found["evidence"] == {
        "id": None,
        "seal": None,
        "label": "memory",
        "sealed": False,
        "live": False,
        "as_of": None,
        "server": None,
        "origins": [{"name": "memory", "sha256": "", "bytes": 0}],
    }


def test_sealed_evidence_is_named_by_id_and_seal(tmp_path: Path) -> None:
    (tmp_path / "pods.yaml").write_text(PODS)
    evidence = collect(FileSource(tmp_path / "pods.yaml"), out=tmp_path / "e")
    found = document(ka.assess(evidence, control="KA-DEP-001"))["evidence"]
    assert (found["id"], found["seal"], found["sealed"]) == (evidence.id, evidence.seal, True)
    assert evidence.seal


def test_controls_and_conclusions(assessment: Assessment) -> None:
    found = document(assessment)
    (control,) = found["controls"]
    assert (control["id"], control["severity"], control["population"]) == (
        "KA-DEP-001",
        "critical",
        3,
    )
    assert control["counts"] == {
        "pass": 2,
        "fail": 1,
        "not_applicable": 0,
        "not_assessed": 0,
        "error": 0,
        "manual": 0,
        "waived": 0,
    }
    assert (control["operation"], control["because"]) == (
        "not effective",
        "1 of 3 resources fails",
    )
    assert {c["layer"]: c["operation"] for c in found["conclusions"]} == {
        "build": "unable to conclude",
        "deploy": "not effective",
        "runtime": "unable to conclude",
        "network": "unable to conclude",
        "secrets": "unable to conclude",
    }


def test_results(assessment: Assessment) -> None:
    found = document(assessment)["results"]
    assert [(r["name"], r["container"], r["status"]) for r in found] == [
        ("bad", "c", "pass"),
        ("bad", "d", "fail"),
        ("good", "c", "pass"),
    ]
    bad = found[1]
    assert bad == {
        "control": "KA-DEP-001",
        "status": "fail",
        "severity": "critical",
        "layer": "deploy",
        "kind": "Pod",
        "namespace": "shop",
        "name": "bad",
        "container": "d",
        "observed": "container type: regular; privileged: true",
        "expected": "privileged is false or unset",
        "reason": "",
        "rows": 1,
        "failed": 1,
        "fingerprint": bad["fingerprint"],
        "waiver": "",
        "raw": "pods",
        "raw_line": bad["raw_line"],
    }
    assert assessment.evidence.record("pods", bad["raw_line"])["metadata"]["name"] == "bad"


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_batches_of_any_size_are_the_same_document(
    assessment: Assessment, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = b"".join(exporter.results_json(assessment))
    monkeypatch.setattr(exporter, "_CHUNK", size)
    assert b"".join(exporter.results_json(assessment)) == whole


def test_no_result_is_an_empty_list() -> None:
    empty = Assessment(evidence_of(PODS), [], [])
    assert document(empty)["results"] == []
    assert document(empty)["controls"] == []


def test_text_that_json_cannot_carry_is_written_out(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(
        '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": '
        '[{"name": "c\\u0000\\u202e<script>", "image": "i", "securityContext": {"privileged": true}}]}}'
    )
    found = document(ka.assess(tmp_path / "p.json", control="KA-DEP-001"))
    assert found["results"][0]["container"] == "c\x00\u202e<script>"


def test_described() -> None:
    found = exporter.described(find_control("KA-DEP-001"))
    assert list(found) == [
        *("id", "title", "layer", "severity", "rationale", "remedy", "expected", "tables"),
        "references",
    ]
    assert found["tables"] == ("containers", "pods")
    assert found["references"]["pss"] == ("privileged",)
    assert found["references"]["cis-kubernetes"] == ("5.2.2",)


def test_registered() -> None:
    registry.load()
    assert registry.EXPORTERS["json"].suffix == ".json"
    assert registry.EXPORTERS["json"].function is exporter.results_json


def test_what_the_auditor_decided_is_in_the_results() -> None:
    waiver = Waiver(
        id="W-1",
        control="KA-DEP-001",
        reason="r",
        owner="o",
        approver="a",
        expires=date(2030, 1, 1),
    )
    found = document(
        ka.assess(evidence_of(PODS), parameters={"owner_labels": "squad"}, waivers=[waiver])
    )
    assert found["parameters"]["owner_labels"] == ["squad"]
    assert found["parameters"]["secret_max_age_days"] == 90
    assert [(w["id"], w["expires"]) for w in found["waivers"]] == [("W-1", "2030-01-01")]
