"""Work that a second process does beside this one.

Batches of many objects become pieces of evidence. A piece is what a batch gives, with lines
counted from its own start; the builder joins pieces in the order of their batches, so that
evidence does not depend on who made which.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import warnings
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from kaudit.evidence.build import Piece
from kaudit.source.events import Batch

#: Objects of a batch from which it is worth a piece.
MANY = 1_000
#: Batches that may wait for the other process.
_WAITING = 2

T = TypeVar("T")

#: Makes a piece of a batch from an origin of this name; None where order matters.
Maker = Callable[[Batch, str], Piece | None]


class Job(msgspec.Struct):
    """A batch on its way to a piece; ``path`` is where another process will put it."""

    batch: Batch
    origin: str
    piece: Piece | None = None
    path: Path | None = None


def possible() -> bool:
    """Tell whether a second process helps: a second processor, and a safe fork."""
    return sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1


def _start(function: Callable[..., None], *args: Any) -> None:
    context = multiprocessing.get_context("fork")
    process = context.Process(target=function, args=args, daemon=True)
    with warnings.catch_warnings():
        # The child runs nothing but pure computation: no lock of a thread is needed.
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()


def forked(compute: Callable[[], T]) -> Callable[[], T | None]:
    """Start a computation in another process; return what waits for its result.

    None is the result where the process failed.
    """
    here, there = multiprocessing.Pipe(duplex=False)
    _start(_tell, there, here, compute)
    there.close()

    def wait() -> T | None:
        with here:
            try:
                return pickle.loads(here.recv_bytes())  # type: ignore[no-any-return]  # noqa: S301
            except (EOFError, OSError):
                return None

    return wait


def _tell(pipe: Connection, parents: Connection, compute: Callable[[], Any]) -> None:
    parents.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(Exception):  # the parent does it again and raises what there is
        pipe.send_bytes(pickle.dumps(compute(), protocol=5))
    pipe.close()
    os._exit(0)


class Beside:
    """Makes pieces here and, where there is a second processor, in one process beside.

    Parameters
    ----------
    make
        Does the work.
    """

    def __init__(self, make: Maker) -> None:
        self._make = make
        self._pipe: Connection | None = None
        self._busy: deque[Job] = deque()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._possible = possible()
        self._sent = 0

    def submit(self, batch: Batch, origin: str) -> Job:
        """Start on a batch: beside if little waits there, else here and now."""
        job = Job(batch, origin)
        self._collect()
        if not (self._possible and len(self._busy) < _WAITING and self._send(job)):
            job.piece = self._make(batch, origin)
        return job

    def piece(self, job: Job) -> Piece | None:
        """Wait for the piece of a job."""
        while job in self._busy:
            self._take()
        if job.path is not None:
            with job.path.open("rb") as stream:
                job.piece = pickle.load(stream)  # noqa: S301  written by our own process
            job.path.unlink()
            job.path = None
        return job.piece

    def _send(self, job: Job) -> bool:
        try:
            pipe, folder = self._started()
            path = Path(folder, str(self._sent))
            raws = [bytes(item) for item in job.batch.items]
            batch = msgspec.structs.replace(job.batch, items=raws)
            with path.open("wb") as stream:
                pickle.dump((batch, job.origin), stream, protocol=5)
            pipe.send_bytes(str(path).encode())
        except OSError:
            self._possible = False
            return False
        job.path = path
        self._busy.append(job)
        self._sent += 1
        return True

    def _started(self) -> tuple[Connection, str]:
        if self._pipe is None or self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="kaudit-")
            here, there = multiprocessing.Pipe()
            _start(_serve, there, here, self._make)
            there.close()
            self._pipe = here
        return self._pipe, self._folder.name

    def _collect(self) -> None:
        """Take notice of what the other process has done."""
        while self._busy and self._pipe is not None and self._pipe.poll():
            self._take()

    def _take(self) -> None:
        """Wait for the job that was sent first; do again what failed."""
        job = self._busy.popleft()
        try:
            done = self._pipe is not None and self._pipe.recv_bytes() == b"done"
        except (EOFError, OSError):
            done, self._possible = False, False
        if not done:
            job.path = None
            job.piece = self._make(job.batch, job.origin)

    def close(self) -> None:
        """End the other process and remove what it wrote."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def _serve(pipe: Connection, parents: Connection, make: Maker) -> None:
    """Turn batches into pieces until the pipe closes."""
    parents.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    with contextlib.suppress(EOFError, OSError):
        while True:
            path = Path(pipe.recv_bytes().decode())
            try:
                with path.open("rb") as stream:
                    batch, origin = pickle.load(stream)  # noqa: S301  written by our own process
                piece = make(batch, origin)
                with path.open("wb") as stream:
                    pickle.dump(piece, stream, protocol=5)
            except Exception:  # noqa: BLE001  the parent does it again and raises what there is
                pipe.send_bytes(b"failed")
            else:
                pipe.send_bytes(b"done")
    os._exit(0)
