"""Tables that lie in files: what is looked at comes into memory, and can leave it again."""

from __future__ import annotations

import ctypes
import mmap
import os
import weakref
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

#: What is mapped, by its address.
_MAPPED: weakref.WeakValueDictionary[int, pa.Buffer] = weakref.WeakValueDictionary()


def mapped(path: str) -> pa.Table:
    """Return the table of an Arrow file; nothing of it is copied.

    The file is there for as long as the table is, also where it has no name any more.
    """
    import pyarrow as pa

    with pa.memory_map(os.fsencode(path)) as source:
        whole = source.read_buffer()
    _MAPPED[whole.address] = whole
    content = pa.foreign_buffer(whole.address, whole.size, base=whole)
    return pa.ipc.open_file(pa.BufferReader(content)).read_all()


def let_go() -> None:
    """Take out of memory what was looked at of all tables in files; it is read again if need be.

    Files are cached by the system, which forgets them where memory is short; what a process
    has looked at counts as its own.
    """
    advise = _advise()
    if advise is not None:
        for address, buffer in _MAPPED.items():
            advise(address, buffer.size, mmap.MADV_DONTNEED)


@cache
def _advise() -> Callable[..., Any] | None:
    """System call that tells what becomes of pages; None where there is none."""
    if not hasattr(mmap, "MADV_DONTNEED"):
        return None
    found = ctypes.CDLL(None).madvise
    found.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return found
