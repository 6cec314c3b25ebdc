"""What was first seen of each resource that fails, kept in columns: there may be millions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers: TypeAlias = np.ndarray[Any, np.dtype[Any]]


class Words:
    """Texts by number; equal ones share one."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.texts: list[str] = []

    def number(self, text: str) -> int:
        """Number of a text; a new one gets the next."""
        self._wake()
        found = self._numbers.setdefault(text, len(self.texts))
        if found == len(self.texts):
            self.texts.append(text)
        return found

    def numbers(self, texts: Sequence[str]) -> Numbers:
        """Numbers of texts."""
        import numpy as np

        self._wake()
        known = self._numbers
        new = dict.fromkeys(text for text in texts if text not in known)
        known.update(zip(new, range(len(self.texts), len(self.texts) + len(new)), strict=True))
        self.texts += new
        return np.fromiter(map(known.__getitem__, texts), np.int32, len(texts))

    def rest(self) -> None:
        """Do without the numbers until more texts come."""
        self._numbers = {}

    def _wake(self) -> None:
        if not self._numbers:
            self._numbers = dict(zip(self.texts, range(len(self.texts)), strict=True))


class Observations:
    """Text, raw file and line by the number of a resource; the first one stays."""

    def __init__(self) -> None:
        import numpy as np

        self._words = Words()
        self._at = np.empty(0, np.int32)
        self._text = np.empty(0, np.int32)
        self._raw = np.empty(0, np.int32)
        self._line = np.empty(0, np.int64)

    def fresh(self, numbers: Numbers) -> Any:
        """Tell which resources have none yet."""
        import numpy as np

        most = int(numbers.max(initial=-1)) + 1
        if most > len(self._at):
            more = np.full(most - len(self._at), -1, np.int32)
            self._at = np.concatenate([self._at, more])
        return self._at[numbers] < 0

    def add(self, numbers: Numbers, texts: pa.Array, raws: pa.Array, lines: Numbers) -> None:
        """Keep what was seen of resources that have none yet, each named once."""
        self._append(numbers, self._coded(texts), self._coded(raws), lines)

    def _coded(self, texts: pa.Array) -> Numbers:
        codes = texts.dictionary_encode()
        known = self._words.numbers(codes.dictionary.to_pylist())
        found: Numbers = known[codes.indices.to_numpy(zero_copy_only=False)]
        return found

    def _append(self, numbers: Numbers, texts: Numbers, raws: Numbers, lines: Numbers) -> None:
        import numpy as np

        self._at[numbers] = np.arange(len(self._text), len(self._text) + len(numbers))
        self._text = np.concatenate([self._text, texts])
        self._raw = np.concatenate([self._raw, raws])
        self._line = np.concatenate([self._line, lines])

    def merge(self, other: Observations, numbers: Numbers) -> None:
        """Add those of another run, whose resources have these numbers here."""
        import numpy as np

        theirs = np.flatnonzero(other._at >= 0)
        mine = numbers[theirs]
        new = self.fresh(mine)
        rows = other._at[theirs[new]]
        words = self._words.numbers(other._words.texts)
        texts, raws = words[other._text[rows]], words[other._raw[rows]]
        self._append(mine[new], texts, raws, other._line[rows])

    def rest(self) -> None:
        """Keep no more than is needed to tell what was seen."""
        self._words.rest()

    def places(self, numbers: Numbers, fails: Any) -> Numbers:
        """Place of what was seen of each resource that fails; -1 where there is nothing."""
        import numpy as np

        known = fails & (numbers < len(self._at))
        found = np.full(len(numbers), -1, np.int32)
        found[known] = self._at[numbers[known]]
        return found

    def at(self, place: int) -> tuple[str, str, int]:
        """Text, raw file and line at a place; empty for -1."""
        if place < 0:
            return "", "", 0
        texts = self._words.texts
        return texts[self._text[place]], texts[self._raw[place]], int(self._line[place])

    @property
    def words(self) -> Sequence[str]:
        """Texts and names of raw files, by number."""
        return self._words.texts

    def columns(self, places: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """Numbers of text and raw file among the words, and line; -1, -1, 0 for the place -1."""
        import numpy as np

        text, raw = np.append(self._text, np.int32(-1)), np.append(self._raw, np.int32(-1))
        line = np.append(self._line, np.int64(0))
        return text[places], raw[places], line[places]
