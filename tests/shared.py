"""Where the material shared beside the repository lies, if it is there."""

import os
from pathlib import Path

import pytest

_beside = Path(os.environ.get("KAUDIT_SHARED", Path(__file__).parents[2] / "shared"))

SHARED: Path | None = _beside if (_beside / "DESIGN.md").is_file() else None

needs_shared = pytest.mark.skipif(
    SHARED is None, reason="the shared folder is not beside the repository (set KAUDIT_SHARED)"
)


def shared(*parts: str) -> Path:
    """Path of a shared file; only for tests marked ``needs_shared``."""
    assert SHARED is not None
    return SHARED.joinpath(*parts)
