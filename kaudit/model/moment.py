"""Moments that tools write as text, in their own ways."""

from __future__ import annotations

from datetime import datetime

import msgspec

from kaudit.model.meta import Time

#: How Go writes a time that was never set.
_NEVER = "0001-01-01T00:00:00"


def moment(text: str | None) -> datetime | None:
    """Return the moment that a text in RFC 3339 tells; None where it is empty, or never was.

    >>> moment("2099-01-02T03:04:05Z").year, moment("0001-01-01T00:00:00Z")
    (2099, None)

    Raises
    ------
    msgspec.ValidationError
        It tells none.
    """
    return msgspec.convert(text, Time) if text and not text.startswith(_NEVER) else None
