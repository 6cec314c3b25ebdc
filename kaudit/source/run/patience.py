"""How often a registry that does not answer is asked again."""

from __future__ import annotations

from collections import Counter
from threading import Lock

from kaudit.errors import SourceError
from kaudit.model.words import Reason

#: Images of a registry in a row without an answer after which it is left alone.
_TRIES = 3
_AWAY = (Reason.UNREACHABLE, Reason.TIMEOUT)


class Patience:
    """Counts, tool by tool, how often registries did not answer.

    Hundreds of images of a registry that is away would each wait for its time limit; and
    one that limits requests is not made to answer by more of them.
    """

    def __init__(self) -> None:
        self._silent: Counter[tuple[str, str]] = Counter()
        self._lock = Lock()

    def spent(self, tool: str, registry: str) -> SourceError | None:
        """Return the fault of an image that is not tried at all; None where it may be."""
        if self._silent[tool, registry] < _TRIES:
            return None
        detail = (
            f"{registry} did not answer for {_TRIES} images in a row, and was not asked again; "
            "run it again once it does: what was scanned is kept"
        )
        return SourceError(tool, reason=Reason.UNREACHABLE, detail=detail)

    def note(self, tool: str, registry: str, fault: SourceError | None) -> None:
        """Take the outcome of a run into account."""
        away = fault is not None and fault.reason in _AWAY
        with self._lock:
            self._silent[tool, registry] = self._silent[tool, registry] + 1 if away else 0
