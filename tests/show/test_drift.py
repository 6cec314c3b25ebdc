"""Drift as reports show it: every finding is in one number, and what was not seen is told."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kaudit import show
from kaudit.assess import assess
from kaudit.assessment import Assessment
from kaudit.collect import collect
from kaudit.compare import Change, compare
from kaudit.dossier import audit_report
from kaudit.errors import InputError
from kaudit.registry import CONTROLS
from kaudit.rerun import rerun
from kaudit.show import blocks as b
from kaudit.show.block_html import standalone
from tests.memory_source import MemorySource
from tests.test_compare import broken, pod

HOSTILE = "<script>alert(1)</script>"


def judged(*objects: dict[str, object], day: int = 1) -> Assessment:
    evidence = collect(MemorySource(*objects), as_of=datetime(2026, 1, day, tzinfo=UTC))
    return assess(evidence, [CONTROLS["KA-DEP-001"], CONTROLS["KA-DEP-004"]])


def numbers(stack: b.Stack) -> dict[str, object]:
    (found,) = (part for part in stack.blocks if isinstance(part, b.Numbers))
    return {one.label: one.value for one in found.items}


def tables(stack: b.Stack) -> dict[str, b.Table]:
    return {
        part.caption.partition(":")[0]: part for part in stack.blocks if isinstance(part, b.Table)
    }


def titles(stack: b.Stack) -> list[str]:
    return [part.title for part in stack.blocks if isinstance(part, b.Callout)]


def test_every_finding_is_in_one_number_and_one_table() -> None:
    old = judged(pod("stays"), pod("mended"), pod("removed"), pod("hidden"), pod("old"))
    new = judged(pod("stays"), pod("mended", privileged=False), broken("hidden"), pod("new"), day=2)
    found = compare(old, new)
    stack = show.drift(found)
    assert numbers(stack) == {change.value: found.counts[change] for change in Change}
    said = {
        caption: [[str(cell) for cell in row] for row in table.rows]
        for caption, table in tables(stack).items()
    }
    assert [row[2] for row in said["What is new"]] == ["Pod shop/new, container c"]
    assert [row[2] for row in said["What was fixed"]] == ["Pod shop/mended, container c"]
    ((_, control, why, number),) = said["What cannot be compared"]
    assert (control, number) == ("KA-DEP-001", "3")
    assert why.startswith("Pod shop/hidden: broken")
    assert [row[1::2] for row in said["What persists, by control"]] == [["KA-DEP-001", "1"]]
    assert titles(stack) == []
    (figure,) = (part for part in stack.blocks if isinstance(part, b.Figure))
    assert "deploy: 1 new, 1 persisting, 1 fixed, 3 incomparable" in figure.alt


def test_what_is_gone_is_said_so() -> None:
    stack = show.drift(compare(judged(pod("a"), pod("b")), judged(pod("b"), day=2)))
    assert [row[2] for row in tables(stack)["What is gone"].rows] == ["Pod shop/a, container c"]


def test_a_baseline_that_is_later_is_told() -> None:
    stack = show.drift(compare(judged(pod("a"), day=2), judged(pod("a"))))
    assert titles(stack) == ["The baseline is later than the evidence"]


def test_where_nothing_fails_it_says_so() -> None:
    good = judged(pod("a", privileged=False))
    stack = show.drift(compare(good, good))
    assert titles(stack) == ["Nothing fails on either side"]


def test_names_are_escaped() -> None:
    stack = show.drift(compare(judged(pod("a")), judged(pod(HOSTILE), broken(HOSTILE + "x"))))
    assert HOSTILE not in standalone(stack)


def test_a_report_on_drift_holds_both_and_is_reproduced(tmp_path: Path) -> None:
    for name, found in (("old.json", pod("a")), ("new.json", pod("b"))):
        (tmp_path / name).write_text(json.dumps(found))
    old, new = (str(tmp_path / name) for name in ("old.json", "new.json"))
    out = tmp_path / "out"
    audit_report([new], out, notebook="drift", baseline=old, pdf=False)
    page = (out / "drift.html").read_text()
    assert "What is new" in page
    assert "Pod shop/b, container c" in page
    assert (out / "baseline.kaudit").is_file()
    assert "new,KA-DEP-001" in (out / "tables" / "changes.csv").read_text()
    assert rerun(out).identical


@pytest.mark.parametrize(
    ("notebook", "baseline", "said"),
    [("drift", "", "name a --baseline"), ("build", "x.json", "has no parameter 'baseline'")],
)
def test_a_baseline_belongs_to_a_notebook_that_compares(
    tmp_path: Path, notebook: str, baseline: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        audit_report(["x.json"], tmp_path / "out", notebook=notebook, baseline=baseline)
