"""Every figure of a generated cluster's ground truth that kaudit can see is matched exactly."""

import subprocess
import sys
from pathlib import Path

import pytest

from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.source.files import FileSource
from tests.shared import needs_shared, shared
from tests.truth import seen, truth


def generated(folder: Path, *options: str) -> Path:
    tool = shared("tools", "make_cluster.py")
    subprocess.run(
        [sys.executable, str(tool), "--out", str(folder), *options], check=True, capture_output=True
    )
    return folder


@needs_shared
@pytest.mark.parametrize("seed", ["0", "7", "23"])
def test_figures_of_a_generated_cluster(tmp_path: Path, seed: str) -> None:
    folder = generated(tmp_path / "dump", "--pods", "1000", "--seed", seed)
    found = seen(assess(collect(FileSource(folder), raw=False), strict=True))
    expected = truth(folder)
    compared = {name: expected.get(name, 0) for name in found}
    assert found == compared
    assert len(found) > 100
