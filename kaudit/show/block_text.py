"""Blocks as plain text: for terminals, diffs of notebooks, and readers without HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import singledispatch

from kaudit.model.words import Status
from kaudit.show.block_cells import badge, column_texts, one, paragraphs
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
    Verdicts,
)
from kaudit.text import count, shorten, visible

__all__ = ["text_of"]

_ROWS = 20
_WIDTH = 48


def text_of(block: Block) -> str:
    """Write a block as lines of visible text; of tables the first rows only."""
    return "\n".join(_lines(block))


@singledispatch
def _lines(block: Block) -> Iterator[str]:
    raise TypeError(f"no block: {type(block).__name__}")


@_lines.register
def _cover(block: Cover) -> Iterator[str]:
    yield visible(block.title)
    if block.subtitle:
        yield visible(block.subtitle)
    yield from _pairs(block.facts)
    if block.evidence:
        yield f"Evidence {visible(block.evidence)}, {one(Kind.TIME, block.at)}"


@_lines.register
def _prose(block: Prose) -> Iterator[str]:
    if block.heading:
        yield visible(block.heading)
    yield from _paragraphs(block.paragraphs)


@_lines.register
def _callout(block: Callout) -> Iterator[str]:
    yield f"[{block.tone}] {visible(block.title)}"
    yield from _paragraphs([block.text])


@_lines.register
def _facts(block: Facts) -> Iterator[str]:
    if block.caption:
        yield visible(block.caption)
    yield from _pairs(block.pairs)


@_lines.register
def _numbers(block: Numbers) -> Iterator[str]:
    for item in block.items:
        note = f" ({visible(item.note)})" if item.note else ""
        yield f"{visible(item.label)}: {one(Kind.NUMBER, item.value)}{note}"


@_lines.register
def _table(block: Table) -> Iterator[str]:
    yield visible(block.caption)
    rows = block.rows[:_ROWS]
    columns = [
        [
            shorten(text.replace("\n", " "), _WIDTH)
            for text in column_texts(c, [r[at] for r in rows])
        ]
        for at, c in enumerate(block.columns)
    ]
    heads = [shorten(visible(column.label), _WIDTH) for column in block.columns]
    widths = [max(map(len, [head, *texts])) for head, texts in zip(heads, columns, strict=True)]
    right = [column.kind is Kind.NUMBER for column in block.columns]
    yield _line(heads, widths, right)
    yield "  ".join("-" * width for width in widths)
    for at in range(len(rows)):
        yield _line([texts[at] for texts in columns], widths, right)
    if block.size > len(rows):
        yield f"… {count(block.size - len(rows), 'more row')}"
    if block.note:
        yield visible(block.note)


def _line(texts: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = [
        text.rjust(width) if flush else text.ljust(width)
        for text, width, flush in zip(texts, widths, right, strict=True)
    ]
    return "  ".join(parts).rstrip()


@_lines.register
def _figure(block: Figure) -> Iterator[str]:
    if block.caption:
        yield visible(block.caption)
    yield f"[figure] {visible(block.alt, lines=True)}"


@_lines.register
def _verdicts(block: Verdicts) -> Iterator[str]:
    yield visible(block.caption)
    for item in block.items:
        yield f"{visible(item.name)}: design {_opinion(item.design, item.design_because)}"
        yield f"  operation {_opinion(item.operation, item.operation_because)}"


def _opinion(opinion: str, because: str) -> str:
    return visible(opinion) + (f" ({visible(because)})" if because else "")


@_lines.register
def _finding(block: Finding) -> Iterator[str]:
    found = badge(Kind.SEVERITY, block.severity)
    shape = f"{found.shape} " if found else ""
    yield f"{shape}{visible(block.severity)} {visible(block.control)} {visible(block.title)}"
    known = [(status, block.counts.get(status, 0)) for status in Status]
    yield ", ".join(f"{number:,} {one(Kind.STATUS, s)}" for s, number in known if number)
    if block.expected:
        yield f"Expected: {visible(block.expected)}"
    yield from _paragraphs(block.rationale)
    yield from _paragraphs(block.remedy)
    if block.patch:
        yield visible(block.patch, lines=True)
    for framework, ids in block.references:
        yield f"{visible(framework)}: {', '.join(map(visible, ids))}"
    if block.observed:
        yield from _table(block.observed)


@_lines.register
def _code(block: Code) -> Iterator[str]:
    if block.caption:
        yield visible(block.caption)
    yield visible(block.text, lines=True)


@_lines.register
def _stack(block: Stack) -> Iterator[str]:
    for at, part in enumerate(block.blocks):
        if at:
            yield ""
        yield from _lines(part)


def _pairs(pairs: Sequence[tuple[str, Cell]]) -> Iterator[str]:
    for label, value in pairs:
        shown = value.text if isinstance(value, Link) else value
        yield f"{visible(label)}: {one(Kind.NUMBER, shown)}"


def _paragraphs(texts: Sequence[str]) -> Iterator[str]:
    for is_list, items in paragraphs(texts):
        for item in items:
            yield ("- " if is_list else "") + visible(item)
