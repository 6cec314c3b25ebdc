"""A program is ended in time, with its children; what it prints is bounded, and kept."""

import os
import sys
import time
from pathlib import Path
from threading import Event, Timer

import pytest

from kaudit.errors import SourceError
from kaudit.model.words import Reason
from kaudit.source.run.program import Bounds, Ended, run


def ran(
    tmp_path: Path,
    code: str,
    *,
    seconds: float = 30,
    largest: int = 1 << 20,
    stop: Event | None = None,
    environment: dict[str, str] | None = None,
) -> Ended:
    return run(
        [sys.executable, "-IS", "-c", code],
        environment=environment or {},
        folder=tmp_path,
        out=tmp_path / "out",
        bounds=Bounds(seconds, largest),
        stop=stop or Event(),
    )


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def gone(pid: int) -> bool:
    end = time.monotonic() + 5
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(pid)


def test_output_code_and_last_words(tmp_path: Path) -> None:
    ended = ran(tmp_path, "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (ended.code, ended.out.read_bytes(), ended.said) == (3, b"out\n", "err\n")


def test_it_sees_the_environment_that_it_is_given_and_no_input(tmp_path: Path) -> None:
    code = (
        "import os, sys; print(sorted(n for n in os.environ if n != 'LC_CTYPE'), sys.stdin.read())"
    )
    ended = ran(tmp_path, code, environment={"A": "1"})
    assert ended.out.read_text() == "['A'] \n"


def test_what_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open('pid', 'w').write(str(child.pid))\n"
        "time.sleep(600)"
    )
    with pytest.raises(SourceError, match="did not end within 1 s") as fault:
        ran(tmp_path, code, seconds=1)
    assert fault.value.reason is Reason.TIMEOUT
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_child_that_holds_the_output_does_not_hold_us(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print('done')"
    )
    with pytest.raises(SourceError) as fault:
        ran(tmp_path, code, seconds=1)
    assert fault.value.reason is Reason.TIMEOUT


def test_what_closes_its_outputs_and_stays_is_ended(tmp_path: Path) -> None:
    code = "import os, time; os.close(1); os.close(2); time.sleep(600)"
    with pytest.raises(SourceError) as fault:
        ran(tmp_path, code, seconds=0.5)
    assert fault.value.reason is Reason.TIMEOUT


def test_output_without_end_is_cut_at_the_limit(tmp_path: Path) -> None:
    code = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    with pytest.raises(SourceError, match="printed more than 1 MiB") as fault:
        ran(tmp_path, code)
    assert fault.value.reason is Reason.TOO_LARGE
    assert (tmp_path / "out").stat().st_size <= 1 << 20


def test_only_the_last_words_are_kept(tmp_path: Path) -> None:
    ended = ran(tmp_path, "import sys; sys.stderr.write('x' * 500_000 + 'last')")
    assert len(ended.said) == 32 << 10
    assert ended.said.endswith("xlast")


def test_a_sign_to_stop_ends_it(tmp_path: Path) -> None:
    stop = Event()
    Timer(0.2, stop.set).start()
    with pytest.raises(SourceError, match="broken off"):
        ran(tmp_path, "import time; time.sleep(600)", stop=stop)


def test_a_signal_is_told(tmp_path: Path) -> None:
    assert ran(tmp_path, "import os; os.kill(os.getpid(), 9)").code == -9


def test_what_is_no_program(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be started: No such file") as fault:
        run(
            [tmp_path / "none"],
            environment={},
            folder=tmp_path,
            out=tmp_path / "out",
            bounds=Bounds(),
            stop=Event(),
        )
    assert fault.value.reason is Reason.TOOL_FAILED


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_no_room_for_what_it_prints(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be kept: No space left on device"):
        run(
            [sys.executable, "-c", "print('x' * 100_000)"],
            environment={},
            folder=tmp_path,
            out=Path("/dev/full"),
            bounds=Bounds(),
            stop=Event(),
        )
