"""Cells as text: the same words, shapes and number forms on every medium."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from kaudit.model.words import Opinion, Severity, Status
from kaudit.show.blocks import Cell, Column, Kind, Link
from kaudit.text import visible

__all__ = ["NOTHING", "Badge", "badge", "column_texts", "href", "inline", "one", "paragraphs"]

#: Shown where there is no value.
NOTHING = "\u2013"


class Badge(msgspec.Struct, frozen=True):
    """A word with its shape; ``name`` is the style, ``rank`` the order, 0 first."""

    name: str
    shape: str
    word: str
    rank: int


_SHAPES: dict[str, dict[str, str]] = {
    Kind.SEVERITY: {
        Severity.CRITICAL: "◆",
        Severity.HIGH: "▲",
        Severity.MEDIUM: "■",
        Severity.LOW: "●",
        Severity.INFO: "○",
    },
    Kind.STATUS: {
        Status.FAIL: "✕",
        Status.ERROR: "!",
        Status.NOT_ASSESSED: "?",
        Status.MANUAL: "✎",
        Status.PASS: "✓",
        Status.NOT_APPLICABLE: NOTHING,
    },
    Kind.OPINION: {
        Opinion.NOT_EFFECTIVE: "✕",
        Opinion.UNABLE: "?",
        Opinion.WITH_EXCEPTIONS: "◐",
        Opinion.EFFECTIVE: "✓",
        Opinion.NOT_APPLICABLE: NOTHING,
    },
}
_BADGES: dict[str, dict[str, Badge]] = {
    kind: {
        str(word): Badge(
            str(word).replace("_", "-").replace(" ", "-"), shape, str(word).replace("_", " "), rank
        )
        for rank, (word, shape) in enumerate(shapes.items())
    }
    for kind, shapes in _SHAPES.items()
}
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d)?(?:\.\d+)?(?:Z|\+00:00)", re.ASCII)
_HREF = re.compile(
    r"#[A-Za-z0-9._-]+|https?://[!-~]+|(?!.*\.\.)[A-Za-z0-9_-][A-Za-z0-9._/-]*", re.ASCII
)


def badge(kind: str, value: Cell) -> Badge | None:
    """Find the badge of a word of a severity, status or opinion; None for other text."""
    return _BADGES.get(kind, {}).get(value) if isinstance(value, str) else None


def badges(kind: str) -> dict[str, Badge]:
    """All badges of a kind, by word."""
    return _BADGES[kind]


def href(link: Link) -> str:
    """Return where a link may lead, or nothing: no scheme but http(s), no way up."""
    return link.href if _HREF.fullmatch(link.href) else ""


def one(kind: str, value: Cell) -> str:
    """Write a single cell as visible text."""
    return column_texts(Column("", Kind(kind)), [value])[0]


def column_texts(column: Column, values: Sequence[Cell]) -> list[str]:
    """Write the cells of a column, floats with the same number of decimals."""
    digits = _decimals(values) if column.kind is Kind.NUMBER else 2
    return [_text(column.kind, value, digits) for value in values]


def _decimals(values: Sequence[Cell]) -> int:
    floats = [value for value in values if isinstance(value, float)]
    for digits in (0, 1):
        if all(round(value, digits) == value for value in floats):
            return digits
    return 2


def _text(kind: Kind, value: Cell, digits: int) -> str:
    if isinstance(value, Link):
        value = value.text
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,.{digits}f}" if kind is Kind.NUMBER else f"{value:,}"
    if kind is Kind.TIME and (match := _TIME.fullmatch(value)):
        seconds = match[3] if match[3] not in (None, ":00") else ""
        return f"{match[1]} {match[2]}{seconds} UTC"
    found = badge(kind, value)
    return found.word if found else visible(value, lines=True)


def inline(text: str) -> list[tuple[bool, str]]:
    """Split text at backticks: pairs of *is code* and visible text."""
    parts = visible(text, lines=True).split("`")
    if len(parts) % 2 == 0:
        return [(False, "`".join(parts))]
    return [(at % 2 == 1, part) for at, part in enumerate(parts) if part]


def paragraphs(texts: Sequence[str]) -> list[tuple[bool, list[str]]]:
    """Group texts into paragraphs and lists: pairs of *is a list* and its texts.

    A blank line separates paragraphs; lines that start with ``- `` are the items of a
    list, and go on over indented lines.
    """
    found: list[tuple[bool, list[str]]] = []
    for chunk in (part for text in texts for part in re.split(r"\n\s*\n", text.strip())):
        items = re.split(r"(?:^|\n)[ \t]*- ", chunk)
        head, *rest = items
        if head.strip():
            found.append((False, [" ".join(head.split())]))
        if rest:
            lines = [" ".join(item.split()) for item in rest]
            if found and found[-1][0] and not head.strip():
                found[-1][1].extend(lines)
            else:
                found.append((True, lines))
    return found
