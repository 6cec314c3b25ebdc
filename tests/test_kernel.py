"""A kernel that was started early ends with who started it, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from kaudit.errors import ReportError
from kaudit.kernel import Kernel
from kaudit.template.run import run


def notebook(folder: Path, source: str) -> Path:
    node = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    path = folder / "own.ipynb"
    nbformat.write(node, path)
    return path


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_one_that_is_not_used_ends_and_its_folder_goes() -> None:
    with Kernel() as kernel:
        assert kernel.private.is_dir()
    assert kernel.process.returncode == -signal.SIGKILL
    assert not kernel.private.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_it_ends_with_a_process_that_is_killed_and_leaves_nothing() -> None:
    said = "print(k.process.pid, k.private, flush=True); time.sleep(99)"
    code = f"import time; from kaudit.kernel import Kernel; k = Kernel(); {said}"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as starter:
        assert starter.stdout
        pid, private = starter.stdout.readline().decode().split()
        assert not ended(int(pid))
        starter.kill()
    until = time.monotonic() + 60
    while not ended(int(pid)) and time.monotonic() < until:
        time.sleep(0.05)
    assert ended(int(pid))
    assert not Path(private).exists()


def test_it_runs_in_the_folder_that_it_is_told_and_shows_pictures(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    source = "import os, matplotlib.pyplot as p\np.plot([1, 2])\nprint(os.getcwd(), os.getpid())"
    with Kernel() as kernel:
        node = run(notebook(tmp_path, source), {}, there, kernel=kernel)
        assert kernel.process.poll() is not None
    outputs = node.cells[-1].outputs
    said = [output.text.split() for output in outputs if output.output_type == "stream"]
    assert said == [[str(there), str(kernel.process.pid)]]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert list(there.iterdir()) == []


def test_one_that_has_died_is_a_report_that_failed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Kernel() as kernel:
        os.killpg(kernel.process.pid, signal.SIGKILL)
        kernel.process.wait()
        with pytest.raises(ReportError, match="the kernel died at once, killed as a system does"):
            run(notebook(tmp_path, "1"), {}, tmp_path, kernel=kernel)
    with pytest.raises(ReportError, match=r"the kernel died in cell `import os; os\.kill"):
        run(notebook(tmp_path, "import os; os.kill(os.getpid(), 9)"), {}, tmp_path)
    assert capfd.readouterr().err == ""  # it is told once, by whoever hears of it
