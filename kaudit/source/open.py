"""Turn what the user names into a source."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from kaudit.errors import EMPTY, InputError
from kaudit.source.events import Source
from kaudit.source.files import FileSource


def is_bundle(text: str) -> bool:
    """Tell whether a path is an evidence bundle."""
    path = Path(text)
    return os.path.isfile(path / "evidence.json") or (
        path.name.endswith(".kaudit") and os.path.isfile(path)
    )


def open_source(text: str, *, stdin: BinaryIO | None = None, secrets: str = "none") -> Source:
    """Return the source that a word of the command line names.

    Parameters
    ----------
    text
        ``context:NAME`` (``context:`` alone: the current one), a file or folder, or ``-``.
    stdin
        Stream for ``-``.
    secrets
        What to ask of a live cluster's Secrets: ``none``, ``metadata`` or ``table``.

    Raises
    ------
    InputError
        There is nothing of the name.
    """
    if not text:
        raise InputError("a source has no name", hint=EMPTY)
    if text == "-":
        if stdin is None:
            raise InputError("there is no standard input to read")
        return FileSource.of_stream(stdin)
    if text.startswith("context:"):
        from kaudit.source.live import LiveSource

        return LiveSource.from_context(text.removeprefix("context:") or None, secrets=secrets)
    if is_bundle(text):
        raise InputError(
            "is sealed evidence already", where=text, hint="assess or report it directly"
        )
    path = Path(text)
    if not path.exists():
        raise InputError(
            "there is no such file or folder", where=text, hint="a cluster is named context:NAME"
        )
    return FileSource(path)
