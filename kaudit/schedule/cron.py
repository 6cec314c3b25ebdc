"""Cron schedules as the CronJob controller reads them."""

from __future__ import annotations

from typing import NamedTuple

from kaudit.errors import InputError

__all__ = ["checked"]

_MACROS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class _Field(NamedTuple):
    name: str
    first: int
    last: int
    words: tuple[str, ...] = ()


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 6, _DAYS),
)


def checked(schedule: str) -> str:
    """Return a schedule with single spaces.

    >>> checked("*/15  1-5 * jan,jul  mon")
    '*/15 1-5 * jan,jul mon'

    Raises
    ------
    InputError
        It has not five fields, one of them cannot be, or no day is ever meant.
    """
    parts = schedule.split()
    if len(parts) == 1 and parts[0] in _MACROS:
        return parts[0]
    if len(parts) != len(_FIELDS):
        raise InputError(
            f"the schedule {schedule!r} has {len(parts)} fields instead of five",
            hint="minute, hour, day of the month, month, day of the week, as '0 3 * * *'; "
            f"or one of {', '.join(_MACROS)}",
        )
    found = [_values(field, part, schedule) for field, part in zip(_FIELDS, parts, strict=True)]
    _, _, days, months, _ = found
    if parts[4] in ("*", "?") and not any(min(days) <= _LONGEST[month - 1] for month in months):
        raise InputError(f"the schedule {schedule!r} means a day that never comes")
    return " ".join(parts)


def _values(field: _Field, text: str, schedule: str) -> set[int]:
    """Values that a field names."""
    found: set[int] = set()
    for item in text.split(","):
        some = _range(field, item)
        if not some:
            words = f" or {field.words[0]}-{field.words[-1]}" if field.words else ""
            raise InputError(
                f"in the schedule {schedule!r}, {text!r} is no {field.name}",
                hint=f"{field.first}-{field.last}{words}, lists with commas, "
                "ranges as 1-5, steps as */2, or *",
            )
        found.update(some)
    return found


def _range(field: _Field, item: str) -> range | None:
    """Values of one member of a list; None where it is malformed."""
    span, slash, step = item.partition("/")
    first, dash, last = span.partition("-")
    start: int | None = field.first
    stop: int | None = field.last
    if span not in ("*", "?"):
        start = _number(field, first)
        stop = _number(field, last) if dash else (field.last if slash else start)
    stride = _digits(step) if slash else 1
    if start is None or stop is None or not stride:
        return None
    return range(start, stop + 1, stride)


def _number(field: _Field, text: str) -> int | None:
    value = _digits(text)
    if value is None and text.lower() in field.words:
        value = field.words.index(text.lower()) + field.first
    return value if value is not None and field.first <= value <= field.last else None


def _digits(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None
