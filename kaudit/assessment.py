"""Assessment: the results of controls on evidence, and what they add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec

from kaudit.card import card, small_table
from kaudit.columns import arrow
from kaudit.conclude import Conclusion, ControlTally, LayerConclusion, conclude, conclude_layers
from kaudit.errors import InputError
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Layer, Severity, Status
from kaudit.observations import Observations, Words
from kaudit.parameters import parameters
from kaudit.registry import Control, resource_of
from kaudit.resources import Resources, digest, key_of
from kaudit.text import meant
from kaudit.waivers import Waiver, covering

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    Codes: TypeAlias = np.ndarray[Any, np.dtype[np.int8]]

#: Statuses as codes; where rows of one resource differ, the highest code stands.
CODES: dict[Status, int] = {
    Status.NOT_APPLICABLE: 0,
    Status.PASS: 1,
    Status.MANUAL: 2,
    Status.NOT_ASSESSED: 3,
    Status.ERROR: 4,
    Status.FAIL: 5,
}
OF_CODE = {code: status for status, code in CODES.items()}
_NONE = -1


class Result(msgspec.Struct, frozen=True):
    """One control on one resource, with its status.

    Attributes
    ----------
    control, severity, layer
        Of the control.
    status
        A word of :class:`Status`.
    kind, namespace, name, container
        The resource; empty where the result is about no single one.
    observed, expected
        Of a failure: what was seen, what was wanted.
    reason
        Why it was not assessed, is not applicable, or crashed.
    rows, failed
        Rows of the subject that stand for the resource (a template and its pods), and how
        many of them fail.
    fingerprint
        The same for the same control and resource in any run.
    waiver
        Id of the waiver that accepts the failure, else empty.
    raw, raw_line
        Raw record of the first failing row; the way back to the evidence.
    """

    control: str
    status: Status
    severity: Severity
    layer: Layer
    kind: str = ""
    namespace: str = ""
    name: str = ""
    container: str = ""
    observed: str = ""
    expected: str = ""
    reason: str = ""
    rows: int = 0
    failed: int = 0
    fingerprint: str = ""
    waiver: str = ""
    raw: str = ""
    raw_line: int = 0

    def _repr_html_(self) -> str:
        return card(self, f"{self.control}: {self.status.replace('_', ' ')}")


class Columns(NamedTuple):
    """Results of one control by resource, as columns.

    Attributes
    ----------
    numbers, codes
        Number of the resource, and code of the status.
    rows, failed
        Rows of the subject that stand for it, and how many of them fail.
    reasons, seen
        Number of the reason and place among the observations; -1 where there is none.
    """

    numbers: Any
    codes: Codes
    rows: Any
    failed: Any
    reasons: Any
    seen: Any


class ControlResult:
    """Results of one control, gathered by resource."""

    def __init__(self, control: Control, resources: Resources) -> None:
        import numpy as np

        self.control, self.resources = control, resources
        self.crashed = False
        self._status: Codes = np.empty(0, np.int8)
        self._rows = np.empty(0, np.int32)
        self._failed = np.empty(0, np.int32)
        self._names = resource_of(control)
        self._observed = Observations()
        self._reason = np.empty(0, np.int32)
        self._reasons = Words()
        self._loose: list[Result] = []
        self.failed_rows: Counter[str] = Counter()

    @property
    def empty(self) -> bool:
        """No resource and no loose result yet."""
        return not self._loose and not (self._status != _NONE).any()

    def add_rows(
        self, subject: pd.DataFrame, codes: Codes, reasons: Sequence[tuple[Any, str]]
    ) -> None:
        """Add the status codes of rows of the subject."""
        import numpy as np

        numbers = self.resources.of(subject, self._names)
        self._grow(len(self.resources))
        np.maximum.at(self._status, numbers, codes)
        size = len(self._status)
        self._rows += np.bincount(numbers, minlength=size).astype(np.int32)
        fails = np.flatnonzero(codes == CODES[Status.FAIL])
        if len(fails):
            self._failed += np.bincount(numbers[fails], minlength=size).astype(np.int32)
            self._count_origins(subject, fails)
            self._observe(subject, fails, numbers)
        for rows, reason in reasons:
            self._explain(numbers[rows], reason)
        if self.control.null:
            self._explain(numbers[codes == CODES[Status.NOT_ASSESSED]], self.control.null)

    def _explain(self, numbers: Any, reason: str) -> None:
        """Note why resources are not assessed, where no reason is noted yet."""
        self._reason[numbers[self._reason[numbers] < 0]] = self._reasons.number(reason)

    def _grow(self, size: int) -> None:
        import numpy as np

        more = size - len(self._status)
        if more > 0:
            self._status = np.concatenate([self._status, np.full(more, _NONE, np.int8)])
            self._rows = np.concatenate([self._rows, np.zeros(more, np.int32)])
            self._failed = np.concatenate([self._failed, np.zeros(more, np.int32)])
            self._reason = np.concatenate([self._reason, np.full(more, -1, np.int32)])

    def _count_origins(self, subject: pd.DataFrame, fails: Any) -> None:
        import pyarrow.compute as pc

        if "origin" in subject.columns:
            counts = pc.value_counts(arrow(subject["origin"]).take(fails))
            for entry in counts.to_pylist():
                self.failed_rows[entry["values"]] += entry["counts"]
        else:
            self.failed_rows[""] += len(fails)

    def _observe(self, subject: pd.DataFrame, fails: Any, numbers: Any) -> None:
        import numpy as np

        found, first = np.unique(numbers[fails], return_index=True)
        fresh = self._observed.fresh(found)
        if not fresh.any():
            return
        shown = subject[list(dict.fromkeys((*self.control.shows, "raw", "raw_line")))]
        rows = shown.iloc[fails[first[fresh]]]
        texts = observed(rows, self.control.shows)
        lines = rows["raw_line"].to_numpy(dtype=np.int64)
        self._observed.add(found[fresh], texts, arrow(rows["raw"]), lines)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the control, which another process knows by itself."""
        return {name: value for name, value in vars(self).items() if name != "control"}

    def merge(self, other: ControlResult) -> None:
        """Add what another process found for later parts of the pods."""
        import numpy as np

        if self.crashed:
            return
        if other.crashed:
            self.crash(other._loose[-1].reason)
            return
        size = len(other._status)
        numbers = self.resources.numbered(other.resources.keys[:size])
        self._grow(len(self.resources))
        self._status[numbers] = np.maximum(self._status[numbers], other._status)
        self._rows[numbers] += other._rows
        self._failed[numbers] += other._failed
        self.failed_rows += other.failed_rows
        self._observed.merge(other._observed, numbers)
        for at, reason in enumerate(other._reasons.texts):
            self._explain(numbers[other._reason == at], reason)

    def crash(self, reason: str) -> None:
        """Forget what was found: the control crashed."""
        self.__init__(self.control, self.resources)  # type: ignore[misc]  # starts anew
        self.crashed = True
        self.add_loose(Status.ERROR, reason=reason)

    def add_loose(
        self,
        status: Status,
        *,
        reason: str,
        kind: str = "",
        namespace: str = "",
        name: str = "",
    ) -> None:
        """Add a result that is about no row: a gap, a crash, an empty population."""
        c = self.control
        self._loose.append(
            Result(
                control=c.id,
                status=status,
                severity=c.severity,
                layer=c.layer,
                kind=kind,
                namespace=namespace,
                name=name,
                reason=reason,
                expected=c.expected,
                fingerprint=f"{c.id.lower()}.{digest(key_of(kind, namespace, name))}",
            )
        )

    def counts(self) -> dict[Status, int]:
        """Count resources (and loose results) by status."""
        import numpy as np

        codes = self._status[self._status != _NONE]
        found = dict.fromkeys(Status, 0)
        for code, number in enumerate(np.bincount(codes, minlength=len(CODES)).tolist()):
            found[OF_CODE[code]] += number
        for result in self._loose:
            found[result.status] += 1
        return found

    def unassessed(self) -> Counter[str]:
        """Count resources (and loose results) that could not be judged, by reason."""
        import numpy as np

        waiting = self._reason[self._status == CODES[Status.NOT_ASSESSED]]
        reasons = [*self._reasons.texts, ""]
        numbers, counts = np.unique(waiting, return_counts=True)
        found = Counter(
            {reasons[n]: c for n, c in zip(numbers.tolist(), counts.tolist(), strict=True)}
        )
        judged = (Status.PASS, Status.FAIL, Status.NOT_APPLICABLE)
        found.update(r.reason for r in self._loose if r.status not in judged)
        return found

    def columns(self, *statuses: Status) -> Columns:
        """Return results in the order of resources, as columns; loose ones are not in them."""
        import numpy as np

        wanted = [CODES[s] for s in statuses or tuple(Status)]
        order = self.resources.order
        order = order[order < len(self._status)]
        order = order[np.isin(self._status[order], wanted)]
        codes, failed = self._status[order], self._failed[order]
        unassessed = codes == CODES[Status.NOT_ASSESSED]
        return Columns(
            numbers=order,
            codes=codes,
            rows=self._rows[order],
            failed=failed,
            reasons=np.where(unassessed, self._reason[order], -1),
            seen=self._observed.places(order, failed > 0),
        )

    @property
    def observations(self) -> Observations:
        """What was seen of the resources that fail."""
        return self._observed

    @property
    def reasons(self) -> Sequence[str]:
        """Why resources could not be judged, by number."""
        return self._reasons.texts

    @property
    def loose(self) -> Sequence[Result]:
        """Results that are about no row."""
        return self._loose

    def results(self, *statuses: Status) -> Iterator[Result]:
        """Yield results in the order of resources; all statuses where none is named."""
        c, resources = self.control, self.resources
        found = self.columns(*statuses)
        id_, severity, layer, expected, prefix = c.id, c.severity, c.layer, c.expected, c.id.lower()
        parts, digests = resources.parts, resources.digests
        seen_at, reasons = self._observed.at, [*self._reasons.texts, ""]
        for number, code, rows, failed, why, seen in zip(
            *(column.tolist() for column in found), strict=True
        ):
            observed, raw, line = seen_at(seen)
            kind, namespace, name, container = parts[number]
            yield Result(  # by position: millions are made
                id_,
                OF_CODE[code],
                severity,
                layer,
                kind,
                namespace,
                name,
                container,
                observed,
                expected,
                reasons[why],
                rows,
                failed,
                f"{prefix}.{digests[number]}",
                "",
                raw,
                line,
            )
        for result in self._loose:
            if not statuses or result.status in statuses:
                yield result


def observed(rows: pd.DataFrame, shows: Sequence[str]) -> pa.Array:
    """Say what was seen in each row: ``column: value; …`` of the shown columns."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = []
    for name in shows:
        values = arrow(rows[name])
        if pa.types.is_list(values.type):
            values = pc.binary_join(values, ", ")
            values = pc.if_else(pc.equal(values, ""), "none", values)
        else:
            values = pc.cast(values, pa.string())
            values = pc.if_else(pc.equal(values, ""), "unset", values)
        values = pc.fill_null(values, "unset")
        label = name.replace("_", " ") + ": "
        parts.append(pc.binary_join_element_wise(label, values, ""))
    if not parts:
        return pa.array([""] * len(rows), pa.string())
    return pc.binary_join_element_wise(*parts, "; ")


class Assessment:
    """Evidence judged by controls.

    ``assessment["KA-DEP-001"]`` are the results of one control; ``list(assessment)`` names them
    all. ``findings`` are the failures, ``results`` all results, ``summary`` one row a control,
    ``conclusions`` one row a layer; each a DataFrame. ``parameters`` are the auditor's
    decisions that were in force, ``waivers`` the accepted failures.

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
        """All results of one control; see :class:`Result` for the columns.

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
        """Yield results control by control, failures with their waiver."""
        for control in self.by_control:
            yield from self.results_of(control, *statuses)

    def results_of(self, control: str, *statuses: Status) -> Iterator[Result]:
        """Yield the results of one control, failures with their waiver."""
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
    def layers(self) -> tuple[LayerConclusion, ...]:
        """Conclusions of the five layers, in their order."""
        return conclude_layers(self.controls, self.tallies, self.operation)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row a control: id, title, layer, severity, counts by status, conclusion."""
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
        """One row a layer: design, operation, why, and counts."""
        from kaudit.frame import Frame

        return Frame([msgspec.to_builtins(layer) for layer in self.layers])

    @cached_property
    def gaps(self) -> pd.DataFrame:
        """One row a gap: what, reason, scope, tables that it weakens, detail."""
        from kaudit.frame import Frame

        columns = ["what", "reason", "tables", "namespace", "kind", "name", "detail"]
        rows = [
            {**msgspec.structs.asdict(gap), "reason": gap.reason.value, "tables": list(gap.tables)}
            for gap in self.evidence.gaps
        ]
        return Frame(rows, columns=columns)

    def result(self, fingerprint: str) -> Result:
        """Find a result by its fingerprint.

        Raises
        ------
        InputError
            No result has it.
        """
        control = fingerprint.split(".")[0].upper()
        for id_, by in self.by_control.items():
            if id_.upper() == control:
                for result in by.results():
                    if result.fingerprint == fingerprint:
                        return result
        raise InputError(f"no result has the fingerprint {fingerprint}")

    def failed(self, severity: Severity) -> int:
        """Count unwaived failures at or above a severity."""
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


__all__ = ["CODES", "OF_CODE", "Assessment", "Columns", "ControlResult", "Result", "observed"]
