"""Ages at the moment that the evidence holds for, and what they let one say.

Where nobody told the moment, that of the newest object stands for it: the true one is later.
Then what is old is known to be old, and nothing is known to be young.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from kaudit.columns import arrow, series

if TYPE_CHECKING:
    import pandas as pd

_DAY = 86_400


def seconds_since(times: pd.Series[Any], cluster: pd.DataFrame) -> pd.Series[Any]:
    """Whole seconds from times to the moment of the evidence; null where either is not known."""
    import pyarrow as pa
    import pyarrow.compute as pc

    now = [moment.to_pydatetime() for moment in cluster["as_of"].dropna()[:1]]
    moment = pa.scalar(now[0] if now else None, pa.timestamp("us", tz="UTC"))
    passed = pc.cast(pc.subtract(moment, arrow(times)), pa.int64())
    return series(pc.max_element_wise(pc.divide(passed, 1_000_000), 0, skip_nulls=False), times)


def days_since(times: pd.Series[Any], cluster: pd.DataFrame) -> pd.Series[Any]:
    """Whole days from times to the moment of the evidence; null where either is not known."""
    import pyarrow.compute as pc

    return series(pc.divide(arrow(seconds_since(times, cluster)), _DAY), times)


def older(days: pd.Series[Any], limit: int, cluster: pd.DataFrame) -> pd.Series[Any]:
    """Whether ages are beyond a limit; null where it cannot be told."""
    import pyarrow as pa
    import pyarrow.compute as pc

    old = pc.greater(arrow(days), limit)
    if not cluster["as_of_told"].any():
        old = pc.if_else(old, True, pa.scalar(None, pa.bool_()))
    return series(old, days)


def remaining_days(ends: pd.Series[Any], cluster: pd.DataFrame) -> pd.Series[Any]:
    """Whole days from the moment of the evidence to ends, below 0 once they have passed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    now = [moment.to_pydatetime() for moment in cluster["as_of"].dropna()[:1]]
    moment = pa.scalar(now[0] if now else None, pa.timestamp("us", tz="UTC"))
    left = pc.cast(pc.subtract(arrow(ends), moment), pa.int64())
    days = pc.floor(pc.divide(pc.cast(left, pa.float64(), safe=False), 1_000_000 * _DAY))
    return series(pc.cast(days, pa.int64()), ends)


def sooner(days: pd.Series[Any], limit: int, cluster: pd.DataFrame) -> pd.Series[Any]:
    """Whether less than a limit of days is left; null where it cannot be told."""
    import pyarrow as pa
    import pyarrow.compute as pc

    soon = pc.less(arrow(days), limit)
    if not cluster["as_of_told"].any():
        soon = pc.if_else(soon, True, pa.scalar(None, pa.bool_()))
    return series(soon, days)


def ended(ends: pd.Series[Any], cluster: pd.DataFrame, known: datetime) -> pd.Series[Any]:
    """Whether moments have passed; null where it cannot be told.

    Parameters
    ----------
    ends
        Moments, such as ends of support.
    cluster
        The moment of the evidence.
    known
        When the ends were gathered: where nobody told the moment of the evidence, what had
        ended by then has ended.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = pa.timestamp("us", tz="UTC")
    told = bool(cluster["as_of_told"].any())
    now = [moment.to_pydatetime() for moment in cluster["as_of"].dropna()[:1]]
    moment = now[0] if told and now else max([known, *now])
    over = pc.less(arrow(ends), pa.scalar(moment, kind))
    if not told:  # the true moment is later: it may have ended since
        over = pc.if_else(over, True, pa.scalar(None, pa.bool_()))
    return series(over, ends)
