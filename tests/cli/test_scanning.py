"""kaudit collect --scan: which images, which tools, and what is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kaudit.evidence.bundle import Evidence
from tests.memory_source import rows
from tests.source.run.fake import at_home, program
from tests.test_cli import run

ROOT = Path(__file__).parents[2]
DIGEST = f"sha256:{'1' * 64}"
POD = f"""
apiVersion: v1
kind: Pod
metadata: {{name: p, namespace: shop}}
spec: {{containers: [{{name: c, image: "r.example/web:1"}}, {{name: d, image: "r.example/web:1"}}]}}
status: {{containerStatuses: [{{name: c, imageID: "r.example/web@{DIGEST}"}}]}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "m").mkdir()
    (tmp_path / "m/pod.yaml").write_text(POD)
    at_home(tmp_path, monkeypatch)
    return tmp_path


def test_images_that_run_are_scanned_by_their_digest(folder: Path) -> None:
    code, _, err = run("collect", "m", "-o", "e", "--tools", "trivy")
    assert code == 0, err
    evidence = Evidence.open(folder / "e")
    assert rows(evidence, "image_scans", "artifact") == [{"artifact": f"r.example/web@{DIGEST}"}]
    assert rows(evidence, "tool_runs", "tool", "outcome") == [{"tool": "trivy", "outcome": "done"}]
    assert evidence.label == "m"
    run("collect", "m", "-o", "again", "--tools", "trivy")
    assert Evidence.open(folder / "again").id == evidence.id


def test_all_tools_that_have_something_to_do(folder: Path) -> None:
    code, _, err = run("collect", "m", "-o", "e", "--scan")
    assert code == 0, err
    runs = rows(Evidence.open(folder / "e"), "tool_runs", "tool", "kind", "reason")
    assert {"tool": "trivy", "kind": "Image", "reason": None} in runs
    assert {"tool": "grype", "kind": "Image", "reason": "tool_missing"} in runs
    assert not [r for r in runs if r["tool"] == "cosign"], "nobody said who must have signed"


def test_nothing_is_run_unless_asked(folder: Path) -> None:
    run("collect", "m", "-o", "e")
    assert len(Evidence.open(folder / "e")["tool_runs"]) == 0


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def heard() -> None:
    """Let a child hear what whoever runs the tests may ignore (nohup)."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.mark.parametrize(
    ("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_what_is_broken_off_leaves_no_program_and_no_file(
    folder: Path, sign: signal.Signals, code: int
) -> None:
    told = f"open({str(folder / 'pid')!r}, 'w').write(str(os.getpid()) + '\\n')"
    program(folder / "bin", f"{told}\ntime.sleep(600)")
    (folder / "tmp").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "kaudit", "collect", "m", "-o", "e", "--tools", "trivy"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heard,
    )
    end = time.monotonic() + 60
    while not (folder / "pid").exists() or not (folder / "pid").read_text().strip():
        assert time.monotonic() < end
        time.sleep(0.05)
    pid = int((folder / "pid").read_text())
    process.send_signal(sign)
    _, said = process.communicate()
    assert process.returncode == code
    assert "Traceback" not in said
    assert not alive(pid)
    assert [*(folder / "tmp").iterdir()] == []
    assert sorted(path.name for path in folder.iterdir()) == ["bin", "m", "pid", "tmp"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--tools", "trivvy"], "no tool is named 'trivvy' (did you mean trivy?)"),
        (["--scan", "--pin", "trivy"], "'trivy' is no TOOL=DIGEST"),
        (["--scan", "--pin", "trivy=sha256:1"], "'sha256:1' is no digest"),
        (["--scan", "--pin", "trvy=sha256:1"], "no tool is named 'trvy'"),
        (["--scan", "--key", "none.pub"], "none.pub: there is no such file"),
        (["--scan", "--identity", "a@b.example"], "--identity and --issuer belong together"),
        (["--scan", "--without-log"], "--without-log is for signatures by a key"),
        (["--tools", "cosign"], "nothing says who must have signed"),
        (["--scan", "--jobs", "0"], "'--jobs'"),
    ],
)
def test_wrong_usage(folder: Path, options: list[str], why: str) -> None:
    code, _, err = run("collect", "m", "-o", "e", *options)
    assert code == 2
    assert why in err
    assert not (folder / "e").exists()
