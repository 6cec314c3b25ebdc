"""Pythons add fractions in different ways (``sum`` since 3.12); what is shown is the same."""

import builtins
from collections.abc import Callable, Iterable
from math import fsum
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kaudit.model.duration import seconds
from kaudit.model.words import Status
from kaudit.show import blocks as b
from kaudit.show import charts
from kaudit.template.paper_table import table_node

counts = st.dictionaries(
    st.sampled_from([status.value for status in Status]), st.integers(0, 400), min_size=2
)
words = st.text("aim W.", max_size=60)
patching = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


def one_by_one(values: Iterable[Any], start: Any = 0) -> Any:
    for value in values:
        start = start + value
    return start


def as_exact_as_can_be(values: Iterable[Any], start: Any = 0) -> Any:
    kept = list(values)
    exact = any(isinstance(value, float) for value in kept)
    return fsum([start, *kept]) if exact else one_by_one(kept, start)


def with_both(monkeypatch: pytest.MonkeyPatch, shown: Callable[[], object]) -> list[object]:
    found = []
    for added in (one_by_one, as_exact_as_can_be):
        with monkeypatch.context() as patched:
            patched.setattr(builtins, "sum", added)
            found.append(shown())
    return found


@patching
@given(counts)
@example({"pass": 148, "fail": 11, "not_assessed": 213, "not_applicable": 284, "error": 328})
@example({"pass": 16, "fail": 344, "not_assessed": 36, "not_applicable": 42, "error": 8})
def test_bars_are_drawn_alike(monkeypatch: pytest.MonkeyPatch, row: dict[str, int]) -> None:
    one, other = with_both(monkeypatch, lambda: charts.status_bars({"build": row}))
    assert one == other


@patching
@given(st.lists(st.tuples(words, words, words), min_size=1, max_size=8))
def test_tables_are_as_wide(monkeypatch: pytest.MonkeyPatch, rows: list[tuple[str, ...]]) -> None:
    columns = (b.Column("a"), b.Column("b", weight=0.1), b.Column("c", weight=0.7))
    table = b.Table("", columns, tuple(rows))
    one, other = with_both(monkeypatch, lambda: table_node(table))
    assert one == other


@pytest.mark.parametrize("text", ["1h0.1s0.2s0.3s", "0.1ms0.2ms0.3ms", "1.1h2.2m3.3s"])
def test_durations_are_as_long(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    one, other = with_both(monkeypatch, lambda: seconds.__wrapped__(text))
    assert one == other
