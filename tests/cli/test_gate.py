"""kaudit gate: exit codes, files, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.source.run.fake import at_home, program
from tests.test_cli import run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    at_home(tmp_path, monkeypatch)
    return tmp_path


def test_exit_codes_and_words(folder: Path) -> None:
    code, out, err = run("gate", "--image", "r.example/web:1")
    assert code == 1
    assert "r.example/web:1" in out
    assert "gate: refused: 1 check failed" in err
    code, _, err = run("gate", "--image", "r.example/web:1", "--max", "critical=1")
    assert code == 0
    assert "gate: let through: 1 check passed" in err
    program(folder / "bin", "sys.exit(1)")
    code, _, err = run("gate", "--image", "r.example/web:1")
    assert code == 3
    assert "gate: incomplete: 1 thing could not be looked at" in err


def test_what_holds_nothing_is_told_as_such(folder: Path) -> None:
    (folder / "none.json").write_text("[]")
    code, _, err = run("gate", "--kubesec", "none.json")
    assert code == 3
    assert "gate: incomplete: there was nothing to look at in what was given" in err


def test_files_beside_what_is_printed(folder: Path) -> None:
    files = ("gate.json", "gate.sarif", "gate.xml")
    options = [word for name in files for word in ("-o", name)]
    code, out, _ = run("gate", "--image", "r.example/web:1", "--format", "json", *options)
    assert code == 1
    assert json.loads(out) == json.loads((folder / "gate.json").read_text())
    assert json.loads((folder / "gate.sarif").read_text())["version"] == "2.1.0"
    assert (folder / "gate.xml").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ([], "nothing to look at"),
        (["--image", "-x"], "-x: begins with a dash"),
        (["--image", "a", "--max", "hihg=1"], "'hihg' is no severity"),
        (["--image", "a", "--fail-on", "bad"], "'bad' is no severity"),
        (["--image", "a", "-o", "gate.txt"], "gate.txt: its name tells no format"),
        (["--image", "a", "--vex", "none.json"], "none.json: there is no such file"),
        (["--image", "a", "--format", "xml"], "'xml' is no format"),
        (["--image", "a", "--ignore-file", "bin", "--tools", "grype"], "Grype reads no list"),
        (["--manifest", "none"], "none: there is no such file"),
    ],
)
def test_wrong_usage(folder: Path, options: list[str], why: str) -> None:
    code, out, err = run("gate", *options)
    assert (code, out) == (2, "")
    assert why in err
