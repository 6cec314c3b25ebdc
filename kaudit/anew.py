"""What became of the files of a report or a bundle when they were made anew."""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["Compared", "State"]


class State(StrEnum):
    """What became of a file."""

    SAME = "same"
    DIFFERENT = "different"
    ALTERED = "altered"
    MISSING = "missing"
    FOREIGN = "foreign"
    NOT_MADE = "not made"

    @property
    def meaning(self) -> str:
        """Say what the word means."""
        return _MEANINGS[self]


_MEANINGS = {
    State.SAME: "it was made again, the same",
    State.DIFFERENT: "something else was made",
    State.ALTERED: "it was changed after the report was made",
    State.MISSING: "it was made, and is not there",
    State.FOREIGN: "it is no part of the report",
    State.NOT_MADE: "it was not made again",
}


class Compared(msgspec.Struct, frozen=True):
    """One file.

    Attributes
    ----------
    name
        Relative to the report, or to the bundle.
    state
        What became of it.
    line
        First line that differs, of a text, or row, of a table; 0 where there is none.
    sha256
        Of the file in the report or bundle, empty where it is missing.
    """

    name: str
    state: State
    line: int = 0
    sha256: str = ""
