"""Markdown of notebook cells, as tokens for every exporter, and as HTML.

Raw HTML is shown as text, images are not loaded, and links lead to the web or into the
report only. Markdown is what the author of a notebook writes; collected text never is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape, unescape
from typing import Any, TypeAlias

from kaudit.show.block_html import Page
from kaudit.show.block_table import link_html
from kaudit.text import visible

__all__ = ["Token", "heading_text", "parse", "plain", "words_html"]

Token: TypeAlias = dict[str, Any]

_INLINE = {"strong": "strong", "emphasis": "em", "strikethrough": "s"}
_BLOCK = {"block_quote": "blockquote", "list_item": "li", "table_head": "thead"}


@cache
def _parser() -> Any:
    import mistune

    return mistune.create_markdown(renderer="ast", plugins=["table", "strikethrough"])


def parse(source: str) -> list[Token]:
    """Parse Markdown into mistune's tokens."""
    tokens: list[Token] = _parser()(source)
    return [token for token in tokens if token["type"] != "blank_line"]


def plain(token: Token) -> str:
    """Return the visible text of an inline token itself, without its children."""
    if token["type"] in ("softbreak", "linebreak"):
        return " " if token["type"] == "softbreak" else "\n"
    raw = token.get("raw", "")
    return visible(unescape(raw) if token["type"] == "text" else raw, lines=True)


def heading_text(token: Token) -> str:
    """Return the text of a token and all its children."""
    children = token.get("children")
    return "".join(map(heading_text, children)) if children else plain(token)


def words_html(tokens: Sequence[Token], page: Page) -> str:
    """Write tokens as HTML."""
    return "".join(_html(token, page) for token in tokens)


def _html(token: Token, page: Page) -> str:
    kind = token["type"]
    if kind == "heading":
        level = min(max(token["attrs"]["level"], 2), 6)
        text = heading_text(token)
        name = page.heading(level, text)
        self_link = f'<a class="self" href="#{name}" aria-label="Link to this section">#</a>'
        return f'<h{level} id="{name}">{_inside(token, page)}{self_link}</h{level}>'
    if kind == "block_code":
        code = escape(visible(token["raw"].rstrip("\n"), lines=True))
        return f'<pre tabindex="0"><code>{code}</code></pre>'
    if kind in ("codespan", "linebreak", "thematic_break"):
        shapes = {"codespan": f"<code>{escape(plain(token))}</code>", "linebreak": "<br>"}
        return shapes.get(kind, "<hr>")
    if kind in ("link", "image"):
        label = heading_text(token)
        return link_html(token["attrs"]["url"], label) if kind == "link" else escape(label)
    if kind in ("list", "table", "table_row", "table_body", "table_cell"):
        return _structure(token, page)
    tag = (
        _INLINE.get(kind)
        or _BLOCK.get(kind)
        or ("p" if kind in ("paragraph", "block_html") else "")
    )
    inner = _inside(token, page)
    return f"<{tag}>{inner}</{tag}>" if tag else inner


def _structure(token: Token, page: Page) -> str:
    kind, inner = token["type"], _inside(token, page)
    if kind == "list":
        tag = "ol" if token["attrs"]["ordered"] else "ul"
        return f"<{tag}>{inner}</{tag}>"
    if kind == "table_cell":
        head = token["attrs"]["head"]
        return f'<th scope="col">{inner}</th>' if head else f"<td>{inner}</td>"
    if kind == "table":
        return f'<div class="scroll"><table>{inner}</table></div>'
    tag = {"table_row": "tr", "table_body": "tbody"}[kind]
    return f"<{tag}>{inner}</{tag}>"


def _inside(token: Token, page: Page) -> str:
    if "children" in token:
        inner = words_html(token["children"], page)
        return f"<tr>{inner}</tr>" if token["type"] == "table_head" else inner
    return escape(plain(token))
