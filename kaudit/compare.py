"""Engine: what became of the findings of one body of evidence in a later one.

Both are judged by the same controls, parameters and waivers. What one of the two could not see
is incomparable, with the reason: it is neither new nor fixed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from kaudit.assessment import Assessment
from kaudit.card import small_table
from kaudit.errors import InputError
from kaudit.limits import limits, said
from kaudit.model.words import Gap, Layer, Severity, Status
from kaudit.registry import Control
from kaudit.resources import in_words
from kaudit.result import Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Change", "Comparison", "Difference", "Side", "compare"]

_UNKNOWN = (Status.NOT_ASSESSED, Status.ERROR, Status.MANUAL)


class Change(StrEnum):
    """What became of a finding."""

    NEW = "new"
    PERSISTING = "persisting"
    WAIVED = "waived"
    FIXED = "fixed"
    GONE = "gone"
    INCOMPARABLE = "incomparable"

    @property
    def meaning(self) -> str:
        """Say what the word means."""
        return _MEANINGS[self]


_MEANINGS = {
    Change.NEW: "it fails now and did not before",
    Change.PERSISTING: "it failed before and still does",
    Change.WAIVED: "it fails and is accepted",
    Change.FIXED: "it failed before and passes now",
    Change.GONE: "it failed before, and there is nothing left to judge",
    Change.INCOMPARABLE: "one of the two could not see it",
}
_ORDER = {change: number for number, change in enumerate(Change)}


class Side(msgspec.Struct, frozen=True):
    """One of the two bodies of evidence.

    Attributes
    ----------
    label, id, as_of
        Of the evidence; the id is empty where it is not sealed.
    gaps
        Reads of it that failed.
    """

    label: str
    id: str
    as_of: datetime | None
    gaps: tuple[Gap, ...]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One control on one resource that fails on at least one side.

    Attributes
    ----------
    change
        A word of :class:`Change`.
    control, severity, layer, kind, namespace, name, container, fingerprint
        Of the result.
    observed
        What was seen when it failed, of the later side where it fails there.
    waiver
        That accepts it.
    reason
        Why it is incomparable.
    """

    change: Change
    control: str
    severity: Severity
    layer: Layer
    kind: str
    namespace: str
    name: str
    container: str
    observed: str
    waiver: str = ""
    reason: str = ""
    fingerprint: str

    @property
    def resource(self) -> str:
        """The resource in words."""
        return in_words(self.kind, self.namespace, self.name, self.container)


class Comparison(msgspec.Struct, frozen=True, tag_field="schema", tag="kaudit/compare/v1"):
    """Two assessments compared.

    Attributes
    ----------
    old, new
        The two sides.
    counts
        Differences by the word of their change.
    differences
        By change, severity, control and resource.
    """

    old: Side
    new: Side
    counts: dict[str, int]
    differences: list[Difference]

    @property
    def frame(self) -> pd.DataFrame:
        """One row a difference; the columns are the attributes of :class:`Difference`."""
        from kaudit.frame import Frame

        rows = [msgspec.structs.asdict(one) for one in self.differences]
        return Frame(rows, columns=list(Difference.__struct_fields__))

    def _repr_html_(self) -> str:
        title = f"From {self.old.label} to {self.new.label}"
        rows = ((change, self.counts[change], change.meaning) for change in Change)
        return small_table(title, rows, ("change", "findings", "meaning"))


def compare(old: Assessment, new: Assessment) -> Comparison:
    """Tell what became of each finding.

    Parameters
    ----------
    old, new
        Judged by the same controls and parameters.

    Returns
    -------
    Comparison
        ``counts`` by change; ``frame`` has one row a finding of either side.

    Raises
    ------
    InputError
        They were judged by different controls or parameters.

    Examples
    --------
    >>> a = ka.assess("demo.kaudit", control="KA-DEP-001")
    >>> ka.compare(a, a).counts["persisting"]
    4
    """
    if [*old] != [*new] or old.parameters != new.parameters:
        what = "the two were judged by different controls or parameters"
        raise InputError(what, hint="judge both alike")
    found = [one for control in new.controls for one in _of_control(control, old, new)]
    found.sort(key=_rank)
    counts = Counter(one.change for one in found)
    return Comparison(
        _side(old), _side(new), {change.value: counts[change] for change in Change}, found
    )


def _side(assessment: Assessment) -> Side:
    evidence = assessment.evidence
    failed = tuple(gap for gap in evidence.gaps if gap.failed)
    return Side(str(evidence.label), evidence.id, evidence.as_of, failed)


def _rank(one: Difference) -> tuple[int, int, str, str, str, str, str]:
    place = (one.namespace, one.kind, one.name, one.container)
    return (_ORDER[one.change], one.severity.rank, one.control, *place)


def _of_control(control: Control, old: Assessment, new: Assessment) -> Iterator[Difference]:
    """Yield what became of all that fails one control on either side."""
    if not any(side.tallies[control.id].fail_ for side in (old, new)):
        return
    before = {result.fingerprint: result for result in old.results_of(control.id)}
    after = {result.fingerprint: result for result in new.results_of(control.id)}
    blind = _Blind(control, old), _Blind(control, new)
    for fingerprint in before.keys() | after.keys():
        was, now = before.get(fingerprint), after.get(fingerprint)
        failing = [side for side in (now, was) if side and side.status is Status.FAIL]
        if failing:
            seen = failing[0]
            change, reason = _change(seen, was, now, *blind)
            yield Difference(
                change=change,
                control=control.id,
                severity=control.severity,
                layer=control.layer,
                kind=seen.kind,
                namespace=seen.namespace,
                name=seen.name,
                container=seen.container,
                observed=seen.observed,
                waiver=seen.waiver if seen is now else "",
                reason=reason,
                fingerprint=fingerprint,
            )


def _change(
    seen: Result, was: Result | None, now: Result | None, before: _Blind, after: _Blind
) -> tuple[Change, str]:
    other = was if seen is now else now
    if other is not None and other.status in _UNKNOWN:
        return Change.INCOMPARABLE, other.reason
    if other is None and (why := (before if seen is now else after).to(seen)):
        return Change.INCOMPARABLE, why
    if seen is now:
        if now.waiver:
            return Change.WAIVED, ""
        persists = other is not None and other.status is Status.FAIL
        return (Change.PERSISTING if persists else Change.NEW), ""
    there = other is not None and other.status is Status.PASS
    return (Change.FIXED if there else Change.GONE), ""


class _Blind:
    """What one side could not see of the subject of a control."""

    def __init__(self, control: Control, side: Assessment) -> None:
        found = limits(control, side.evidence.gaps)
        self._all = found.void or found.untold
        self._gaps = side.evidence.failed_reads(control.subject)

    def to(self, result: Result) -> str:
        """Why a resource may be there unseen; empty where it is not there."""
        if self._all:
            return self._all
        near = (gap for gap in self._gaps if gap.namespace in ("", result.namespace))
        return next((said(gap) for gap in near), "")
