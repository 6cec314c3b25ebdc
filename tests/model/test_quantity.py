"""Quantities are rounded up to whole units, as the API server does."""

import pytest

from kaudit.model.quantity import number, whole

MOST = 2**63 - 1


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1", 1),
        ("1500m", 2),
        ("1m", 1),
        ("0.1Ki", 103),
        ("1.5Gi", 1_610_612_736),
        ("-1500m", -1),
        ("9E", 9 * 10**18),
        ("9.3E", MOST),
        ("10Ei", MOST),
        ("-10Ei", -MOST),
        (" 2k ", 2000),
        (3, 3),
        (True, None),
        (None, None),
        ("1KiB", None),
        ("", None),
    ],
)
def test_whole(written: str | int | None, expected: int | None) -> None:
    assert whole(written) == expected


def test_parts_of_a_unit_are_divided_and_not_multiplied() -> None:
    assert [number(text) for text in ("700m", "7e2m", "1u", "1n", ".5")] == [
        *(0.7, 0.7, 1e-6, 1e-9, 0.5)
    ]
