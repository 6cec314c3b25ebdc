"""The report as a list of parts, read from an executed notebook.

Only what is understood is taken: Markdown cells, blocks, pictures and plain text. HTML,
scripts, Markdown and LaTeX among the outputs are ignored, whoever wrote them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from kaudit.errors import InputError
from kaudit.show.blocks import MIME, Block, Callout, Cover, Stack, Tone, from_data
from kaudit.template.markdown import Token, heading_text, parse

__all__ = ["Document", "Part", "Picture", "Shown", "Text", "Words", "read"]

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_IMAGES = ("image/png", "image/jpeg")


class Words(msgspec.Struct, frozen=True):
    """A Markdown cell, parsed."""

    tokens: list[Token]


class Shown(msgspec.Struct, frozen=True):
    """A block."""

    block: Block


class Picture(msgspec.Struct, frozen=True):
    """An image that a cell showed without kaudit; nobody described it."""

    mime: str
    data: bytes


class Text(msgspec.Struct, frozen=True):
    """Plain text that a cell printed or returned."""

    text: str


Part: TypeAlias = Words | Shown | Picture | Text


class Document(msgspec.Struct, frozen=True):
    """A report: its cover, and its parts in order; ``appendix`` parts are not for paper."""

    cover: Cover
    parts: tuple[Part, ...]
    appendix: frozenset[int] = frozenset()


def read(notebook: Mapping[str, Any], *, title: str = "") -> Document:
    """Read an executed notebook.

    Parameters
    ----------
    notebook
        Format 4, as nbformat reads it.
    title
        Replaces the title that the notebook gives by a Cover block or its first heading.
    """
    cover: Cover | None = None
    first_heading = ""
    parts: list[Part] = []
    appendix = set()
    for cell in notebook["cells"]:
        tags = cell.get("metadata", {}).get("tags", [])
        for part in _parts(cell):
            if isinstance(part, Shown) and isinstance(part.block, Cover):
                cover = cover or part.block
                continue
            if isinstance(part, Words) and not first_heading:
                first_heading, part = _take_title(part)
            if "appendix" in tags:
                appendix.add(len(parts))
            parts.append(part)
    cover = cover or Cover(first_heading or "Report")
    if title:
        cover = msgspec.structs.replace(cover, title=title)
    return Document(cover, tuple(parts), frozenset(appendix))


def _take_title(words: Words) -> tuple[str, Words]:
    for at, token in enumerate(words.tokens):
        if token["type"] == "heading" and token["attrs"]["level"] == 1:
            rest = words.tokens[:at] + words.tokens[at + 1 :]
            return heading_text(token), Words(rest)
    return "", words


def _parts(cell: Mapping[str, Any]) -> Iterator[Part]:
    if cell["cell_type"] == "markdown":
        yield Words(parse(_joined(cell["source"])))
    elif cell["cell_type"] == "code":
        for output in cell.get("outputs", []):
            yield from _output(output)


def _output(output: Mapping[str, Any]) -> Iterator[Part]:
    kind = output["output_type"]
    if kind == "stream":
        text = _ANSI.sub("", _joined(output["text"])).strip("\n")
        if text.strip():
            yield Text(text)
    elif kind == "error":
        fault = _ANSI.sub("", f"{output.get('ename', '')}: {output.get('evalue', '')}")
        yield Shown(Callout(Tone.DANGER, "A cell failed", fault))
    else:
        yield from _data(output.get("data", {}))


def _data(data: Mapping[str, Any]) -> Iterator[Part]:
    if MIME in data:
        try:
            yield from _unfolded(from_data(data[MIME]))
        except InputError as error:
            yield Shown(Callout(Tone.WARNING, "An output could not be shown", str(error)))
        return
    for mime in _IMAGES:
        if mime in data:
            try:
                yield Picture(mime, base64.b64decode(_joined(data[mime])))
            except (binascii.Error, ValueError):
                yield Shown(Callout(Tone.WARNING, "An output could not be shown", mime))
            return
    if "text/plain" in data:
        yield Text(_ANSI.sub("", _joined(data["text/plain"])))


def _unfolded(block: Block) -> Iterator[Part]:
    if isinstance(block, Stack) and not block.across:
        for part in block.blocks:
            yield from _unfolded(part)
    else:
        yield Shown(block)


def _joined(text: object) -> str:
    return "".join(text) if isinstance(text, list) else str(text)
