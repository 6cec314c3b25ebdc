"""Frames of tables and views, for all pods or for one part of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from kaudit import registry
from kaudit.columns import arrow
from kaudit.errors import EvidenceError, InputError
from kaudit.evidence.store import LARGE, Store, laid_down, on_disk
from kaudit.parameters import parameters
from kaudit.table import frame
from kaudit.text import meant

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class Frames:
    """Computes views on demand and keeps them.

    Parameters
    ----------
    store
        Where the tables lie.
    part
        Number of the part that tables of pods are narrowed to, or None for all.
    whole
        Frames of everything, to share tables that are not of pods.
    """

    def __init__(self, store: Store, part: int | None = None, whole: Frames | None = None) -> None:
        self._store, self._part, self._whole = store, part, whole
        self._kept: dict[str, pd.DataFrame] = {}
        self._pieces: dict[tuple[str, int], pa.Table] = {}
        self._decided = parameters()

    def apart(self) -> Frames:
        """Return the same frames for another process: no file position is shared."""
        found = Frames(self._store.apart(), self._part, self._whole)
        found._kept.update(self._kept)
        found._pieces.update(self._pieces)
        return found

    def of_part(self, part: int) -> Frames:
        """Return frames of one part of the pods, which share all that is not of pods."""
        return Frames(self._store, part, self)

    def sums(self, names: Iterable[str]) -> dict[tuple[str, int], pa.Table]:
        """Compute this part's share of summed views, to be kept by the frames of everything."""
        found = {name: _table(self.get(name)) for name in names}
        return {(name, self._part or 0): table for name, table in laid_down(found).items()}

    def keep(self, pieces: Mapping[tuple[str, int], pa.Table]) -> None:
        """Keep shares of summed views, by name and part."""
        self._pieces.update(pieces)

    def drop(self, names: Iterable[str]) -> None:
        """Let go of tables and views; they are read and computed again where they are needed."""
        for name in names:
            self._kept.pop(name, None)

    def get(self, name: str) -> pd.DataFrame:
        """Return a table or view; it must not be changed.

        Raises
        ------
        InputError
            No table or view has the name.
        """
        registry.load()
        self._decide()
        if name in self._kept:
            return self._kept[name]
        known = registry.TABLES.get(name)
        if known is None:
            hint = meant(name, sorted(registry.TABLES), otherwise="kaudit tables SOURCE lists them")
            raise InputError(f"there is no table {name!r}", hint=hint)
        if self._whole is not None and not known.pods:
            return self._whole.get(name)
        if known.summed and self._part is None and self._parts > 1:
            found = self._summed(name)
        elif name in registry.VIEWS:
            view = registry.VIEWS[name]
            found = self._rested(view.function(*(self.get(need) for need in view.needs)))
        else:
            found = self.base(name)
        self._kept[name] = found
        return found

    def _rested(self, found: pd.DataFrame) -> pd.DataFrame:
        """Let a large view of several parts lie on disk."""
        if self._part is not None or self._parts == 1:
            return found
        table = _table(found)
        return frame(on_disk(table)) if table.nbytes > LARGE else found

    def _decide(self) -> None:
        """Let go of views that rest on other decisions than those in force."""
        chosen = parameters()
        if chosen is not self._decided and chosen != self._decided:
            self._kept = {n: found for n, found in self._kept.items() if n not in registry.VIEWS}
            self._pieces.clear()
        self._decided = chosen

    @cached_property
    def _parts(self) -> int:
        return max((self._store.parts(t) for t in self._store.names()), default=1)

    def _summed(self, name: str) -> pd.DataFrame:
        import pyarrow as pa

        for part in range(self._parts):
            if (name, part) not in self._pieces:
                self.keep(self.of_part(part).sums([name]))
        found = pa.concat_tables([self._pieces[name, part] for part in range(self._parts)])
        return frame(on_disk(found) if found.nbytes > LARGE else found)

    def base(self, name: str) -> pd.DataFrame:
        """Read a collected table; one that an older bundle lacks is empty.

        Raises
        ------
        EvidenceError
            An older kaudit has collected it, without columns that are needed now.
        """
        if name not in self._store.names():
            return registry.TABLES[name].empty()
        part = self._part if registry.TABLES[name].pods else None
        found = frame(self._store.read(name, part, None))
        lacking = [column for column in registry.TABLES[name].names if column not in found]
        if lacking:
            what = f"table {name} lacks {', '.join(lacking)}: another kaudit has collected it"
            raise EvidenceError(what, hint="collect again, or use the kaudit that collected it")
        return found


def _table(found: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    return pa.table({column: arrow(found[column]) for column in found})
