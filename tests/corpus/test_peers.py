"""Real outputs of other tools: what the tables say is what plain JSON says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kaudit.evidence.bundle import Evidence
from tests.collectors.test_tools import EXAMPLES
from tests.corpus.reading import broken, corpus, files, given, read
from tests.shared import needs_shared


def peers(pattern: str) -> list[Path]:
    return files("peers", pattern)


def plain(path: Path) -> Any:
    return json.loads(path.read_bytes())


def counted(evidence: Evidence, *columns: str) -> Counter[tuple[Any, ...]]:
    rows = evidence["tool_findings"][list(columns)]
    return Counter(rows.fillna("").itertuples(index=False, name=None))


def report(evidence: Evidence) -> dict[str, Any]:
    """Return the one report, which counts the findings that there are."""
    assert broken(evidence) == []
    (found,) = evidence["tool_reports"].to_dict("records")
    assert found["findings"] == len(evidence["tool_findings"])
    return {str(name): value for name, value in found.items()}


@needs_shared
@pytest.mark.parametrize("path", peers("kube-bench-*.json"), ids=lambda p: p.name)
def test_kube_bench(path: Path) -> None:
    document = plain(path)
    groups = document["Controls"] if isinstance(document, dict) else document
    checks = [c for group in groups for test in group["tests"] for c in test["results"]]
    evidence = read("kube-bench", path)
    words = {"PASS": "pass", "FAIL": "fail", "WARN": "warn", "INFO": "skip"}
    assert counted(evidence, "rule", "status") == Counter(
        (c["test_number"], "manual" if c["type"] == "manual" else words[c["status"]])
        for c in checks
    )
    found = report(evidence)
    assert set(found["subject"].split(", ")) == {group["node_type"] for group in groups}
    if isinstance(document, dict):
        totals = document["Totals"]
        statuses = Counter(evidence["tool_findings"]["status"])
        assert statuses["pass"] == totals["total_pass"]
        assert statuses["fail"] == totals["total_fail"]
        assert statuses["warn"] + statuses["manual"] == totals["total_warn"]


@needs_shared
def test_text_of_kube_bench_is_refused_with_the_way_out() -> None:
    (gap,) = broken(read("kube-bench", corpus("peers", "kube-bench-text-output.txt")))
    assert "kube-bench-text-output.txt" in gap.what
    assert "--json" in gap.detail


@needs_shared
@pytest.mark.parametrize("path", peers("kubescape-*.json"), ids=lambda p: p.name)
def test_kubescape(path: Path) -> None:
    document = plain(path)
    factors = document["summaryDetails"]["controls"]
    steps = ((9, "critical"), (7, "high"), (4, "medium"), (1, "low"), (0, "unknown"))
    objects = {r["resourceID"]: r["object"] for r in document["resources"]}
    expected: Counter[tuple[Any, ...]] = Counter()
    for result in document["results"]:
        thing = objects[result["resourceID"]]
        name = (thing.get("metadata") or thing).get("name", "")
        for control in result["controls"]:
            failed = any(rule["status"] == "failed" for rule in control["rules"])
            factor = factors[control["controlID"]]["scoreFactor"]
            word = next(word for least, word in steps if factor >= least)
            status = "fail" if failed else "pass"
            expected[control["controlID"], status, word, thing["kind"], name] += 1
    evidence = read("kubescape", path)
    assert counted(evidence, "rule", "status", "severity", "kind", "name") == expected
    assert report(evidence)["rules"] == len(factors)


def test_kubescape_of_its_first_format_is_refused(tmp_path: Path) -> None:
    (gap,) = broken(given("kubescape", [{"name": "NSA", "controlReports": []}], tmp_path))
    assert "--format-version v2" in gap.detail


def test_what_kubescape_skips_does_not_pass() -> None:
    evidence = read("kubescape", EXAMPLES / "kubescape" / "v2.json")
    rows = evidence["tool_findings"].set_index("rule")
    assert rows["status"].to_dict() == {
        "C-0017": "fail",
        "C-0038": "skip",
        "C-0099": "manual",
        "C-0050": "pass",
        "C-0007": "fail",
    }
    assert rows.loc["C-0017", "message"] == "spec.a, spec.b"
    assert [rows.loc["C-0007", name] for name in ("namespace", "kind", "name")] == [
        "shop",
        "ServiceAccount",
        "x",
    ]


@needs_shared
@pytest.mark.parametrize("path", peers("polaris-*.json"), ids=lambda p: p.name)
def test_polaris(path: Path) -> None:
    document = plain(path)
    words = {"danger": "high", "warning": "medium"}
    expected: Counter[tuple[Any, ...]] = Counter()
    for result in document["Results"]:
        pod = result["PodResult"]
        for checks in (result, pod, *pod["ContainerResults"]):
            for check in checks["Results"].values():
                status = "pass" if check["Success"] else "fail"
                expected[check["ID"], status, words[check["Severity"]], result["Name"]] += 1
    evidence = read("polaris", path)
    assert counted(evidence, "rule", "status", "severity", "name") == expected
    assert report(evidence)["subject"] == document["DisplayName"]


@needs_shared
@pytest.mark.parametrize("path", peers("popeye-*.json"), ids=lambda p: p.name)
def test_popeye(path: Path) -> None:
    body = plain(path)["popeye"]
    sections = body.get("sections") or body["sanitizers"]
    issues = [
        (issue["level"], issue["message"][1:].partition("]")[0], name.rpartition("/")[2])
        for section in sections
        for name, found in (section.get("issues") or {}).items()
        for issue in found
    ]
    words = ["ok", "info", "warning", "error"]
    evidence = read("popeye", path)
    assert counted(evidence, "severity_written", "rule", "name") == Counter(
        (words[level], code, name) for level, code, name in issues
    )
    found = report(evidence)
    assert found["score"] == body["score"]
    unread = [s for s in sections if s["tally"]["error"] and not s.get("issues")]
    assert evidence["tool_reports"]["complete"].fillna(True).tolist() == [not unread]


@needs_shared
@pytest.mark.parametrize("path", peers("kube-linter-*.json"), ids=lambda p: p.name)
def test_kube_linter(path: Path) -> None:
    document = plain(path)
    evidence = read("kube-linter", path)
    assert counted(evidence, "rule", "file", "name") == Counter(
        (r["Check"], r["Object"]["Metadata"]["FilePath"], r["Object"]["K8sObject"]["Name"])
        for r in document["Reports"]
    )
    found = report(evidence)
    assert found["rules"] == len(document["Checks"])
    assert found["tool_version"] == document["Summary"]["KubeLinterVersion"]


@needs_shared
@pytest.mark.parametrize("path", peers("kubeaudit*.jsonl"), ids=lambda p: p.name)
def test_kubeaudit(path: Path) -> None:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    evidence = read("kubeaudit", path)
    assert counted(evidence, "rule", "severity_written", "kind", "name") == Counter(
        (x["AuditResultName"], x["level"], x["ResourceKind"], x["ResourceName"]) for x in lines
    )
    report(evidence)


def test_a_line_that_is_no_json_is_told(tmp_path: Path) -> None:
    text = (EXAMPLES / "kubeaudit" / "results.jsonl").read_text()
    evidence = given("kubeaudit", "time=now msg=starting\n" + text, tmp_path)
    (gap,) = broken(evidence)
    assert "line 1" in gap.detail
    assert len(evidence["tool_findings"]) == 3


@needs_shared
@pytest.mark.parametrize("path", peers("kube-hunter-*.json"), ids=lambda p: p.name)
def test_kube_hunter(path: Path) -> None:
    found = plain(path)["vulnerabilities"]
    evidence = read("kube-hunter", path)
    assert counted(evidence, "title", "severity", "name") == Counter(
        (v["vulnerability"], v["severity"], v["location"]) for v in found
    )
    report(evidence)


def test_evidence_of_a_hunt_is_not_kept() -> None:
    evidence = read("kube-hunter", EXAMPLES / "kube-hunter" / "many.json")
    kept = " ".join(map(str, evidence.table("tool_findings").to_numpy().ravel()))
    assert "eyJhbGciOi" not in kept
    assert evidence["tool_findings"]["rule"].tolist() == ["KHV050", "CAP_NET_RAW Enabled"]


def test_prowler() -> None:
    evidence = read("prowler", EXAMPLES / "prowler" / "kubernetes.json")
    assert counted(evidence, "rule", "status", "severity") == Counter(
        {
            ("apiserver_a", "fail", "medium"): 1,
            ("apiserver_b", "pass", "high"): 1,
            ("apiserver_c", "manual", "negligible"): 1,
            ("apiserver_d", "skip", "critical"): 1,
        }
    )
    found = report(evidence)
    assert found["tool_version"] == "5.99.0"
    assert found["ended_at"].year == 2099


def test_credentials_in_messages_are_masked() -> None:
    for name in ("kube-bench/totals.json", "prowler/kubernetes.json"):
        path = EXAMPLES / name
        rows = read(path.parent.name, path)["tool_findings"]
        assert "correct-horse-9" not in " ".join(rows["message"].dropna())


@pytest.mark.parametrize(
    ("format", "document", "told"),
    [
        ("polaris", {"PolarisOutputVersion": "1.0", "Results": [{"Results": 5}]}, "$.Results"),
        ("popeye", {"popeye": {"sections": [{"issues": [1]}]}}, "section 1"),
        ("kube-bench", [{"tests": [{"results": 5}]}], "group 1"),
        ("kubescape", {"summaryDetails": {}, "results": [{"controls": 5}]}, "$.controls"),
        ("kube-linter", {"Checks": [], "Reports": [{"Check": 5}]}, "$.finding.Check"),
        ("prowler", [{"time": -1}], ">= 0"),
    ],
)
def test_what_cannot_be_read_is_told(format: str, document: Any, told: str, tmp_path: Path) -> None:
    (gap,) = broken(given(format, document, tmp_path))
    assert "given.json" in gap.detail
    assert told in gap.detail
    assert "tool_findings" in gap.tables
