"""Spans of time as Go writes them (package time, ParseDuration)."""

from __future__ import annotations

import re
from functools import lru_cache
from math import fsum

_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_TERM = r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)"
_TERMS, _SPAN = re.compile(_TERM, re.ASCII), re.compile(f"([+-]?)((?:{_TERM})+)", re.ASCII)
_LONGEST = 2**63 / 1e9


@lru_cache(maxsize=4096)
def seconds(text: str | int | None) -> float | None:
    """Seconds of a duration; None where it is unset or no duration.

    A number without a unit is one only where it is 0.

    >>> seconds("1h30m"), seconds("1.5s"), seconds("0"), seconds(0), seconds("5"), seconds("1d")
    (5400.0, 1.5, 0.0, 0.0, None, None)
    """
    if text is None or isinstance(text, bool):
        return None
    text = str(text)
    if text in ("0", "+0", "-0"):
        return 0.0
    found = _SPAN.fullmatch(text)
    if found is None:
        return None
    total = fsum(float(number) * _UNITS[unit] for number, unit in _TERMS.findall(found[2]))
    if total >= _LONGEST:
        return None
    return -total if found[1] == "-" else total
