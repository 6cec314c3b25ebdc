"""The Containerfile: pinned, without root, without tools to build or install."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def stages() -> list[list[tuple[str, str]]]:
    """Instructions with their arguments, by stage; the first part is what stands before."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Containerfile").read_text(), flags=re.MULTILINE)
    found: list[list[tuple[str, str]]] = [[]]
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if line:
            instruction, _, arguments = line.partition(" ")
            if instruction == "FROM":
                found.append([])
            found[-1].append((instruction, " ".join(arguments.split())))
    return found


def test_the_base_is_pinned_by_a_digest_that_must_be_given(
    stages: list[list[tuple[str, str]]],
) -> None:
    assert stages[0] == [("ARG", "PYTHON_DIGEST")], "no default"
    bases = [arguments.split(" AS ")[0] for stage in stages[1:] for _, arguments in stage[:1]]
    assert bases == ["python:3.13-slim@${PYTHON_DIGEST:?}"] * 2, ":? ends the build without one"


def test_what_is_copied_is_there_and_all_that_a_build_needs(
    stages: list[list[tuple[str, str]]],
) -> None:
    copied = {
        source
        for instruction, arguments in stages[1]
        if instruction == "COPY"
        for source in arguments.split()[:-1]
    }
    assert copied == {"pyproject.toml", "README.md", "LICENSE", "kaudit", "notebooks"}
    assert all((ROOT / name).exists() for name in copied)


def test_the_final_stage_runs_without_root_and_installs_nothing(
    stages: list[list[tuple[str, str]]],
) -> None:
    final = stages[-1]
    (user,) = [arguments for instruction, arguments in final if instruction == "USER"]
    assert re.fullmatch(r"[1-9][0-9]{4,}:[1-9][0-9]{4,}", user), (
        "numbers, which runAsNonRoot checks"
    )
    assert [i for i, _ in final].index("USER") > [i for i, _ in final].index("RUN")
    (run,) = [arguments for instruction, arguments in final if instruction == "RUN"]
    assert not re.search(r"apt|pip install|curl|wget|gcc|chmod", run)
    assert "pip uninstall" in run
    assert "ADD" not in [instruction for instruction, _ in final]
    assert ("ENTRYPOINT", '["kaudit"]') in final


def test_the_user_and_folders_are_those_of_the_schedule(
    stages: list[list[tuple[str, str]]],
) -> None:
    from tests.schedule.test_manifest import pod

    user = pod()["securityContext"]["runAsUser"]
    assert ("USER", f"{user}:{user}") in stages[-1]
    text = " ".join(arguments for _, arguments in stages[-1])
    for place in ("/var/lib/kaudit", "HOME=/home/kaudit"):
        assert place in text
