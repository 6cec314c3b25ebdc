"""Programs for tests: where each is, or a skip that says how to get it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.engines.pins import programs


def engine(name: str) -> Path:
    """Return the path of a built program; skip the test where there is none."""
    program = programs()[name]
    if not program.path.is_file():
        pytest.skip(f"{name} is not built: python -m tests.integration.engines {name}")
    return program.path
