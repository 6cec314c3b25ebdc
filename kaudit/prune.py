"""Engine: the oldest runs leave a folder, so that the newest has room."""

from __future__ import annotations

import shutil
from pathlib import Path

from kaudit.errors import InputError
from kaudit.report import is_report

__all__ = ["prune"]

_SUFFIX = ".kaudit"


def prune(folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest runs of a folder.

    A run is evidence, ``NAME.kaudit``, and the report of the same name, if there is one.
    Nothing else is touched, and nothing that a link leads to.

    Parameters
    ----------
    folder
        Where runs lie side by side.
    keep
        How many of the newest stay, by the time of their evidence's file.

    Returns
    -------
    list of Path
        The evidence that is gone, oldest first.

    Raises
    ------
    InputError
        There is no such folder, or it cannot be changed.
    """
    if keep < 1:
        raise InputError(f"{keep} runs cannot be kept", hint="1 or more")
    if not folder.is_dir():
        raise InputError("there is no such folder", where=folder)
    found = [p for p in folder.glob(f"*{_SUFFIX}") if p.is_file() and not p.is_symlink()]
    runs = sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))
    old = runs[: max(0, len(runs) - keep)]
    try:
        for path in old:
            _remove(path)
    except OSError as fault:
        raise InputError(f"cannot be removed: {fault.strerror}", where=fault.filename) from None
    return old


def _remove(evidence: Path) -> None:
    """Remove the report first: evidence without one is still found the next time."""
    report = evidence.with_suffix("")
    if report.is_dir() and not report.is_symlink() and is_report(report):
        shutil.rmtree(report)
    evidence.unlink()
