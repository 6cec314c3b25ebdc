"""What lies below a folder, however deep."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["walked"]


def walked(
    root: Path, onerror: Callable[[OSError], object] | None = None
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield folders as os.walk does, which before Python 3.12 calls itself for each level."""
    waiting = [os.fspath(root)]
    while waiting:
        found = next(os.walk(waiting.pop(), onerror=onerror), None)
        if found is None:
            continue
        yield found
        top, folders, _ = found
        paths = (os.path.join(top, name) for name in folders)
        waiting += [path for path in paths if not os.path.islink(path)]
