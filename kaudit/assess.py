"""Engine: evidence to assessment.

A control says where the fault is. The engine does the rest, once for all: what gaps take
away, populations, crashes, one result per resource however many pods it has, and the way
back from a result to its raw record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from kaudit import registry
from kaudit.assessment import Assessment
from kaudit.beside import Tickets, forked, possible
from kaudit.collector_off import collector_off
from kaudit.columns import arrow, over_lists
from kaudit.errors import RegistryError
from kaudit.evidence.bundle import Evidence
from kaudit.limits import Doubt, limits
from kaudit.mapped import let_go
from kaudit.model.words import Status
from kaudit.registry import Control, resource_of
from kaudit.resources import Resources, Scopes
from kaudit.result import CODES, ControlResult
from kaudit.shares import shares
from kaudit.source.events import Progress, silent
from kaudit.waivers import Waiver

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from kaudit.evidence.frames import Frames

    _Sums: TypeAlias = dict[tuple[str, int], pa.Table]
    Codes: TypeAlias = np.ndarray[Any, np.dtype[np.int8]]

#: What conclusions rest on.
_CONCLUDED = ("enforcement_coverage",)
#: Pods from which a second process pays.
_MANY = 1_000
_PASS, _FAIL = CODES[Status.PASS], CODES[Status.FAIL]
_NOT_APPLICABLE, _NOT_ASSESSED = CODES[Status.NOT_APPLICABLE], CODES[Status.NOT_ASSESSED]


def assess(
    evidence: Evidence,
    controls: Iterable[Control] | None = None,
    *,
    waivers: Sequence[Waiver] = (),
    strict: bool = False,
    progress: Progress = silent,
) -> Assessment:
    """Judge evidence by controls.

    Parameters
    ----------
    evidence
        What was collected; it is not changed.
    controls
        Those to apply; all of the catalogue by default.
    waivers
        Accepted failures; they are noted beside a failure and change no status.
    strict
        Raise what a control raises, instead of noting it as ``error``.
    progress
        Told which control is judged.

    Returns
    -------
    Assessment
        Every control has at least one result.
    """
    registry.load()
    chosen = sorted(
        registry.CONTROLS.values() if controls is None else controls, key=lambda c: c.id
    )
    run = _Run(evidence, chosen, strict)
    with collector_off():
        run.judge_all(progress)
        run.close()
    progress("controls", len(chosen), len(chosen))
    return Assessment(evidence, run.results, waivers)


class _Work(NamedTuple):
    """Controls that are judged in one go, and what nobody needs when they are."""

    results: Sequence[ControlResult]
    alone: Collection[str]


class _Run:
    """What gaps take from each control, and the results so far."""

    def __init__(self, evidence: Evidence, controls: Sequence[Control], strict: bool) -> None:
        self.evidence, self.strict = evidence, strict
        self.taken = {control.id: limits(control, evidence.gaps) for control in controls}
        numbered: dict[tuple[bool, str], Resources] = {}
        self.results = []
        for control in controls:
            about = bool(resource_of(control).container), registry.subject_table(control.subject)
            numbers = numbered.setdefault(about, Resources())
            self.results.append(ControlResult(control, numbers))
        self.numbered = numbered.values()
        open_ = [r for r in self.results if not self.taken[r.control.id].void]
        self.of_pods = [r for r in open_ if registry.TABLES[r.control.subject].pods]
        self.of_all = [r for r in open_ if not registry.TABLES[r.control.subject].pods]
        names = (name for r in self.of_all for name in (r.control.subject, *r.control.needs))
        self.sums = registry.summed_views(*names)

    def judge_all(self, progress: Progress) -> None:
        """Judge by every control, with the help of a second process where that pays."""
        parts = self.evidence.manifest.parts if self.of_pods else 0
        beside = not self.strict and possible()
        if parts < 2:
            beside = beside and self.evidence.store.rows("pods") > _MANY
            self._judge_shares([*self.of_pods, *self.of_all], (), beside, progress)
            return
        if beside:
            self._judge_halves(parts, progress)
        else:
            self._judge_parts(range(parts), progress)
        self._rest()
        _release()
        self._judge_shares(self.of_all, self.sums, beside, progress)

    def _judge_shares(
        self,
        results: Sequence[ControlResult],
        given: Sequence[str],
        beside: bool,
        progress: Progress,
    ) -> None:
        """Judge share after share of the controls; a process beside this one takes some."""
        found = shares([result.control for result in results], given)
        work = [
            _Work([results[at] for at in share.positions], share.alone if given else ())
            for share in found.shares
        ]
        if not beside:
            for number, one in enumerate(work):
                progress(one.results[0].control.id, number, len(work))
                self._do(one)
            return
        for name in found.common:
            with suppress(Exception):  # the controls that need it tell of it
                self.evidence.frames.get(name)
        concluded = (n for n, share in enumerate(found.shares) if share.alone & {*_CONCLUDED})
        own = work.pop(next(concluded, 0))  # what this process needs afterwards
        tickets = Tickets(len(work))
        wait = forked(lambda: self._done_beside(work, tickets))
        progress(own.results[0].control.id, 0, len(work))
        self._do(own)
        mine = set()
        for number in tickets:
            progress(work[number].results[0].control.id, number, len(work))
            self._do(work[number])
            mine.add(number)
        others = wait() or {}
        tickets.close()
        for number, one in enumerate(work):
            if number in others:
                self._merge(one.results, others[number])
            elif number not in mine:
                self._do(one)

    def _do(self, work: _Work) -> None:
        """Judge by the controls of one share, and let go of what only they rest on."""
        for result in work.results:
            self.judge(result, self.evidence.frames)
            let_go()
        for result in work.results:
            result.rest()
        if work.alone:
            self.evidence.frames.drop(name for name in work.alone if name not in _CONCLUDED)
        _release()

    def _done_beside(
        self, work: Sequence[_Work], tickets: Tickets
    ) -> dict[int, Sequence[ControlResult]]:
        self.evidence.frames = self.evidence.frames.apart()
        done = {}
        for number in tickets:
            self._do(work[number])
            done[number] = work[number].results
        return done

    def _merge(self, results: Sequence[ControlResult], others: Sequence[ControlResult]) -> None:
        """Add what another process found."""
        for result, other in zip(results, others, strict=True):
            result.merge(other, result.resources.of_others(other.resources))

    def _judge_halves(self, parts: int, progress: Progress) -> None:
        """Judge part after part of the pods, the later half in a process beside this one."""
        middle = (parts + 1) // 2
        wait = forked(lambda: self._judged_apart(range(middle, parts)))
        self._judge_parts(range(middle), progress)
        others = wait()
        if others is None:
            self._judge_parts(range(middle, parts), progress)
            return
        results, sums = others
        self.evidence.frames.keep(sums)
        self._merge(self.of_pods, results)

    def _judged_apart(self, parts: range) -> tuple[list[ControlResult], _Sums]:
        self.evidence.frames = self.evidence.frames.apart()
        sums = self._judge_parts(parts, silent)
        self._rest()
        return self.of_pods, sums

    def _rest(self) -> None:
        for result in self.of_pods:
            result.rest()

    def _judge_parts(self, parts: range, progress: Progress) -> _Sums:
        """Judge parts; the frames of only one are held at a time, but for what is summed."""
        whole = self.evidence.frames
        sums: _Sums = {}
        for part in parts:
            one = self.evidence.manifest.parts == 1
            frames = whole if one else whole.of_part(part)
            for done, result in enumerate(self.of_pods):
                progress(f"part {part + 1}", done, len(self.of_pods))
                self.judge(result, frames)
            if not one:
                sums |= frames.sums(self.sums)
            for resources in self.numbered:
                resources.forget()
            _release()
        whole.keep(sums)
        return sums

    def judge(self, result: ControlResult, frames: Frames) -> None:
        """Apply a control to frames; a crash becomes a status."""
        if result.crashed:
            return
        control = result.control
        try:
            subject = frames.get(control.subject)
            if not len(subject):
                return
            mask = control.function(subject, *(frames.get(name) for name in control.needs))
            codes = statuses(control, subject, mask)
            doubts = self.taken[control.id].doubts
            reasons = _doubted(codes, subject, control, doubts)
            result.add_rows(subject, codes, reasons)
        except Exception as fault:
            if self.strict:
                raise
            result.crash(f"{type(fault).__name__}: {fault}")

    def close(self) -> None:
        """Add what no row shows, and let go of the frames."""
        for result in self.results:
            self._complete(result)
            result.rest()

    def _complete(self, result: ControlResult) -> None:
        """Add things that could not be read, and that there is nothing at all."""
        taken = self.taken[result.control.id]
        if taken.void:
            result.add_loose(Status.NOT_ASSESSED, reason=taken.void)
            return
        for thing in taken.affected:
            result.add_loose(
                Status.NOT_ASSESSED,
                kind=thing.kind,
                namespace=thing.namespace,
                name=thing.name,
                reason=thing.reason,
            )
        if result.empty:
            status = Status.NOT_ASSESSED if taken.untold else Status.NOT_APPLICABLE
            result.add_loose(status, reason=taken.untold or "there is nothing that it applies to")


def _release() -> None:
    """Give memory that nobody uses back to the system: what comes next takes its own."""
    import pyarrow as pa

    let_go()
    pa.default_memory_pool().release_unused()


def statuses(control: Control, subject: pd.DataFrame, mask: pd.Series[Any]) -> Codes:
    """Status codes of the rows of a subject.

    Raises
    ------
    RegistryError
        The mask does not fit the subject, is not boolean, or has nulls although the control
        does not say what they mean.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    same = mask.index is subject.index or mask.index.equals(subject.index)
    if len(mask) != len(subject) or not same:
        raise RegistryError(f"{control.id}: its mask does not have the rows of {control.subject}")
    values = arrow(mask)
    if values.type != pa.bool_():
        raise RegistryError(f"{control.id}: its mask is {values.type}, not boolean")
    if values.null_count and not control.null:
        raise RegistryError(f"{control.id}: its mask has nulls, and it does not say what they mean")
    fails = pc.fill_null(values, False).to_numpy(zero_copy_only=False)
    codes = np.where(fails, _FAIL, _PASS).astype(np.int8)
    if values.null_count:
        codes[pc.is_null(values).to_numpy(zero_copy_only=False)] = _NOT_ASSESSED
    if control.applies:
        applies = arrow(subject[control.applies]).to_numpy(zero_copy_only=False)
        codes[~applies.astype(bool)] = _NOT_APPLICABLE
    return codes


def _doubted(
    codes: Codes, subject: pd.DataFrame, control: Control, doubts: Sequence[Doubt]
) -> list[tuple[Any, str]]:
    """Turn doubted statuses into ``not_assessed``; return rows and reason of each doubt."""
    import numpy as np

    reasons = []
    scopes = Scopes(subject, resource_of(control))
    for doubt in doubts:
        doubted = np.zeros(len(codes), dtype=bool)
        if doubt.fails:
            doubted |= codes == _FAIL
        if doubt.passes:
            doubted |= codes == _PASS
        if doubt.others:
            doubted |= codes == _NOT_APPLICABLE
        doubted &= scopes.within(doubt.namespace, doubt.kinds, doubt.names)
        if doubt.column:
            doubted &= _holding(subject[doubt.column], doubt.texts)
        if doubted.any():
            codes[doubted] = _NOT_ASSESSED
            reasons.append((doubted, doubt.reason))
    return reasons


def _holding(column: pd.Series[Any], wanted: tuple[str, ...]) -> Any:
    """Tell which lists of a column hold any of some texts; without texts, anything."""
    known = frozenset(wanted)
    return over_lists(
        column, lambda texts: bool(texts) and (not known or not known.isdisjoint(texts))
    ).to_numpy(dtype=bool)
