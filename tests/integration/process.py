"""Servers that tests start: ready when they say so, gone when the test is over."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import urllib3

_LEASH = Path(__file__).with_name("leash.py")
_PATIENCE = 60  # seconds that a controller may take for its work

T = TypeVar("T")


class ServerError(Exception):
    """A server ended or did not get ready; the message ends with its last words."""


def free_port() -> int:
    """Return a port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    log: Path,
    ready: Callable[[], bool],
    within: float = 60,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a server, wait until it is ready, and kill it at the end: it has nothing to save.

    Parameters
    ----------
    log
        File that takes its output.
    ready
        Asked again and again; errors of connections mean not yet.
    within
        Seconds that it may take.
    environment
        Set beside this process's own.

    Raises
    ------
    ServerError
        It ended, or was not ready in time.
    """
    program, *arguments = map(str, command)
    leashed = [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), program, *arguments]
    with log.open("ab") as output:
        server = subprocess.Popen(
            leashed,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=os.environ | dict(environment or {}),
            start_new_session=True,
        )
    try:
        _await(server, Path(program).name, log, ready, within)
        yield server
    finally:
        server.kill()
        server.wait()


def awaited(ask: Callable[[], T | None], within: float = _PATIENCE) -> T:
    """Ask until there is an answer."""
    end = time.monotonic() + within
    while not (found := ask()):
        if time.monotonic() > end:
            raise TimeoutError(f"no answer within {within} s")
        time.sleep(0.1)
    return found


def _await(
    server: subprocess.Popen[bytes],
    name: str,
    log: Path,
    ready: Callable[[], bool],
    within: float,
) -> None:
    end = time.monotonic() + within
    while not _is(ready):
        if server.poll() is not None:
            raise ServerError(f"{name} ended with {server.returncode}\n{_last_words(log)}")
        if time.monotonic() > end:
            raise ServerError(f"{name} was not ready in {within:.0f} s\n{_last_words(log)}")
        time.sleep(0.05)


def _is(ready: Callable[[], bool]) -> bool:
    try:
        return ready()
    except (OSError, urllib3.exceptions.HTTPError):
        return False


def _last_words(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
