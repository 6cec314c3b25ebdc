"""A waiver notes that a failure is accepted: it changes no status, count or pass."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaudit import registry
from kaudit.assess import assess
from kaudit.assessment import Assessment
from kaudit.collect import collect
from kaudit.coverage import Verdict, coverage
from kaudit.demo import NOW, objects
from kaudit.errors import InputError, WaiverError
from kaudit.model.words import Opinion, Status
from kaudit.result import Result
from kaudit.waivers import Waiver, accepted, load_waivers
from tests.memory_source import MemorySource

registry.load()
usual = settings(max_examples=30)

#: The day before that of the evidence, and that day.
ENDED, ENDS = date(2026, 5, 31), date(2026, 6, 1)
NAMES = {"reason": "r", "owner": "o", "approver": "a"}


@cache
def plain() -> Assessment:
    moment = datetime.fromisoformat(NOW)
    evidence = collect(MemorySource(*objects(), label="demo"), raw=False, as_of=moment)
    return assess(evidence, strict=True)


@cache
def failures() -> tuple[Result, ...]:
    return tuple(plain().iter_results(Status.FAIL))


def waived(*waivers: Waiver) -> Assessment:
    return Assessment(plain().evidence, tuple(plain().by_control.values()), waivers)


def of(result: Result, *, expires: date = ENDS, **scope: str) -> Waiver:
    """Waiver of one failure, or of a wider scope."""
    exactly = {
        "control": result.control,
        "kind": result.kind,
        "namespace": result.namespace,
        "name": result.name,
        "container": result.container,
    }
    id = f"W-{result.fingerprint}"
    return Waiver(id=id, expires=expires, **NAMES, **(exactly | scope))


@st.composite
def given_waivers(draw: st.DrawFn, expires: date = ENDS) -> list[Waiver]:
    """Waivers of some failures, some of them widened by globs."""
    found = []
    for number in draw(st.lists(st.integers(0, len(failures()) - 1), max_size=5)):
        wide = draw(st.sets(st.sampled_from(["kind", "namespace", "name", "container"])))
        scope = dict.fromkeys(wide, "*")
        if draw(st.booleans()):
            scope["control"] = draw(st.sampled_from(["KA-DEP-*", "KA-*", "KA-NET-0[0-1]*", "*"]))
        found.append(of(failures()[number], expires=expires, **scope))
    return found


def verdicts(assessment: Assessment) -> dict[tuple[str, str], Verdict]:
    return {
        (name, item.requirement.id): item.verdict
        for name, items in coverage(assessment).items()
        for item in items
    }


@cache
def plain_verdicts() -> dict[tuple[str, str], Verdict]:
    return verdicts(plain())


@usual
@given(given_waivers())
def test_no_status_changes_and_totals_add_up(waivers: list[Waiver]) -> None:
    after = waived(*waivers)
    before = [(r.fingerprint, r.container, r.status) for r in plain().iter_results()]
    results = list(after.iter_results())
    assert [(r.fingerprint, r.container, r.status) for r in results] == before
    assert all(r.status is Status.FAIL for r in results if r.waiver)
    counted = Counter((r.control, r.status) for r in results)
    accepted = Counter(r.control for r in results if r.waiver)
    for id, tally in after.tallies.items():
        assert {s: getattr(tally, f"{s}_") for s in Status} == {s: counted[id, s] for s in Status}
        assert tally.waived == accepted[id] <= tally.fail_
        assert tally.fail_ == plain().tallies[id].fail_
        assessed = tally.pass_ + tally.open
        unassessed = tally.not_assessed_ + tally.error_ + tally.manual_
        assert assessed + unassessed + tally.waived == tally.population
    for layer in after.layers:
        chosen = [c.id for c in after.controls if c.layer is layer.layer]
        assert layer.waived == sum(accepted[id] for id in chosen)
        assert (
            layer.controls
            == len(chosen)
            == (
                layer.effective
                + layer.with_exceptions
                + layer.not_effective
                + layer.unable
                + layer.not_applicable
            )
        )


@usual
@given(given_waivers())
def test_nothing_becomes_effective_or_a_pass(waivers: list[Waiver]) -> None:
    after = waived(*waivers)
    for id, was in plain().operation.items():
        now = after.operation[id]
        if now != was:
            assert was.opinion is Opinion.NOT_EFFECTIVE
            assert now.opinion in (Opinion.NOT_EFFECTIVE, Opinion.WITH_EXCEPTIONS, Opinion.UNABLE)
    for old, new in zip(plain().layers, after.layers, strict=True):
        assert (new.operation is Opinion.EFFECTIVE) == (old.operation is Opinion.EFFECTIVE)
        assert new.effective == old.effective
    better = (Verdict.PASS, Verdict.SUPPORTED, Verdict.NOT_APPLICABLE, Verdict.UNTESTED)
    for key, verdict in verdicts(after).items():
        assert verdict not in better or verdict is plain_verdicts()[key]


@usual
@given(given_waivers(), given_waivers())
def test_more_waivers_accept_more(some: list[Waiver], more: list[Waiver]) -> None:
    few = {r.fingerprint for r in waived(*some).iter_results() if r.waiver}
    many = {r.fingerprint for r in waived(*some, *more).iter_results() if r.waiver}
    again = {r.fingerprint for r in waived(*more, *some).iter_results() if r.waiver}
    assert few <= many == again


@usual
@given(given_waivers(expires=ENDED))
def test_ended_waivers_change_nothing(waivers: list[Waiver]) -> None:
    after = waived(*waivers)
    assert list(after.iter_results()) == list(plain().iter_results())
    assert after.tallies == plain().tallies
    assert after.layers == plain().layers
    assert verdicts(after) == plain_verdicts()


@usual
@given(
    st.sampled_from(["kind", "namespace", "name", "container", "control"]),
    st.sampled_from(["nothing-of-this-name", "", "kube-syste", "KUBE-SYSTEM", "KA-DEP-1??"]),
    st.data(),
)
def test_waivers_that_select_nothing_change_nothing(
    field: str, value: str, data: st.DataObject
) -> None:
    result = data.draw(st.sampled_from(failures()))
    if value == getattr(result, field):
        return
    scope: dict[str, Any] = {field: value}
    after = waived(of(result, **scope))
    assert list(after.iter_results()) == list(plain().iter_results())


@settings(max_examples=8)
@given(given_waivers())
def test_the_exporters_say_the_same(waivers: list[Waiver]) -> None:
    after = waived(*waivers)
    text = b"".join(registry.EXPORTERS["json"].function(after))
    found = [(r["fingerprint"], r["waiver"]) for r in json.loads(text)["results"]]
    assert found == [(r.fingerprint, r.waiver) for r in after.iter_results()]


def test_the_last_day_counts_and_no_date_accepts_nothing() -> None:
    one = of(failures()[0])
    assert [r.waiver for r in waived(one).iter_results() if r.waiver] == [one.id]
    assert not one.holds(None)
    assert not of(failures()[0], expires=ENDED).holds(plain().evidence.as_of)


FILE = """
waivers:
  - {id: W-1, control: KA-DEP-001, reason: why, owner: us, approver: them, expires: 2026-12-31}
"""


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_text(FILE)
    assert load_waivers(path) == (
        Waiver(
            id="W-1",
            control="KA-DEP-001",
            reason="why",
            owner="us",
            approver="them",
            expires=date(2026, 12, 31),
        ),
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (", expires: 2026-12-31", "", "expires"),
        ("reason: why", "reason: ' '", "empty reason"),
        ("owner: us", "owner: ''", "empty owner"),
        ("approver: them", "approver: ''", "empty approver"),
        ("control: KA-DEP-001", "status: pass", "status"),
        ("expires: 2026-12-31", "expires: never", "expires"),
        ("expires: 2026-12-31", "expires: null", "expires"),
        ("reason: why, ", "", "reason"),
    ],
)
def test_a_waiver_that_says_too_little_is_refused(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = tmp_path / "waivers.yaml"
    assert old in FILE
    path.write_text(FILE.replace(old, new))
    with pytest.raises(WaiverError, match=said):
        load_waivers(path)


def test_two_of_one_id_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_text(FILE + FILE.strip().partition("\n")[2])
    with pytest.raises(WaiverError, match="two waivers have the id W-1"):
        load_waivers(path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_waivers(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="cannot be read"):
        load_waivers(tmp_path)


def a_waiver(**changed: object) -> Waiver:
    known: dict[str, object] = {"id": "W", "control": "KA-DEP-001", "expires": ENDS, **NAMES}
    return Waiver(**(known | changed))  # type: ignore[arg-type]  # also what no Waiver may hold


def test_waivers_are_given_as_a_file_or_as_a_list(tmp_path: Path) -> None:
    import kaudit as ka

    evidence = plain().evidence
    bare = ka.assess(evidence, control="KA-DEP-001")
    listed = ka.assess(evidence, control="KA-DEP-001", waivers=[a_waiver()])
    file = tmp_path / "waivers.yaml"
    names = "reason: r, owner: o, approver: a"
    file.write_text(f"waivers: [{{id: W, control: KA-DEP-001, {names}, expires: {ENDS}}}]")
    read = ka.assess(evidence, control="KA-DEP-001", waivers=str(file))
    assert set(listed.findings["waiver"]) == {"W"}
    assert listed.findings.equals(read.findings)
    assert len(listed.findings) == len(bare.findings) > 0
    assert not set(bare.findings["waiver"]) - {""}


def test_a_listed_waiver_is_checked_as_one_of_a_file() -> None:
    assert accepted([a_waiver(expires="2026-06-01")])[0].expires == ENDS
    with pytest.raises(WaiverError, match=r"expires"):
        accepted([a_waiver(expires="some day")])
    with pytest.raises(WaiverError, match="unsupported"):
        accepted([a_waiver(expires=object())])
    with pytest.raises(WaiverError, match="empty owner"):
        accepted([a_waiver(owner=" ")])
    with pytest.raises(WaiverError, match="two waivers have the id W"):
        accepted((a_waiver(), a_waiver()))


@pytest.mark.parametrize("given", [a_waiver(), [{"id": "W"}], {"id": "W"}, 7, None], ids=repr)
def test_what_is_no_waiver_is_told_what_is_taken(given: object) -> None:
    with pytest.raises(InputError, match=r"path of a YAML file, or a list of kaudit\.Waiver"):
        accepted(given)  # type: ignore[arg-type]


def test_no_waivers_are_none() -> None:
    assert accepted("") == accepted([]) == ()
