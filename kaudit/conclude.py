"""Conclusions: what the results of a control, and of a layer, add up to.

Design asks whether something would stop the fault; operation, whether the population is
free of it. Where the evidence cannot tell, the conclusion is *unable to conclude*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from kaudit.model.words import Layer, Opinion, Severity, Status
from kaudit.registry import Control
from kaudit.text import count


class ControlTally(msgspec.Struct, frozen=True):
    """Resources of one control by status; failures include the waived ones."""

    pass_: int = 0
    fail_: int = 0
    not_applicable_: int = 0
    not_assessed_: int = 0
    error_: int = 0
    manual_: int = 0
    waived: int = 0

    @classmethod
    def of(cls, counts: Mapping[Status, int], *, waived: int = 0) -> ControlTally:
        """Build from counts by status."""
        return cls(
            **{f"{status.value}_": number for status, number in counts.items()}, waived=waived
        )

    @property
    def population(self) -> int:
        """Resources that the control applies to, judged or not."""
        return self.pass_ + self.fail_ + self.not_assessed_ + self.error_ + self.manual_

    @property
    def open(self) -> int:
        """Failures that no waiver accepts."""
        return self.fail_ - self.waived


class Conclusion(msgspec.Struct, frozen=True):
    """An opinion and the sentence that gives its ground."""

    opinion: Opinion
    because: str


class LayerConclusion(msgspec.Struct, frozen=True):
    """Opinion on one layer: design, operation, the grounds, and counts of controls."""

    layer: Layer
    design: Opinion
    design_because: str
    operation: Opinion
    operation_because: str
    controls: int
    effective: int
    with_exceptions: int
    not_effective: int
    unable: int
    not_applicable: int
    findings: int
    waived: int
    not_assessed: int


def conclude(tally: ControlTally) -> Conclusion:
    """Conclude on the operation of one control."""
    judged = tally.pass_ + tally.fail_
    if tally.open:
        return Conclusion(Opinion.NOT_EFFECTIVE, _fail(tally.open, tally.population))
    unsure = tally.not_assessed_ + tally.manual_
    if tally.error_ or unsure:
        many = f"{unsure:,} of {tally.population:,} could not be assessed"
        return Conclusion(Opinion.UNABLE, "the control crashed" if tally.error_ else many)
    if not judged:
        return Conclusion(Opinion.NOT_APPLICABLE, "there is nothing that it applies to")
    if tally.waived:
        return Conclusion(Opinion.WITH_EXCEPTIONS, f"{_fail(tally.waived, judged)} under a waiver")
    every = "the only resource passes" if judged == 1 else f"all {judged:,} resources pass"
    return Conclusion(Opinion.EFFECTIVE, every)


def _fail(number: int, total: int, things: str = "resource") -> str:
    return f"{number:,} of {count(total, things)} {'fails' if number == 1 else 'fail'}"


def conclude_design(states: Sequence[str], *, unread: bool = False) -> Conclusion:
    """Conclude on the design of a control: whether admission denies its fault everywhere.

    Parameters
    ----------
    states
        Its state in each namespace, of the view ``enforcement_coverage``.
    unread
        A read of policies failed: where nothing is seen to deny, something may.
    """
    if not states:
        return Conclusion(Opinion.UNABLE, "no namespace is known")
    spaces = count(len(states), "namespace")
    open_ = sum(state in ("none", "audit") for state in states)
    if open_ and unread:
        return Conclusion(Opinion.UNABLE, "not every policy could be read")
    if open_:
        return Conclusion(Opinion.NOT_EFFECTIVE, f"nothing denies it in {open_} of {spaces}")
    if unknown := sum(state == "unknown" for state in states):
        return Conclusion(Opinion.UNABLE, f"in {unknown} of {spaces} it cannot be told")
    if partly := sum(state == "partial" for state in states):
        return Conclusion(
            Opinion.WITH_EXCEPTIONS, f"something slips through in {partly} of {spaces}"
        )
    return Conclusion(Opinion.EFFECTIVE, f"denied in every one of {spaces}")


def _layer_design(
    chosen: Sequence[Control], design: Mapping[str, Conclusion]
) -> tuple[Opinion, str]:
    told = [design[control.id] for control in chosen if control.id in design]
    if not told:
        return Opinion.UNABLE, "none of its controls is one that admission enforces"
    by = {o: sum(one.opinion is o for one in told) for o in Opinion}
    if by[Opinion.NOT_EFFECTIVE]:
        return (
            Opinion.NOT_EFFECTIVE,
            f"in some namespace nothing denies the fault of {by[Opinion.NOT_EFFECTIVE]} of "
            f"{count(len(told), 'control')} that admission can enforce",
        )
    if by[Opinion.UNABLE]:
        return (
            Opinion.UNABLE,
            f"for {by[Opinion.UNABLE]} of {count(len(told), 'control')} that admission can enforce "
            "it cannot be told",
        )
    if by[Opinion.WITH_EXCEPTIONS]:
        return (
            Opinion.WITH_EXCEPTIONS,
            f"something slips past {by[Opinion.WITH_EXCEPTIONS]} of "
            f"{count(len(told), 'control')} that admission enforces",
        )
    return Opinion.EFFECTIVE, "the fault of every control that admission can enforce is denied"


def conclude_layers(
    controls: Sequence[Control],
    tallies: Mapping[str, ControlTally],
    operation: Mapping[str, Conclusion],
    design: Mapping[str, Conclusion] | None = None,
) -> tuple[LayerConclusion, ...]:
    """Conclude on each of the five layers, also on those without a control.

    ``design`` holds the controls that admission can enforce.
    """
    found = []
    for layer in Layer:
        chosen = [control for control in controls if control.layer is layer]
        by = {o: [c for c in chosen if operation[c.id].opinion is o] for o in Opinion}
        opinion, because = _layer_operation(chosen, by)
        designed, grounds = _layer_design(chosen, design or {})
        found.append(
            LayerConclusion(
                layer=layer,
                design=designed,
                design_because=grounds,
                operation=opinion,
                operation_because=because,
                controls=len(chosen),
                effective=len(by[Opinion.EFFECTIVE]),
                with_exceptions=len(by[Opinion.WITH_EXCEPTIONS]),
                not_effective=len(by[Opinion.NOT_EFFECTIVE]),
                unable=len(by[Opinion.UNABLE]),
                not_applicable=len(by[Opinion.NOT_APPLICABLE]),
                findings=sum(tallies[c.id].fail_ for c in chosen),
                waived=sum(tallies[c.id].waived for c in chosen),
                not_assessed=sum(tallies[c.id].not_assessed_ for c in chosen),
            )
        )
    return tuple(found)


def _layer_operation(
    chosen: Sequence[Control], by: Mapping[Opinion, Sequence[Control]]
) -> tuple[Opinion, str]:
    if not chosen:
        return Opinion.UNABLE, "no control of this layer is part of the assessment"
    failing = by[Opinion.NOT_EFFECTIVE]
    severe = [c for c in failing if c.severity.rank <= Severity.HIGH.rank]
    if severe:
        return (
            Opinion.NOT_EFFECTIVE,
            f"{_fail(len(severe), len(chosen), 'control')} at high or critical severity",
        )
    if unable := by[Opinion.UNABLE]:
        text = f"{len(unable)} of {count(len(chosen), 'control')} could not be concluded"
        return Opinion.UNABLE, text
    if failing or by[Opinion.WITH_EXCEPTIONS]:
        number = len(failing) + len(by[Opinion.WITH_EXCEPTIONS])
        return (
            Opinion.WITH_EXCEPTIONS,
            f"{number} of {count(len(chosen), 'control')} {'has' if number == 1 else 'have'} "
            "exceptions, none of high severity",
        )
    if not by[Opinion.EFFECTIVE]:
        return Opinion.UNABLE, "no control of this layer applies to anything that was read"
    holds = len(by[Opinion.EFFECTIVE])
    every = "the only control that applies passes"
    return Opinion.EFFECTIVE, every if holds == 1 else f"all {holds} controls that apply pass"
