"""Full disks, signals, closed pipes, places that are taken: one sentence, nothing half-written."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kaudit.demo import write
from kaudit.evidence.bundle import Evidence

ROOT = Path(__file__).parents[2]
POD = (
    b"{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}\n"
)


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults") / "demo"
    write(folder)
    return folder


def start(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    settings: dict[str, Any] = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
        "preexec_fn": _interruptible,
        # Where no file may be large, Python would leave modules that are cut off.
        "env": os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
    }
    return subprocess.Popen(
        [sys.executable, "-m", "kaudit", *map(str, arguments)],
        **(settings | options),
    )


def _interruptible() -> None:
    """Undo what a shell does to jobs in its background, such as a run of the tests."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def run(*arguments: str | Path, **options: Any) -> tuple[int, str]:
    process = start(*arguments, **options)
    said = process.communicate()[1]
    return process.returncode, said


def small() -> None:
    """Let this process write no file of more than 2,000 bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))


@pytest.mark.parametrize("name", ["bundle", "bundle.kaudit"])
def test_a_bundle_that_has_no_room(dump: Path, tmp_path: Path, name: str) -> None:
    found = run("collect", dump, "-o", tmp_path / name, preexec_fn=small)
    assert found == (2, "kaudit: cannot be written: File too large\n")
    assert list(tmp_path.iterdir()) == []


def test_results_that_have_no_room_leave_the_older_ones(dump: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    out.write_text("older")
    found = run("assess", dump, "-q", "-f", "json", "-o", out, preexec_fn=small)
    assert found == (2, "kaudit: cannot be written: File too large\n")
    assert (out.read_text(), list(tmp_path.iterdir())) == ("older", [out])
    with Path("/dev/full").open("wb") as full:
        found = run("assess", dump, "-q", "-f", "json", stdout=full)
    assert found == (2, "kaudit: cannot be written: No space left on device\n")


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_reader_that_has_seen_enough(dump: Path, form: str) -> None:
    process = start("assess", dump, "-q", "-f", form)
    assert process.stdout is not None
    assert process.stderr is not None
    assert len(process.stdout.read(1)) == 1
    process.stdout.close()
    assert (process.stderr.read(), process.wait()) == ("", 141)
    process.stderr.close()


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path, Any]]:
    """A collection that waits for more of what it reads, its bundle, and what it reads from."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    out = tmp_path / "out" / "e.kaudit"
    out.parent.mkdir()
    process = start("collect", pipe, "-o", out)
    with pipe.open("wb") as stream:  # opens when the other end does
        stream.write(POD)
        stream.flush()
        time.sleep(0.2)
        yield process, out, stream
    process.kill()
    process.communicate()


def test_an_interrupt_leaves_nothing(
    waiting: tuple[subprocess.Popen[str], Path, Any],
) -> None:
    process, out, _ = waiting
    assert [p.name[:10] for p in out.parent.iterdir()] == [".e.kaudit."]
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1]
    assert process.returncode == 130
    assert "Traceback" not in said
    assert list(out.parent.iterdir()) == []


def test_the_next_run_clears_away_what_a_killed_one_left(
    waiting: tuple[subprocess.Popen[str], Path, Any], tmp_path: Path
) -> None:
    process, out, _ = waiting
    process.kill()
    process.wait()
    (left,) = out.parent.iterdir()
    assert left.name.startswith(".e.kaudit.")
    assert left.name.endswith(".partial")
    (tmp_path / "pod.yaml").write_bytes(POD)
    assert run("collect", tmp_path / "pod.yaml", "-q", "-o", out) == (0, "")
    assert list(out.parent.iterdir()) == [out]
    assert len(Evidence.open(out)["pods"]) == 1


def test_a_run_that_is_alive_is_left_alone_and_overwrites_nothing(
    waiting: tuple[subprocess.Popen[str], Path, Any], tmp_path: Path
) -> None:
    process, out, stream = waiting
    (tmp_path / "pod.yaml").write_bytes(POD)
    assert run("collect", tmp_path / "pod.yaml", "-q", "-o", out) == (0, "")
    first = out.read_bytes()
    assert len(list(out.parent.iterdir())) == 2
    stream.close()
    said = process.communicate()[1]
    assert process.returncode == 2
    assert f"{out}: there is something already" in said
    assert list(out.parent.iterdir()) == [out]
    assert out.read_bytes() == first


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("taken", "there is something already"),
        ("file", "there is something already"),
        ("file/bundle", "the folder to write into does not exist"),
        ("none/bundle.kaudit", "the folder to write into does not exist"),
    ],
)
def test_places_where_no_bundle_can_be(dump: Path, tmp_path: Path, out: str, said: str) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "file").write_text("mine")
    code, text = run("collect", dump, "-o", tmp_path / out)
    assert code == 2
    assert said in text
    assert text.count("\n") == 1
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "taken"]


def test_a_link_to_nothing_is_something_already(dump: Path, tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to(tmp_path / "nothing")
    code, text = run("collect", dump, "-o", tmp_path / "out")
    assert code == 2
    assert "there is something already" in text
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("prune", "", "--keep", "3"),
        ("collect", "pod.yaml", "-o", ""),
        ("collect", "pod.yaml", "-o", "b.kaudit", "--trivy="),
        ("report", "pod.yaml", "-o", ""),
        ("gate", "--manifest", ""),
    ],
)
def test_an_empty_name_is_not_the_folder_here(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "pod.yaml").write_bytes(POD)
    (tmp_path / "old.kaudit").touch()
    code, text = run(*arguments, cwd=tmp_path)
    assert (code, text.count("\n")) == (2, 1), text
    assert "has no name (is a variable empty?" in text
    assert sorted(p.name for p in tmp_path.iterdir()) == ["old.kaudit", "pod.yaml"]


def test_a_name_forges_no_line(tmp_path: Path) -> None:
    (tmp_path / "a\nkaudit: all is well.yaml").write_text("{{ [")
    code, text = run("assess", tmp_path / "a\nkaudit: all is well.yaml")
    assert (code, text.count("\n")) == (2, 1), text
    assert text.startswith("kaudit: a\\u{a}kaudit: all is well.yaml: ")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are text")
@pytest.mark.parametrize("ending", ["", ".kaudit"])
def test_names_that_are_no_text(tmp_path: Path, ending: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with pa.CompressedOutputStream(pa.OSFile(bytes(folder) + b"/\xff.yaml.zst", "wb"), "zstd") as f:
        f.write(POD)
    out = Path(os.fsdecode(bytes(tmp_path) + b"/\xfe" + ending.encode()))
    assert run("collect", folder, "-q", "-o", out) == (0, "")
    assert len(Evidence.open(out)["pods"]) == 1
    code, text = run("report", out, "-q", "--no-pdf", "-o", tmp_path / os.fsdecode(b"\xfd"))
    assert (code, text.count("\n")) == (2, 1), text
    assert "no UTF-8" in text
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_for_temporary_files_with_a_long_name(dump: Path, tmp_path: Path) -> None:
    place = tmp_path / ("t" * 100)
    place.mkdir()
    env = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(place)}
    code, text = run("report", dump, "-q", "--no-pdf", "-o", tmp_path / "report", env=env)
    assert (code, text.count("\n")) == (2, 1), text
    assert "let TMPDIR be one with a short name" in text
    assert [*place.iterdir(), *tmp_path.glob("report*")] == []


def test_a_current_folder_that_is_gone(dump: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()

    def leave() -> None:
        os.chdir(gone)
        gone.rmdir()

    code, text = run("report", dump, "-o", "report", preexec_fn=leave)
    assert (code, text) == (
        2,
        "kaudit: the current folder is not there any more (go to another)\n",
    )


def test_who_interrupts_while_it_is_imported_sees_no_traceback(tmp_path: Path) -> None:
    begin = (
        "import os, signal, sys; from importlib.abc import MetaPathFinder\n"
        "class Ends(MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'kaudit.cli.app': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Ends())\n"
        "from kaudit.__main__ import main; main()\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", begin, "controls"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=_interruptible,
    )
    assert (process.returncode, process.stderr) == (130, "")


@pytest.mark.parametrize("command", ["assess", "report"])
@pytest.mark.parametrize("out", ["taken", "file/inside", "/proc/1/inside"])
def test_places_where_no_output_can_be(dump: Path, tmp_path: Path, command: str, out: str) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine").write_text("mine")
    (tmp_path / "file").write_text("mine")
    more = ("-f", "json") if command == "assess" else ("--no-pdf",)
    code, text = run(command, dump, "-q", "-o", tmp_path / out, *more)
    assert (code, text.count("\n")) == (2, 1), text
    assert "bug" not in text
    assert [p.name for p in (tmp_path / "taken").iterdir()] == ["mine"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "taken"]
