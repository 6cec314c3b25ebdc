"""What can go wrong, and who is to act.

::

    KauditError
      InputError       what you gave cannot be used: the file, the place, what was expected
      SourceError      what we read from did not answer (the only error that becomes a gap)
        AccessDenied     401, 403
        NotServed        404: the API group or kind is absent
        Unreachable      connection, TLS, time limit
      EvidenceError    saved evidence is damaged, incomplete or of another version
      WaiverError      a waiver lacks reason, owner, approver or expiry, or names no control
      RegistryError    two items with one id, an unknown table, a malformed docstring (a bug)
      ReportError      the notebook failed; names the cell and the kept notebook

Facts are attributes; the message says what happened, where, and what to do next.
"""

from __future__ import annotations

from pathlib import Path

#: The way out where a name is empty.
EMPTY = "is a variable empty? the folder here is ."


class KauditError(Exception):
    """Base of all errors that kaudit raises on purpose.

    Examples
    --------
    >>> try:
    ...     ka.assess("demo.kaudit", control="KA-DEP-0001")
    ... except ka.KauditError as fault:
    ...     print(fault)
    no control has the id KA-DEP-0001 (did you mean KA-DEP-001, ...
    """


class InputError(KauditError):
    """What the user gave cannot be used.

    Parameters
    ----------
    what
        The fault, in one sentence.
    where
        File, with line or JSON path where known.
    hint
        The way out.
    """

    def __init__(self, what: str, *, where: str | Path | None = None, hint: str = "") -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.hint = hint
        place = f"{self.where}: " if self.where else ""
        super().__init__(f"{place}{what}" + (f" ({hint})" if hint else ""))


class SourceError(KauditError):
    """What we read from did not answer.

    Parameters
    ----------
    what
        The read that failed, such as ``list secrets``.
    reason
        A word of :class:`kaudit.model.words.Reason`.
    detail
        What the other side said.
    """

    def __init__(self, what: str, *, reason: str, detail: str = "") -> None:
        self.what = what
        self.reason = reason
        self.detail = detail
        super().__init__(f"{what}: {reason}" + (f" ({detail})" if detail else ""))


class AccessDenied(SourceError):
    """The server refused: not authenticated, or not allowed."""


class NotServed(SourceError):
    """The server does not know the API group or kind."""


class Unreachable(SourceError):
    """No connection, no trust, or no answer in time."""


class EvidenceError(KauditError):
    """Saved evidence is damaged, incomplete or of another version."""

    def __init__(self, what: str, *, where: str | Path | None = None, hint: str = "") -> None:
        self.what = what
        self.where = None if where is None else str(where)
        place = f"{self.where}: " if self.where else ""
        super().__init__(f"{place}{what}" + (f" ({hint})" if hint else ""))


class WaiverError(KauditError):
    """A waiver is incomplete or names what does not exist."""


class RegistryError(KauditError):
    """A collector, view or control is declared wrongly: a bug, raised at load."""


class ReportError(KauditError):
    """A notebook failed while it was executed.

    Parameters
    ----------
    what
        The fault, with the cell.
    notebook
        The kept notebook with the outputs so far.
    """

    def __init__(self, what: str, *, notebook: Path | None = None) -> None:
        self.what = what
        self.notebook = notebook
        super().__init__(what + (f"; the notebook is kept as {notebook}" if notebook else ""))
