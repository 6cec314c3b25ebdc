"""The report on paper: PDF/A-2a and PDF/UA-1 by one fixed Typst template.

Collected text travels to the template as JSON; no markup is ever made from it.
"""

from __future__ import annotations

import json
import re
import struct
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import singledispatchmethod
from xml.etree import ElementTree

from kaudit.model.words import Status
from kaudit.show.block_cells import one
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
from kaudit.template.document import Document, Part, Picture, Shown, Words
from kaudit.template.paper import Node, Text, atoms, code, mark, prose, rich, value, words
from kaudit.template.paper_table import PORTRAIT, table_node
from kaudit.template.typesetter import Typesetter
from kaudit.text import anchor, count, shorten, visible

__all__ = ["paper", "paper_so_far", "report_pdf"]

_COVER_FACTS = 12
_MANY = 99  # entries of contents, more than share a page with the first section
_TALLEST = 580.0  # points
_EPOCH = datetime(1980, 1, 1, tzinfo=UTC)


def report_pdf(document: Document) -> bytes:
    """Write the report as PDF, tagged and archivable.

    Raises
    ------
    ReportError
        The typesetter refused it.
    """
    with closing(Typesetter()) as typesetter:
        return typesetter.pdf(paper(document))


def paper(document: Document) -> Node:
    """Return all that the template needs."""
    return _Paper(document).data(_time(document.cover.at))


def paper_so_far(document: Document) -> Node:
    """Return what the template needs of a report whose end is not known yet."""
    return paper(document) | {"contents": _MANY}


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return _EPOCH
    return max(at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC), _EPOCH)


class _Paper:
    """Turns a document into nodes; knows the depth of headings and the targets of links."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.targets = set(re.findall(r"#([A-Za-z0-9._-]+)", _links(document)))
        self.ids: set[str] = set()
        self.depth = 0

    def data(self, at: datetime) -> Node:
        """Return all that the template needs."""
        cover = self.document.cover
        parts = [p for n, p in enumerate(self.document.parts) if n not in self.document.appendix]
        body = _led(node for part in parts for node in self.part(part))
        title = shorten(visible(cover.title).strip() or "Report", 240)
        return {
            "title": title,
            "name": shorten(title, 70),
            "heading": atoms(title),
            "subtitle": rich(shorten(cover.subtitle, 400)),
            "facts": _pairs(cover.facts[:_COVER_FACTS], longest=160),
            "evidence": atoms(shorten(visible(cover.evidence), 120)),
            "id": shorten(visible(cover.evidence), 30),
            "at": one(Kind.TIME, cover.at) if cover.at else "",
            "date": [at.year, at.month, at.day, at.hour, at.minute, at.second],
            "contents": sum(node["t"] == "h" and node["level"] < 3 for node in body),
            "ids": sorted(self.ids),
            "body": body,
        }

    def part(self, part: Part) -> Iterator[Node]:
        """Write a part of the document."""
        if isinstance(part, Words):
            for node in words(part.tokens):
                yield self.heading(node["level"], node["text"]) if node["t"] == "h" else node
        elif isinstance(part, Shown):
            yield from self.block(part.block, PORTRAIT)
        elif isinstance(part, Picture):
            yield _picture(part)
        else:
            yield code(part.text)

    def heading(self, level: int, text: str) -> Node:
        """Write a heading, no deeper than one below the last; the notebook's first is 2."""
        self.depth = min(max(level - 1, 1), self.depth + 1, 3)
        return {"t": "h", "level": self.depth, "c": atoms(shorten(visible(text), 300))}

    @singledispatchmethod
    def block(self, block: Block, wide: float) -> Iterator[Node]:
        """Write a block in so much room."""
        raise TypeError(f"no block: {type(block).__name__}")

    @block.register
    def _(self, block: Cover, wide: float) -> Iterator[Node]:
        yield {"t": "facts", "pairs": _pairs(block.facts)}

    @block.register
    def _(self, block: Prose, wide: float) -> Iterator[Node]:
        if block.heading:
            yield self.heading(block.level, block.heading)
        yield from prose(block.paragraphs)

    @block.register
    def _(self, block: Callout, wide: float) -> Iterator[Node]:
        yield {
            "t": "callout",
            "tone": block.tone,
            "title": atoms(block.title, longest=300),
            "items": prose([block.text]) if block.text else [],
        }

    @block.register
    def _(self, block: Facts, wide: float) -> Iterator[Node]:
        yield {"t": "facts", "caption": atoms(block.caption), "pairs": _pairs(block.pairs)}

    @block.register
    def _(self, block: Numbers, wide: float) -> Iterator[Node]:
        items = [
            {
                "label": atoms(shorten(visible(item.label), 60)),
                "value": atoms(shorten(one(Kind.NUMBER, item.value), 20)),
                "note": rich(shorten(item.note, 100)),
                "tone": item.tone,
            }
            for item in block.items
        ]
        yield {"t": "numbers", "caption": atoms(block.caption), "items": items}

    @block.register
    def _(self, block: Table, wide: float) -> Iterator[Node]:
        node = table_node(block, wide=wide, targets=self.targets - self.ids)
        self.ids |= set(node["ids"]) - {""}
        yield node

    @block.register
    def _(self, block: Figure, wide: float) -> Iterator[Node]:
        yield _figure(block)

    @block.register
    def _(self, block: Verdicts, wide: float) -> Iterator[Node]:
        items = [
            {
                "name": atoms(shorten(visible(item.name[:1].upper() + item.name[1:]), 60)),
                "facts": _pairs(item.facts, longest=40),
                "sides": [
                    {"mark": mark(Kind.OPINION, opinion), "because": rich(shorten(because, 600))}
                    for opinion, because in (
                        (item.design, item.design_because),
                        (item.operation, item.operation_because),
                    )
                ],
            }
            for item in block.items
        ]
        yield {"t": "verdicts", "caption": atoms(block.caption, longest=300), "items": items}

    @block.register
    def _(self, block: Finding, wide: float) -> Iterator[Node]:
        name = anchor(f"c-{block.control}", taken=self.ids)
        self.ids.add(name)
        self.depth = min(2, self.depth + 1)
        parts: list[tuple[str, list[Node]]] = [
            ("Expected", prose([block.expected]) if block.expected else []),
            ("Why it matters", prose(block.rationale)),
            ("What to do", prose(block.remedy) + ([code(block.patch)] if block.patch else [])),
        ]
        yield {
            "t": "finding",
            "id": name,
            "level": self.depth,
            "control": atoms(shorten(visible(block.control), 80)),
            "title": atoms(shorten(visible(block.title), 200)),
            "severity": mark(Kind.SEVERITY, block.severity),
            "layer": atoms(shorten(visible(block.layer), 60)),
            "opinion": mark(Kind.OPINION, block.opinion) if block.opinion else "",
            "because": rich(shorten(block.because, 300)),
            "population": _population(block.counts),
            "parts": [{"label": label, "items": items} for label, items in parts if items],
            "references": [
                [
                    atoms(shorten(visible(name), 120)),
                    atoms(", ".join(map(visible, ids)), longest=300),
                ]
                for name, ids in block.references
            ],
        }
        if block.observed:
            yield from self.block(block.observed, wide)

    @block.register
    def _(self, block: Code, wide: float) -> Iterator[Node]:
        yield code(block.text) | {"caption": atoms(block.caption, longest=300)}

    @block.register
    def _(self, block: Stack, wide: float) -> Iterator[Node]:
        sets = [list(self.block(part, wide / 2 if block.across else wide)) for part in block.blocks]
        small = all(node["t"] in ("figure", "facts", "callout") for nodes in sets for node in nodes)
        if block.across and small:
            yield {"t": "across", "columns": sets}
        else:
            yield from (node for nodes in sets for node in nodes)


def _led(nodes: Iterable[Node]) -> list[Node]:
    """Keep headings, and the paragraph under them, on the page of what they lead to."""
    found: list[Node] = []
    for node in nodes:
        if len(found) > 1 and (found[-2]["t"], found[-1]["t"]) == ("h", "p"):
            found[-1]["leads"] = node["t"] not in ("p", "h", "list")
        if node["t"] == "table" and node["turned"]:
            start = len(found)
            while start > max(len(found) - 3, 0) and found[start - 1]["t"] in ("h", "p"):
                start -= 1
            while start < len(found) and found[start]["t"] != "h":
                start += 1
            node["lead"], found = found[start:], found[:start]
        found.append(node)
    return found


def _links(document: Document) -> str:
    """Return where all links of the document lead, as one text to search in."""
    found: list[str] = []

    def collect(block: Block) -> None:
        if isinstance(block, Table):
            for row in block.rows:
                found.extend(cell.href for cell in row if isinstance(cell, Link))
        elif isinstance(block, Facts | Cover):
            pairs = block.pairs if isinstance(block, Facts) else block.facts
            found.extend(cell.href for _, cell in pairs if isinstance(cell, Link))
        elif isinstance(block, Finding) and block.observed:
            collect(block.observed)
        elif isinstance(block, Stack):
            for part in block.blocks:
                collect(part)

    for part in document.parts:
        if isinstance(part, Shown):
            collect(part.block)
        elif isinstance(part, Words):
            found.append(json.dumps(part.tokens))
    return "\n".join(found)


def _pairs(pairs: Sequence[tuple[str, Cell]], longest: int = 1500) -> list[list[Text]]:
    shown = []
    for label, cell in pairs:
        if isinstance(cell, str):
            cell = shorten(visible(cell, lines=True), longest)
        shown.append([atoms(shorten(visible(label), 60)), value(cell)])
    return shown


def _population(counts: dict[str, int]) -> Node:
    known = [(s, counts.get(s, 0)) for s in Status if counts.get(s, 0) > 0]
    total = sum(number for _, number in known)
    return {
        "total": count(total, "resource"),
        "parts": [
            {
                "name": status.replace("_", "-"),
                "share": max(round(number / total, 5), 0.004),
                "mark": mark(Kind.STATUS, status),
                "number": f"{number:,}",
            }
            for status, number in known
        ],
    }


def _figure(block: Figure) -> Node:
    alt = visible(block.alt, lines=True)[:4000] or "A drawing without a description"
    root = _drawing(block.svg)
    if root is None:
        return {"t": "p", "c": atoms(f"A drawing that cannot be printed was left out: {alt[:300]}")}
    size = [re.fullmatch(r"([\d.]+)(?:pt)?", root.get(name, "")) for name in ("width", "height")]
    wide, high = (float(match[1]) if match else PORTRAIT for match in size)
    return {
        "t": "figure",
        "svg": block.svg.decode("utf-8", "replace"),
        "alt": alt,
        "wide": _fitting(wide, high),
        "caption": rich(shorten(block.caption, 300)),
    }


def _fitting(wide: float, high: float) -> float:
    """Width in points at which a drawing fits on a page with its caption."""
    return min(wide, PORTRAIT, wide * _TALLEST / max(high, 1.0))


def _drawing(svg: bytes) -> ElementTree.Element | None:
    """Parse a drawing that shows nothing but itself; None where it is none, or leads outside."""
    try:
        root = ElementTree.fromstring(svg)  # noqa: S314  expat bounds entity expansion
    except (ElementTree.ParseError, ValueError, LookupError):
        return None
    links = [
        target
        for element in root.iter()
        for name, target in element.attrib.items()
        if name.rpartition("}")[2] == "href"
    ]
    own = all(target.startswith(("#", "data:image/png;")) for target in links)
    return root if own and root.tag == "{http://www.w3.org/2000/svg}svg" else None


def _picture(picture: Picture) -> Node:
    """Write a PNG as a drawing that holds it: a broken one then leaves a blank, not a failure."""
    if picture.data[:8] != b"\x89PNG\r\n\x1a\n" or len(picture.data) < 24:
        return {"t": "p", "c": "A picture is in the HTML report only."}
    wide, high = struct.unpack(">II", picture.data[16:24])
    encoded = b64encode(picture.data).decode("ascii")
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" '
        f'height="{high}"><image width="{wide}" height="{high}" '
        f'href="data:image/png;base64,{encoded}"/></svg>'
    )
    return {
        "t": "figure",
        "svg": svg,
        "alt": "A picture without a description",
        "wide": _fitting(wide * 0.72, high * 0.72),
        "caption": "",
    }
