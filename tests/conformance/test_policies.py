"""Policies of others, taken apart as somebody who read them would.

``policies.csv`` was written by reading the policies, not by running kaudit: the kinds that a
rule matches (those of autogen left out), the lists of containers that it looks at (containers,
init, ephemeral), its mode, and whether Kyverno adds kinds to it.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kaudit.collect import collect
from kaudit.columns import records
from tests.memory_source import MemorySource, objects
from tests.shared import SHARED, needs_shared, shared

_TEXT = (Path(__file__).parent / "policies.csv").read_text(encoding="utf-8")
_ROWS = list(csv.DictReader(_TEXT.splitlines()))
_READS = {"c": "reads_containers", "i": "reads_init", "e": "reads_ephemeral"}
_ROOTS = ("gatekeeper-library", "kyverno-policies")
_TESTS = {"kyverno-test", "chainsaw-test"}


def files(folder: Path) -> list[Path]:
    """Files of the policy of a folder; of a constraint its template too."""
    if (folder / "constraint.yaml").is_file():
        return [folder / "constraint.yaml", folder.parents[1] / "template.yaml"]
    return sorted(folder.glob("*.yaml"))


def anatomy(*found: Path) -> list[dict[str, Any]]:
    parts = [objects(path.read_text(encoding="utf-8")) for path in found]
    evidence = collect(MemorySource(*(one for part in parts for one in part if "kind" in one)))
    assert not [gap for gap in evidence.gaps if gap.failed and gap.tables]
    return records(evidence.table("policy_anatomy"))


@needs_shared
@pytest.mark.parametrize("row", _ROWS, ids=lambda row: f"{row['folder']} {row['rule']}".strip())
def test_policy(row: dict[str, str]) -> None:
    found = anatomy(*files(shared("conformance", row["folder"])))
    (rule,) = (one for one in found if one["rule"] == row["rule"])
    reads = {letter for letter, column in _READS.items() if rule[column]}
    kinds = [kind for kind in rule["kinds"] if kind not in rule["autogen"]]
    assert rule["reads_known"]
    assert None not in [rule[column] for column in _READS.values()]
    assert {
        "kinds": " ".join(kinds),
        "reads": reads,
        "mode": rule["mode"],
        "autogen": "yes" if rule["autogen"] else "no",
    } == {
        "kinds": row["kinds"],
        "reads": set(row["reads"].split()),
        "mode": row["mode"],
        "autogen": row["autogen"],
    }


@cache
def all_rules() -> list[dict[str, Any]]:
    found: list[Path] = []
    for root in _ROOTS:
        for path in sorted(shared("conformance", root).rglob("*.yaml")):
            named = path.name in ("template.yaml", "constraint.yaml")
            if named if root == _ROOTS[0] else _TESTS.isdisjoint(path.parts):
                found.append(path)
    return anatomy(*found)


@needs_shared
def test_most_policies_can_be_read() -> None:
    found = all_rules()
    unknown = [(one["policy"], one["rule"]) for one in found if not one["reads_known"]]
    assert len(found) > 300
    assert len(unknown) / len(found) < 0.01, unknown


@needs_shared
def test_what_can_be_read_tells_of_every_list() -> None:
    assert SHARED is not None
    for one in all_rules():
        told = [one[column] is not None for column in _READS.values()]
        assert all(told) or not one["reads_known"]
