"""The kernel that runs a notebook, started before the notebook and its folder are there.

An interpreter imports what notebooks need while evidence is still collected, and waits to
be told where to run. It ends with the process that started it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from kaudit.errors import InputError
from kaudit.text import is_text

__all__ = ["Kernel"]

_FIXED = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
_CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
#: Bytes of the folder of sockets, whose names systems bound by 104 bytes and more.
_LONGEST = 98
#: New objects after which the collector looks for cycles: tables and drawings make many.
_OBJECTS = 50_000
_NEEDED = (
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
        A folder for its sockets; it goes when the kernel is closed.
    connection
        The file that tells how to reach it.
    log
        What it says.
    process
        The interpreter.
    """

    def __init__(self) -> None:
        self._private = TemporaryDirectory(prefix="kaudit-")
        self.private = Path(self._private.name)
        if len(os.fsencode(self.private)) > _LONGEST or not is_text(self.private):
            self._private.cleanup()
            what = "the folder for temporary files has a name that no socket can have"
            hint = "let TMPDIR be one with a short name"
            raise InputError(what, where=self.private.parent, hint=hint)
        self.log = self.private / "kernel.log"
        self.connection = self.private / "connection.json"
        self.connection.touch(0o600)
        self.connection.write_text(json.dumps(self._sockets()))
        own = {"IPYTHONDIR": str(self.private / "ipython"), "JPY_PARENT_PID": str(os.getpid())}
        read, write = os.pipe()
        self._orders = os.fdopen(write, "wb", buffering=0)
        with self.log.open("wb") as log, os.fdopen(read) as orders:
            # -P: nothing that lies in a folder of the user is taken for a module.
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "kaudit.kernel", str(self.connection)],
                stdin=orders,
                stdout=log,
                stderr=log,
                env={**os.environ, **_FIXED, **own},
                cwd=self.private,
                start_new_session=True,
            )

    def _sockets(self) -> dict[str, object]:
        ports = {f"{name}_port": n for n, name in enumerate(_CHANNELS, 1)}
        key = {"signature_scheme": "hmac-sha256", "key": secrets.token_hex(32)}
        return {"transport": "ipc", "ip": str(self.private / "k"), **ports, **key}

    def run(self, folder: str) -> None:
        """Begin to work in a folder; one that died stays dead."""
        with suppress(BrokenPipeError), self._orders as pipe:
            pipe.write(json.dumps(folder).encode() + b"\n")

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


def _wait(connection: str) -> None:
    """Import what a notebook needs, become a kernel, wait for orders, and work."""
    gc.disable()  # of what is imported nothing goes
    # As ipykernel has it: pictures of pyplot stand in the notebook.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    for name in _NEEDED:
        importlib.import_module(name)
    from ipykernel.kernelapp import IPKernelApp

    from kaudit.registry import load

    with suppress(Exception):  # a pack that does not load: the cell that needs it says so
        load()
    app = IPKernelApp.instance()
    app.initialize(["-f", connection])  # type: ignore[no-untyped-call]  # ipykernel's
    gc.freeze()
    gc.set_threshold(_OBJECTS)
    gc.enable()
    line = os.fdopen(0, "rb", closefd=False).readline()
    if not line:  # who started it was killed
        shutil.rmtree(Path(connection).parent, ignore_errors=True)
        os._exit(0)
    os.chdir(json.loads(line))
    app.shell.history_manager.dir_hist[:] = [os.getcwd()]  # type: ignore[union-attr]  # it is there
    app.start()  # type: ignore[no-untyped-call]  # ipykernel's


if __name__ == "__main__":
    _wait(sys.argv[1])
