"""What was first seen of each resource that fails, kept in columns: there may be millions."""

from __future__ import annotations

from collections.abc import Iterable
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
        found = self._numbers.setdefault(text, len(self.texts))
        if found == len(self.texts):
            self.texts.append(text)
        return found

    def numbers(self, texts: Iterable[str]) -> Numbers:
        """Numbers of texts."""
        import numpy as np

        return np.fromiter((self.number(text) for text in texts), dtype=np.int32)


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

    def get(self, number: int) -> tuple[str, str, int]:
        """Text, raw file and line of a resource; empty where nothing was seen."""
        at = int(self._at[number]) if number < len(self._at) else -1
        if at < 0:
            return "", "", 0
        texts = self._words.texts
        return texts[self._text[at]], texts[self._raw[at]], int(self._line[at])
