"""Find what a tool meant to print in what it printed."""

from __future__ import annotations

import json
import shutil
from codecs import BOM_UTF8
from pathlib import Path

import msgspec

from kaudit.errors import SourceError
from kaudit.model.taken import Content
from kaudit.model.words import Reason
from kaudit.registry import Format
from kaudit.source.tools import LARGE

#: Bytes before the beginning of a report within which log lines may stand.
_BEFORE = 1 << 20
#: Lines at which a report is looked for.
_TRIES = 200
_BEGINS = (b"{", b"[")


def clean(format: Format, out: Path) -> None:
    """Leave of a file that a tool printed into only its report.

    Log lines before and behind it go. What is too large to hold is believed where it begins
    like a report; the format tells later what is wrong with it.

    Raises
    ------
    SourceError
        There is no report, or only a part of one.
    """
    if out.stat().st_size > LARGE:
        _behind_lines(out)
        return
    printed = out.read_bytes()
    data = printed.removeprefix(BOM_UTF8)
    found = _report(format, data)
    if found is None:
        raise SourceError(format.title, reason=Reason.BROKEN, detail=_wrong(format, data))
    if found != printed:
        out.write_bytes(found)


def _report(format: Format, data: bytes) -> bytes | None:
    """Return the JSON in what was printed that is a report of the format, or is all of it."""
    whole = data.strip()
    if whole[:1] not in _BEGINS and format.recognise(Content("", whole)):
        return whole
    if _is_json(whole):
        empty = whole in (b"[]", b"null")
        return whole if empty or format.recognise(Content("", whole)) else None
    text = data.decode("utf-8", "replace")
    decode = json.JSONDecoder().raw_decode
    at = 0
    for _ in range(_TRIES):
        while at < len(text) and text[at] not in "{[":
            at = text.find("\n", at) + 1 or len(text)
        if at >= len(text):
            break
        try:
            _, end = decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("\n", at) + 1 or len(text)
            continue
        found = text[at:end].encode()
        if format.recognise(Content("", found)):
            return found
        at = text.find("\n", end) + 1 or len(text)
    return None


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return bool(data)


def _wrong(format: Format, data: bytes) -> str:
    if not data.strip():
        return "printed nothing"
    if data.lstrip()[:1] in _BEGINS and not _is_json(data.strip()):
        return "what it printed is cut off or damaged"
    return f"what it printed is no report of {format.title}"


def _behind_lines(out: Path) -> None:
    """Drop the lines before the first that begins like JSON."""
    with out.open("rb") as stream:
        start = 0
        for line in stream:
            if line.lstrip()[:1] == b"{" or start > _BEFORE:
                break
            start += len(line)
        if not start:
            return
        stream.seek(start)
        rest = out.with_suffix(".rest")
        with rest.open("wb") as kept:
            shutil.copyfileobj(stream, kept)
    rest.replace(out)
