"""The pins are whole, and every program that is built starts and knows its version."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.engine import engine
from tests.integration.engines.build import build
from tests.integration.engines.pins import programs

_VERSION = {
    "cosign": ["version"],
    "crane": ["version"],
    "gatekeeper": ["--help"],  # it has no other word that ends
    "grype": ["version"],
    "kube-bench": ["version"],
    "kubectl": ["version", "--client"],
    "kubesec": ["version"],
    "kyverno": ["version"],
    "reports-controller": ["--help"],
}
_SILENT = {"crane", "gatekeeper", "kubesec", "reports-controller"}  # say none, or another


def buildable() -> list[str]:
    return [name for name, program in programs().items() if not program.left_aside]


@pytest.mark.parametrize("name", buildable())
def test_it_starts(name: str) -> None:
    command = [str(engine(name)), *_VERSION.get(name, ["--version"])]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, said
    assert name in _SILENT or programs()[name].version.removeprefix("v") in said


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.integration.engines", *arguments],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"KAUDIT_ENGINES": str(folder), "PATH": ""},
        capture_output=True,
        text=True,
    )


def test_one_that_cannot_be_built_stops_no_other_and_is_named(tmp_path: Path) -> None:
    ended = command(tmp_path, "kubesec", "crane")
    assert ended.returncode == 1
    assert "FAILED kubesec: there is no Go here" in ended.stdout
    assert "FAILED crane: there is no Go here" in ended.stdout
    assert ended.stdout.splitlines()[-1].startswith("not built: ")


def test_an_unknown_name_is_wrong_usage(tmp_path: Path) -> None:
    ended = command(tmp_path, "kubesek")
    assert ended.returncode == 2
    assert "there is no kubesek" in ended.stderr


def test_the_folder_is_that_of_the_pins(tmp_path: Path) -> None:
    (path,) = command(tmp_path, "--where", "etcd").stdout.split()
    assert Path(path).is_relative_to(tmp_path)
    assert Path(path).parent.name == programs()["etcd"].path.parent.name


def test_what_is_left_aside_says_why() -> None:
    for program in programs().values():
        if program.left_aside:
            assert build(program).fault == f"left aside: {program.left_aside}"
