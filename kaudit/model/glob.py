"""Texts with ``*`` for any part and ``?`` for any letter, as policy engines write them."""

from __future__ import annotations


def matches(pattern: str, text: str) -> bool:
    """Tell whether the pattern stands for the whole text.

    >>> matches("kube-*", "kube-system"), matches("a?c", "abc"), matches("a", "ab")
    (True, True, False)
    """
    at, place, star, mark = 0, 0, -1, 0
    while place < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, mark, at = at, place, at + 1
        elif at < len(pattern) and pattern[at] in ("?", text[place]):
            at, place = at + 1, place + 1
        elif star >= 0:
            at, mark = star + 1, mark + 1
            place = mark
        else:
            return False
    return not pattern[at:].strip("*")
