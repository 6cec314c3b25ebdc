"""The report as one HTML page that asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

import msgspec

from kaudit.show.block_canvas import INK, MUTED, RULE
from kaudit.show.block_cells import badge, badges
from kaudit.show.block_html import Heading, Page, block_html, image_html
from kaudit.show.block_table import ROWS_SHOWN
from kaudit.show.blocks import Block, Figure, Kind, Stack
from kaudit.template.document import Document, Part, Picture, Shown, Words
from kaudit.template.markdown import words_html
from kaudit.text import visible

__all__ = ["page_html"]

# Charts are images: in a dark page they have to change their ink themselves.
_DARK_INK = {INK: "#e4e9ee", MUTED: "#9aa8b6", RULE: "#303b47"}


class _Entry(msgspec.Struct):
    id: str
    text: str
    severity: str
    shape: str
    below: list[_Entry]


def page_html(document: Document) -> str:
    """Write the page.

    Everything is inside: style, script, drawings. A policy in its head forbids all loading
    and any script or style but these, by their hash.
    """
    from markupsafe import Markup

    page = Page(rows_shown=ROWS_SHOWN)
    page.ids |= {"report", "badges"}
    cover = block_html(document.cover, page)
    body = "\n".join(_part(part, page) for part in document.parts)
    style = "\n".join(_file(name) for name in ("blocks.css", "page.css"))
    script = _file("page.js")
    evidence = document.cover.evidence
    made = f"Made by kaudit from evidence {evidence}" if evidence else "Made by kaudit"
    return str(
        _template().render(
            policy=_policy(style, script),
            title=visible(document.cover.title),
            style=Markup(style),  # noqa: S704  our own file
            script=Markup(script),  # noqa: S704  our own file
            badges=Markup(_badges()),  # noqa: S704  our own words
            cover=Markup(cover),  # noqa: S704  escaped by block_html
            body=Markup(body),  # noqa: S704  escaped by block_html
            contents=_tree(page.headings),
            foot=f"{visible(made)}.",
        )
    )


@cache
def _template() -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(_file("report.html.j2"))


@cache
def _file(name: str) -> str:
    return (files("kaudit.template") / name).read_text("utf-8").strip()


def _policy(style: str, script: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        )
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _badges() -> str:
    kinds = (Kind.SEVERITY, Kind.STATUS, Kind.OPINION)
    words = {
        kind: {b.word: [b.name, b.shape, b.rank] for b in badges(kind).values()} for kind in kinds
    }
    return json.dumps(words, ensure_ascii=False, separators=(",", ":"))


def _part(part: Part, page: Page) -> str:
    if isinstance(part, Words):
        return words_html(part.tokens, page)
    if isinstance(part, Shown):
        return f'<div class="output">{block_html(_for_screen(part.block), page)}</div>'
    if isinstance(part, Picture):
        picture = image_html(part.data, part.mime, "A picture without a description")
        return f'<figure class="picture"><div class="scroll">{picture}</div></figure>'
    return f'<pre tabindex="0">{escape(visible(part.text, lines=True))}</pre>'


def _for_screen(block: Block) -> Block:
    if isinstance(block, Figure):
        return msgspec.structs.replace(block, svg=_dark_aware(block.svg))
    if isinstance(block, Stack):
        return msgspec.structs.replace(block, blocks=tuple(map(_for_screen, block.blocks)))
    return block


def _dark_aware(svg: bytes) -> bytes:
    rules = "".join(
        f'[style*="{name}: {light}"]{{{name}:{dark}!important}}'
        for light, dark in _DARK_INK.items()
        for name in ("fill", "stroke")
    )
    style = f"<style>@media screen and (prefers-color-scheme:dark){{{rules}}}</style>"
    return svg.replace(b"</svg>", style.encode() + b"</svg>") if svg.endswith(b"</svg>\n") else svg


def _tree(headings: Sequence[Heading]) -> list[_Entry]:
    """Nest headings of level 3 under the one of level 2 before them."""
    found: list[_Entry] = []
    for heading in headings:
        mark = badge(Kind.SEVERITY, heading.severity)
        name, shape = (mark.name, mark.shape) if mark else ("", "")
        text = heading.text if len(heading.text) <= 120 else f"{heading.text[:119]}…"
        entry = _Entry(heading.id, text, name, shape, [])
        if heading.level <= 2 or not found:
            found.append(entry)
        elif heading.level == 3:
            found[-1].below.append(entry)
    return found
