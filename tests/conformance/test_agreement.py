"""Agreement with the cases of six peers: the figures, and a reason for every difference."""

from __future__ import annotations

import csv
import re

import pytest

from kaudit import registry
from tests.conformance.agreement import SUITES, Rule, cases, outcomes, rules
from tests.conformance.differences import FILE, figures, reasons, render
from tests.shared import needs_shared, shared

registry.load()
each_suite = pytest.mark.parametrize("suite", SUITES)
#: Peers in the list of their checks whose ids are the names of the rules.
PEERS = {
    "polaris": "polaris",
    "kube-linter": "kube-linter",
    "trivy": "trivy-checks",
    "checkov": "checkov",
}
#: Ids of the catalogue that have controls here; one that is split has letters behind it.
BUILT = {re.sub("[a-z]+$", "", name) for name in registry.CONTROLS}


@needs_shared
@each_suite
def test_agreement_is_98_percent(suite: str) -> None:
    agree, same, _, _ = figures(outcomes(suite))
    assert agree >= 0.98 * same


@needs_shared
@each_suite
def test_silence_is_no_agreement_and_rare(suite: str) -> None:
    """A case that expects a pass agrees only where something was assessed."""
    silent = [outcome for outcome in outcomes(suite) if not outcome.counts]
    assert len(silent) <= 0.02 * len(outcomes(suite))


@needs_shared
@each_suite
def test_few_rules_are_defined_otherwise(suite: str) -> None:
    found = rules(suite)
    measured = {case.rule for case in cases(suite) if found[case.rule].reading}
    otherwise = {name for name in measured if found[name].differs}
    assert len(otherwise) <= 0.2 * len(measured)


@needs_shared
def test_every_difference_is_explained_and_nothing_else_is() -> None:
    differing = {o.case.id for suite in SUITES for o in outcomes(suite) if not o.agrees}
    found = {c: why for c, why in reasons().items() if not c.startswith("netpol-analyzer/")}
    assert found.keys() == differing
    assert [case for case, why in found.items() if len(why.split()) < 5] == []


@needs_shared
def test_the_file_says_what_is_measured() -> None:
    """Write it anew with ``python -m tests.conformance.differences``."""
    assert FILE.read_text(encoding="utf-8") == render(reasons())


@needs_shared
@each_suite
def test_every_rule_that_has_cases_is_mapped_or_has_a_reason(suite: str) -> None:
    found = rules(suite)
    assert {case.rule for case in cases(suite)} - found.keys() == set()


@each_suite
def test_rules_are_of_one_sort(suite: str) -> None:
    for name, rule in rules(suite).items():
        if rule.reading:
            assert rule.controls, name
            assert set(rule.controls) <= registry.CONTROLS.keys(), name
        else:
            assert rule.note, name
            assert rule == Rule((), "", note=rule.note), name


@each_suite
def test_what_is_not_built_is_not_there(suite: str) -> None:
    """A rule that waits for a control is to be mapped once the control is there."""
    for name, rule in rules(suite).items():
        for missing in re.findall(r"needs (KA-\w+-\d+), which is not built", rule.note):
            assert missing not in BUILT, f"{suite}: map {name} to {missing}"


@needs_shared
def test_every_check_of_a_peer_that_a_control_stands_for_is_a_rule() -> None:
    path = shared("frameworks", "peer-checks.csv")
    with path.open(encoding="utf-8", newline="") as file:
        checks = [row for row in csv.DictReader(file) if row["peer"] in PEERS]
    assert len(checks) > 300
    unmapped = [
        (row["peer"], row["id"])
        for row in checks
        if not BUILT.isdisjoint(row["kaudit_controls"].split())
        and row["id"] not in rules(PEERS[row["peer"]])
    ]
    assert unmapped == []
