"""Tables as HTML: plain, sortable and searchable by the page's script, and quick when long.

The first :data:`ROWS_SHOWN` rows are part of the page. Where there are more, all rows are
embedded as JSON in an element that is never executed; the script builds the rows of one
screen from it, with text nodes only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from kaudit.show.block_cells import NOTHING, badge, column_texts, href
from kaudit.show.blocks import BADGED, Cell, Column, Kind, Link, Table
from kaudit.text import anchor, count, visible

__all__ = ["ROWS_SHOWN", "badge_html", "cell_html", "table_html"]

#: Rows that are readable without scripts.
ROWS_SHOWN = 500
_LONG = 400
_HEAD = 160
_SHORT = 26


def table_html(
    table: Table, ids: set[str], *, rows_shown: int = ROWS_SHOWN, scripted: bool = True
) -> str:
    """Write a table.

    Parameters
    ----------
    table
        The rows, as given; nothing is sorted or dropped.
    ids
        Ids taken on the page; those of the rows are added.
    rows_shown
        Rows written as HTML.
    scripted
        The page has a script, which shows the others: all are embedded as data for it.
    """
    columns = [
        column_texts(c, [row[at] for row in table.rows]) for at, c in enumerate(table.columns)
    ]
    anchors = _anchors(table, ids)
    shown = min(len(table.rows), rows_shown)
    classes = [_class(column, texts) for column, texts in zip(table.columns, columns, strict=True)]
    heads = "".join(
        f'<th scope="col" data-kind="{column.kind}" class="{style}">'
        f"{_words(visible(column.label))}</th>"
        for column, style in zip(table.columns, classes, strict=True)
    )
    body = "".join(
        _row(table, at, classes, [texts[at] for texts in columns], anchors[at])
        for at in range(shown)
    )
    if not table.rows:
        body = f'<tr><td class="none" colspan="{len(table.columns)}">Nothing to list.</td></tr>'
    caption = escape(visible(table.caption))
    more = scripted and len(table.rows) > shown
    data = _embedded(table, columns, anchors) if more else ""
    return (
        f'<figure class="table" data-rows="{len(table.rows)}">'
        f'<div class="scroll" role="group" tabindex="0" aria-label="{caption}"><table>'
        f"<caption><span>{caption}</span></caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
        f"{_foot(table, shown, scripted=scripted)}{data}</figure>"
    )


def _anchors(table: Table, ids: set[str]) -> list[str]:
    found = []
    for fingerprint in table.anchors or [""] * len(table.rows):
        name = anchor(fingerprint, prefix="f-") if fingerprint else ""
        found.append("" if name in ids else name)
        ids.add(name)
    return found


def _words(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _foot(table: Table, shown: int, *, scripted: bool) -> str:
    parts = [f"<p>{_words(visible(table.note, lines=True))}</p>"] if table.note else []
    rest = table.size - shown
    if rest > 0:
        where = []
        if scripted and len(table.rows) > shown:
            where.append("on this page, with scripts")
        if table.annex:
            where.append(f"in {link_html(table.annex, table.annex)}")
        text = f"{count(shown, 'row')} of {table.size:,} {'is' if shown == 1 else 'are'} shown"
        place = f"; all are {' and '.join(where)}" if where else ""
        parts.append(f'<p class="rest">{text}{place}.</p>')
    elif table.annex and table.rows:
        parts.append(f'<p class="rest">Also as {link_html(table.annex, table.annex)}.</p>')
    return f'<figcaption class="foot">{"".join(parts)}</figcaption>' if parts else ""


def _class(column: Column, texts: Sequence[str]) -> str:
    """Name the style of a column: short cells are never broken, long ones anywhere."""
    longest = max((len(line) for text in texts for line in text.split("\n")), default=0)
    room = "short" if longest <= _SHORT else "long" if longest > 2 * _SHORT else "middling"
    return f"{column.kind} {room}"


def _row(table: Table, at: int, classes: Sequence[str], texts: Sequence[str], name: str) -> str:
    cells = [
        cell_html(style, column.kind, value, text)
        for column, style, value, text in zip(
            table.columns, classes, table.rows[at], texts, strict=True
        )
    ]
    if name:
        cells[0] = cells[0].replace(
            "</td>", f'<a class="self" href="#{name}" aria-label="Link to this row">#</a></td>'
        )
        return f'<tr id="{name}">{"".join(cells)}</tr>'
    return f"<tr>{''.join(cells)}</tr>"


def cell_html(style: str, kind: Kind, value: Cell, text: str) -> str:
    """Write one ``td``; ``text`` is the value as :func:`column_texts` wrote it."""
    if text == NOTHING:
        return f'<td class="{style} none">{NOTHING}</td>'
    return f'<td class="{style}">{value_html(kind, value, text)}</td>'


def value_html(kind: Kind, value: Cell, text: str) -> str:
    """Write the inside of a cell."""
    if kind in BADGED:
        return badge_html(kind, value, text)
    if isinstance(value, Link):
        return link_html(value.href, text)
    inner = _words(text)
    if kind is Kind.CODE:
        inner = f"<code>{inner}</code>"
    if len(text) > _LONG:
        head = _words(text[:_HEAD])
        return f"<details><summary>{head}… ({len(text):,} characters)</summary>{inner}</details>"
    return inner


def badge_html(kind: str, value: Cell, text: str) -> str:
    """Write a badge: shape and word; a word that is none of ours stays text."""
    found = badge(kind, value)
    if not found:
        return _words(text)
    return (
        f'<span class="badge k-{found.name}"><span class="shape" aria-hidden="true">'
        f"{found.shape}</span>{found.word}</span>"
    )


def link_html(target: str, text: str) -> str:
    """Write a link, or the text alone where it may not lead there."""
    target = href(Link("", target))
    if not target:
        return _words(visible(text))
    rel = ' rel="noreferrer noopener"' if "://" in target else ""
    return f'<a href="{escape(target)}"{rel}>{_words(visible(text))}</a>'


def _embedded(table: Table, columns: Sequence[Sequence[str]], anchors: Sequence[str]) -> str:
    links = {
        at: [href(cell) if isinstance(cell := row[at], Link) else "" for row in table.rows]
        for at, column in enumerate(table.columns)
        if column.kind is Kind.LINK
    }
    data = {
        "columns": columns,
        "links": links,
        "anchors": anchors if any(anchors) else [],
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # What could end the element, or start a comment in it, is written as an escape.
    text = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return f'<script type="application/json">{text}</script>'
