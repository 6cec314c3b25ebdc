"""Real scores of kubesec: what the tables say is what plain JSON says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.collectors.test_tools import EXAMPLES
from tests.corpus.reading import broken, corpus, files, given, read
from tests.shared import needs_shared

STATUS = {"critical": "fail", "advise": "warn", "passed": "pass"}


@needs_shared
@pytest.mark.parametrize("path", files("kubesec", "*.json"), ids=lambda p: p.name)
def test_counts_are_those_of_plain_json(path: Path) -> None:
    objects = json.loads(path.read_bytes())
    evidence = read("kubesec", path)
    assert broken(evidence) == []
    rules = [
        (STATUS[outcome], rule.get("id") or rule["selector"], one["object"])
        for one in objects
        for outcome in STATUS
        for rule in one["scoring"].get(outcome) or ()
    ]
    rows = evidence["tool_findings"]
    named = rows["kind"] + "/" + rows["name"] + "." + rows["namespace"]
    assert Counter(zip(rows["status"], rows["rule"], named, strict=True)) == Counter(rules)
    assert evidence["tool_reports"]["findings"].tolist() == [len(rules)]
    scores = evidence["kubesec_scores"].sort_values("position")
    assert scores["score"].tolist() == [one["score"] for one in objects]
    assert scores["valid"].tolist() == [one["valid"] for one in objects]


def test_an_object_that_kubesec_has_no_rules_for_was_not_judged() -> None:
    scores = read("kubesec", EXAMPLES / "kubesec" / "three.json")["kubesec_scores"]
    assert scores.sort_values("position")["judged"].tolist() == [True, False, False]


@needs_shared
def test_json_with_comments_is_a_gap_that_says_so() -> None:
    path = corpus("kubesec", "readme-sample-with-comments.json5")
    evidence = read("kubesec", path)
    (gap,) = broken(evidence)
    assert path.name in gap.what
    assert "comment" in gap.detail
    assert len(evidence["kubesec_scores"]) == 0


def test_a_score_that_is_no_number_is_told(tmp_path: Path) -> None:
    found = [{"object": "Pod/a.b", "valid": True, "score": "many", "scoring": {"critical": [{}]}}]
    evidence = given("kubesec", found, tmp_path)
    (gap,) = broken(evidence)
    assert "$.subject.score" in gap.detail
    assert len(evidence["tool_findings"]) == 1
