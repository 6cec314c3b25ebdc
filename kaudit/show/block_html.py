"""Blocks as HTML: every text escaped, no style or script attribute anywhere."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from functools import cache, singledispatch
from html import escape
from importlib.resources import files
from math import fsum

import msgspec

from kaudit.model.words import Status
from kaudit.show.block_cells import badge, inline, one, paragraphs
from kaudit.show.block_table import badge_html, link_html, table_html, value_html
from kaudit.show.blocks import (
    Block,
    Callout,
    Cell,
    Code,
    Cover,
    Facts,
    Figure,
    Finding,
    Kind,
    Link,
    Numbers,
    Prose,
    Stack,
    Table,
    Tone,
    Verdicts,
)
from kaudit.text import anchor, count, visible

__all__ = ["Heading", "Page", "block_html", "image_html", "standalone"]

#: Rows that Jupyter is given: more than there are tables in evidence.
_STANDALONE_ROWS = 200
_TONES = {Tone.INFO: "Note", Tone.OK: "Good", Tone.WARNING: "Attention", Tone.DANGER: "Danger"}
_PART = 0.004  # of a bar: thinner parts could not be seen


class Heading(msgspec.Struct, frozen=True):
    """An entry of the table of contents."""

    level: int
    id: str
    text: str
    severity: str = ""


class Page:
    """What the blocks of one page share: the ids in use and the headings so far."""

    def __init__(self, *, rows_shown: int, scripted: bool = True) -> None:
        self.rows_shown, self.scripted = rows_shown, scripted
        self.ids: set[str] = set()
        self.headings: list[Heading] = []

    def heading(self, level: int, text: str, *, id_: str = "", severity: str = "") -> str:
        """Take an id for a heading, note it for the contents, and return the id."""
        slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "section"
        name = anchor(id_ or slug, taken=self.ids)
        self.ids.add(name)
        self.headings.append(Heading(level, name, text, severity))
        return name


def standalone(block: Block) -> str:
    """Write a block for Jupyter: with its style, and the first rows of tables only."""
    inner = block_html(block, Page(rows_shown=_STANDALONE_ROWS, scripted=False))
    # A name with dollar signs is no formula.
    classes = "kaudit tex2jax_ignore mathjax_ignore"
    return f'<style>{_style()}</style><div class="{classes}">{inner}</div>'


@cache
def _style() -> str:
    """Style of blocks, with the colours of JupyterLab's theme where there is one."""
    there = files("kaudit") / "template"  # to import that package takes as long as a picture
    style = (there / "blocks.css").read_text("utf-8")
    light, dark = re.findall(r":root, \.kaudit \{(.*?)\}", style, re.DOTALL)
    lab = (there / "lab.css").read_text("utf-8")
    return style + lab.replace("/* light */", light).replace("/* dark */", dark)


@singledispatch
def block_html(block: Block, page: Page) -> str:  # noqa: ARG001  the kinds use it
    """Write a block as a fragment of a page."""
    raise TypeError(f"no block: {type(block).__name__}")


@block_html.register
def _cover(block: Cover, page: Page) -> str:  # noqa: ARG001  one signature for all blocks
    subtitle = f'<p class="subtitle">{_rich(block.subtitle)}</p>' if block.subtitle else ""
    facts = [*block.facts]
    if block.at:
        facts.append(("Evidence of", one(Kind.TIME, block.at)))
    if block.evidence:
        facts.append(("Evidence id", block.evidence))
    return (
        f'<div class="cover"><h1>{escape(visible(block.title))}</h1>{subtitle}{_pairs(facts)}</div>'
    )


@block_html.register
def _prose(block: Prose, page: Page) -> str:
    head = ""
    if block.heading:
        level = min(max(block.level, 2), 6)
        text = visible(block.heading)
        head = f'<h{level} id="{page.heading(level, text)}">{escape(text)}</h{level}>'
    return head + _paragraphs(block.paragraphs)


@block_html.register
def _callout(block: Callout, page: Page) -> str:  # noqa: ARG001
    body = _paragraphs([block.text]) if block.text else ""
    word = f'<span class="word">{_TONES[block.tone]}: </span>'
    title = escape(visible(block.title))
    return f'<aside class="callout t-{block.tone}"><p class="title">{word}{title}</p>{body}</aside>'


@block_html.register
def _facts(block: Facts, page: Page) -> str:  # noqa: ARG001
    return _caption(block.caption) + _pairs(block.pairs)


@block_html.register
def _numbers(block: Numbers, page: Page) -> str:  # noqa: ARG001
    items = "".join(
        f'<div class="t-{item.tone}"><dt>{escape(visible(item.label))}</dt>'
        f'<dd><span class="value">{escape(one(Kind.NUMBER, item.value))}</span>'
        + (f'<span class="note">{_rich(item.note)}</span>' if item.note else "")
        + "</dd></div>"
        for item in block.items
    )
    return f'{_caption(block.caption)}<dl class="numbers">{items}</dl>'


@block_html.register
def _table(block: Table, page: Page) -> str:
    return table_html(block, page.ids, rows_shown=page.rows_shown, scripted=page.scripted)


@block_html.register
def _figure(block: Figure, page: Page) -> str:  # noqa: ARG001
    caption = f"<figcaption>{_rich(block.caption)}</figcaption>" if block.caption else ""
    alt = escape(visible(block.alt, lines=True))
    text = f'<details class="alt"><summary>In words</summary><p>{alt}</p></details>'
    picture = image_html(block.svg, "image/svg+xml", alt)
    return f'<figure class="picture">{caption}<div class="scroll">{picture}</div>{text}</figure>'


def image_html(data: bytes, mime: str, alt: str) -> str:
    """Write an image with its bytes inside; ``alt`` is escaped already."""
    size = ""
    if match := re.search(rb'<svg[^>]*?\bwidth="([\d.]+)pt"[^>]*?>', data[:2000]):
        width = float(match[1]) * 4 / 3
        size = f' width="{width:.0f}"'
        if match := re.search(rb'<svg[^>]*?\bheight="([\d.]+)pt"', data[:2000]):
            size += f' height="{float(match[1]) * 4 / 3:.0f}"'
    encoded = base64.b64encode(data).decode("ascii")
    return f'<img src="data:{mime};base64,{encoded}" alt="{alt}"{size}>'


@block_html.register
def _verdicts(block: Verdicts, page: Page) -> str:  # noqa: ARG001
    rows = []
    for item in block.items:
        facts = "".join(
            f"<span>{escape(visible(label))} <b>{escape(one(Kind.NUMBER, value))}</b></span>"
            for label, value in item.facts
        )
        more = f'<span class="facts">{facts}</span>' if facts else ""
        name = escape(visible(item.name))
        rows.append(
            f'<tr><th scope="row">{name}{more}</th>'
            f"{_opinion('Design', item.design, item.design_because)}"
            f"{_opinion('Operation', item.operation, item.operation_because)}</tr>"
        )
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Layer", "Design", "Operation"))
    return (
        '<div class="scroll"><table class="verdicts">'
        f"<caption><span>{escape(visible(block.caption))}</span></caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _opinion(head: str, opinion: str, because: str) -> str:
    shown = badge_html(Kind.OPINION, opinion, one(Kind.OPINION, opinion))
    ground = f'<p class="because">{_rich(because)}</p>' if because else ""
    return f'<td data-label="{head}">{shown}{ground}</td>'


@block_html.register
def _finding(block: Finding, page: Page) -> str:
    control, title = visible(block.control), visible(block.title)
    name = page.heading(3, f"{control} {title}", id_=f"c-{block.control}", severity=block.severity)
    parts = []
    if block.expected:
        parts.append(f"<section><h4>Expected</h4>{_paragraphs([block.expected])}</section>")
    if block.rationale:
        parts.append(f"<section><h4>Why it matters</h4>{_paragraphs(block.rationale)}</section>")
    if block.remedy or block.patch:
        remedy = _paragraphs(block.remedy) + (_pre(block.patch) if block.patch else "")
        parts.append(f"<section><h4>What to do</h4>{remedy}</section>")
    meta = badge_html(Kind.SEVERITY, block.severity, visible(block.severity))
    meta += f'<span class="layer">{escape(visible(block.layer))}</span>'
    if block.opinion:
        meta += badge_html(Kind.OPINION, block.opinion, visible(block.opinion))
    because = f'<span class="because">{_rich(block.because)}</span>' if block.because else ""
    observed = (
        table_html(block.observed, page.ids, rows_shown=page.rows_shown, scripted=page.scripted)
        if block.observed
        else ""
    )
    severity = badge(Kind.SEVERITY, block.severity)
    style = f"finding k-{severity.name}" if severity else "finding"
    return (
        f'<article class="{style}" aria-labelledby="{name}">'
        f'<header><h3 id="{name}"><span class="control">{escape(control)}</span> {escape(title)}'
        f'<a class="self" href="#{name}" aria-label="Link to this finding">#</a></h3>'
        f'<p class="meta">{meta}{because}</p></header>'
        f"{_population(block.counts)}"
        f'<div class="parts">{"".join(parts)}</div>{_references(block)}{observed}</article>'
    )


def _population(counts: dict[str, int]) -> str:
    """Write counts by status, as words and as a bar that only repeats them."""
    known = [(str(s), counts.get(s, 0)) for s in Status if counts.get(s, 0) > 0]
    total = sum(number for _, number in known)
    if not total:
        return ""
    shares = [max(number / total, _PART) for _, number in known]
    x, bars = 0.0, []
    for (status, _), share in zip(known, shares, strict=True):
        width = share / fsum(shares) * 100
        name = status.replace("_", "-")
        bars.append(f'<rect class="k-{name}" x="{x:.2f}%" width="{width:.2f}%" height="100%"/>')
        x += width
    words = "".join(f"<li>{badge_html(Kind.STATUS, s, s)} <b>{n:,}</b></li>" for s, n in known)
    return (
        '<div class="population"><svg width="100%" height="8" aria-hidden="true">'
        f"{''.join(bars)}</svg><ul><li>{count(total, 'resource')}</li>{words}</ul></div>"
    )


def _references(block: Finding) -> str:
    if not block.references:
        return ""
    pairs = "".join(
        f"<div><dt>{escape(visible(framework))}</dt>"
        f"<dd>{escape(', '.join(visible(id_) for id_ in ids))}</dd></div>"
        for framework, ids in block.references
    )
    return f'<dl class="references">{pairs}</dl>'


@block_html.register
def _code(block: Code, page: Page) -> str:  # noqa: ARG001
    return _caption(block.caption) + _pre(block.text)


@block_html.register
def _stack(block: Stack, page: Page) -> str:
    parts = [block_html(part, page) for part in block.blocks]
    if not block.across:
        return "".join(parts)
    return '<div class="across">' + "".join(f"<div>{part}</div>" for part in parts) + "</div>"


def _pre(text: str) -> str:
    return f'<pre tabindex="0"><code>{escape(visible(text, lines=True))}</code></pre>'


def _caption(text: str) -> str:
    return f'<p class="caption">{escape(visible(text))}</p>' if text else ""


def _pairs(pairs: Sequence[tuple[str, Cell]]) -> str:
    rows = []
    for label, value in pairs:
        if isinstance(value, Link):
            shown = link_html(value.href, value.text)
        else:
            kind = Kind.NUMBER if isinstance(value, int | float) else Kind.TIME
            shown = value_html(Kind.TEXT, value, one(kind, value))
        rows.append(f"<div><dt>{escape(visible(label))}</dt><dd>{shown}</dd></div>")
    return f'<dl class="facts">{"".join(rows)}</dl>'


def _rich(text: str) -> str:
    return "".join(
        f"<code>{escape(part)}</code>" if is_code else escape(part).replace("\n", "<br>")
        for is_code, part in inline(text)
    )


def _paragraphs(texts: Sequence[str]) -> str:
    return "".join(
        "<ul>" + "".join(f"<li>{_rich(item)}</li>" for item in items) + "</ul>"
        if is_list
        else f"<p>{_rich(items[0])}</p>"
        for is_list, items in paragraphs(texts)
    )
