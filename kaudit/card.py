"""Small tables of HTML: how single things show themselves in a notebook, escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import msgspec

from kaudit.text import shorten, visible

__all__ = ["card", "small_table"]

_LONGEST = 300
_LEFT = 'style="text-align:left"'  # JupyterLab sets cells to the right


def card(thing: msgspec.Struct, title: str, *names: str) -> str:
    """Show fields of a struct that are not empty: all, or those that are named."""
    pairs = [(name, getattr(thing, name)) for name in names or thing.__struct_fields__]
    return small_table(title, [(name.replace("_", " "), value) for name, value in pairs if value])


def small_table(title: str, rows: Iterable[Sequence[object]], heads: Sequence[str] = ()) -> str:
    """Write rows under a title; long text loses its middle, and no name is a formula."""
    top = "".join(f"<th {_LEFT}>{_cell(head)}</th>" for head in heads)
    body = "".join(
        "<tr>" + "".join(f"<td {_LEFT}>{_cell(value)}</td>" for value in row) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="tex2jax_ignore mathjax_ignore"><p><strong>{_cell(title)}</strong></p><table>'
        + (f"<thead><tr>{top}</tr></thead>" if heads else "")
        + f"<tbody>{body}</tbody></table></div>"
    )


def _cell(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return escape(shorten(visible(text), _LONGEST))
