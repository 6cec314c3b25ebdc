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
        #: One bit a resource: a number each would be most of what is kept.
        self._known = np.empty(0, np.uint8)
        self._of = np.empty(0, np.int32)
        self._text = np.empty(0, np.int32)
        self._raw = np.empty(0, np.int32)
        self._line = np.empty(0, np.int64)
        #: What was added since the columns were put together.
        self._new: list[tuple[Numbers, Numbers, Numbers, Numbers]] = []

    def fresh(self, numbers: Numbers) -> Any:
        """Tell which resources have none yet."""
        import numpy as np

        size = int(numbers.max(initial=-1)) // 8 + 1
        if size > len(self._known):
            more = np.zeros(size - len(self._known), np.uint8)
            self._known = np.concatenate([self._known, more])
        return self._known[numbers >> 3] >> (numbers & 7) & 1 == 0

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

        np.bitwise_or.at(self._known, numbers >> 3, (1 << (numbers & 7)).astype(np.uint8))
        self._new.append((numbers.astype(np.int32), texts, raws, lines))

    def _gather(self) -> None:
        """Put the columns together: once, not with each part of the pods."""
        import numpy as np

        if self._new:
            kept = (self._of, self._text, self._raw, self._line)
            self._of, self._text, self._raw, self._line = map(
                np.concatenate, zip(kept, *self._new, strict=True)
            )
            self._new = []

    def merge(self, other: Observations, numbers: Numbers) -> None:
        """Add those of another run, whose resources have these numbers here."""
        other._gather()
        mine = numbers[other._of]
        new = self.fresh(mine)
        rows = new.nonzero()[0]
        words = self._words.numbers(other._words.texts)
        texts, raws = words[other._text[rows]], words[other._raw[rows]]
        self._append(mine[new], texts, raws, other._line[rows])

    def rest(self) -> None:
        """Keep no more than is needed to tell what was seen."""
        self._gather()
        self._words.rest()

    def places(self, numbers: Numbers, fails: Any) -> Numbers:
        """Place of what was seen of each resource that fails; -1 where there is nothing."""
        import numpy as np

        self._gather()
        at = np.full(max(numbers.max(initial=-1), self._of.max(initial=-1)) + 1, -1, np.int32)
        at[self._of] = np.arange(len(self._of))
        found = at[numbers]
        found[~fails] = -1
        return found

    def at(self, place: int) -> tuple[str, str, int]:
        """Text, raw file and line at a place; empty for -1."""
        if place < 0:
            return "", "", 0
        self._gather()
        texts = self._words.texts
        return texts[self._text[place]], texts[self._raw[place]], int(self._line[place])

    @property
    def words(self) -> Sequence[str]:
        """Texts and names of raw files, by number."""
        return self._words.texts

    def columns(self, places: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """Numbers of text and raw file among the words, and line; -1, -1, 0 for the place -1."""
        import numpy as np

        self._gather()
        text, raw = np.append(self._text, np.int32(-1)), np.append(self._raw, np.int32(-1))
        line = np.append(self._line, np.int64(0))
        return text[places], raw[places], line[places]
