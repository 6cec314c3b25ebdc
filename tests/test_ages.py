"""Ages are whole days; a limit is passed when more than it has gone by, not when it is reached."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from kaudit.ages import days_since, ended, older, remaining_days, seconds_since, sooner

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def cluster(*, told: bool = True, at: datetime | None = NOW) -> pd.DataFrame:
    return pd.DataFrame({"as_of": pd.Series([at], dtype=TIME), "as_of_told": [told]})


TIME = pd.ArrowDtype(pa.timestamp("us", tz="UTC"))


def times(*moments: datetime | None) -> Any:
    return pd.Series(moments, dtype=TIME)


def days(*numbers: int | None) -> Any:
    return pd.Series(numbers, dtype=pd.ArrowDtype(pa.int64()))


def said(column: Any) -> list[Any]:
    return [None if pd.isna(value) else value for value in column]


def test_days_since_are_whole_and_never_below_zero() -> None:
    moments = times(NOW - DAY + SECOND, NOW - DAY, NOW + DAY, None)
    assert said(days_since(moments, cluster())) == [0, 1, 0, None]
    assert said(seconds_since(moments, cluster())) == [86_399, 86_400, 0, None]


def test_remaining_days_count_down_to_below_zero_once_the_end_has_passed() -> None:
    moments = times(NOW + DAY, NOW + DAY - SECOND, NOW, NOW - SECOND, NOW - DAY - SECOND, None)
    assert said(remaining_days(moments, cluster())) == [1, 0, 0, -1, -2, None]


@pytest.mark.parametrize("function", [days_since, seconds_since, remaining_days])
def test_without_a_moment_nothing_is_told(function: Any) -> None:
    assert said(function(times(NOW), cluster(at=None))) == [None]


def test_a_limit_that_is_reached_is_not_passed() -> None:
    assert said(older(days(89, 90, 91, None), 90, cluster())) == [False, False, True, None]
    assert said(sooner(days(29, 30, 31, None), 30, cluster())) == [True, False, False, None]


def test_where_nobody_told_the_moment_nothing_is_known_to_be_young() -> None:
    assert said(older(days(90, 91), 90, cluster(told=False))) == [None, True]
    assert said(sooner(days(29, 30), 30, cluster(told=False))) == [True, None]


def test_an_end_has_passed_after_it() -> None:
    known = NOW - 10 * DAY
    moments = times(NOW - SECOND, NOW, NOW + SECOND)
    assert said(ended(moments, cluster(), known)) == [True, False, False]
    assert said(ended(moments, cluster(told=False), known)) == [True, None, None]
    early = cluster(told=False, at=NOW - 20 * DAY)
    assert said(ended(times(known - SECOND, known), early, known)) == [True, None]
