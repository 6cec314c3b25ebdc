"""Real Dockerfiles: instructions counted here line by line, facts told by reading them."""

import re
from pathlib import Path

import pytest

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Reason
from kaudit.source.files import FileSource
from tests.shared import needs_shared, shared

pytestmark = needs_shared


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return collect(FileSource(shared("corpus", "hadolint", "dockerfiles")))


def by_file(evidence: Evidence, table: str, column: str) -> dict[str, list[object]]:
    found = evidence[table]
    grouped = found.groupby("file")[column].agg(list)
    return {str(name).removesuffix(".Dockerfile"): values for name, values in grouped.items()}


def instructions(path: Path) -> int:
    text = re.sub(r"\\\n", "", path.read_text())
    return sum(bool(line.strip()) and not line.startswith("#") for line in text.splitlines())


def test_every_instruction_is_counted(evidence: Evidence) -> None:
    assert [gap for gap in evidence.gaps if gap.reason is Reason.BROKEN] == []
    paths = sorted(shared("corpus", "hadolint", "dockerfiles").iterdir())
    expected = {path.name.removesuffix(".Dockerfile"): [instructions(path)] for path in paths}
    assert by_file(evidence, "dockerfiles", "instructions") == expected


def test_bases_and_users(evidence: Evidence) -> None:
    assert by_file(evidence, "base_images", "pinned") == {
        "bad-goat-health-check": [False],
        "bad-goat-info-app": [False],
        "good-cartservice": [True, True],
        "good-frontend": [True, False],
        "sarif-rs-sample": [False],
    }
    users = by_file(evidence, "dockerfiles", "final_user")
    assert users["good-cartservice"] == ["1000"]


def test_facts(evidence: Evidence) -> None:
    found = by_file(evidence, "dockerfile_facts", "fact")
    assert found == {
        "bad-goat-health-check": ["unpinned_packages"],
        "bad-goat-info-app": ["unpinned_packages"],
        "good-cartservice": ["copy_all"],
        "good-frontend": ["copy_all"],
    }
