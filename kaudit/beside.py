"""Work that a second process does beside this one."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import warnings
from array import array
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, TypeVar

from kaudit.mapped import mapped

if TYPE_CHECKING:
    import pyarrow as pa

#: Results of this process that wait in memory for those before them; further ones wait on disk.
_HELD = 8
_WIDTH = array("q").itemsize

T = TypeVar("T")


def possible() -> bool:
    """Tell whether a second process helps: a second processor, and a safe fork."""
    if multiprocessing.current_process().daemon:  # this is one
        return False
    return sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1


def _start(function: Callable[..., None], *args: Any) -> BaseProcess:
    context = multiprocessing.get_context("fork")
    process = context.Process(target=function, args=args, daemon=True)
    with warnings.catch_warnings():
        # The child runs nothing but pure computation: no lock of a thread is needed.
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    return process


def forked(compute: Callable[[], T]) -> Callable[[], T | None]:
    """Start a computation in another process; return what waits for its result.

    None is the result where the process failed, or there is no place to write it.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="kaudit-")
    except OSError:
        return lambda: None
    path = Path(folder.name, "result")
    here, there = multiprocessing.Pipe(duplex=False)
    _start(_tell, there, here, compute, path)
    there.close()

    def wait() -> T | None:
        with folder, here:
            with contextlib.suppress(EOFError):  # nothing is ever said: its end is heard
                here.recv_bytes()
            found = _load(path)
            return None if found is None else found[0]

    return wait


def _tell(pipe: Connection, parents: Connection, compute: Callable[[], Any], path: Path) -> None:
    parents.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(Exception):  # the parent does it again and raises what there is
        _store(path, compute())
    pipe.close()
    os._exit(0)


class Tickets:
    """Numbers below a count, each given to one alone of the processes that ask for them."""

    def __init__(self, count: int) -> None:
        self._pipe, there = os.pipe()
        os.write(there, array("H", range(count)).tobytes())
        os.close(there)

    def __iter__(self) -> Iterator[int]:
        while ticket := os.read(self._pipe, 2):
            yield int.from_bytes(ticket, sys.byteorder)

    def close(self) -> None:
        """Give none any more."""
        os.close(self._pipe)


def aside(compute: Callable[[], T]) -> Callable[[], T]:
    """Compute in another process where one helps, else at once; return what gives the result.

    What fails there is done again, once, by whoever asks for it.
    """
    if not possible():
        found = compute()
        return lambda: found
    wait = forked(lambda: (compute(),))

    @cache
    def result() -> T:
        told = wait()
        return compute() if told is None else told[0]

    return result


def spread(
    count: int, work: Callable[[int], T], before: Callable[[], object] = lambda: None
) -> Generator[T, None, None]:
    """Yield what work makes of each number below a count, in their order.

    Where there is a second processor, two processes work: whichever is free takes the next
    number. What the other one could not do is done here, so that it raises what there is.
    ``before`` is called in the other one first.
    """
    pair = _pair(count, work, before) if count > 1 and possible() else None
    if pair is None:
        yield from map(work, range(count))
        return
    with closing(pair):
        yield from map(pair.result, range(count))


def _pair(count: int, work: Callable[[int], T], before: Callable[[], object]) -> _Pair[T] | None:
    """Return two processes; None where there is no place to write, or no process to be had."""
    try:
        return _Pair(count, work, before)
    except OSError:
        return None


class _Pair(Generic[T]):
    """Two processes that share numbers in a file: each reads on where the other has stopped."""

    def __init__(self, count: int, work: Callable[[int], T], before: Callable[[], object]) -> None:
        self._work, self._before = work, before
        self._folder = tempfile.TemporaryDirectory(prefix="kaudit-")
        numbers = self._path("numbers")
        numbers.write_bytes(array("q", range(count)).tobytes())
        self._numbers = os.open(numbers, os.O_RDONLY)
        self._results: dict[int, T] = {}
        #: Numbers of which the other process has told that it is done with them.
        self._heard: set[int] = set()
        self._spooled: set[int] = set()
        self._pipe, there = multiprocessing.Pipe(duplex=False)
        self._other = _start(self._serve, there)
        there.close()

    def _path(self, name: object) -> Path:
        return Path(self._folder.name, str(name))

    def _next(self) -> int | None:
        """Take the next number; the place in the file is that of both processes."""
        found = os.read(self._numbers, _WIDTH)
        return int.from_bytes(found, sys.byteorder) if found else None

    def _serve(self, pipe: Connection) -> None:
        self._pipe.close()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with contextlib.suppress(OSError):
            self._before()
            while (number := self._next()) is not None:
                with contextlib.suppress(Exception):  # it is done again, and raises what there is
                    _store(self._path(number), self._work(number))
                pipe.send_bytes(number.to_bytes(_WIDTH))
        os._exit(0)

    def result(self, number: int) -> T:
        """Return the result of a number, and work meanwhile on what nobody has taken."""
        while number not in self._results and number not in self._heard | self._spooled:
            if self._listen():
                continue
            if (mine := self._next()) is not None:
                self._keep(mine, self._work(mine), next=mine == number)
            elif not self._listen(wait=True):
                self._results[number] = self._work(number)
        if number in self._results:
            return self._results.pop(number)
        found = _load(self._path(number))
        return self._work(number) if found is None else found[0]

    def _keep(self, number: int, result: T, *, next: bool) -> None:
        if not next and len(self._results) >= _HELD:
            with contextlib.suppress(OSError):
                _store(self._path(number), result)
                self._spooled.add(number)
                return
        self._results[number] = result

    def _listen(self, *, wait: bool = False) -> bool:
        """Hear of one number that the other process is done with; False where of none."""
        try:
            if not (wait or self._pipe.poll()):
                return False
            self._heard.add(int.from_bytes(self._pipe.recv_bytes()))
        except (EOFError, OSError):
            return False
        return True

    def close(self) -> None:
        """End the other process and remove what it wrote."""
        self._other.kill()
        self._other.join()
        self._pipe.close()
        os.close(self._numbers)
        self._folder.cleanup()


def _store(path: Path, result: Any) -> None:
    """Write a result whole; its tables have files of their own."""
    partial = path.with_suffix(".partial")
    with partial.open("wb") as stream:
        _Pickler(path, stream).dump(result)
    partial.rename(path)


class _Pickler(pickle.Pickler):
    """Writes each Arrow table to a file: whoever loads it maps it, and copies nothing."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        super().__init__(stream, protocol=5)
        self._path, self._tables = path, 0

    def reducer_override(self, value: Any) -> Any:
        """Write a table, and tell where; anything else is written as it always is."""
        import pyarrow as pa

        if not isinstance(value, pa.Table):
            return NotImplemented
        self._tables += 1
        path = f"{self._path}.{self._tables}"
        with (
            pa.OSFile(os.fsencode(path), "wb") as sink,
            pa.ipc.new_file(sink, value.schema) as file,
        ):
            file.write_table(value)
        return _taken, (path,)


def _taken(path: str) -> pa.Table:
    """Return a table that lies in a file, which has no name any more and goes with it."""
    found = mapped(path)
    Path(path).unlink()
    return found


def _load(path: Path) -> tuple[Any] | None:
    """Return the result that was written, in a tuple; None where none is there."""
    try:
        with path.open("rb") as stream:
            path.unlink()
            return (pickle.load(stream),)  # noqa: S301  written by our own process
    except OSError:
        return None
