"""The command line: parse, call, print."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from typer.main import get_command_name
from typer.models import CommandInfo

# Their order is the order of the help.
# isort: off
from kaudit.cli import evidence, tracing, judgement, comparing, access, proposing, connecting  # noqa: F401
from kaudit.cli import risks  # noqa: F401
from kaudit.cli import gate, reports, rerunning, operation, catalogue  # noqa: F401
from kaudit.cli.app import app

__all__ = ["app", "main"]


def main() -> NoReturn:
    """Run the command line, as ``kaudit`` or as a plugin of kubectl."""
    _make_ready()
    plugin = Path(sys.argv[0]).stem == "kubectl-kaudit"
    _end_when_asked()
    try:
        app(prog_name="kubectl kaudit" if plugin else None)
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except KeyboardInterrupt:  # before a command has begun
        code = 128 + signal.SIGINT
    else:
        code = 0
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    # To free every table of a large cluster takes longer than to write the results.
    atexit._run_exitfuncs()
    os._exit(code)


def _make_ready() -> None:
    """Spend neither time nor memory on what a run of a command does not need."""
    # A run makes many objects and hardly a cycle: to look for one again and again costs.
    gc.disable()
    # What is let go of is used again at once: a fourth less memory.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    # NumPy makes threads for products of matrices, of which there are none here.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    called = [c for c in app.registered_commands if sys.argv[1:2] == [_name(c)]]
    app.registered_commands = called or app.registered_commands


def _name(command: CommandInfo) -> str:
    return command.name or get_command_name(getattr(command.callback, "__name__", ""))


def _end_when_asked() -> None:
    """Let a pipeline that is cancelled, or a terminal that is closed, end us as an interrupt does.

    With all that we run; where hangups are ignored (nohup), they stay so.
    """
    ours = os.getpid()

    def leave(number: int, frame: object) -> None:
        if os.getpid() != ours:  # a process beside this one has nothing to clear away
            os._exit(128 + number)
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, leave)
