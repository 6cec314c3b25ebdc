"""Old runs go, and nothing else does."""

import os
from pathlib import Path

import pytest

from kaudit.errors import InputError
from kaudit.prune import prune
from tests.test_cli import run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Five runs whose names are not in the order of their times, and other people's files."""
    for age, name in enumerate(("e", "b", "d", "a", "c")):
        (tmp_path / f"{name}.kaudit").write_bytes(b"")
        os.utime(tmp_path / f"{name}.kaudit", (1000 - age, 1000 - age))
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.json").write_text('{"schema": "kaudit/report/v1"}')
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "lost+found").mkdir()
    return tmp_path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_newest_stay(runs: Path) -> None:
    assert [path.stem for path in prune(runs, 2)] == ["c", "a", "d"]
    assert names(runs) == {"e", "e.kaudit", "b", "b.kaudit", "notes.txt", "lost+found"}
    assert prune(runs, 2) == []


def test_folders_that_are_no_reports_and_links_stay(runs: Path) -> None:
    (runs / "c" / "report.json").write_text("[]")
    (runs / "elsewhere").mkdir()
    (runs / "elsewhere" / "x").write_text("")
    (runs / "z.kaudit").symlink_to(runs / "elsewhere" / "x")
    prune(runs, 1)
    assert names(runs) >= {"c", "z.kaudit", "elsewhere", "e.kaudit"}
    assert "c.kaudit" not in names(runs)


def test_what_cannot_be_done(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="0 runs cannot be kept"):
        prune(tmp_path, 0)
    with pytest.raises(InputError, match="there is no such folder"):
        prune(tmp_path / "missing", 1)


def test_the_command_names_what_it_removes(runs: Path) -> None:
    code, out, err = run("prune", str(runs), "--keep", "4")
    assert (code, out) == (0, "")
    assert "removed" in err
    assert "c.kaudit" in err
    assert run("prune", str(runs), "--keep", "3", "--quiet") == (0, "", "")
