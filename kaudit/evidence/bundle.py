"""Evidence: open a bundle, look at its tables, follow a row to its raw record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from kaudit import registry
from kaudit.card import small_table
from kaudit.errors import EvidenceError, InputError
from kaudit.evidence.facts import GAPS
from kaudit.evidence.frames import Frames
from kaudit.evidence.manifest import FORMAT, Manifest, content_id, seal_of
from kaudit.evidence.store import BundleStore, Store
from kaudit.model.words import Gap
from kaudit.text import meant

if TYPE_CHECKING:
    import pandas as pd


class Evidence:
    """Tables, raw records, provenance and gaps of one collection.

    ``evidence["pods"]`` or ``evidence.pods`` is the table (or view) as a DataFrame;
    ``list(evidence)`` names them all. :func:`kaudit.collect` makes it, :meth:`open` reads it.

    Parameters
    ----------
    store
        Where tables and raw records lie.
    manifest
        What was read: origins, gaps, hashes.

    Attributes
    ----------
    id, label, as_of, sealed
        What it is called, and the moment that it holds for.
    gaps
        What could not be read, or was not there.
    store, manifest
        As given.
    frames
        Its tables and views for engines, computed once; they must not be changed.

    Examples
    --------
    >>> e = ka.Evidence.open("demo.kaudit")
    >>> c = e["security_context"]
    >>> sorted(set(c.loc[c["privileged"], "owner_name"]))
    ['builder', 'calico-node', 'falco', 'kube-proxy']

    From a row to its raw record, and to the file that it was read from:

    >>> row = c[c["privileged"]].iloc[0]
    >>> e.record(row["raw"], row["raw_line"])["kind"]
    'Deployment'
    >>> sorted(e.origin(row["raw"], row["raw_line"]))
    ['document', 'item', 'name', 'sha256']
    """

    def __init__(self, store: Store, manifest: Manifest) -> None:
        self.store, self.manifest = store, manifest
        self.frames = Frames(store)

    @classmethod
    def open(cls, path: str | Path, *, verify: bool = True) -> Evidence:
        """Open a bundle.

        Parameters
        ----------
        path
            Folder or ``.kaudit`` file.
        verify
            Check every hash first.

        Returns
        -------
        Evidence
            Its tables are read when they are asked for.

        Raises
        ------
        EvidenceError
            Missing, damaged, or of another format; says exactly what differs.
        """
        path = Path(path)
        store = BundleStore.open(path)
        manifest = _manifest(store, path)
        if verify:
            faults = store.faults(manifest)
            if content_id(manifest) != manifest.id:
                faults.append("evidence.json: its id is not the hash of its content")
            elif manifest.seal and seal_of(manifest) != manifest.seal:
                faults.append("evidence.json: its seal is not the hash of what it says")
            if faults:
                raise EvidenceError("the evidence was altered: " + "; ".join(faults), where=path)
        return cls(store, manifest)

    @property
    def id(self) -> str:
        """Content id: SHA-256 in hexadecimal; empty while unsealed."""
        return self.manifest.id

    @property
    def seal(self) -> str:
        """SHA-256 over all that the bundle says, its tables included; empty while unsealed."""
        return self.manifest.seal

    @property
    def label(self) -> str:
        """What the sources are called."""
        return self.manifest.label

    @property
    def as_of(self) -> datetime | None:
        """Moment that ages are measured from, where it is known."""
        return self.manifest.as_of

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Reads that were refused, absent, partial or failed."""
        return self.manifest.gaps

    def failed_reads(self, *names: str, naming: bool = False) -> tuple[Gap, ...]:
        """Gaps by which tables or views may lack something that the source has.

        Parameters
        ----------
        names
            Tables and views; of views, the tables that they rest on are asked.
        naming
            Ask those too that a view uses for naming only.

        Returns
        -------
        tuple of Gap
            Failed ones, in the order of the evidence.
        """
        registry.load()
        weak = set(registry.base_tables(*names, naming=naming))
        return tuple(gap for gap in self.gaps if gap.failed and not weak.isdisjoint(gap.tables))

    @property
    def sealed(self) -> bool:
        """Whether it lies in a bundle with hashes."""
        return self.store.sealed

    def tables(self) -> pd.DataFrame:
        """List the tables that were collected; views are not among them.

        Returns
        -------
        DataFrame
            One row a table, by name: ``table`` (its name), ``grain`` (what one row is), ``rows``,
            ``columns`` and ``gaps`` (failed reads that weaken it), all three as numbers.
        """
        from kaudit.frame import Frame

        registry.load()
        weak: dict[str, int] = {}
        for gap in self.gaps:
            for name in gap.tables:
                weak[name] = weak.get(name, 0) + gap.failed
        return Frame(
            [
                {
                    "table": name,
                    "grain": registry.TABLES[name].grain if name in registry.TABLES else "",
                    "rows": self.store.rows(name),
                    "columns": len(registry.TABLES[name].columns) if name in registry.TABLES else 0,
                    "gaps": weak.get(name, 0),
                }
                for name in self.store.names()
            ]
        )

    def table(self, name: str) -> pd.DataFrame:
        """Return a table or view as a DataFrame with Arrow-backed columns.

        What it shows has control characters written out (see :mod:`kaudit.frame`); changing
        it changes no evidence.

        Parameters
        ----------
        name
            As ``list(evidence)`` has it; ``kaudit tables SOURCE --dictionary`` describes the
            columns.

        Returns
        -------
        DataFrame
            In the order of its key.

        Raises
        ------
        InputError
            There is no such table; names the near ones.
        """
        from kaudit.frame import Frame

        return Frame(self.frames.get(name))

    __getitem__ = table

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self.table(name)
        except InputError as fault:
            raise AttributeError(str(fault)) from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]

    def __iter__(self) -> Iterator[str]:
        registry.load()
        return iter(sorted({*self.store.names(), *registry.VIEWS}))

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def record(self, raw: str, line: int) -> dict[str, Any]:
        """Return the redacted raw record that a row came from.

        What could not be read comes from a gap: the record is that.

        Parameters
        ----------
        raw, line
            The columns ``raw`` and ``raw_line`` of the row.

        Returns
        -------
        dict
            The object as it was decoded, secret values replaced.

        Raises
        ------
        InputError
            There is no such record; names the near ones.
        EvidenceError
            Raw records were not kept, or the bundle is damaged.
        """
        if raw == GAPS and 0 < line <= len(self.gaps):
            return dict(msgspec.to_builtins(self.gaps[line - 1]))
        try:
            data = self.store.raw(raw, line) if line > 0 else b""
        except (LookupError, EvidenceError):
            self._recorded(raw, line)
            raise
        if not data:
            self._recorded(raw, line)
        return msgspec.json.decode(data, type=dict[str, Any])

    def origin(self, raw: str, line: int) -> dict[str, Any]:
        """Return where a raw record was read.

        Parameters
        ----------
        raw, line
            The columns ``raw`` and ``raw_line`` of a row.

        Returns
        -------
        dict
            ``name`` of the file or read, its ``sha256``, the ``document`` (or page) in it and the
            ``item`` of the list in that, both from 1; item 0 where there is no list.

        Raises
        ------
        InputError
            There is no such record; names the near ones.
        """
        if raw == GAPS and 0 < line <= len(self.gaps):
            return {"name": "evidence.json", "sha256": "", "document": line, "item": 0}
        row = self._recorded(raw, line)
        origin = self.manifest.origins[int(row["origin"].iloc[0])]
        return {
            "name": origin.name,
            "sha256": origin.sha256,
            "document": int(row["document"].iloc[0]),
            "item": int(row["item"].iloc[0]),
        }

    def _recorded(self, raw: str, line: int) -> pd.DataFrame:
        """Row of the table ``records``."""
        records = self.frames.base("records")
        row = records[(records["raw"] == raw) & (records["raw_line"] == line)]
        if row.empty:
            lines = len(self.gaps) if raw == GAPS else int((records["raw"] == raw).sum())
            known = lines or raw == GAPS
            hint = f"it has {lines}" if known else meant(raw, sorted(set(records["raw"])))
            raise InputError(f"there is no raw record {raw}:{line}", hint=hint)
        return row

    def _repr_html_(self) -> str:
        rows = [(name, f"{self.store.rows(name):,}") for name in self.store.names()]
        return small_table(repr(self), rows, ("table", "rows"))

    def __repr__(self) -> str:
        state = f"id {self.id[:12]}" if self.sealed else "unsealed"
        return f"<Evidence of {self.label!r}: {state}, {len(self.gaps)} gaps>"


def _manifest(store: BundleStore, path: Path) -> Manifest:
    data = store.content("evidence.json")
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.DecodeError as fault:
        raise EvidenceError(f"evidence.json is damaged: {fault}", where=path) from None
    if manifest.format != FORMAT:
        raise EvidenceError(
            f"the bundle has the format {manifest.format!r}, this kaudit reads {FORMAT!r}",
            where=path,
            hint=f"use the kaudit that wrote it ({manifest.kaudit or 'unknown version'})",
        )
    return manifest
