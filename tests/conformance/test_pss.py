"""The fixtures of the admission plugin: every one, through the engine and the command."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from kaudit.cli import app
from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.pss import minor_of, verdicts
from tests.memory_source import MemorySource, objects
from tests.shared import SHARED, needs_shared, shared

#: Check of the baseline, the first minor version and the check that then speaks for it at
#: the restricted level.
STAND_INS = {
    "hostPathVolumes": (0, "restrictedVolumes"),
    "capabilities_baseline": (22, "capabilities_restricted"),
    "seccompProfile_baseline": (19, "seccompProfile_restricted"),
    "procMount": (35, "procMount_restricted"),
}


class Case(NamedTuple):
    id: str
    path: Path
    allowed: bool
    check: str
    level: str
    version: str
    pod: str

    @property
    def reported_by(self) -> str:
        """Check that the plugin reports at the level and version."""
        since, other = STAND_INS.get(self.check, (99, ""))
        strict = self.level == "restricted" and minor_of(self.version) >= since
        return other if strict else self.check


@cache
def cases() -> tuple[Case, ...]:
    folder = shared("conformance", "pss-fixtures")
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Case(
                row["case_id"],
                folder / row["file"],
                row["expected"] == "allow",
                row["rule"],
                row["level"],
                row["version"],
                row["object"].partition("/")[2],
            )
            for row in csv.DictReader(file)
        )


def _runs() -> list[tuple[str, str]]:
    return sorted({(c.level, c.version) for c in cases()}) if SHARED else [("none", "v1.0")]


def _wrong(case: Case, allowed: object, checks: list[str]) -> str | None:
    if allowed is not case.allowed:
        return f"{case.id}: allowed {allowed}, broken {checks}"
    if not case.allowed and case.reported_by not in checks:
        return f"{case.id}: {case.reported_by} is not among {checks}"
    return None


@needs_shared
def test_there_are_as_many_cases_as_the_fixtures_say() -> None:
    assert len(cases()) == 2220
    assert sum(case.allowed for case in cases()) == 604


@pytest.fixture(scope="module")
def everything() -> tuple[Evidence, dict[Path, str]]:
    """All fixtures in one cluster, each under a name of its own."""
    paths = sorted({case.path for case in cases()})
    names = {path: f"pod-{number}" for number, path in enumerate(paths)}
    pods = []
    for path, name in names.items():
        (pod,) = objects(path.read_text(encoding="utf-8"))
        pods.append(pod | {"metadata": pod["metadata"] | {"name": name}})
    return collect(MemorySource(*pods)), names


@needs_shared
@pytest.mark.parametrize(("level", "version"), _runs())
def test_engine(everything: tuple[Evidence, dict[Path, str]], level: str, version: str) -> None:
    evidence, names = everything
    found = {verdict.name: verdict for verdict in verdicts(evidence, level, version)}
    assert len(found) == len(names)
    wrong = []
    for case in cases():
        if (case.level, case.version) == (level, version):
            verdict = found[names[case.path]]
            checks = [v.check for v in verdict.violations]
            wrong.append(_wrong(case, verdict.allowed, checks))
    assert wrong
    assert list(filter(None, wrong)) == []


@needs_shared
@pytest.mark.parametrize(("level", "version"), _runs())
def test_command(level: str, version: str) -> None:
    """One run for each outcome, all its files as sources; names of pods are theirs alone."""
    for allowed in (True, False):
        chosen = {c.pod: c for c in cases() if (c.level, c.version) == (level, version)}
        chosen = {name: case for name, case in chosen.items() if case.allowed is allowed}
        files = sorted({str(case.path) for case in chosen.values()})
        arguments = ["pss", *files, "--level", level, "--version", version, "--format", "json"]
        done = CliRunner().invoke(app, [*arguments, "--quiet"])
        assert done.exit_code == 0, done.output
        found = {row["name"]: row for row in json.loads(done.stdout)}
        assert found.keys() == chosen.keys()
        wrong = [
            _wrong(case, found[name]["allowed"], [v["check"] for v in found[name]["violations"]])
            for name, case in chosen.items()
        ]
        assert list(filter(None, wrong)) == []
        assert {(row["level"], row["version"]) for row in found.values()} == {(level, version)}
