"""Run a program that dies with its parent: ``leash.py PARENT PROGRAM [ARGUMENT...]``.

A test run that is killed has no time to stop what it started, so on Linux the kernel does.
This is a program of its own because ``preexec_fn`` is unsafe in processes with threads.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1

if sys.platform == "linux":
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent is gone")
os.execv(sys.argv[2], sys.argv[2:])
