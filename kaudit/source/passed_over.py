"""Files of a folder that have no name of evidence, and begin like evidence all the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from kaudit.model.taken import Content
from kaudit.model.words import Gap, Reason
from kaudit.source.tools import EDGE, UNREADABLE, opener, recognised
from kaudit.text import count

_ARCHIVES = (".tar", ".tgz", ".tbz2", ".txz", ".zip")
_PACKED = (".bz2", ".gz", ".xz", ".zst")
#: Lines before the first that tells: blank, comments, separators, directives of templates.
_BEFORE = re.compile(
    rb"\A(?:\xef\xbb\xbf)?(?:[ \t]*(?:#[^\n]*|---[^\n]*|%[^\n]*|\{[{%][^\n]*|<%[^\n]*)?\r?\n)*"
)
_KEY = re.compile(rb"(?:- )?[\"']?[A-Za-z][\w.-]*[\"']?[ \t]*:(?:\s|\Z)")
_OBJECT = (
    re.compile(rb"(?:^|[\s{,])[\"']?apiVersion[\"']?\s*:"),
    re.compile(rb"(?:^|[\s{,])[\"']?kind[\"']?\s*:"),
)
#: Names that a gap tells.
_SHOWN = 5


def gaps_of(files: Iterable[tuple[str, Path]]) -> Iterator[Gap]:
    """Yield the gaps of files that were passed over for their names; most hold no evidence."""
    archives, likely = [], []
    for name, path in sorted(files):
        if _is_archive(path):
            archives.append(name)
        elif _begins_like_evidence(name, path):
            likely.append(name)
    if likely:
        yield Gap(
            what=f"{count(len(likely), 'file')} with other names",
            reason=Reason.NOT_COLLECTED,
            detail=f"{_some(likely)}: content like evidence under a name that is not read; "
            "give such a file by its name",
        )
    if archives:
        yield Gap(
            what=count(len(archives), "archive"),
            reason=Reason.NOT_COLLECTED,
            detail=f"{_some(archives)}: not unpacked",
        )


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _is_archive(path: Path) -> bool:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return bool(suffixes) and suffixes[-1] in _ARCHIVES


def _begins_like_evidence(name: str, path: Path) -> bool:
    """Tell manifests, templates of such and JSON of tools by how they begin."""
    try:
        with opener(path)() as stream:
            data = stream.read(EDGE)
    except (*UNREADABLE, ValueError):
        return False
    told = data[_BEFORE.match(data).end() :]  # type: ignore[union-attr]  # it matches always
    json = told[:1] in (b"{", b"[")
    if (json or _KEY.match(told)) and all(one.search(data) for one in _OBJECT):
        return True
    return json and recognised(Content(name, data)) is not None
