"""Whole numbers that texts tell."""

from __future__ import annotations

#: Most that a column holds, and its digits.
_MOST = 2**63 - 1
_DIGITS = len(str(_MOST))


def whole(text: str) -> int | None:
    """Whole number that digits tell; None for any other text, and for more than a column holds.

    Python takes digits of all scripts for digits, ``²`` among them, and refuses thousands of them.

    >>> whole("0080"), whole("-1"), whole("²"), whole(""), whole("9" * 5000)
    (80, None, None, None, None)
    """
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0") or "0"
    if len(digits) > _DIGITS or (number := int(digits)) > _MOST:
        return None
    return number


def minor_of(version: str) -> int | None:
    """Minor version of ``v1.34.2``; None where the text is no version.

    >>> minor_of("v1.34.2"), minor_of("1.34+"), minor_of("v1.²")
    (34, None, None)
    """
    parts = version.removeprefix("v").split(".")
    return whole(parts[1]) if len(parts) > 1 else None
