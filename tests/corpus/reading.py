"""Evidence of files of the shared corpus, and of made-up ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Gap, Reason
from kaudit.source.tools import ToolSource
from tests.shared import SHARED


def corpus(*parts: str) -> Path:
    """Path in the shared corpus, or a name for a test that is skipped."""
    return (SHARED or Path("shared")).joinpath("corpus", *parts)


def files(folder: str, *patterns: str) -> list[Path]:
    """Return the files of a folder of the shared corpus, sorted; none where it is not there."""
    found = {path for pattern in patterns for path in corpus(folder).glob(pattern)}
    return sorted(found)


def read(format: str, path: Path) -> Evidence:
    """Evidence of one output of a tool."""
    return collect(ToolSource(format, path))


def given(format: str, document: Any, folder: Path) -> Evidence:
    """Evidence of an output that a test makes."""
    path = folder / "given.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return read(format, path)


def broken(evidence: Evidence) -> list[Gap]:
    """Gaps of what could not be read."""
    return [gap for gap in evidence.gaps if gap.reason is Reason.BROKEN]


def changed(example: Path, path: tuple[Any, ...], value: Any) -> Any:
    """Return the document of an example with another value in one place."""
    document = json.loads(example.read_bytes())
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return document
