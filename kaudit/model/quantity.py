"""Kubernetes quantities as numbers (apimachinery resource.Quantity)."""

from __future__ import annotations

import re
from functools import lru_cache

_SUFFIXES = {
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
    "Ei": 2.0**60,
}
#: These divide: 700 / 1000 is 0.7, and 700 times a thousandth, as it is rounded, is not.
_PARTS = {"n": 1e9, "u": 1e6, "m": 1e3}
_QUANTITY = re.compile(
    r"(?P<digits>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?P<suffix>[KMGTPE]i|[numkMGTPE]?)"
)
_LARGEST = 2**63 - 1


@lru_cache(maxsize=65536)
def number(quantity: str | int | float | None) -> float | None:
    """Value of a quantity; None where it is unset or no quantity.

    >>> number("700m"), number("1Gi"), number(2), number("1e3"), number("lots")
    (0.7, 1073741824.0, 2.0, 1000.0, None)
    """
    if quantity is None or isinstance(quantity, bool):
        return None
    if isinstance(quantity, (int, float)):
        return float(quantity) if abs(quantity) <= _LARGEST else None
    found = _QUANTITY.fullmatch(quantity.strip())
    if found is None:
        return None
    digits, suffix = float(found["digits"]), found["suffix"]
    return digits / _PARTS[suffix] if suffix in _PARTS else digits * _SUFFIXES[suffix]


@lru_cache(maxsize=65536)
def whole(quantity: str | int | float | None) -> int | None:
    """Value in whole units, such as bytes, rounded up and capped as the API server does."""
    value = number(quantity)
    if value is None:
        return None
    if abs(value) >= _LARGEST:
        return _LARGEST if value > 0 else -_LARGEST
    return int(-(-value // 1))
