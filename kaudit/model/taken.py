"""What is taken out of a tool's output: its content, the records in it, and what is lost."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, BinaryIO

import msgspec
from msgspec import Raw

from kaudit.model.pieces import Piece, pieces

_members = msgspec.json.Decoder(dict[str, Raw]).decode
_elements = msgspec.json.Decoder(list[Raw]).decode
#: Bytes at the beginning by which content too large to hold is told.
_EDGE = 1 << 16
#: What stands before the first document: blank lines, comments, marks, directives.
_BEFORE = re.compile(rb"(?:[ \t]*(?:#[^\n]*|---[^\n]*|%[^\n]*)?\r?\n)*")
_AFTER = re.compile(rb"^(?:---|\.\.\.)(?:\s|$)", re.MULTILINE)
_KEY = re.compile(rb"[\"']?[A-Za-z][\w.-]*[\"']?[ \t]*:(?:\s|$)")
_VERSION = re.compile(rb"^[\"']?apiVersion[\"']?[ \t]*:[ \t]*\S", re.MULTILINE)
_KIND = re.compile(rb"^[\"']?kind[\"']?[ \t]*:[ \t]*[\"']?(\w+)", re.MULTILINE)
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


class Taken(msgspec.Struct, gc=False):
    """One record.

    Attributes
    ----------
    kind
        Kind of the record, as its collector reads it.
    raw
        JSON of the record, or what its collector would make of that.
    item
        Place in the output, from 1; 0 for what stands for all of it.
    group, version
        Of an object of the API inside the output; empty for records of the tool itself.
    """

    kind: str
    raw: Raw | bytes | msgspec.Struct
    item: int = 0
    group: str = ""
    version: str = ""


class Lost(msgspec.Struct):
    """A part of the output that cannot be read: which kind of record it was, and why."""

    kind: str
    detail: str
    item: int = 0


class Content:
    """What one file holds.

    Parameters
    ----------
    name
        How evidence calls the file.
    data
        Its bytes, or, where they are too many to hold, those at its beginning.
    report
        Stands for the content in every table: the first 16 digits of its SHA-256.
    opened
        Opens the file again, where ``data`` is only its beginning.
    before
        Records that were taken from others of the same format.

    Attributes
    ----------
    leaning
        Whether anybody has asked for ``before``: then what is taken depends on it.

    Examples
    --------
    >>> from kaudit.model.taken import Content
    >>> sorted(Content("a.json", b'{"matches": [], "source": null}').keys)
    ['matches', 'source']
    """

    def __init__(
        self,
        name: str,
        data: bytes,
        report: str = "",
        opened: Callable[[], BinaryIO] | None = None,
        before: int = 0,
    ) -> None:
        self._before, self.leaning = before, False
        self.name, self.report, self.opened = name, report, opened
        self.data = _plain(data)

    @property
    def before(self) -> int:
        """Records that were taken from others of the same format."""
        self.leaning = True
        return self._before

    @before.setter
    def before(self, records: int) -> None:
        self._before = records

    @property
    def large(self) -> bool:
        """Whether there is more than is held."""
        return self.opened is not None

    @property
    def whole(self) -> bytes:
        """All of it, however large; for what is never long."""
        if self.opened is None:
            return self.data
        with self.opened() as stream:
            return _plain(stream.read())

    def document(self) -> Any:
        """All of it, decoded: an object of JSON, else one document of YAML.

        Raises
        ------
        InputError
            It is no YAML, or several documents; names the line. JSON is refused by msgspec.
        """
        if self.shape == "object":
            return msgspec.json.decode(self.whole)
        from kaudit.model.yaml_stream import one  # YAML is slow to import

        return one(self.whole, self.name)

    @cached_property
    def text(self) -> str:
        """All of it as text; what is no UTF-8 is shown as such."""
        return self.data.decode("utf-8", "replace")

    @cached_property
    def shape(self) -> str:
        """``object`` or ``list`` where it begins like JSON, ``null``, else ``text``."""
        start = self.data[:256].lstrip()
        if start[:1] == b"{":
            return "object"
        if start[:1] == b"[":
            return "list"
        return "null" if self.data.strip() == b"null" else "text"

    @cached_property
    def kind(self) -> str:
        """Kind of the first document, where that is YAML of an object of the API; else empty.

        Only what stands at the left edge counts: a ConfigMap may hold the text of anything.
        """
        if self.shape != "text" or not (start := _BEFORE.match(self.data)):
            return ""
        if not _KEY.match(self.data, start.end()):
            return ""
        after = _AFTER.search(self.data, start.end())
        document = self.data, start.end(), after.start() if after else len(self.data)
        kind = _KIND.search(*document) if _VERSION.search(*document) else None
        return kind[1].decode() if kind else ""

    @property
    def holds_items(self) -> bool:
        """Whether it is a list as the API gives one: nothing in it needs to be searched."""
        return self.shape == "object" and {"apiVersion", "kind", "items"} <= self.keys

    @cached_property
    def keys(self) -> frozenset[str]:
        """Names on the top level of an object, or of the first object of a list or of lines."""
        if self.large:
            return frozenset(_begun(self.data))
        try:
            if self.shape == "list":
                first = next(iter(_elements(self.data)), Raw(b"{}"))
                return frozenset(_members(first))
            return frozenset(_members(self.data)) if self.shape == "object" else frozenset()
        except msgspec.ValidationError:
            return frozenset()
        except msgspec.DecodeError:
            return self._of_first_line()
        except RecursionError:  # nested deeper than anything that a tool writes
            return frozenset(_begun(self.data[:_EDGE]))

    def _of_first_line(self) -> frozenset[str]:
        line = next((one for one in self.data[: 1 << 20].splitlines() if one.strip()), b"")
        try:
            return frozenset(_members(line))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return frozenset(_begun(self.data[:_EDGE]))

    def parted(self, *paths: str) -> tuple[Iterator[Piece], Rest]:
        """Take the elements of long lists out of content that is too large to hold.

        Parameters
        ----------
        paths
            Lists, with ``[]`` for each list on the way: ``Results[].Vulnerabilities``; empty
            for the content itself, where it is a list.

        Returns
        -------
        elements
            Those of the lists; none where all the content is held.
        rest
            The content without them, once the elements have been read.
        """
        rest = Rest(self.data)
        if self.opened is None:
            return iter(()), rest
        return pieces(self.opened, paths, rest.keep), rest


class Rest:
    """What is left of content, known once its long lists have been taken out."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def keep(self, data: bytes) -> None:
        """Take what is left."""
        self.data = data


def _plain(data: bytes) -> bytes:
    """Bytes in UTF-8 without a mark: PowerShell redirects as UTF-16."""
    if data.startswith(_MARKS[1:]):
        return data.decode("utf-16", "replace").encode()
    return data.removeprefix(_MARKS[0])


def _begun(data: bytes) -> set[str]:
    """Names in an object that may be cut off, or in the first one of a list."""
    import ijson

    found: set[str] = set()
    depth, of_object = 0, 0
    try:
        for event, value in ijson.basic_parse(io.BytesIO(data)):
            if event in ("start_map", "start_array"):
                depth += 1
                of_object = of_object or (depth if event == "start_map" else 0)
            elif event in ("end_map", "end_array"):
                depth -= 1
                if depth < of_object:
                    break
            elif event == "map_key" and depth == of_object:
                found.add(value)
    except ijson.JSONError:
        pass
    return found
