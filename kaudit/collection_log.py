"""What a collection was to read, and what became of each read: listed, refused, cut short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from kaudit import registry
from kaudit.evidence.facts import GAPS, ReadRow
from kaudit.model.words import Gap, Reason
from kaudit.registry import Read, tables_of

#: Word of a read that nothing is known to lack.
READ = "read"
#: Reasons of what was read, be it more than once.
_ALL_THERE = (Reason.REPEATED, Reason.AMBIGUOUS)
#: Reasons that say least first: of several gaps the one that takes most away counts.
_WORST = {reason: rank for rank, reason in enumerate(Reason)}


def called(read: Read, alike: Mapping[str, int]) -> str:
    """Name of what a read reads, for people; ``alike`` counts the kinds of each name."""
    if read.tool:
        return f"{registry.FORMATS[read.tool].title} output"
    return f"{read.kind}.{read.group}" if alike[read.kind] > 1 else read.kind


def log_of_reads(
    gaps: Sequence[Gap],
    counts: Mapping[tuple[str, str, str], int],
    wanted: Collection[tuple[str, str]],
    listed: Collection[tuple[str, str]],
) -> list[ReadRow]:
    """Say of every kind and format of the catalogue how it was read.

    Parameters
    ----------
    gaps
        Of the evidence, in its order.
    counts
        Objects by group, version and kind.
    wanted, listed
        Kinds that were to be read, and that were read.
    """
    reads = {r.id: r for c in registry.COLLECTORS.values() for r in c.reads}
    alike = Counter(read.kind for read in reads.values())
    told = _Told(gaps, alike)
    by_name: dict[tuple[bool, str], list[Read]] = {}
    for read in reads.values():
        key = (True, read.tool) if read.tool else (False, read.raw)
        by_name.setdefault(key, []).append(read)
    return [
        _row(key, own, told.of(own), counts, wanted, listed) for key, own in sorted(by_name.items())
    ]


class _Told:
    """Gaps by what they name."""

    def __init__(self, gaps: Sequence[Gap], alike: Mapping[str, int]) -> None:
        self._alike = alike
        self._by: dict[str, list[tuple[int, Gap]]] = {}
        titles = {name: f"{found.title} " for name, found in registry.FORMATS.items()}
        for number, gap in enumerate(gaps, start=1):
            names = {*gap.what.split(", "), f"kind {gap.kind}"}
            if gap.kind in ("", "File", "Image"):
                names |= {
                    f"format {n}" for n, title in titles.items() if gap.what.startswith(title)
                }
            for name in names:
                self._by.setdefault(name, []).append((number, gap))

    def of(self, own: list[Read]) -> list[tuple[int, Gap]]:
        """Numbers and gaps that are about a read: of its kind, or naming it among others."""
        tables = {table for read in own for table in tables_of(read.id)}
        found = {
            number: gap
            for read in own
            for name in (called(read, self._alike), f"kind {read.named}", f"format {read.tool}")
            for number, gap in self._by.get(name, ())
            if not gap.tables or not tables.isdisjoint(gap.tables)
        }
        return sorted(found.items())


def _row(
    key: tuple[bool, str],
    own: list[Read],
    touching: list[tuple[int, Gap]],
    counts: Mapping[tuple[str, str, str], int],
    wanted: Collection[tuple[str, str]],
    listed: Collection[tuple[str, str]],
) -> ReadRow:
    of_format, name = key
    found = [(n, gap) for n, gap in touching if gap.reason not in _ALL_THERE]
    held = any(read.id in listed for read in own)
    if held:  # other records of the format, or another version, are there
        found = [(n, gap) for n, gap in found if gap.failed]
    number, gap = min(found, key=lambda one: _weight(*one), default=(0, None))
    state = gap.reason.value if gap else READ if held else Reason.NOT_IN_SOURCE.value
    open_groups = {read.group for read in own if read.open}
    kinds = {read.id for read in own}
    return ReadRow(
        raw=GAPS if gap else "",
        raw_line=number,
        name=name,
        group="" if of_format else own[0].group,
        format=of_format,
        asked=any(read.id in wanted for read in own),
        objects=sum(n for (g, _, k), n in counts.items() if (g, k) in kinds or g in open_groups),
        state=state,
        detail=gap.detail if gap else "",
        gaps=len(found),
        tables=sorted({table for read in own for table in tables_of(read.id)}),
    )


def _weight(number: int, gap: Gap) -> tuple[bool, bool, int, int]:
    return not gap.failed, not gap.whole, _WORST[gap.reason], number
