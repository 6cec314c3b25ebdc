"""Real reports of trivy-operator: what the tables say is what plain JSON or YAML says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.source.files import FileSource
from tests.collectors.test_tools import EXAMPLES
from tests.corpus.reading import broken, corpus, files, given, read
from tests.shared import needs_shared

FOLDER = "trivy-operator"
WORDS = {"danger": "high", "warning": "medium"}


def objects(path: Path) -> list[dict[str, Any]]:
    """Every report in a file, whatever its shape."""
    document = yaml.safe_load(path.read_text())
    if "items" in document:
        return list(document["items"])
    if "kind" in document:
        return [document]
    return [one for found in document.values() for one in found]


def word(severity: str) -> str:
    return WORDS.get(severity, severity.lower() or "unknown")


def both(path: Path) -> list[Evidence]:
    """Evidence of the file as manifests, and as the output of a tool."""
    found = []
    if "all-reports" not in path.name:
        found.append(collect(FileSource(path)))
    if path.suffix == ".json":
        found.append(read(FOLDER, path))
    return found


@needs_shared
@pytest.mark.parametrize("path", files(FOLDER, "*.json", "*.yaml"), ids=lambda p: p.name)
def test_counts_are_those_of_plain_documents(path: Path) -> None:
    reports = objects(path)
    flaws = [f for r in reports for f in r.get("report", {}).get("vulnerabilities") or ()]
    secrets = [s for r in reports for s in r.get("report", {}).get("secrets") or ()]
    checks = [c for r in reports for c in r.get("report", {}).get("checks") or ()]
    for evidence in both(path):
        assert broken(evidence) == []
        rows = evidence["vulnerabilities"]
        assert Counter(zip(rows["id"], rows["package"], rows["severity"], strict=True)) == Counter(
            (f["vulnerabilityID"], f["resource"], word(f["severity"])) for f in flaws
        )
        assert (rows["fix"] == "fixed").sum() == sum(bool(f["fixedVersion"]) for f in flaws)
        rows = evidence["image_secrets"]
        assert Counter(zip(rows["rule"], rows["file"], strict=True)) == Counter(
            (s["ruleID"], s["target"]) for s in secrets
        )
        if not any(r["kind"] == "ClusterComplianceReport" for r in reports):
            rows = evidence["tool_findings"]
            assert Counter(
                zip(rows["rule"], rows["status"] == "pass", rows["severity"], strict=True)
            ) == Counter((c.get("checkID", ""), c["success"], word(c["severity"])) for c in checks)
        scanned = [
            r for r in reports if r["kind"] in ("VulnerabilityReport", "ExposedSecretReport")
        ]
        scans = evidence["image_scans"]
        assert Counter(scans["name"]) == Counter(
            r["metadata"]["labels"]["trivy-operator.resource.name"] for r in scanned
        )


@needs_shared
def test_a_benchmark_in_detail_has_a_row_for_each_check() -> None:
    path = corpus(FOLDER, "clustercompliancereport-cis-894KB.json")
    status = json.loads(path.read_bytes())["status"]
    results = status["detailReport"]["results"]
    for evidence in both(path):
        rows = evidence["tool_findings"]
        assert Counter(zip(rows["rule"], rows["status"], strict=True)) == Counter(
            (r["id"], "pass" if c["success"] else "fail") for r in results for c in r["checks"]
        )
        failed = rows[rows["status"] == "fail"]
        assert failed["rule"].nunique() == status["summary"]["failCount"]
        (report,) = evidence["tool_reports"].to_dict("records")
        assert report["standard"] == "CIS Kubernetes Benchmarks v1.23"


@needs_shared
def test_a_benchmark_that_is_only_summed_has_a_row_for_each_control() -> None:
    path = corpus(FOLDER, "clustercompliancereport-summary.yaml")
    (document,) = objects(path)
    controls = document["status"]["summaryReport"]["controlCheck"]
    (evidence,) = both(path)
    rows = evidence["tool_findings"]
    expected = Counter(
        "manual" if "totalFail" not in c else "fail" if c["totalFail"] else "pass" for c in controls
    )
    assert Counter(rows["status"]) == expected
    assert expected["manual"] > 0


@needs_shared
def test_a_name_that_no_label_holds_is_that_of_the_owner() -> None:
    (evidence,) = both(corpus(FOLDER, "rbacassessmentreport.yaml"))
    assert set(evidence["tool_findings"]["name"]) == {"system:controller:token-cleaner"}


@needs_shared
def test_a_bill_of_materials_is_that_of_its_image() -> None:
    path = corpus(FOLDER, "sbomreport.yaml")
    (document,) = objects(path)
    components = document["report"]["components"]["components"]
    (evidence,) = both(path)
    rows = evidence["sbom_components"]
    assert Counter(zip(rows["name"], rows["version"], rows["type"], strict=True)) == Counter(
        (c["name"], c["version"], c["type"]) for c in components
    )
    (bill,) = evidence["sboms"].to_dict("records")
    assert bill["name"] == "k8s.gcr.io/kube-apiserver:v1.21.1"
    assert bill["components"] == len(components)
    assert bill["spec_version"] == "1.4"
    assert [digest[:14] for digest in bill["digests"]] == ["sha256:53a13cd"]


def test_a_dump_by_kind_is_read_kind_by_kind() -> None:
    evidence = read(FOLDER, EXAMPLES / FOLDER / "by-kind.json")
    scans = evidence["image_scans"]
    assert scans["artifact"].unique().tolist() == ["registry.example.org/shop/web:1.0"]
    assert scans["other_digest"].nunique() == 1
    assert scans["manifest_digest"].isna().all()
    rows = evidence["tool_findings"]
    assert "correct-horse-9" not in " ".join(rows["message"].dropna())
    assert Counter(rows["status"]) == {"fail": 5, "pass": 3, "manual": 2}
    scored = evidence["vulnerabilities"].set_index("id").loc["CVE-2099-00001"]
    assert (scored["cvss_score"], scored["cvss_vector"]) == (9.1, "CVSS:3.1/AV:N")
    assert list(scored["fixed_versions"]) == ["1.3", "1.4"]


@pytest.mark.parametrize(
    ("change", "told"),
    [({"severity": "Purple"}, ""), ({"score": 11}, "<= 10"), ({"score": -1}, ">= 0")],
)
def test_odd_values_are_told(change: dict[str, Any], told: str, tmp_path: Path) -> None:
    document = json.loads((EXAMPLES / FOLDER / "list.json").read_bytes())
    document[1]["report"]["vulnerabilities"][0] |= change
    evidence = given(FOLDER, document, tmp_path)
    gaps = broken(evidence)
    if told:
        (gap,) = gaps
        assert gap.what == "VulnerabilityReport shop/replicaset-web-1-web"
        assert told in gap.detail
        assert {"image_scans", "vulnerabilities"} <= set(gap.tables)
    else:
        assert gaps == []
        assert "unknown" in set(evidence["vulnerabilities"]["severity"])


def test_what_is_no_report_is_told(tmp_path: Path) -> None:
    pods = [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}]
    (gap,) = broken(given(FOLDER, pods, tmp_path))
    assert "v1, Pod" in gap.detail
    assert "vulnerabilities" in gap.tables
    (gap,) = broken(given(FOLDER, "kind: VulnerabilityReport\n", tmp_path))
    assert "YAML" in gap.detail
