"""Words that all runtime events share: priorities, techniques, times, command lines."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from kaudit.model.credential import masked_arguments
from kaudit.model.meta import Time

#: Priorities of syslog as Falco has them, worst first.
PRIORITIES = (
    "emergency",
    "alert",
    "critical",
    "error",
    "warning",
    "notice",
    "informational",
    "debug",
)
_SPELLED = {
    **{word: word for word in PRIORITIES},
    **{str(number): word for number, word in enumerate(PRIORITIES)},
    "emerg": "emergency",
    "panic": "emergency",
    "crit": "critical",
    "err": "error",
    "warn": "warning",
    "info": "informational",
    "information": "informational",
}
_SPELLED |= {word.capitalize(): meant for word, meant in _SPELLED.items()}
_TECHNIQUE = re.compile(r"^T\d{4}(?:\.\d{3})?$", re.IGNORECASE)
#: Longest command line, or other text, that is kept of an event.
_LONGEST = 2_000
#: What sensors write where there is nothing.
_NOTHING = frozenset(["", "<NA>", "null"])
_time = msgspec.json.Decoder(Time).decode


class Seen(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of an event, and of its repeats: alike in all that a table keeps but the moment.

    Attributes
    ----------
    report
        The file: the first 16 digits of its SHA-256.
    line
        Line of the file where it stands first, from 1; for a document that spans lines, the
        number of the document.
    count
        How many there are.
    first, last
        Moments of the first and the latest, where there are more than one.
    over
        What else those that it stands for differ in, where too many differ: ``command``, or
        ``pod`` too.
    """

    report: str
    line: int
    count: int = 1
    first: Time | None = None
    last: Time | None = None
    over: str = ""


class Log(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of one file of events: how much of it was understood."""

    report: str
    events: int
    first: Time | None = None
    last: Time | None = None
    broken: int = 0
    other: int = 0
    undated: int = 0
    unknown_priorities: int = 0
    folded: int = 0
    nodes: list[str] = []


def priority(text: Any) -> str | None:
    """Priority in Falco's words; None for what is none.

    >>> priority("WARN"), priority("Info"), priority(2), priority("bad")
    ('warning', 'informational', 'critical', None)
    """
    word = text if type(text) is str else str(text)
    return _SPELLED.get(word) or _SPELLED.get(word.strip().lower())


def techniques(tags: list[str]) -> list[str]:
    """Techniques of ATT&CK among tags.

    >>> techniques(["container", "mitre_execution", "T1059", "t1611"])
    ['T1059', 'T1611']
    """
    return list(_techniques(tuple(tags)))


@lru_cache(maxsize=4096)
def _techniques(tags: tuple[str, ...]) -> list[str]:
    return sorted({tag.upper() for tag in tags if _TECHNIQUE.match(tag)})


def labels(raw: Any) -> tuple[list[str], list[str]]:
    """Tags, sorted, and the techniques among them; of a list that may be absent, or one text.

    >>> labels(["shell", "T1059", "shell"]), labels(None)
    ((['T1059', 'shell'], ['T1059']), ([], []))
    """
    if isinstance(raw, list):
        return _labels(tuple([one for one in raw if isinstance(one, str)]))
    return _labels((raw,) if isinstance(raw, str) else ())


@lru_cache(maxsize=4096)
def _labels(tags: tuple[str, ...]) -> tuple[list[str], list[str]]:
    own = sorted(set(tags))
    return own, techniques(own)


def instant(text: Any) -> datetime | None:
    """Return the moment that a text in RFC 3339 tells; None where it tells none, or no zone.

    >>> instant("2026-01-01T00:00:00.000000001Z").year, instant("2026-01-01T00:00:00")
    (2026, None)
    """
    if not isinstance(text, str) or not 20 <= len(text) <= 40:
        return None
    try:
        return _time(f'"{text}"')
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None


def of_nanoseconds(value: Any) -> datetime | None:
    """Return the moment of a number of nanoseconds since 1970, as sensors count."""
    try:
        return datetime.fromtimestamp(int(value) // 1_000 / 1_000_000, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def plain(value: Any) -> str | None:
    """Text of a scalar; None for what says that there is none.

    >>> plain("<NA>"), plain(0), plain("sh"), plain({"a": 1})
    (None, '0', 'sh', None)
    """
    if value is None:
        return None
    if type(value) is not str and isinstance(value, (dict, list)):
        return None
    text = value if type(value) is str else str(value)
    if text in _NOTHING:
        return None
    return text if len(text) <= _LONGEST else text[:_LONGEST]


#: Plain texts that were looked at and hold nothing to mask; others are not kept in memory.
_harmless: set[str] = set()
_MOST = 65536


def command_line(text: str) -> str:
    """Return a command line with what looks like a credential masked.

    >>> command_line("mysql --password hunter22 -u root")
    'mysql --password [masked: named as a credential] -u root'
    """
    if text in _harmless:
        return text
    masked = " ".join(masked_arguments(text.split(" ")))
    if masked == text and len(_harmless) < _MOST and plain(text) == text:
        _harmless.add(text)
    return masked


def shown(value: Any) -> str | None:
    """Text of a scalar with what looks like a credential masked; None where there is none."""
    if type(value) is str and value in _harmless:
        return value
    text = plain(value)
    return None if text is None else command_line(text)
