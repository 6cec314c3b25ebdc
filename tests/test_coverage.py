"""What an assessment says about requirements."""

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaudit.catalogue import mappings
from kaudit.conclude import ControlTally
from kaudit.coverage import MEANING, Covered, Support, Verdict, cover, judge
from kaudit.errors import InputError, RegistryError
from kaudit.model.framework import Coverage, Strength
from kaudit.model.words import Opinion

PASS = ControlTally(pass_=3, not_applicable_=1)
FAIL = ControlTally(pass_=3, fail_=2)
PARTLY_WAIVED = ControlTally(fail_=2, waived=1)
WAIVED = ControlTally(pass_=1, fail_=2, waived=2)
NOT_ASSESSED = ControlTally(pass_=3, not_assessed_=1)
ERROR = ControlTally(pass_=3, error_=1)
MANUAL = ControlTally(pass_=3, manual_=1)
NOTHING = ControlTally(not_applicable_=1)
EMPTY = ControlTally()


def covered(
    tallies: Mapping[str, ControlTally],
    framework: str,
    requirement: str,
    own: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None,
) -> Covered:
    found = {item.requirement.id: item for item in cover(tallies, own, [framework])[framework]}
    return found[requirement]


@pytest.mark.parametrize(
    ("tally", "verdict"),
    [
        (PASS, Verdict.PASS),
        (FAIL, Verdict.FAIL),
        (PARTLY_WAIVED, Verdict.FAIL),
        (WAIVED, Verdict.WAIVED),
        (NOT_ASSESSED, Verdict.NOT_ASSESSED),
        (ERROR, Verdict.NOT_ASSESSED),
        (MANUAL, Verdict.NOT_ASSESSED),
        (EMPTY, Verdict.NOT_ASSESSED),
        (NOTHING, Verdict.NOT_APPLICABLE),
    ],
)
def test_a_requirement_that_one_control_decides(tally: ControlTally, verdict: Verdict) -> None:
    item = covered({"KA-DEP-008": tally}, "pss", "hostPorts")
    assert item.verdict is verdict
    assert item.controls == ("KA-DEP-008",)


def test_no_control_no_verdict() -> None:
    item = covered({}, "pss", "hostPorts")
    assert (item.verdict, item.controls, item.failing) == (Verdict.UNTESTED, (), ())
    assert item.absent == ("KA-DEP-008",)


@pytest.mark.parametrize(
    ("pid", "ipc", "network", "verdict"),
    [
        (PASS, PASS, PASS, Verdict.PASS),
        (PASS, NOTHING, NOTHING, Verdict.PASS),
        (NOTHING, NOTHING, NOTHING, Verdict.NOT_APPLICABLE),
        (PASS, FAIL, NOT_ASSESSED, Verdict.FAIL),
        (PASS, WAIVED, NOT_ASSESSED, Verdict.NOT_ASSESSED),
        (PASS, WAIVED, PASS, Verdict.WAIVED),
        (PASS, PASS, None, Verdict.SUPPORTED),
        (PASS, NOTHING, None, Verdict.SUPPORTED),
        (NOTHING, NOTHING, None, Verdict.UNTESTED),
        (FAIL, None, None, Verdict.FAIL),
    ],
)
def test_a_requirement_that_three_controls_decide_together(
    pid: ControlTally | None,
    ipc: ControlTally | None,
    network: ControlTally | None,
    verdict: Verdict,
) -> None:
    given = {"KA-DEP-002": pid, "KA-DEP-003": ipc, "KA-DEP-004": network}
    tallies = {id: tally for id, tally in given.items() if tally is not None}
    assert covered(tallies, "pss", "hostNamespaces").verdict is verdict


@pytest.mark.parametrize(
    ("tally", "verdict"),
    [
        (PASS, Verdict.SUPPORTED),
        (FAIL, Verdict.FAIL),
        (WAIVED, Verdict.WAIVED),
        (NOT_ASSESSED, Verdict.NOT_ASSESSED),
        (NOTHING, Verdict.NOT_APPLICABLE),
    ],
)
def test_a_part_never_decides(tally: ControlTally, verdict: Verdict) -> None:
    item = covered({"KA-DEP-034": tally}, "iso-27001", "A.5.9")
    assert item.support[0].strength is Strength.PARTIAL
    assert item.verdict is verdict


@pytest.mark.parametrize(
    ("tally", "verdict"),
    [
        (PASS, Verdict.SUPPORTED),
        (FAIL, Verdict.CONTRADICTED),
        (NOT_ASSESSED, Verdict.NOT_ASSESSED),
        (NOTHING, Verdict.UNTESTED),
    ],
)
def test_what_only_bears_on_a_requirement(tally: ControlTally, verdict: Verdict) -> None:
    item = covered({"KA-RUN-014": tally}, "cis-eks", "2.1.1")
    assert item.support[0].strength is Strength.SUPPORTING
    assert item.verdict is verdict


def test_what_only_bears_on_it_changes_no_decision() -> None:
    for other in (PASS, FAIL, NOT_ASSESSED, NOTHING):
        item = covered({"KA-DEP-001": PASS, "KA-DEP-036": other}, "pss", "privileged")
        assert item.verdict is Verdict.PASS
    item = covered({"KA-DEP-001": PASS, "KA-DEP-036": FAIL}, "pss", "privileged")
    assert [(s.control, s.strength) for s in item.support] == [
        ("KA-DEP-001", Strength.FULL),
        ("KA-DEP-036", Strength.SUPPORTING),
    ]
    assert item.failing == ("KA-DEP-036",)


def test_a_control_of_many_requirements_does_not_say_which_fails() -> None:
    found = cover({"KA-RUN-018": FAIL}, None, ["cis-kubernetes"])["cis-kubernetes"]
    files = [item for item in found if item.controls == ("KA-RUN-018",)]
    assert len(files) == 31
    assert {item.verdict for item in files} == {Verdict.CONTRADICTED}
    passed = cover({"KA-RUN-018": PASS}, None, ["cis-kubernetes"])["cis-kubernetes"]
    assert sum(item.verdict is Verdict.PASS for item in passed) == 31


def test_a_part_neither_decides_nor_fails_what_its_entry_decides() -> None:
    both = {"KA-DEP-002": PASS, "KA-DEP-002a": FAIL}
    assert covered(both, "cis-kubernetes", "5.2.3").verdict is Verdict.PASS
    assert covered({"KA-DEP-002a": PASS}, "cis-kubernetes", "5.2.3").verdict is Verdict.SUPPORTED
    assert covered({"KA-DEP-002a": FAIL}, "cis-kubernetes", "5.2.3").verdict is Verdict.CONTRADICTED


def test_a_part_that_names_a_requirement_stands_in_for_its_entry() -> None:
    own = {"KA-DEP-083a": {"cis-kubernetes": ("1.2.14",)}}
    item = covered({"KA-DEP-083a": PASS}, "cis-kubernetes", "1.2.14", own)
    assert (item.verdict, item.absent) == (Verdict.PASS, ())
    other = covered({"KA-DEP-083a": PASS}, "cis-kubernetes", "1.2.10", own)
    assert (other.verdict, other.absent) == (Verdict.UNTESTED, ("KA-DEP-083",))


def test_own_references_add_support() -> None:
    own = {"ACME-DEP-001": {"pss": ("hostPorts",)}}
    alone = covered({"ACME-DEP-001": PASS}, "pss", "hostPorts", own)
    assert (alone.verdict, alone.absent) == (Verdict.SUPPORTED, ("KA-DEP-008",))
    both = covered({"ACME-DEP-001": FAIL, "KA-DEP-008": PASS}, "pss", "hostPorts", own)
    assert both.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ({"psss": ("hostPorts",)}, "control ACME-DEP-001: no framework has the id 'psss'"),
        ({"pss": ("hostPort",)}, "control ACME-DEP-001: pss has no requirement hostPort"),
    ],
)
def test_references_to_what_does_not_exist_are_refused(
    own: dict[str, tuple[str, ...]], says: str
) -> None:
    with pytest.raises(RegistryError, match=says):
        cover({"ACME-DEP-001": PASS}, {"ACME-DEP-001": own})


def test_an_unknown_framework_is_refused() -> None:
    with pytest.raises(InputError, match="cis-kubernetes"):
        cover({}, None, ["cis-kube"])


def test_withdrawn_requirements_are_left_out() -> None:
    found = cover({}, None, ["cis-kubernetes"])["cis-kubernetes"]
    assert len(found) == 131
    assert [item.requirement.id for item in found[:2]] == ["1.1.1", "1.1.2"]


def test_all_frameworks_without_a_choice() -> None:
    found = cover({})
    assert len(found) == 16
    assert sum(len(items) for items in found.values()) == 865
    assert {item.verdict for items in found.values() for item in items} == {Verdict.UNTESTED}


@pytest.mark.parametrize(
    ("name", "requirements", "decidable", "supported", "untested"),
    [
        ("pss", 19, 19, 0, 0),
        ("cis-kubernetes", 131, 119, 12, 0),
        ("iso-27001", 93, 0, 31, 62),
        ("pci-dss", 125, 0, 63, 62),
        ("soc2", 43, 0, 17, 26),
        ("owasp-k8s", 20, 0, 20, 0),
    ],
)
def test_totals_where_everything_passes(
    name: str, requirements: int, decidable: int, supported: int, untested: int
) -> None:
    everything = dict.fromkeys((m.control for m in mappings()), PASS)
    found = cover(everything, None, [name])[name]
    assert len(found) == requirements
    assert sum(one.requirement.coverage is Coverage.FULL for one in found) == decidable
    assert Counter(one.verdict for one in found) == {
        verdict: count
        for verdict, count in {
            Verdict.PASS: decidable,
            Verdict.SUPPORTED: supported,
            Verdict.UNTESTED: untested,
        }.items()
        if count
    }


def test_every_verdict_is_explained() -> None:
    assert list(MEANING) == list(Verdict)


def test_judge_needs_nobody_elses_data() -> None:
    one = Support(control="A", strength=Strength.FULL, opinion=Opinion.EFFECTIVE)
    assert judge([one]) is Verdict.PASS
    assert judge([one], [Strength.SUPPORTING]) is Verdict.PASS
    assert judge([one], [Strength.PARTIAL]) is Verdict.SUPPORTED
    assert judge([one], [Strength.FULL]) is Verdict.SUPPORTED
    assert judge([]) is Verdict.UNTESTED


#: Controls that decide alone, together, in parts, beside their part, and that only support.
SOME = [
    *("KA-DEP-001", "KA-DEP-036", "KA-DEP-037"),
    *("KA-DEP-002", "KA-DEP-002a", "KA-DEP-003", "KA-DEP-004"),
    *("KA-DEP-008", "ACME-DEP-001"),
    *("KA-DEP-015", "KA-DEP-015a", "KA-BLD-016"),
    *("KA-DEP-083", "KA-DEP-083a", "KA-RUN-018"),
]
OWN: dict[str, dict[str, tuple[str, ...]]] = {
    **{control: {} for control in SOME},
    "KA-DEP-083a": {"cis-kubernetes": ("1.2.14",)},
    "ACME-DEP-001": {"pss": ("hostPorts",)},
}
OUTCOMES = [PASS, FAIL, WAIVED, NOT_ASSESSED, ERROR, MANUAL, NOTHING, EMPTY]
NAMES = ["cis-kubernetes", "pss", "nsa-cisa"]
tallies_of = st.fixed_dictionaries(
    {}, optional={control: st.sampled_from([PASS, PASS, PASS, *OUTCOMES]) for control in SOME}
)


def passing(tallies: Mapping[str, ControlTally]) -> set[tuple[str, str]]:
    found = cover(tallies, OWN, NAMES)
    return {
        (name, item.requirement.id)
        for name, items in found.items()
        for item in items
        if item.verdict is Verdict.PASS
    }


@settings(max_examples=100)
@given(
    tallies=tallies_of,
    control=st.sampled_from(SOME),
    doubt=st.sampled_from([NOT_ASSESSED, ERROR, MANUAL, EMPTY]),
)
def test_a_control_in_doubt_never_makes_a_requirement_pass(
    tallies: dict[str, ControlTally], control: str, doubt: ControlTally
) -> None:
    assert passing({**tallies, control: doubt}) <= passing(tallies)


@settings(max_examples=100)
@given(tallies=tallies_of, control=st.sampled_from(SOME))
def test_leaving_a_control_out_never_makes_a_requirement_pass(
    tallies: dict[str, ControlTally], control: str
) -> None:
    without = {id: tally for id, tally in tallies.items() if id != control}
    assert passing(without) <= passing(tallies)


@settings(max_examples=100)
@given(tallies=tallies_of)
def test_what_passes_has_no_failure_and_no_doubt_among_its_tests(
    tallies: dict[str, ControlTally],
) -> None:
    for items in cover(tallies, OWN, NAMES).values():
        for item in items:
            testing = {s.opinion for s in item.support if s.strength is not Strength.SUPPORTING}
            if item.verdict is Verdict.PASS:
                assert testing <= {Opinion.EFFECTIVE, Opinion.NOT_APPLICABLE}
            if item.verdict in (Verdict.PASS, Verdict.SUPPORTED):
                assert Opinion.EFFECTIVE in {s.opinion for s in item.support}


def test_an_entry_that_was_left_out_has_no_stand_in() -> None:
    tallies = {"KA-DEP-083a": PASS}
    assert covered(tallies, "cis-kubernetes", "1.2.14", OWN).verdict is Verdict.SUPPORTED
    tallies["KA-DEP-083"] = FAIL
    assert covered(tallies, "cis-kubernetes", "1.2.14", OWN).verdict is Verdict.FAIL


def test_a_part_that_was_left_out_is_missed() -> None:
    assert (
        covered({"KA-DEP-083": PASS}, "cis-kubernetes", "1.2.14", OWN).verdict is Verdict.SUPPORTED
    )


def test_the_engine_imports_nothing_heavy() -> None:
    code = (
        "import sys; from kaudit.coverage import cover; cover({}); "
        "print(*{'pandas', 'pyarrow', 'numpy'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
