"""Collected text made safe to show: on a terminal, in a page, in a spreadsheet."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_SUSPECT = re.compile(r"[^\x20-\x7e]")
_FORMULA = re.compile(r"^\s*[=+\-@\t\r|%]")


@lru_cache(maxsize=65536)
def visible(text: str) -> str:
    r"""Show control, format, private and unassigned characters as ``\\u{…}``.

    Line breaks become visible too: a name cannot forge a line of its own.

    >>> visible("a\x1b[31mb")
    'a\\u{1b}[31mb'
    """
    if not _SUSPECT.search(text):
        return text
    return "".join(_shown(c) for c in text)


def _shown(character: str) -> str:
    code = ord(character)
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
    if hidden or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:
        return f"\\u{{{code:x}}}"
    return character


def defused(value: object) -> object:
    """Return a spreadsheet cell that is text, never a formula; numbers stay numbers."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = visible(str(value))
    return f"'{text}" if _FORMULA.match(text) else text


def shortened(text: str, most: int) -> str:
    """Cut text in the middle so that both ends stay."""
    if len(text) <= most:
        return text
    tail = most // 3
    return f"{text[: most - tail - 1]}…{text[-tail:]}"
