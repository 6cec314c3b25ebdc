"""Private folders beside what is being made in them: whatever becomes of a run, none stays."""

from __future__ import annotations

import glob
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Workshop", "allowed", "is_left", "locked"]

#: How their names end.
_PARTIAL = ".partial"


class Workshop:
    """A private folder in ``parent`` to build ``name`` in, locked for as long as the process lives.

    What runs that were killed have left of the same thing goes; what another run that is alive
    is building stays.

    Raises
    ------
    OSError
        Nothing can be written there.
    """

    def __init__(self, parent: Path, name: str) -> None:
        with locked(parent):
            for left in parent.glob(f".{glob.escape(name)}.*{_PARTIAL}"):
                if (lock := _lock(left)) is not None:
                    shutil.rmtree(left, ignore_errors=True)
                    os.close(lock)
            folder = tempfile.mkdtemp(prefix=f".{name}.", suffix=_PARTIAL, dir=parent)
            self.folder = Path(folder)
            self._handle = _lock(self.folder)

    def release(self) -> None:
        """Give up the lock, and the folder if it is still there."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def is_left(path: Path, name: str) -> bool:
    """Tell whether a path is such a folder, in which a run builds or has built ``name``."""
    return path.name.startswith(f".{name}.") and path.name.endswith(_PARTIAL)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder, where that is possible, while names in it change."""
    handle = _lock(folder, wait=True)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _lock(folder: Path, *, wait: bool = False) -> int | None:
    """Lock a folder; None where another process has, or where there are no such locks."""
    if sys.platform == "win32":
        return None
    import fcntl

    handle = None
    try:
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        if handle is not None:
            os.close(handle)
        return None
    return handle


def allowed(mode: int) -> int:
    """Return the mode of a new file or folder, less what the user's mask takes away."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mode & ~mask
