"""Fixtures that all tests share."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from kaudit import registry
from tests.shared import SHARED, shared

# In CI one commit has one verdict; elsewhere every run looks for new examples. No example is
# wrong for having been slow: other work runs beside the tests.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("elsewhere", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "elsewhere")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes name no test: they may hold the moment they were packed, which two workers disagree on."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def cluster_1k(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the dump of a generated cluster of 1,000 pods, and its ``truth.json``."""
    if SHARED is None:
        pytest.skip("the shared folder is not beside the repository (set KAUDIT_SHARED)")
    folder = tmp_path_factory.mktemp("cluster") / "dump"
    tool = shared("tools", "make_cluster.py")
    command = [sys.executable, str(tool), "--out", str(folder), "--pods", "1000", "--seed", "0"]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture
def registered() -> Iterator[None]:
    """What a test registers is gone after it."""
    registry.load()
    kept: tuple[dict[str, Any], ...] = (
        *(registry.COLLECTORS, registry.FORMATS, registry.VIEWS),
        *(registry.CONTROLS, registry.TABLES),
    )
    before = [dict(each) for each in kept]
    yield
    for each, entries in zip(kept, before, strict=True):
        each.clear()
        each.update(entries)
