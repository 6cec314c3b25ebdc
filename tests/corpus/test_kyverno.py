"""Real objects of Kyverno, and real policy reports: the tables say what plain YAML says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from kaudit.collect import collect
from kaudit.source.files import FileSource
from tests.corpus.reading import broken, corpus, files
from tests.shared import needs_shared

FOLDER = "kyverno"
PATHS = [p for p in files(FOLDER, "*.json", "*.yaml") if "empty-list" not in p.name]


def objects(path: Path) -> list[dict[str, Any]]:
    whole = [d for d in yaml.safe_load_all(path.read_text()) if d]
    return [item for d in whole for item in (d["items"] if d["kind"] == "List" else [d])]


@needs_shared
@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.name)
def test_counts_are_those_of_plain_documents(path: Path) -> None:
    evidence = collect(FileSource(path))
    assert broken(evidence) == []
    found = objects(path)
    reports = [o for o in found if "Report" in o["kind"]]
    policies = [o for o in found if o["kind"].endswith("Policy")]
    assert len(reports) + len(policies) == len(found)
    assert sorted(evidence["policy_reports"]["name"]) == sorted(
        r["metadata"]["name"] for r in reports
    )
    results = [x for r in reports for x in r.get("results") or ()]
    rows = evidence["policy_results"]
    once = rows[rows["number"] == 1]
    assert Counter(zip(once["policy"], once["result"], strict=True)) == Counter(
        (x.get("policy", ""), x.get("result", "").lower()) for x in results
    )
    assert len(rows) == sum(len(x.get("resources") or [0]) for x in results)
    assert sorted(evidence["kyverno_policies"]["name"]) == sorted(
        p["metadata"]["name"] for p in policies
    )
    named = [rule["name"] for p in policies for rule in p["spec"].get("rules") or [{"name": ""}]]
    assert sorted(evidence["kyverno_rules"]["rule"]) == sorted(named)


@needs_shared
def test_a_summary_that_contradicts_its_results() -> None:
    for name, contradicts in (
        ("clusterpolicyreport-v1alpha2.json", True),
        ("openreports-kyverno-docs.yaml", False),
    ):
        evidence = collect(FileSource(corpus(FOLDER, name)))
        assert evidence["policy_reports"]["contradicts"].tolist() == [contradicts]


@needs_shared
def test_what_a_real_policy_looks_at() -> None:
    evidence = collect(FileSource(corpus(FOLDER, "clusterpolicy-disallow-privileged.yaml")))
    (row,) = evidence["kyverno_rules"].to_dict("records")
    assert (row["action"], list(row["ways"]), list(row["kinds"])) == ("Audit", ["pattern"], ["Pod"])
    assert list(row["container_fields"]) == ["containers", "ephemeralContainers", "initContainers"]
    evidence = collect(FileSource(corpus(FOLDER, "validatingpolicy-disallow-latest-tag.yaml")))
    (row,) = evidence["kyverno_rules"].to_dict("records")
    assert (row["action"], list(row["container_fields"])) == ("Audit", ["containers"])
