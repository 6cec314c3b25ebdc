"""Work side by side, told in order, with little in between."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from kaudit.source.live_http import Stopped

T = TypeVar("T")
_TICK = 0.2
_END = object()


class _Fault:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def in_order(
    tasks: Sequence[Callable[[], Iterator[T]]],
    *,
    workers: int,
    stop: threading.Event,
) -> Iterator[T]:
    """Yield what the tasks yield, task by task in their order, while several run.

    Of each task one item waits, and one more is in its worker's hand; at most
    ``2 * workers`` tasks are begun before the first of them is told to its end. So memory
    does not grow with the lists, nor with their number.

    Parameters
    ----------
    tasks
        Each returns an iterator, which one thread exhausts.
    workers
        Threads.
    stop
        Set where the reader leaves early or a task fails, to end waits within the tasks.
    """
    lanes: list[queue.Queue[Any]] = [queue.Queue(maxsize=1) for _ in tasks]
    window = threading.Semaphore(2 * workers)
    numbers = iter(range(len(tasks)))
    lock, closed = threading.Lock(), threading.Event()

    def put(lane: queue.Queue[Any], item: object) -> None:
        while not closed.is_set():
            try:
                lane.put(item, timeout=_TICK)
            except queue.Full:
                continue
            return
        raise Stopped

    def work() -> None:
        while not closed.is_set():
            if not window.acquire(timeout=_TICK):
                continue
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            lane = lanes[number]
            try:
                try:
                    for item in tasks[number]():
                        put(lane, item)
                    put(lane, _END)
                except BaseException as error:
                    put(lane, _Fault(error))
                    raise
            except Stopped:
                return

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(workers, len(tasks)))]
    for thread in threads:
        thread.start()
    finished = False
    try:
        for lane in lanes:
            while (item := lane.get()) is not _END:
                if isinstance(item, _Fault):
                    raise item.error
                yield item
            window.release()
        finished = True
    finally:
        closed.set()
        if not finished:
            stop.set()
        for thread in threads:
            thread.join(timeout=2.0)
