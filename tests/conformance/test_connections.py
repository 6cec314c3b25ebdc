"""Connectivity: the truth tables of Kubernetes and of its policy API, and a peer's lists."""

from __future__ import annotations

import pytest

from tests.conformance.connectivity import CORE, LISTS, TABLES, Case, cases, outcome, wrong_pairs
from tests.conformance.differences import FILE, connections
from tests.shared import SHARED, needs_shared


def _cases(*suites: str) -> list[Case]:
    return [case for suite in suites for case in cases(suite)] if SHARED else []


@needs_shared
@pytest.mark.parametrize("case", _cases(*TABLES), ids=lambda case: case.id)
def test_every_pair_of_a_truth_table_is_right(case: Case) -> None:
    assert wrong_pairs(case) == []


@needs_shared
def test_lists_agree_or_it_is_told_why_not() -> None:
    found = [outcome(case) for case in cases(LISTS)]
    lists = [o for o in found if o.case.rule != "invalid-input" and o.case.level in CORE]
    assert len(lists) == 50
    assert [o for o in lists if not o.agrees] == []
    assert connections(found) in FILE.read_text(encoding="utf-8")
    told = [line for line in connections(found).splitlines() if line.startswith("| `")]
    assert all(line.split("|")[4].strip() for line in told), "each needs a reason"
