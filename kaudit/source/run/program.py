"""One program, run once: bounded in time and output, with all that it starts.

It gets an argument list, no standard input, and an environment of its own. What it prints
goes through pipes that are read here, so that a limit on size holds to the byte, and into a
private folder.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import BinaryIO, cast

import msgspec

from kaudit.errors import SourceError
from kaudit.model.words import Reason

#: Bytes on standard output beyond which a program is ended.
LARGEST = 1 << 30
#: Bytes of standard error that are kept, where no more are asked for: the last ones.
_TAIL = 32 << 10
_BLOCK = 1 << 16
#: Seconds after which a program that waits is asked whether it should go on.
_GLANCE = 0.2
#: Seconds that a program may take to end once it has closed its outputs.
_GRACE = 5.0


class Ended(msgspec.Struct):
    """A program that ended by itself.

    Attributes
    ----------
    code
        Exit code; negative where a signal ended it.
    out
        File that holds its standard output.
    said
        The end of its standard error.
    """

    code: int
    out: Path
    said: str


class Bounds(msgspec.Struct, frozen=True):
    """What a run may take: seconds, bytes on standard output, and bytes of its log that count."""

    seconds: float = 600.0
    largest: int = LARGEST
    log: int = _TAIL


def run(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    folder: Path,
    out: Path,
    bounds: Bounds,
    stop: Event,
) -> Ended:
    """Run a program to its end.

    Parameters
    ----------
    command
        Path of the program, and its arguments.
    environment
        All that it gets to see of ours.
    folder
        Where it starts.
    out
        File to write its standard output to.
    stop
        Set where it is to be ended at once.

    Raises
    ------
    SourceError
        It cannot be started, was ended here, or what it prints cannot be kept; says why.
    """
    what = Path(command[0]).name
    try:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as fault:
        said = getattr(fault, "strerror", None) or "an argument holds a null character"
        raise SourceError(
            what, reason=Reason.TOOL_FAILED, detail=f"cannot be started: {said}"
        ) from None
    end = time.monotonic() + bounds.seconds
    try:
        with out.open("wb") as kept:
            said = _read(process, what, kept, bounds, end, stop)
        code = process.wait(max(_GRACE, end - time.monotonic()))
    except OSError as fault:
        detail = f"what it prints cannot be kept: {fault.strerror}"
        raise SourceError(what, reason=Reason.TOOL_FAILED, detail=detail) from None
    except subprocess.TimeoutExpired:
        raise _late(what, bounds) from None
    finally:
        _end(process)
    return Ended(code, out, said.decode("utf-8", "replace"))


def _read(
    process: subprocess.Popen[bytes],
    what: str,
    kept: BinaryIO,
    bounds: Bounds,
    end: float,
    stop: Event,
) -> bytes:
    """Keep what comes on standard output; return the end of what comes on standard error."""
    tail, size = b"", 0
    with selectors.DefaultSelector() as waiting:
        for stream in (process.stdout, process.stderr):
            waiting.register(cast(BinaryIO, stream), selectors.EVENT_READ)
        while waiting.get_map():
            if stop.is_set():
                raise SourceError(what, reason=Reason.PARTIAL, detail="the run was broken off")
            left = end - time.monotonic()
            if left <= 0:
                raise _late(what, bounds)
            for key, _ in waiting.select(min(left, _GLANCE)):
                block = os.read(key.fd, _BLOCK)
                if not block:
                    waiting.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    tail = (tail + block)[-bounds.log :]
                else:
                    size += len(block)
                    if size > bounds.largest:
                        detail = f"printed more than {bounds.largest >> 20} MiB, and was ended"
                        raise SourceError(what, reason=Reason.TOO_LARGE, detail=detail)
                    kept.write(block)
    return tail


def _late(what: str, bounds: Bounds) -> SourceError:
    detail = f"did not end within {bounds.seconds:g} s, and was ended; give it more --time-limit"
    return SourceError(what, reason=Reason.TIMEOUT, detail=detail)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a program that has not ended, and its children; nobody else is in their group.

    One that has ended gave its number back: the group of that number may be another's by now.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
