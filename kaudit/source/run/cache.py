"""Outputs of earlier runs: what the same program and database said of the same image."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import shutil
import time
import zlib
from pathlib import Path

from kaudit.source.run.tool import Ready, Target

#: Seconds after which an output that nobody used is dropped.
_KEPT = 30 * 24 * 3600


class Cache:
    """A folder of outputs, named by all that they depend on.

    Parameters
    ----------
    folder
        Made where it is not there; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def path(self, ready: Ready, target: Target) -> Path | None:
        """Return where the output of a run lies, or None where it may not be kept.

        A tag may name another image tomorrow, and a database without a time of its own may
        be another one.
        """
        tool, built = ready.tool, ready.about.database_built_at
        if self.folder is None or not (tool.cached and target.digest and built):
            return None
        parts = (
            tool.name,
            ready.digest,
            ready.about.database_version,
            built.isoformat(),
            tool.settings.exceptions,
            "local" if tool.settings.local else "",
            target.name,
        )
        name = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
        return self.folder / f"{tool.name}-{name}.json.gz"

    def fetch(self, kept: Path | None, out: Path) -> bool:
        """Copy an output that is kept; tell whether there was one."""
        if kept is None:
            return False
        try:
            with gzip.open(kept) as packed, out.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
            os.utime(kept)
        except (OSError, EOFError, zlib.error):
            return False
        return out.stat().st_size > 0

    def keep(self, kept: Path | None, out: Path) -> None:
        """Keep an output, whole or not at all; a full disk costs the next run time, no more."""
        if kept is None:
            return
        new = kept.with_name(f".{kept.name}.{os.getpid()}")
        try:
            kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with out.open("rb") as unpacked, gzip.open(new, "wb", compresslevel=3) as packed:
                shutil.copyfileobj(unpacked, packed)
            new.chmod(0o600)
            new.replace(kept)
        except OSError:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)

    def prune(self) -> None:
        """Drop what nobody used for long."""
        if self.folder is None or not self.folder.is_dir():
            return
        oldest = time.time() - _KEPT
        for path in self.folder.iterdir():
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()
