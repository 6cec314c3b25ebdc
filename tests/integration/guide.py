"""The files that the guide shows, taken from its text."""

from __future__ import annotations

from typing import Any

import yaml

from tests.shared import shared


def shown(name: str) -> list[dict[str, Any]]:
    """Return the objects of a file of the guide: from the line that names it to the next empty one.

    Raises
    ------
    ValueError
        The guide shows no such file.
    """
    lines = shared("guide.txt").read_text(encoding="utf-8").splitlines()
    start = lines.index(f"# {name}") + 1
    end = lines.index("", start)
    return [found for found in yaml.safe_load_all("\n".join(lines[start:end])) if found]
