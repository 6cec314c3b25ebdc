"""Setting a report on paper while its notebook still runs.

What is set then is not kept: the typesetter remembers its parts, and the whole costs less.
"""

from __future__ import annotations

from contextlib import suppress
from queue import Queue
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kaudit.template.typesetter import Typesetter

__all__ = ["Ahead"]

#: Characters in the plain outputs of cells from which it pays to set them.
_WORTH = 20_000
#: Share of the cells after which the whole will soon be there, and waits for no part of it.
_LATE = 2 / 3


class Ahead:
    """A thread that sets the cells that are done, whenever there are enough new ones."""

    def __init__(self, *, idle: bool) -> None:
        self._typesetter: Typesetter | None = None
        self._cells: list[Any] = []
        self._begun: Queue[Any] = Queue()
        self._share = 0.0
        self._thread = None if idle else Thread(target=self._work)

    def begun(self, cell: Any, share: float) -> None:
        """Hear that a cell has begun: those before it are done, such a share of all."""
        self._share = share
        self._begun.put(cell)

    def _work(self) -> None:
        with suppress(Exception):  # setting the whole says what there is to say
            known, new = 0, 0
            while (cell := self._begun.get()) is not None:
                if self._cells:
                    new += _size(self._cells[-1])
                # Whatever is set, all before it is gone through once more.
                much = new > max(_WORTH, known // 2)
                if much and self._begun.empty() and self._share < _LATE:
                    self._set()
                    known, new = known + new, 0
                self._cells.append(cell)

    def _set(self) -> None:
        from kaudit.template.document import read
        from kaudit.template.pdf import paper_so_far
        from kaudit.template.typesetter import Typesetter

        self._typesetter = self._typesetter or Typesetter()
        self._typesetter.learn(paper_so_far(read({"cells": self._cells})))

    def typesetter(self) -> Typesetter:
        """End, and return the typesetter, which goes with this."""
        from kaudit.template.typesetter import Typesetter

        self.end()
        self._typesetter = self._typesetter or Typesetter()
        return self._typesetter

    def over(self) -> None:
        """Hear that all cells are done: only what is being set already is set ahead."""
        self._share = 1.0

    def end(self) -> None:
        """Wait for what is being set, and set no more."""
        self.over()
        self._begun.put(None)
        if self._thread:
            self._thread.join()

    def __enter__(self) -> Ahead:
        if self._thread:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.end()
        if self._typesetter:
            self._typesetter.close()


def _size(cell: Any) -> int:
    """Measure what a cell will take on paper."""
    shown = (output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", ()))
    return sum(map(len, shown))
