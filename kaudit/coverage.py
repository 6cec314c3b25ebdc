"""Engine: what an assessment says about the requirements of outside frameworks.

No requirement passes for want of evidence: it takes a verdict on every control that the
mapping says is needed to decide it. Where the mapping says that controls test only a part,
or only bear on a requirement, the best verdict is *supported*, and a person concludes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from kaudit.catalogue import entry_of, framework, frameworks, mappings, united
from kaudit.conclude import ControlTally, conclude
from kaudit.errors import InputError, RegistryError
from kaudit.model.framework import Framework, Requirement, Strength
from kaudit.model.words import Opinion
from kaudit.registry import CONTROLS

if TYPE_CHECKING:
    from kaudit.assessment import Assessment

#: Framework id to requirement ids, as a control's decorator names them.
References: TypeAlias = Mapping[str, Iterable[str]]
_Key: TypeAlias = tuple[str, str]
_Links: TypeAlias = dict[_Key, dict[str, Strength]]


class Verdict(StrEnum):
    """What can be said about one requirement, in the order of attention."""

    FAIL = "fail"
    CONTRADICTED = "contradicted"
    NOT_ASSESSED = "not assessed"
    WAIVED = "fails under waiver"
    SUPPORTED = "supported"
    PASS = "pass"  # noqa: S105  a verdict, not a password
    NOT_APPLICABLE = "not applicable"
    UNTESTED = "untested"


#: What each verdict means, as reports print it.
MEANING = {
    Verdict.FAIL: "a control that tests it, or a part of it, fails",
    Verdict.CONTRADICTED: "a control that bears on it fails; a person concludes whether it is met",
    Verdict.NOT_ASSESSED: "nothing fails, but a control that tests it could not be concluded",
    Verdict.WAIVED: "all that fails is accepted by waivers",
    Verdict.SUPPORTED: "what is tested passes; a person concludes on the rest",
    Verdict.PASS: "every control that it takes to decide it passes",
    Verdict.NOT_APPLICABLE: "the controls that test it apply to nothing that was read",
    Verdict.UNTESTED: "no control of this assessment tests it",
}


class Support(msgspec.Struct, frozen=True, kw_only=True):
    """A control of the assessment and what it says about a requirement.

    Attributes
    ----------
    control
        Its id.
    strength
        How much it says about the requirement.
    opinion
        Conclusion on the control.
    broad
        True where it alone decides several requirements of the framework: its failure does
        not tell which of them fails.
    """

    control: str
    strength: Strength
    opinion: Opinion
    broad: bool = False


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement, the verdict, and the controls that it rests on.

    Attributes
    ----------
    requirement, verdict
        What is said about what.
    support
        Controls of the assessment that speak on it, strongest first.
    absent
        Controls that it would take as well and that are not part of the assessment.
    """

    requirement: Requirement
    verdict: Verdict
    support: tuple[Support, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def controls(self) -> tuple[str, ...]:
        """Ids of the controls that speak on it."""
        return tuple(test.control for test in self.support)

    @property
    def failing(self) -> tuple[str, ...]:
        """Ids of those with failures that no waiver accepts."""
        return tuple(t.control for t in self.support if t.opinion is Opinion.NOT_EFFECTIVE)


def coverage(assessment: Assessment, names: Iterable[str] = ()) -> dict[str, list[Covered]]:
    """Judge the requirements of frameworks by an assessment.

    Parameters
    ----------
    assessment
        Its controls with their own references, and their tallies.
    names
        Framework ids; all by default.

    Returns
    -------
    dict
        Framework id to its requirements, in the catalogue's order.

    Raises
    ------
    InputError
        A framework is not known.
    """
    own = {control.id: control.references for control in CONTROLS.values()}
    own |= {control.id: control.references for control in assessment.controls}
    return cover(assessment.tallies, own, names)


def cover(
    tallies: Mapping[str, ControlTally],
    own: Mapping[str, References] | None = None,
    names: Iterable[str] = (),
) -> dict[str, list[Covered]]:
    """Judge the requirements of frameworks by the tallies of controls.

    Parameters
    ----------
    tallies
        Control id to its resources by status; a control that is not here is not part of the
        assessment.
    own
        Control id, of every control that exists, to the references of its decorator; they
        add to those of the mapping.
    names
        Framework ids; all by default.

    Returns
    -------
    dict
        Framework id to its current requirements, in the catalogue's order.

    Raises
    ------
    InputError
        A framework is not known.
    RegistryError
        A control refers to what does not exist.
    """
    chosen = [framework(name) for name in names] or list(frameworks().values())
    own = own or {}
    links = _links(tallies, own)
    absent = _absent(own, tallies, links)
    opinions = {id: _opinion(tally) for id, tally in tallies.items()}
    broad = _broad(links, absent)
    return {
        one.id: [
            _covered(item, links, absent, opinions, broad)
            for item in one.requirements.values()
            if item.current
        ]
        for one in chosen
    }


def judge(support: Sequence[Support], absent: Iterable[Strength] = ()) -> Verdict:
    """Judge a requirement.

    Parameters
    ----------
    support
        The controls that speak on it.
    absent
        Strengths of the controls that it would take as well.
    """
    missing = set(absent)
    testing = [test for test in support if test.strength is not Strength.SUPPORTING]
    failing = [test for test in testing if test.opinion is Opinion.NOT_EFFECTIVE]
    found = {test.opinion for test in testing}
    if failing:
        vague = all(test.broad for test in failing)
        return Verdict.CONTRADICTED if vague else Verdict.FAIL
    if Opinion.UNABLE in found:
        return Verdict.NOT_ASSESSED
    if found == {Opinion.NOT_APPLICABLE} and Strength.FULL not in missing:
        return Verdict.NOT_APPLICABLE
    full = {test.opinion for test in testing if test.strength is Strength.FULL}
    if full - {Opinion.NOT_APPLICABLE} and not missing & {Strength.FULL, Strength.PARTIAL}:
        return Verdict.WAIVED if Opinion.WITH_EXCEPTIONS in found else Verdict.PASS
    return _undecided({test.opinion for test in support})


def _undecided(found: set[Opinion]) -> Verdict:
    """Verdict where the controls that test a requirement do not decide it."""
    for opinion, verdict in (
        (Opinion.NOT_EFFECTIVE, Verdict.CONTRADICTED),
        (Opinion.UNABLE, Verdict.NOT_ASSESSED),
        (Opinion.WITH_EXCEPTIONS, Verdict.WAIVED),
        (Opinion.EFFECTIVE, Verdict.SUPPORTED),
    ):
        if opinion in found:
            return verdict
    return Verdict.UNTESTED


def _opinion(tally: ControlTally) -> Opinion:
    """Conclusion on a control; one without a single result could not be concluded."""
    if not tally.population and not tally.not_applicable_:
        return Opinion.UNABLE
    return conclude(tally).opinion


def _links(tallies: Iterable[str], own: Mapping[str, References]) -> _Links:
    """Requirement to the controls of the assessment that speak on it."""
    found: _Links = {}
    for control in sorted(tallies):
        for name, items in united(control, own.get(control, {})).items():
            for id, strength in items.items():
                _known(control, name, id)
                found.setdefault((name, id), {})[control] = strength
    return found


def _known(control: str, name: str, id: str) -> None:
    try:
        one: Framework = framework(name)
    except InputError as error:
        raise RegistryError(f"control {control}: {error}") from None
    if id not in one.requirements:
        raise RegistryError(f"control {control}: {name} has no requirement {id}")


def _absent(own: Mapping[str, References], assessed: Container[str], links: _Links) -> _Links:
    """Requirement to the controls that are not part of the assessment.

    A part that is as strong on the requirement stands in for an entry that does not exist as
    a control of its own.
    """
    found = _links([control for control in own if control not in assessed], own)
    for item in mappings():
        if item.control in assessed or item.control in own:
            continue
        key = (item.framework, item.requirement)
        stand_in = any(
            entry_of(control) == item.control and strength.rank <= item.strength.rank
            for control, strength in links.get(key, {}).items()
        )
        if not stand_in:
            found.setdefault(key, {})[item.control] = item.strength
    return found


def _broad(links: _Links, absent: _Links) -> set[tuple[str, str]]:
    """Framework and control, where the control alone decides several of its requirements."""
    alone: Counter[tuple[str, str]] = Counter()
    for key in {*links, *absent}:
        speaking = {**links.get(key, {}), **absent.get(key, {})}
        full = [control for control, s in speaking.items() if s is Strength.FULL]
        if len(full) == 1 and framework(key[0]).requirements[key[1]].current:
            alone[key[0], full[0]] += 1
    return {which for which, count in alone.items() if count > 1}


def _covered(
    item: Requirement,
    links: _Links,
    absent: _Links,
    opinions: Mapping[str, Opinion],
    broad: set[tuple[str, str]],
) -> Covered:
    key = (item.framework, item.id)
    present, missing = links.get(key, {}), absent.get(key, {})
    deciding = [s for s in (*present.values(), *missing.values()) if s is Strength.FULL]
    support = tuple(
        Support(
            control=control,
            strength=strength,
            opinion=opinions[control],
            broad=strength is Strength.FULL
            and len(deciding) == 1
            and (item.framework, control) in broad,
        )
        for control, strength in sorted(present.items(), key=lambda at: (at[1].rank, at[0]))
    )
    return Covered(
        requirement=item,
        verdict=judge(support, missing.values()),
        support=support,
        absent=tuple(sorted(missing)),
    )
