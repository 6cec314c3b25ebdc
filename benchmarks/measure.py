"""Run a command as a process of its own, and measure it from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

#: An installed program is compiled; one that may not write what it compiled is measured without.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


class Run(NamedTuple):
    """Seconds by the clock, seconds of processors, megabytes at the peak of one process."""

    wall: float
    cpu: float
    megabytes: float


def run(command: Sequence[str], *, times: int = 1) -> Run:
    """Measure a command; of several runs, the one with the median wall time.

    Raises
    ------
    SystemExit
        The command failed.
    """
    runs = sorted(_once(command) for _ in range(times))
    return runs[len(runs) // 2]


def _once(command: Sequence[str]) -> Run:
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def python(*arguments: str) -> list[str]:
    """Command that runs this interpreter."""
    return [sys.executable, *arguments]
