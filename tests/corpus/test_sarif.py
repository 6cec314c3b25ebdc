"""Real SARIF of several tools: what the tables say is what plain JSON says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.collectors.test_tools import EXAMPLES
from tests.corpus.reading import broken, corpus, given, read
from tests.shared import needs_shared

FILES = [
    ("hadolint", "generated-2.15.1-three-dockerfiles.sarif"),
    ("grype", "golden-image.sarif"),
    ("trivy", "image-alpine-3.10.sarif"),
    ("trivy", "repo-trivy-0.15.sarif"),
    ("peers", "sarif-roxctl.json"),
    ("peers", "sarif-roxctl-empty.json"),
]
STEPS = ((9, "critical"), (7, "high"), (4, "medium"), (0.1, "low"), (0, "negligible"))
LEVELS = {"error": "high", "warning": "medium", "note": "low", "none": "negligible"}
WORDS = {"CRITICAL": "critical", "IMPORTANT": "high", "HIGH": "high", "MEDIUM": "medium"}
WORDS |= {"LOW": "low", "UNKNOWN": "unknown"}


def plain_severity(run: dict[str, Any], result: dict[str, Any]) -> str:
    # By id: Trivy 0.15 begins to count the indexes again with every target.
    rules = {rule["id"]: rule for rule in run["tool"]["driver"].get("rules") or []}
    bag = rules.get(result["ruleId"], {}).get("properties") or {}
    if "security-severity" in bag:
        return next(word for least, word in STEPS if float(bag["security-severity"]) >= least)
    told = [WORDS[tag] for tag in bag.get("tags", ()) if tag in WORDS and tag != "UNKNOWN"]
    return told[0] if told else LEVELS[result["level"]]


@needs_shared
@pytest.mark.parametrize("parts", FILES, ids="/".join)
def test_counts_are_those_of_plain_json(parts: tuple[str, str]) -> None:
    path = corpus(*parts)
    (run,) = json.loads(path.read_bytes())["runs"]
    results, driver = run["results"], run["tool"]["driver"]
    evidence = read("sarif", path)
    assert broken(evidence) == []
    rows = evidence["tool_findings"]
    assert Counter(rows["rule"]) == Counter(r["ruleId"] for r in results)
    assert Counter(rows["severity"]) == Counter(plain_severity(run, r) for r in results)
    files = [
        r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for r in results
        if r.get("locations")
    ]
    assert Counter(rows["file"].dropna()) == Counter(file for file in files if file)
    assert set(rows["status"]) <= {"fail"}
    (report,) = evidence["tool_reports"].to_dict("records")
    assert report["findings"] == len(results)
    assert report["tool"] == driver["name"].lower()
    rules = None if "rules" not in driver else len(driver["rules"])
    assert evidence["tool_reports"]["rules"].astype(object).where(
        evidence["tool_reports"]["rules"].notna(), None
    ).tolist() == [rules]


def example() -> Any:
    return json.loads((EXAMPLES / "sarif" / "rules.sarif").read_bytes())


def test_every_run_is_a_report_and_every_result_says_its_state() -> None:
    evidence = read("sarif", EXAMPLES / "sarif" / "rules.sarif")
    rows = evidence["tool_findings"].sort_values("position")
    assert list(zip(rows["rule"], rows["status"], rows["severity"], strict=True)) == [
        ("CVE-2099-00001", "fail", "critical"),
        ("KSV001", "skip", "medium"),
        ("KSV001", "pass", "medium"),
        ("py/made-up", "fail", "high"),
        ("py/made-up/part", "fail", "high"),
        ("py/gone", "skip", "medium"),
    ]
    assert rows["message"].tolist()[3] == "The value x of y is made up"
    assert "correct-horse-9" not in rows["message"].tolist()[4]
    reports = evidence["tool_reports"]
    assert reports["tool"].tolist() == ["codeql", "trivy"]
    assert reports["report"].nunique() == 2
    assert reports["rules"].tolist() == [1, 2]


def test_a_run_without_results_is_not_complete() -> None:
    reports = read("sarif", EXAMPLES / "sarif" / "bare.json")["tool_reports"]
    assert reports["findings"].tolist() == [3, 0]
    assert reports["complete"].fillna(True).tolist() == [True, False]


@pytest.mark.parametrize("score", ["11", -1, "purple", "nan"])
def test_a_score_out_of_range_is_told(score: Any, tmp_path: Path) -> None:
    document = example()
    rule = document["runs"][0]["tool"]["driver"]["rules"][0]
    rule["properties"]["security-severity"] = score
    evidence = given("sarif", document, tmp_path)
    (gap,) = broken(evidence)
    assert gap.detail.startswith("item 1 of given.json")
    assert len(evidence["tool_findings"]) == 5


def test_another_version_is_told(tmp_path: Path) -> None:
    document = example() | {"version": "1.0.0"}
    (gap,) = broken(given("sarif", document, tmp_path))
    assert "SARIF 1.0.0" in gap.detail


def test_rules_may_stand_behind_the_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = example()
    document["runs"] = [dict(sorted(run.items())) for run in document["runs"]]
    whole = given("sarif", document, tmp_path)["tool_findings"]
    monkeypatch.setattr("kaudit.source.tools.LARGE", 16)
    parted = given("sarif", document, tmp_path)["tool_findings"]
    assert parted["severity"].tolist() == whole["severity"].tolist()
