"""Parts of a report as data for the paper template: plain values, never markup.

Text becomes a list of *atoms*: a string is set as it is; a list of strings is a word
that may break between its pieces; an empty list is a line break; a mapping is a span with
a style. A text without any of these stays a single string.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from kaudit.show.block_cells import badge, inline, one, paragraphs
from kaudit.show.blocks import Cell, Kind, Link
from kaudit.template.markdown import Token, heading_text, plain
from kaudit.text import split_long, visible

__all__ = ["Node", "Text", "atoms", "code", "prose", "rich", "short", "value", "words"]

Node: TypeAlias = dict[str, Any]
Text: TypeAlias = str | list[Any]

_LONGEST = 4000
_CODE_LINES = 120
_BREAKS = re.compile(r"\S{15,}|\n")
_STYLES = {"strong": "strong", "emphasis": "em", "codespan": "code", "strikethrough": "strike"}


def short(text: str, length: int = _LONGEST) -> str:
    """Cut a text that would fill pages, and say how long it is."""
    if len(text) <= length:
        return text
    return f"{text[:length]}… ({len(text):,} characters; whole in the HTML report)"


def atoms(text: str, *, longest: int = _LONGEST) -> Text:
    """Write visible text as atoms."""
    shown = short(visible(text, lines=True), longest).replace("\t", "    ")
    if not _BREAKS.search(shown):
        return shown
    found: list[Any] = []
    for number, line in enumerate(shown.split("\n")):
        if number:
            found.append([])
        run = ""
        for at, pieces in enumerate(split_long(line)):
            run += " " if at else ""
            if len(pieces) == 1:
                run += pieces[0]
            else:
                if run:
                    found.append(run)
                found.append(pieces)
                run = ""
        if run:
            found.append(run)
    return found


def _span(style: str, text: Text, to: str = "") -> Node:
    span: Node = {"s": style, "c": text}
    return span | {"to": to} if to else span


def rich(text: str) -> Text:
    """Write text with backticks around code as atoms."""
    parts = inline(short(text))
    if len(parts) == 1 and not parts[0][0]:
        return atoms(parts[0][1])
    return [_span("code" if is_code else "", atoms(part)) for is_code, part in parts]


def value(cell: Cell) -> Text:
    """Write a single value, such as that of a fact, as atoms."""
    if isinstance(cell, Link):
        return link(cell.href, cell.text)
    kind = Kind.NUMBER if isinstance(cell, int | float) else Kind.TIME
    return atoms(one(kind, cell), longest=1500)


def link(href: str, text: str) -> Text:
    """Write a link; the template drops those that lead nowhere in the document."""
    return [_span("", atoms(text), href)]


def mark(kind: str, word: Cell) -> Text | Node:
    """Write a badge, or the text itself where it is none of our words."""
    found = badge(kind, word)
    if not found:
        return atoms(one(kind, word), longest=200)
    return {"badge": found.name, "shape": found.shape, "word": found.word}


def code(text: str) -> Node:
    """Write lines of code."""
    lines = [short(line, 2000) for line in visible(text, lines=True).rstrip("\n").split("\n")]
    lines = [line.replace("\t", "    ") for line in lines]
    if len(lines) > _CODE_LINES:
        rest = len(lines) - _CODE_LINES
        lines = [*lines[:_CODE_LINES], f"… {rest:,} more lines in the HTML report"]
    return {"t": "code", "text": "\n".join(lines)}


def prose(texts: Sequence[str]) -> list[Node]:
    """Write paragraphs and lists of data text."""
    return [
        {"t": "list", "items": [[{"t": "p", "c": rich(item)}] for item in items]}
        if is_list
        else {"t": "p", "c": rich(items[0])}
        for is_list, items in paragraphs(texts)
    ]


def words(tokens: Iterable[Token]) -> list[Node]:
    """Write Markdown tokens as nodes; headings keep their level."""
    return [node for token in tokens for node in _nodes(token)]


def _nodes(token: Token) -> list[Node]:
    kind = token["type"]
    if kind == "heading":
        level = token["attrs"]["level"]
        return [{"t": "h", "level": level, "text": heading_text(token)}]
    if kind in ("paragraph", "block_text"):
        return [{"t": "p", "c": _spans(token["children"])}]
    if kind == "block_html":
        return [{"t": "p", "c": atoms(token["raw"].strip())}]
    if kind == "block_code":
        return [code(token["raw"])]
    if kind == "list":
        items = [_inner(item) for item in token["children"]]
        return [{"t": "list", "items": items, "ordered": token["attrs"]["ordered"]}]
    if kind == "block_quote":
        return [{"t": "quote", "items": _inner(token)}]
    if kind == "table":
        return [_table(token)]
    return [{"t": "rule"}] if kind == "thematic_break" else []


def _inner(token: Token) -> list[Node]:
    return [node for node in words(token["children"]) if node["t"] != "h"]


def _table(token: Token) -> Node:
    head, *bodies = token["children"]
    rows = [row["children"] for body in bodies for row in body["children"]]
    return {
        "t": "plain-table",
        "heads": [_spans(cell.get("children", [])) for cell in head["children"]],
        "rows": [[_spans(cell.get("children", [])) for cell in row] for row in rows],
    }


def _spans(tokens: Sequence[Mapping[str, Any]]) -> list[Any]:
    found: list[Any] = []
    for token in tokens:
        kind = token["type"]
        if kind == "linebreak":
            found.append([])
        elif kind == "link":
            found.extend(link(token["attrs"]["url"], heading_text(dict(token))))
        elif kind in _STYLES:
            inner = _spans(token["children"]) if "children" in token else atoms(token["raw"])
            found.append(_span(_STYLES[kind], inner))
        elif kind == "image":
            found.append(_span("", atoms(heading_text(dict(token)))))
        else:
            text = atoms(plain(dict(token)))
            found.extend([text] if isinstance(text, str) else text)
    return found
