"""What kaudit's runs of gator and kyverno say of the cases of two policy libraries."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kaudit.collect import collect
from kaudit.demo import write
from kaudit.demo.source import DemoSource
from kaudit.opening import evidence_of
from kaudit.source.run.tool import Settings
from tests.integration.engine import engine
from tests.integration.verdicts import (
    Group,
    gatekeeper_groups,
    kyverno_groups,
    wrong_of_gatekeeper,
    wrong_of_kyverno,
)
from tests.memory_source import rows
from tests.shared import needs_shared

#: Every so many groups of cases, so that a run takes a minute; all of them with 1.
EVERY = int(os.environ.get("KAUDIT_EVERY", "6"))
_SILENT = "kyverno 1.19 gives no verdict on this CronJob, by itself neither"
_SECRET = "Secrets are never given to engines, which is told"
#: Part of the id of a case to the reason why it differs.
DIFFERENT = {
    "deny-secret-service-account-token-type": _SECRET,
    "memory-requests-equal-limits/autogen-cronjob": _SILENT,
}


@pytest.fixture(autouse=True)
def _on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = {str(engine(name).parent) for name in ("gator", "kyverno")}
    monkeypatch.setenv("PATH", os.pathsep.join([*sorted(folders), os.environ["PATH"]]))


def _unexplained(wrong: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [one for one in wrong if not any(part in one[0] for part in DIFFERENT)]


def _each(groups: list[Group], folder: Path) -> Iterator[tuple[Group, Path]]:
    for number, group in enumerate(groups[::EVERY]):
        place = folder / str(number)
        place.mkdir()
        yield group, place


@needs_shared
def test_gator_agrees_with_the_index_of_gatekeeper_library(tmp_path: Path) -> None:
    """But for 13 cases of AdmissionReviews: gator test takes objects, not requests."""
    groups = gatekeeper_groups()
    assert len(groups) == 125
    wrong = [w for one, place in _each(groups, tmp_path) for w in wrong_of_gatekeeper(one, place)]
    assert wrong == []


@needs_shared
def test_kyverno_agrees_with_the_index_of_its_policies(tmp_path: Path) -> None:
    """All that its own tests decide offline, but for those that bring values of their own."""
    groups = kyverno_groups()
    assert sum(len(group.cases) for group in groups) == 2382
    wrong = [w for one, place in _each(groups, tmp_path) for w in wrong_of_kyverno(one, place)]
    assert _unexplained(wrong) == []


def test_the_demo_tells_what_the_engines_say_of_it(tmp_path: Path) -> None:
    write(tmp_path)
    settings = Settings(images=False, policies=True, seconds=120.0)
    ran = evidence_of([str(tmp_path)], scan=settings)
    told = collect(DemoSource(tmp_path))
    columns = ("tool", "basis", "policy", "rule", "kind", "namespace", "name", "result")
    shown = {tuple(r[c] for c in columns) for r in rows(told, "engine_verdicts", *columns)}
    of_pods = {one for one in shown if one[0] == "kyverno"}
    found = {tuple(r[c] for c in columns) for r in rows(ran, "engine_verdicts", *columns)}
    of_rule = {
        one
        for one in found
        if one[2:5] == ("require-labels", "require-team-label", "Pod") and one[-1] != "pass"
    }
    assert of_rule == of_pods
    violating = {one[2:7] for one in found if one[:3] == ("gator", "cluster", "require-non-root")}
    assert violating == {one[2:7] for one in shown if one[0] == "gatekeeper"}
