"""Real logs of sensors and of the API server: every event that plain JSON finds is a row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.reading import broken, corpus, files, read
from tests.shared import needs_shared

BROKEN = {"process-lsm.json", "audit-event-empty-kind-number.json"}


def objects(path: Path) -> Iterator[dict[str, Any]]:
    """Objects of a file, however they stand in it, without any code of kaudit."""
    text, at = path.read_text(), 0
    while (start := text.find("{", at)) >= 0:
        try:
            found, at = json.JSONDecoder().raw_decode(text, start)
        except ValueError:
            at = start + 1
            continue
        yield found


@needs_shared
@pytest.mark.parametrize("path", files("falco", "*.*"), ids=lambda p: p.name)
def test_alerts_by_rule_and_priority(path: Path) -> None:
    plain = [one for one in objects(path) if "rule" in one]
    evidence = read("falco", path)
    assert broken(evidence) == []
    rows = evidence["events"]
    assert Counter(zip(rows["rule"], rows["priority_told"], strict=True)) == Counter(
        (one["rule"], str(one["priority"])) for one in plain
    )
    assert rows["priority"].notna().all()
    assert rows["first_at"].notna().all()
    assert [list(tags) for tags in rows["tags"]] == [sorted(one.get("tags", [])) for one in plain]
    internal = [one["rule"].startswith("Falco internal") for one in plain]
    assert rows["internal"].tolist() == internal


@needs_shared
@pytest.mark.parametrize("path", files("tetragon", "*.*"), ids=lambda p: p.name)
def test_events_of_tetragon_by_type_and_binary(path: Path) -> None:
    evidence = read("tetragon", path)
    rows = evidence["events"]
    if path.name in BROKEN:
        assert len(rows) == 0
        assert broken(evidence)
        return
    assert broken(evidence) == []
    plain = []
    for one in objects(path):
        (kind,) = (key for key in one if key.startswith("process_"))
        plain.append((kind, one[kind]["process"]["binary"], one["node_name"]))
    assert Counter(zip(rows["type"], rows["process"], rows["node"], strict=True)) == Counter(plain)
    assert rows["first_at"].notna().all()


@needs_shared
@pytest.mark.parametrize("path", files("kubernetes", "audit-*.jsonl"), ids=lambda p: p.name)
def test_requests_by_verb_user_and_answer(path: Path) -> None:
    rows = read("kubernetes-audit", path)["audit_events"]
    plain = [one for one in objects(path) if "verb" in one]
    assert len(plain) == len(path.read_text().splitlines())
    assert Counter(zip(rows["verb"], rows["user"], rows["code"], strict=True)) == Counter(
        (one["verb"], one["user"]["username"], one["responseStatus"]["code"]) for one in plain
    )
    assert rows["first_at"].notna().all()


@needs_shared
def test_what_is_asked_of_the_api_is_not_kept() -> None:
    path = corpus("kubernetes", "audit-configmap-sensitive.jsonl")
    evidence = read("kubernetes-audit", path)
    kept = "".join(json.dumps(evidence.record("events.kubernetes-audit", n)) for n in range(1, 7))
    assert '"data"' not in kept
    values = [v for one in objects(path) for v in one["requestObject"].get("data", {}).values()]
    assert values
    assert not any(value in kept for value in values if len(value) > 8)
