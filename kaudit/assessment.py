"""Assessment: the results of controls on evidence, and what they add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from kaudit.card import small_table
from kaudit.conclude import (
    Conclusion,
    ControlTally,
    LayerConclusion,
    conclude,
    conclude_design,
    conclude_layers,
)
from kaudit.errors import InputError
from kaudit.evidence.bundle import Evidence
from kaudit.model.admission_causes import ENFORCEABLE, UNDONE_BY
from kaudit.model.words import Severity, Status
from kaudit.parameters import parameters
from kaudit.registry import Control
from kaudit.result import ControlResult, Result
from kaudit.text import meant
from kaudit.waivers import Waiver, covering

if TYPE_CHECKING:
    import pandas as pd


class Assessment:
    """Evidence judged by controls.

    ``assessment["KA-DEP-001"]`` are the results of one control; ``list(assessment)`` names them
    all.

    Parameters
    ----------
    evidence
        What was judged.
    by_control
        Results of each control that was applied.
    waivers
        Accepted failures.

    Attributes
    ----------
    evidence, waivers
        As given.
    by_control
        Results of each control, by its id.
    parameters
        Decisions of the auditor that were in force.
    results, findings, unassessed
        DataFrames of one row a result: all of them, failures, what could not be judged.
    summary, conclusions, gaps
        DataFrames of one row a control, a layer and a gap.

    Examples
    --------
    >>> a = ka.assess("demo.kaudit")
    >>> a["KA-DEP-001"]["status"].value_counts().to_dict()
    {'pass': 36, 'fail': 4}
    >>> a.conclusions["operation"].tolist()[1:]
    ['not effective', 'not effective', 'not effective', 'not effective']
    """

    def __init__(
        self, evidence: Evidence, by_control: Sequence[ControlResult], waivers: Sequence[Waiver]
    ) -> None:
        self.evidence, self.waivers = evidence, tuple(waivers)
        self.parameters = parameters()
        self.by_control = {result.control.id: result for result in by_control}

    @property
    def controls(self) -> tuple[Control, ...]:
        """Controls that were applied, by id."""
        return tuple(result.control for result in self.by_control.values())

    def __getitem__(self, control: str) -> pd.DataFrame:
        """All results of one control.

        Parameters
        ----------
        control
            Its id.

        Returns
        -------
        DataFrame
            One row a result; the columns are the attributes of :class:`Result`.

        Raises
        ------
        InputError
            The control was not applied; names the near ones.
        """
        if control not in self.by_control:
            hint = meant(str(control), self.by_control, otherwise="list(assessment) names all")
            raise InputError(f"no control {control!r} was applied", hint=hint)
        return _frame(self.results_of(control))

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_control)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.by_control)

    def iter_results(self, *statuses: Status) -> Iterator[Result]:
        """Yield results control by control, failures with their waiver.

        Parameters
        ----------
        statuses
            Those that are wanted; all where none is given.
        """
        for control in self.by_control:
            yield from self.results_of(control, *statuses)

    def results_of(self, control: str, *statuses: Status) -> Iterator[Result]:
        """Yield the results of one control, failures with their waiver.

        Parameters
        ----------
        control
            Its id; it must have been applied.
        statuses
            Those that are wanted; all where none is given.
        """
        as_of = self.evidence.as_of
        for result in self.by_control[control].results(*statuses):
            if result.status is Status.FAIL and self.waivers:
                resource = (result.kind, result.namespace, result.name, result.container)
                waiver = covering(self.waivers, as_of, result.control, resource)
                yield msgspec.structs.replace(result, waiver=waiver) if waiver else result
            else:
                yield result

    @cached_property
    def results(self) -> pd.DataFrame:
        """All results, one row each; see :class:`Result` for the columns."""
        return _frame(self.iter_results())

    @cached_property
    def findings(self) -> pd.DataFrame:
        """Failures, worst severity first; the columns of :class:`Result`."""
        return _by_attention(_frame(self.iter_results(Status.FAIL)))

    @cached_property
    def unassessed(self) -> pd.DataFrame:
        """What could not be judged, with the reason; the columns of :class:`Result`."""
        return _frame(self.iter_results(Status.NOT_ASSESSED, Status.ERROR, Status.MANUAL))

    @cached_property
    def tallies(self) -> dict[str, ControlTally]:
        """Counts of resources by status, by control id."""
        waived: Counter[str] = Counter()
        if self.waivers:
            waived.update(r.control for r in self.iter_results(Status.FAIL) if r.waiver)
        return {
            id_: ControlTally.of(by.counts(), waived=waived[id_])
            for id_, by in self.by_control.items()
        }

    @cached_property
    def operation(self) -> dict[str, Conclusion]:
        """Conclusion on the operation of each control, by control id."""
        return {id_: conclude(tally) for id_, tally in self.tallies.items()}

    @cached_property
    def design(self) -> dict[str, Conclusion]:
        """Conclusion on the design of each control that admission can enforce, by control id."""
        coverage = self.evidence["enforcement_coverage"]
        unread = bool(self.evidence.failed_reads("enforcement_coverage", naming=True))
        users = coverage[~coverage["platform"].to_numpy(dtype=bool)]
        doubted = {
            engine
            for engine, tables in {**UNDONE_BY, "PodSecurity": ("pod_security_config",)}.items()
            if self.evidence.failed_reads(*tables)
        }
        states: dict[str, list[str]] = {id_: [] for id_ in ENFORCEABLE if id_ in self.by_control}
        columns = (users[name].tolist() for name in ("control", "state", "rests_on", "enforced_by"))
        for id_, state, rests_on, by in zip(*columns, strict=True):
            undone = not doubted.isdisjoint(rests_on) or (len(by) == 1 and by[0] in doubted)
            if id_ in states:
                states[id_].append("unknown" if undone else state)
        return {id_: conclude_design(own, unread=unread) for id_, own in states.items()}

    @cached_property
    def layers(self) -> tuple[LayerConclusion, ...]:
        """Conclusions of the five layers, in their order."""
        return conclude_layers(self.controls, self.tallies, self.operation, self.design)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row a control, by id.

        Columns are ``control`` (its id), ``title``, ``layer``, ``severity``, ``population``
        (resources that it applies to), one a status with the number of resources (``pass``,
        ``fail``, ``not_applicable``, ``not_assessed``, ``error``, ``manual``), ``waived`` (of
        those that fail), ``operation`` (the conclusion) and ``because`` (its ground).
        """
        from kaudit.frame import Frame

        rows = []
        for control in self.controls:
            tally = self.tallies[control.id]
            rows.append(
                {
                    "control": control.id,
                    "title": control.title,
                    "layer": control.layer.value,
                    "severity": control.severity.value,
                    "population": tally.population,
                    **{s.value: getattr(tally, f"{s.value}_") for s in Status},
                    "waived": tally.waived,
                    "operation": self.operation[control.id].opinion.value,
                    "because": self.operation[control.id].because,
                }
            )
        return Frame(rows)

    @cached_property
    def conclusions(self) -> pd.DataFrame:
        """One row a layer.

        Columns are ``layer``, ``design`` and ``operation`` (the conclusions) with their grounds
        ``design_because`` and ``operation_because``; numbers of ``controls``, and of those that
        are ``effective``, ``with_exceptions``, ``not_effective``, ``unable`` (to conclude) and
        ``not_applicable``; ``findings``, those of them that are ``waived``, and resources that
        are ``not_assessed``.
        """
        from kaudit.frame import Frame

        return Frame([msgspec.to_builtins(layer) for layer in self.layers])

    @cached_property
    def gaps(self) -> pd.DataFrame:
        """One row a gap.

        Columns are ``what`` (the read), ``reason``, ``tables`` (those that it weakens), its
        scope ``namespace``, ``kind`` and ``name`` (empty: all of them), and ``detail``.
        """
        from kaudit.frame import Frame

        columns = ["what", "reason", "tables", "namespace", "kind", "name", "detail"]
        rows = [
            {**msgspec.structs.asdict(gap), "reason": gap.reason.value, "tables": list(gap.tables)}
            for gap in self.evidence.gaps
        ]
        return Frame(rows, columns=columns)

    def result(self, fingerprint: str) -> Result:
        """Find a result by its fingerprint.

        Parameters
        ----------
        fingerprint
            As the column of that name has it.

        Returns
        -------
        Result
            A failure with its waiver.

        Raises
        ------
        InputError
            No result has it.
        """
        control = fingerprint.split(".")[0].upper()
        for id_ in self.by_control:
            if id_.upper() == control:
                for result in self.results_of(id_):
                    if result.fingerprint == fingerprint:
                        return result
        hint = "kaudit assess SOURCE --format csv has all"
        raise InputError(f"no result has the fingerprint {fingerprint}", hint=hint)

    def failed(self, severity: Severity) -> int:
        """Count unwaived failures at or above a severity.

        Parameters
        ----------
        severity
            The least that counts, such as ``Severity.HIGH``.

        Returns
        -------
        int
            Resources that fail, control by control.
        """
        return sum(
            tally.fail_ - tally.waived
            for id_, tally in self.tallies.items()
            if self.by_control[id_].control.severity.rank <= severity.rank
        )

    @property
    def complete(self) -> bool:
        """Nothing was left unassessed and no control crashed."""
        return not any(t.not_assessed_ or t.error_ for t in self.tallies.values())

    def _repr_html_(self) -> str:
        rows = ((x.layer, x.operation, x.operation_because, x.findings) for x in self.layers)
        return small_table(repr(self), rows, ("layer", "operation", "because", "findings"))

    def __repr__(self) -> str:
        fails = sum(t.fail_ for t in self.tallies.values())
        label, controls = self.evidence.label, len(self.by_control)
        return f"<Assessment of {label!r}: {controls} controls, {fails} findings>"


# Words of our own: pandas shows the categories of a column as they are.
_CATEGORIES = ("control", "status", "severity", "layer", "raw")


def _frame(results: Iterator[Result]) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    from kaudit.frame import Frame

    rows = [msgspec.structs.astuple(result) for result in results]
    names = Result.__struct_fields__
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in names]
    data: dict[str, Any] = {}
    for name, values in zip(names, columns, strict=True):
        if name in ("rows", "failed", "raw_line"):
            data[name] = pd.Series(values, dtype=pd.ArrowDtype(pa.int64()))
        elif name in _CATEGORIES:
            data[name] = pd.Categorical([str(value) for value in values])
        else:
            data[name] = pd.Series(values, dtype=pd.ArrowDtype(pa.string()))
    return Frame(data)


def _by_attention(found: pd.DataFrame) -> pd.DataFrame:
    order = {severity.value: severity.rank for severity in Severity}
    rank = found["severity"].astype("object").map(order)
    found = found.assign(_rank=rank).sort_values(
        ["_rank", "control", "namespace", "kind", "name", "container"], kind="stable"
    )
    return found.drop(columns="_rank").reset_index(drop=True)
