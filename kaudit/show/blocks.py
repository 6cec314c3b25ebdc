"""Blocks: what notebook cells return, typed, and shown alike on a page, on paper and as text.

A block holds data, never markup. It displays itself in Jupyter by
``_repr_mimebundle_``, which publishes three forms side by side: HTML with everything
escaped, plain text, and the block itself as JSON under :data:`MIME`. The exporters read
only the last one, so nothing that a cell writes as HTML ever reaches a report.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from kaudit.errors import InputError
from kaudit.text import visible_surrogates

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MIME",
    "Block",
    "Callout",
    "Cell",
    "Code",
    "Column",
    "Cover",
    "Facts",
    "Figure",
    "Finding",
    "Kind",
    "Link",
    "Number",
    "Numbers",
    "Prose",
    "Stack",
    "Table",
    "Tone",
    "Verdict",
    "Verdicts",
    "cell",
    "from_data",
    "to_data",
]

#: Media type under which a block travels as data.
MIME = "application/vnd.kaudit.block+json"


class Kind(StrEnum):
    """What the cells of a column are; decides alignment, face and sorting."""

    TEXT = "text"
    NUMBER = "number"
    CODE = "code"
    SEVERITY = "severity"
    STATUS = "status"
    OPINION = "opinion"
    TIME = "time"
    LINK = "link"


#: Kinds whose cells are badges.
BADGED = (Kind.SEVERITY, Kind.STATUS, Kind.OPINION)


class Tone(StrEnum):
    """What a callout or a number says about the world."""

    INFO = "info"
    OK = "ok"
    WARNING = "warning"
    DANGER = "danger"

    @classmethod
    def of(cls, faults: int) -> Tone:
        """Say how bad it is that there are so many faults."""
        return cls.DANGER if faults else cls.OK


class Link(msgspec.Struct, frozen=True):
    """A cell that leads somewhere.

    Attributes
    ----------
    text
        What is shown.
    href
        ``#id`` on the same page, a relative file beside the report, or ``https://``;
        anything else is shown as text only.
    """

    text: str
    href: str


Cell: TypeAlias = str | int | float | bool | Link | None


class Column(msgspec.Struct, frozen=True):
    """One column of a table; ``weight`` is its share of the width, 0 measures its cells."""

    label: str
    kind: Kind = Kind.TEXT
    weight: float = 0.0


class _Shown(msgspec.Struct, frozen=True, tag_field="block", omit_defaults=True):
    """Base of the blocks: displays itself."""

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from kaudit.show.block_html import standalone
        from kaudit.show.block_text import text_of

        block: Any = self
        return {MIME: to_data(block), "text/html": standalone(block), "text/plain": text_of(block)}


class Cover(_Shown, frozen=True, tag="cover"):
    """First page: what the report is about.

    Attributes
    ----------
    title, subtitle
        Of the report.
    facts
        Label and value: cluster, scope, prepared by …
    evidence
        Id of the evidence; printed in the running header.
    at
        Time of the evidence, ISO 8601 in UTC; becomes the date of the PDF.
    """

    title: str
    subtitle: str = ""
    facts: tuple[tuple[str, Cell], ...] = ()
    evidence: str = ""
    at: str = ""


class Prose(_Shown, frozen=True, tag="prose"):
    """Paragraphs of text, with backticks around code and ``- `` before the items of a list."""

    paragraphs: tuple[str, ...]
    heading: str = ""
    level: int = 3


class Callout(_Shown, frozen=True, tag="callout"):
    """One thing that must not be missed."""

    tone: Tone
    title: str
    text: str = ""


class Facts(_Shown, frozen=True, tag="facts"):
    """Pairs of label and value."""

    pairs: tuple[tuple[str, Cell], ...]
    caption: str = ""


class Number(msgspec.Struct, frozen=True):
    """One key figure: ``value`` is shown large, ``label`` says what is counted."""

    label: str
    value: Cell
    note: str = ""
    tone: Tone = Tone.INFO


class Numbers(_Shown, frozen=True, tag="numbers"):
    """A row of key figures."""

    items: tuple[Number, ...]
    caption: str = ""


class Table(_Shown, frozen=True, tag="table"):
    """Rows under a caption.

    Attributes
    ----------
    caption, columns, rows
        The table; make it with :meth:`of` or :meth:`of_frame`, which accept any values.
    total
        Rows that exist, where fewer are held; 0 means that all are here.
    note
        A sentence under the table.
    anchors
        Fingerprint of each row, or none; the row becomes the target of ``#f-<fingerprint>``.
    annex
        File beside the report that holds all rows.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: int = 0
    note: str = ""
    anchors: tuple[str, ...] = ()
    annex: str = ""

    def __post_init__(self) -> None:
        width = len(self.columns)
        if any(len(row) != width for row in self.rows):
            raise InputError(f"table {self.caption!r}: a row has not {width} cells")
        if self.anchors and len(self.anchors) != len(self.rows):
            raise InputError(f"table {self.caption!r}: {len(self.anchors)} anchors for its rows")

    @property
    def size(self) -> int:
        """Rows that exist, held here or not."""
        return max(self.total, len(self.rows))

    @classmethod
    def of(
        cls,
        caption: str,
        columns: Iterable[Column | tuple[str, str] | str],
        rows: Iterable[Sequence[object]],
        **more: Any,
    ) -> Table:
        """Build a table of any values; a column may be a label, or label and kind."""
        return cls(
            caption=caption,
            columns=tuple(_column(column) for column in columns),
            rows=tuple(tuple(map(cell, row)) for row in rows),
            **more,
        )

    @classmethod
    def of_frame(
        cls,
        caption: str,
        frame: pd.DataFrame,
        columns: Mapping[str, Column | tuple[str, str] | str],
        **more: Any,
    ) -> Table:
        """Build a table of columns of a frame, in the order and under the labels given."""
        values = [[cell(value) for value in frame[name].tolist()] for name in columns]
        return cls(
            caption=caption,
            columns=tuple(_column(column) for column in columns.values()),
            rows=tuple(zip(*values, strict=True)),
            **more,
        )


class Figure(_Shown, frozen=True, tag="figure"):
    """A drawing with its text alternative.

    Attributes
    ----------
    svg
        SVG document; a picture without scripts or references.
    alt
        What the drawing shows, with the numbers, for who cannot see it.
    caption
        Under the drawing; may be empty.
    """

    svg: bytes
    alt: str
    caption: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """Conclusions on one layer or control; an opinion is a word of ``Opinion``."""

    name: str
    design: str
    operation: str
    design_because: str = ""
    operation_because: str = ""
    facts: tuple[tuple[str, Cell], ...] = ()


class Verdicts(_Shown, frozen=True, tag="verdicts"):
    """Conclusions on design and operation, one row a layer."""

    items: tuple[Verdict, ...]
    caption: str = "Conclusions"


class Finding(_Shown, frozen=True, tag="finding"):
    """One control that fails, as a working paper.

    Attributes
    ----------
    control, title, severity, layer
        Of the control; ``title`` is the condition that should hold.
    counts
        Resources by status.
    expected, rationale
        The criterion; why it matters.
    remedy, patch, language
        What to do, and code that does it.
    references
        Framework and its requirement ids.
    observed
        The failing resources.
    opinion, because
        Conclusion on the control.
    """

    control: str
    title: str
    severity: str
    layer: str
    counts: dict[str, int]
    expected: str = ""
    rationale: tuple[str, ...] = ()
    remedy: tuple[str, ...] = ()
    patch: str = ""
    language: str = "yaml"
    references: tuple[tuple[str, tuple[str, ...]], ...] = ()
    observed: Table | None = None
    opinion: str = ""
    because: str = ""


class Code(_Shown, frozen=True, tag="code"):
    """Lines shown as they are."""

    text: str
    language: str = ""
    caption: str = ""


class Stack(_Shown, frozen=True, tag="stack"):
    """Several blocks of one cell; ``across`` sets them side by side where there is room."""

    blocks: tuple[Block, ...]
    across: bool = False


Block: TypeAlias = (
    Cover | Prose | Callout | Facts | Numbers | Table | Figure | Verdicts | Finding | Code | Stack
)

_PLAIN = (str, int, float, bool, Link, type(None))


def cell(value: object) -> Cell:
    """Turn any value into a cell: numbers stay, times become ISO 8601, nothing is None.

    Scalars of numpy and missing values of pandas are understood without importing either.
    """
    if type(value) in _PLAIN:
        return None if isinstance(value, float) and not math.isfinite(value) else value  # type: ignore[return-value]
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        if value != value:  # NaT
            return None
        at = value if value.tzinfo else value.replace(tzinfo=UTC)
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        parts = [str(cell(part)) for part in value]
        return ", ".join(sorted(parts) if isinstance(value, set | frozenset) else parts)
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    item = getattr(value, "item", None)
    return cell(item()) if callable(item) else str(value)


def _column(column: Column | tuple[str, str] | str) -> Column:
    if isinstance(column, Column):
        return column
    if isinstance(column, str):
        return Column(column)
    return Column(column[0], Kind(column[1]))


def to_data(block: Block) -> dict[str, Any]:
    """Return a block as JSON-ready data; lone surrogates are written out."""
    data: dict[str, Any] = msgspec.to_builtins(block)
    try:
        msgspec.json.encode(data)
    except UnicodeEncodeError:
        data = _encodable(data)
    return data


def _encodable(data: Any) -> Any:
    if isinstance(data, str):
        return data if data.isascii() else visible_surrogates(data)
    if isinstance(data, dict):
        return {_encodable(key): _encodable(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_encodable(value) for value in data]
    return data


def from_data(data: object) -> Block:
    """Read a block back.

    Raises
    ------
    InputError
        The data is no block, or one of a later version.
    """
    try:
        block: Block = msgspec.convert(data, Block)
    except (msgspec.ValidationError, RecursionError) as error:
        raise InputError(f"an output under {MIME} is no block: {error}") from None
    return block
