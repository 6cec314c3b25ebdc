"""Real findings of Hadolint: what the tables say is what plain JSON says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.corpus.reading import broken, corpus, files, given, read
from tests.shared import needs_shared

SEVERITIES = {"error": "high", "warning": "medium", "info": "low", "style": "negligible"}


@needs_shared
@pytest.mark.parametrize("path", files("hadolint", "*.json"), ids=lambda p: p.name)
def test_counts_are_those_of_plain_json(path: Path) -> None:
    found = json.loads(path.read_bytes())
    evidence = read("hadolint", path)
    assert broken(evidence) == []
    rows = evidence["tool_findings"]
    assert Counter(zip(rows["rule"], rows["severity"], rows["line"], strict=True)) == Counter(
        (f["code"], SEVERITIES[f["level"]], f["line"]) for f in found
    )
    assert Counter(rows["file"]) == Counter(f["file"].replace("\\", "/") for f in found)
    assert evidence["tool_reports"]["findings"].tolist() == [len(found)]


@needs_shared
def test_five_dockerfiles_in_one_list() -> None:
    evidence = read("hadolint", corpus("hadolint", "generated-2.15.1-five-dockerfiles.json"))
    assert len(evidence["tool_findings"]) == 16
    assert evidence["tool_findings"]["file"].nunique() == 4  # one of five is clean


@pytest.mark.parametrize("text", ["[]", "[]\n"])
def test_nothing_found_is_a_report_without_findings(text: str, tmp_path: Path) -> None:
    evidence = given("hadolint", text, tmp_path)
    assert broken(evidence) == []
    assert evidence["tool_reports"]["findings"].tolist() == [0]


def test_a_level_of_another_spelling_is_unknown(tmp_path: Path) -> None:
    found = [{"code": "DL1", "level": "Purple", "line": 1, "message": "m", "file": "Dockerfile"}]
    row = given("hadolint", found, tmp_path)["tool_findings"].iloc[0]
    assert (row["severity"], row["severity_written"]) == ("unknown", "Purple")
