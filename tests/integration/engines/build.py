"""Build pinned programs into the cache, two modules at a time, with a log for each."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

import msgspec

from tests.integration.engines.pins import Program, cache_folder

_AT_A_TIME = 2
_NEWS = 30  # seconds between two lines that say what is still being built


class Built(msgspec.Struct, frozen=True):
    """How a build ended; ``fault`` is empty where the program is there."""

    program: Program
    seconds: float
    fault: str = ""


def log_of(program: Program) -> Path:
    """Where the output of the last build of a program is."""
    return cache_folder() / "logs" / f"{program.name}.log"


def build_all(wanted: Sequence[Program], tell: Callable[[str], None]) -> list[Built]:
    """Build programs; one that fails does not stop the others.

    Two modules at a time, and the programs of a module one after the other: side by side
    they would compile the same packages twice.

    Parameters
    ----------
    wanted
        What to build, the first first.
    tell
        Is given one line at a time.
    """
    modules: dict[Path, list[Program]] = {}
    for program in wanted:
        modules.setdefault(program.source, []).append(program)
    started: dict[str, float] = {}
    done: list[Built] = []

    def work(programs: list[Program]) -> None:
        for program in programs:
            started[program.name] = time.monotonic()
            tell(f"building {program.name} {program.version}")
            built = build(program)
            del started[program.name]
            done.append(built)
            tell(said(built))

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        waiting = {pool.submit(work, programs) for programs in modules.values()}
        while waiting:
            ended, waiting = wait(waiting, timeout=_NEWS, return_when=FIRST_COMPLETED)
            for future in ended:
                future.result()
            if not ended:
                now, count = time.monotonic(), f"{len(done)} of {len(wanted)} done"
                still = (f"{name} ({now - since:.0f} s)" for name, since in [*started.items()])
                tell(f"still building {', '.join(still)}; {count}")
    return done


def said(built: Built) -> str:
    """Return one line on how a build ended."""
    name = built.program.name
    if built.fault:
        return f"FAILED {name}: {built.fault}"
    size = built.program.path.stat().st_size / 1e6
    return f"built {name} in {built.seconds:.0f} s, {size:.0f} MB"


def build(program: Program) -> Built:
    """Build one program, under another name until it is whole."""
    began = time.monotonic()
    if program.left_aside:
        return Built(program, 0, f"left aside: {program.left_aside}")
    go = shutil.which("go")
    if go is None:
        return Built(program, 0, "there is no Go here (1.26 or newer, on the PATH)")
    program.path.parent.mkdir(parents=True, exist_ok=True)
    log_of(program).parent.mkdir(parents=True, exist_ok=True)
    unfinished = program.path.with_name(f".{program.name}.{os.getpid()}")
    flags = " ".join(["-s -w", *(f"-X {variable}" for variable in program.link)])
    command = [go, "build", "-trimpath", "-ldflags", flags, "-o", str(unfinished), program.package]
    try:
        with log_of(program).open("wb") as log:
            ended = subprocess.run(
                command,
                cwd=program.source,
                env=_environment(program),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if ended.returncode == 0:
            unfinished.replace(program.path)
    finally:
        unfinished.unlink(missing_ok=True)
    fault = "" if ended.returncode == 0 else f"{_last_line(log_of(program))} ({log_of(program)})"
    return Built(program, time.monotonic() - began, fault)


def _environment(program: Program) -> dict[str, str]:
    """Settings that make a build depend on the pins and Go's version alone."""
    fixed = {
        "CGO_ENABLED": "0",
        "GOEXPERIMENT": program.experiment,
        "GOFLAGS": "-buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    return os.environ | fixed


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "go said nothing"
