"""One chain of risk, followed link by link to the rows and raw records that it cites."""

from __future__ import annotations

from kaudit.assessment import Assessment
from kaudit.correlate import Risks
from kaudit.errors import InputError
from kaudit.evidence.bundle import Evidence
from kaudit.model.risk import Chain, Link
from kaudit.show import blocks as b
from kaudit.show.chain_figure import chain_figure
from kaudit.show.explore import raw_record
from kaudit.show.risks import correlated, links_of, nothing
from kaudit.text import meant

#: Rows of one record that are shown side by side.
ROWS = 3


def chain(assessment: Assessment, which: str | int | None = None) -> b.Block:
    """Draw one chain (the worst by default), with the row and raw record behind each link.

    Parameters
    ----------
    which
        Its rank, or its workload: ``StatefulSet legacy/erp``.

    Raises
    ------
    InputError
        There is no such chain; names what is near.
    """
    found = correlated(assessment)
    if which is None and not found.chains:
        return nothing(found)
    chosen = _chosen(found, 1 if which is None else which)
    parts: list[b.Block] = [chain_figure(chosen), links_of(chosen)]
    told: set[tuple[str, int]] = set()
    for link in chosen.links:
        if not link.raw:
            continue
        parts.append(_rows(assessment.evidence, link))
        place = link.raw, link.raw_line
        if place not in told:  # links of one workload often cite the same record
            told.add(place)
            parts.append(raw_record(assessment.evidence, *place))
    return b.Stack(tuple(parts))


def _chosen(found: Risks, which: str | int) -> Chain:
    for one in found.chains:
        if which in (one.rank, one.label):
            return one
    if isinstance(which, int):
        raise InputError(f"no chain has rank {which}; there are {len(found.chains)}")
    known = [one.label for one in found.chains]
    raise InputError(f"no chain is on {which!r}; {meant(which, known, otherwise='see ka.risks')}")


def _rows(evidence: Evidence, link: Link) -> b.Table:
    """Show what the rows of a record hold, a line a column: rows are wide."""
    frame = evidence[link.table]
    here = frame.loc[(frame["raw"] == link.raw) & (frame["raw_line"] == link.raw_line)]
    shown = here.head(ROWS).dropna(axis="columns", how="all")
    lines = [
        (str(name), *("" if value is None else str(value) for value in shown[name].tolist()))
        for name in shown.columns
    ]
    heads = ["column", *(f"row {at}" for at in range(1, len(shown) + 1))]
    note = "" if len(here) <= ROWS else f"The first {ROWS} of {len(here)} rows of that record."
    caption = f"{link.title}: {link.table}"
    return b.Table.of(caption, heads, lines, note=note)
