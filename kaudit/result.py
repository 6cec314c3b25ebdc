"""Results of one control, gathered by resource."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec

from kaudit.card import card
from kaudit.columns import arrow
from kaudit.model.words import Layer, Severity, Status
from kaudit.observations import Observations, Words
from kaudit.registry import Control, resource_of
from kaudit.remembered import once
from kaudit.resources import Resources, digest, in_words, key_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from kaudit.observations import Numbers

    Codes: TypeAlias = np.ndarray[Any, np.dtype[np.int8]]
    Counts: TypeAlias = np.ndarray[Any, np.dtype[Any]]

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
#: Texts of a column up to which they are kept by number.
_FEW = 100


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

    @property
    def resource(self) -> str:
        """The resource in words; empty where the result is about no single one."""
        return in_words(self.kind, self.namespace, self.name, self.container)

    @property
    def told(self) -> str:
        """The resource and what was seen of it, or why it was not judged, in one line."""
        said = self.observed or self.reason
        if said.startswith(self.resource):  # a gap names it
            return said
        return f"{self.resource}: {said}" if said else self.resource

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

    numbers: Numbers
    codes: Codes
    rows: Counts
    failed: Counts
    reasons: Counts
    seen: Numbers


class ControlResult:
    """Results of one control, gathered by resource."""

    def __init__(self, control: Control, resources: Resources) -> None:
        import numpy as np

        self.control, self.resources = control, resources
        self.crashed = False
        self._status: Codes = np.empty(0, np.int8)
        # A byte each, until a number needs more: there are as many as resources, in each control.
        self._rows: Counts = np.empty(0, np.uint8)
        self._failed: Counts = np.empty(0, np.uint8)
        self._names = resource_of(control)
        self._observed = Observations()
        self._reason: Counts = np.empty(0, np.int8)
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
        self._rows = _counted_on(self._rows, numbers)
        fails = np.flatnonzero(codes == CODES[Status.FAIL])
        if len(fails):
            self._failed = _counted_on(self._failed, numbers[fails])
            self._count_origins(subject, fails)
            self._observe(subject, fails, numbers)
        for rows, reason in reasons:
            self._explain(numbers[rows], reason)
        if self.control.null:
            self._explain(numbers[codes == CODES[Status.NOT_ASSESSED]], self.control.null)

    def _explain(self, numbers: Numbers, reason: str) -> None:
        """Note why resources are not assessed, where no reason is noted yet."""
        import numpy as np

        number = self._reasons.number(reason)
        if number > np.iinfo(self._reason.dtype).max:
            self._reason = self._reason.astype(np.int32)
        self._reason[numbers[self._reason[numbers] < 0]] = number

    def _grow(self, size: int) -> None:
        import numpy as np

        more = size - len(self._status)
        if more > 0:
            self._status = np.concatenate([self._status, np.full(more, _NONE, np.int8)])
            self._rows = np.concatenate([self._rows, np.zeros(more, self._rows.dtype)])
            self._failed = np.concatenate([self._failed, np.zeros(more, self._failed.dtype)])
            self._reason = np.concatenate([self._reason, np.full(more, -1, self._reason.dtype)])

    def _count_origins(self, subject: pd.DataFrame, fails: Numbers) -> None:
        if "origin" in subject.columns:
            for origin, count in _counted(subject["origin"], fails):
                self.failed_rows[origin] += count
        else:
            self.failed_rows[""] += len(fails)

    def _observe(self, subject: pd.DataFrame, fails: Numbers, numbers: Numbers) -> None:
        import numpy as np
        import pyarrow as pa

        found, first = np.unique(numbers[fails], return_index=True)
        fresh = self._observed.fresh(found)
        if not fresh.any():
            return
        rows = pa.array(fails[first[fresh]])
        texts = observed(subject, rows, self.control.shows)
        raws, lines = (arrow(subject[name]).take(rows) for name in ("raw", "raw_line"))
        self._observed.add(found[fresh], texts, raws, lines.to_numpy())

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the control, which another process knows by itself."""
        return {name: value for name, value in vars(self).items() if name != "control"}

    def merge(self, other: ControlResult, numbered: Numbers) -> None:
        """Add what another process found, which numbers resources in another way.

        Where both found something, this one has seen what comes first.
        """
        import numpy as np

        if self.crashed:
            return
        if other.crashed:
            self.crash(other._loose[-1].reason)
            return
        size = len(other._status)
        numbers = numbered[:size]
        self._grow(len(self.resources))
        self._status[numbers] = np.maximum(self._status[numbers], other._status)
        size = len(self._status)
        self._rows = _sum(self._rows, _placed(other._rows, numbers, size))
        self._failed = _sum(self._failed, _placed(other._failed, numbers, size))
        self.failed_rows += other.failed_rows
        self._observed.merge(other._observed, numbers)
        for at, reason in enumerate(other._reasons.texts):
            self._explain(numbers[other._reason == at], reason)

    def rest(self) -> None:
        """Let go of frames, and keep no more than is needed to tell the results."""
        self._observed.rest()
        self.resources.forget()
        self.resources.rest()

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
        seen_at, reasons = self._observed.at, [*self._reasons.texts, ""]
        for number, code, rows, failed, why, seen in zip(
            *(column.tolist() for column in found), strict=True
        ):
            observed, raw, line = seen_at(seen)
            kind, namespace, name, container = resources.parts(number)
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
                f"{prefix}.{digest(resources.key(number))}",
                "",
                raw,
                line,
            )
        for result in self._loose:
            if not statuses or result.status in statuses:
                yield result


def _sum(counts: Counts, more: Counts, first: int = 0) -> Counts:
    """Add to counts from a number on, in as few bytes as they need; they may be changed."""
    import numpy as np

    place = slice(first, first + len(more))
    total = counts[place] + more.astype(np.int64)
    need = np.min_scalar_type(int(total.max(initial=0)))
    counts = counts.astype(np.promote_types(counts.dtype, need), copy=False)
    counts[place] = total
    return counts


def _counted_on(counts: Counts, numbers: Numbers) -> Counts:
    """Count how often each number is there; those of a part lie together."""
    import numpy as np

    first = numbers.min() if len(numbers) else 0
    return _sum(counts, np.bincount(numbers - first), first)


def _counted(column: pd.Series[Any], rows: Numbers) -> Iterator[tuple[str, int]]:
    """Texts of a column in some rows, and how often they are there."""
    import numpy as np

    def compute() -> tuple[tuple[list[str], Any], bool]:
        codes = arrow(column).dictionary_encode("encode")
        texts = codes.dictionary.to_pylist()
        return (texts, codes.indices.to_numpy()), len(texts) < _FEW

    texts, codes = once("texts", (column,), compute)
    for text, count in zip(texts, np.bincount(codes[rows], minlength=len(texts)), strict=True):
        if count:
            yield text, int(count)


def _placed(counts: Counts, numbers: Numbers, size: int) -> Counts:
    """Counts by other numbers, each of which is there once."""
    import numpy as np

    found = np.zeros(size, np.int64)
    found[numbers] = counts
    return found


def observed(subject: pd.DataFrame, rows: pa.Array, shows: Sequence[str]) -> pa.Array:
    """Say what was seen in rows at positions: ``column: value; …`` of the shown columns."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts: list[Any] = []
    for name in shows:
        values = arrow(subject[name]).take(rows)
        if pa.types.is_list(values.type):
            values = pc.binary_join(values, ", ")
            values = pc.if_else(pc.equal(values, ""), "none", values)
        elif pa.types.is_timestamp(values.type):
            seconds = pc.cast(values, pa.timestamp("s", "UTC"), safe=False)
            values = pc.strftime(seconds, "%Y-%m-%dT%H:%M:%SZ")
        elif pa.types.is_primitive(values.type):
            values = pc.cast(values, pa.string())
        else:
            values = pc.cast(values, pa.string())
            values = pc.if_else(pc.equal(values, ""), "unset", values)
        label = f"{'; ' if parts else ''}{name.replace('_', ' ')}: "
        parts += [label, pc.fill_null(values, "unset") if values.null_count else values]
    if not parts:
        return pa.array([""] * len(rows), pa.string())
    return pc.binary_join_element_wise(*parts, "")
