"""The kernel that runs a notebook, started before the notebook and its folder are there.

An interpreter imports what notebooks need while evidence is still collected, and waits to
be told where to run. It ends with the process that started it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

__all__ = ["Kernel"]

_FIXED = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
_NEEDED = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "pandas",
    "pyarrow.parquet",
    "kaudit.assess",
    "kaudit.frame",
    "kaudit.frameworks",
    "kaudit.public",
    "kaudit.show",
    "matplotlib.figure",
    "matplotlib.backends.backend_svg",
)


class Kernel:
    """An interpreter that gets ready to be a Jupyter kernel.

    The user's IPython profile, time zone, language and hash seed play no part in it.

    Attributes
    ----------
    private
        A folder for its connection; it goes when the kernel is closed.
    log
        What it says.
    process
        The interpreter.
    """

    def __init__(self) -> None:
        self._private = TemporaryDirectory(prefix="kaudit-")
        self.private = Path(self._private.name)
        self.log = self.private / "kernel.log"
        own = {"IPYTHONDIR": str(self.private / "ipython"), "JPY_PARENT_PID": str(os.getpid())}
        read, write = os.pipe()
        self._orders = os.fdopen(write, "wb", buffering=0)
        with self.log.open("wb") as log, os.fdopen(read) as orders:
            # -P: nothing that lies in a folder of the user is taken for a module.
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "kaudit.kernel"],
                stdin=orders,
                stdout=log,
                stderr=log,
                env={**os.environ, **_FIXED, **own},
                cwd=self.private,
                start_new_session=True,
            )

    def run(self, arguments: Sequence[str], folder: str) -> None:
        """Become a kernel with these arguments, in this folder; one that died stays dead."""
        with suppress(BrokenPipeError), self._orders as pipe:
            pipe.write(json.dumps([folder, *arguments]).encode() + b"\n")

    def __enter__(self) -> Kernel:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it, and remove its folder."""
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._orders.close()
        self._private.cleanup()


def _wait() -> None:
    """Import what a notebook needs, wait for orders, and run the kernel."""
    # As ipykernel has it: pictures of pyplot stand in the notebook.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    for name in _NEEDED:
        importlib.import_module(name)
    from kaudit.registry import load

    load()
    gc.freeze()  # all this stays: no collection needs to look at it
    line = sys.stdin.buffer.readline()
    if not line:
        return
    folder, *arguments = json.loads(line)
    os.chdir(folder)
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance(arguments)


if __name__ == "__main__":
    _wait()
