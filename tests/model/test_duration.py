"""Durations as Go writes them."""

import pytest

from kaudit.model.duration import seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1h", 3600.0),
        ("1h0m0s", 3600.0),
        ("720h", 2592000.0),
        ("1h15m30.5s", 4530.5),
        (".5m", 30.0),
        ("1.s", 1.0),
        ("100ms", 0.1),
        ("3µs", 3e-6),
        ("3μs", 3e-6),
        ("-5m", -300.0),
        ("+5m", 300.0),
        ("0", 0.0),
        ("0s", 0.0),
        (0, 0.0),
    ],
)
def test_durations(text: str | int, expected: float) -> None:
    assert seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text", [None, "", "5", 5, "1d", "1h ", "h", "1 h", "1H", "٣s", "s1", "--1s", "9999999999h"]
)
def test_what_is_none(text: str | int | None) -> None:
    assert seconds(text) is None
