"""Servers of the tests are ready when they are handed out, and never outlive the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.process import ServerError, running

_SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be counted does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False


def test_a_server_is_gone_with_its_block(tmp_path: Path) -> None:
    with running(_SLEEP, log=tmp_path / "log", ready=lambda: True) as server:
        assert server.poll() is None
    assert server.returncode == -signal.SIGKILL


def test_one_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no such flag'); raise SystemExit(3)"]
    with (
        pytest.raises(ServerError, match=r"ended with 3\nno such flag"),
        running(command, log=tmp_path / "log", ready=lambda: False),
    ):
        pass


def test_one_that_does_not_get_ready_is_given_up(tmp_path: Path) -> None:
    with (
        pytest.raises(ServerError, match="was not ready in 0 s"),
        running(_SLEEP, log=tmp_path / "log", ready=lambda: False, within=0.2),
    ):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills children of the killed")
def test_a_test_run_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.integration.process import running\n"
        f"with running({_SLEEP!r}, log=Path('log'), ready=lambda: True) as server:\n"
        "    print(server.pid, flush=True); server.wait()"
    )
    root = str(Path(__file__).parents[2])
    run = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": root},
        stdout=subprocess.PIPE,
    )
    with run:
        assert run.stdout is not None
        server = int(run.stdout.readline())
        assert alive(server)
        run.kill()
    end = time.monotonic() + 10
    while alive(server) and time.monotonic() < end:
        time.sleep(0.02)
    assert not alive(server)
