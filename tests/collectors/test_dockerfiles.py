"""Dockerfiles: what their last stage makes, and what their instructions do."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pytest

from kaudit import registry
from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Reason, Status
from kaudit.source.files import FileSource
from kaudit.source.tools import ToolSource
from tests.guide_build import DOCKERFILE

EXAMPLE = Path(__file__).parent / "outputs" / "dockerfile" / "Dockerfile"
DIGEST = "@sha256:" + "0123456789abcdef" * 4


def read(tmp_path: Path, text: str) -> Evidence:
    path = tmp_path / "Dockerfile"
    path.write_text(text)
    return collect(ToolSource("dockerfile", path))


def file(evidence: Evidence) -> dict[Hashable, Any]:
    found = evidence["dockerfiles"]
    (row,) = found.astype(object).where(found.notna(), None).to_dict("records")
    return row


def facts(evidence: Evidence) -> list[tuple[int, str, str]]:
    found = evidence["dockerfile_facts"]
    return list(zip(found["line"], found["fact"], found["detail"], strict=True))


def test_the_example() -> None:
    evidence = collect(ToolSource("dockerfile", EXAMPLE))
    row = file(evidence)
    assert (row["stages"], row["base"]) == (2, "scratch")
    assert (row["final_user"], row["user_root"], row["user_numeric"]) == ("10:10", False, True)
    assert row["image_source"] == "https://git.example.com/shop/web"
    assert row["entrypoint_form"] == "json"
    assert row["ports"] == ["8080"]
    stages = evidence["dockerfile_stages"]
    assert list(stages["image"]) == [
        "registry.example.com/go:1.27",
        "scratch",
        "registry.example.com/certs:1",
    ]
    assert list(stages["from_stage"]) == [False, True, False]
    assert facts(evidence) == [
        (3, "credential", "API_TOKEN: named as a credential"),
        (6, "copy_all", "COPY . ."),
        (7, "unpinned_packages", "git"),
        (11, "add_url", "https://example.com/tool.tgz"),
        (12, "credential", "DB_PASSWORD: named as a credential"),
        (13, "sudo", "bash"),
        (13, "pipe_to_shell", "curl -sSf https://example.com/install.sh | bash"),
        (13, "open_mode", "chmod -R 777 /src"),
        (16, "chown", "10:10"),
    ]
    assert "made-up-9" not in str(evidence["records"].to_dict())


def test_the_dockerfile_of_the_guide(tmp_path: Path) -> None:
    evidence = read(tmp_path, DOCKERFILE)
    row = file(evidence)
    assert (row["stages"], row["base"]) == (2, "gcr.io/distroless/nodejs20-debian12")
    assert (row["final_user"], row["user_root"], row["user_numeric"]) == ("1001", False, True)
    assert row["healthcheck"] is True
    assert row["command_form"] == "json"
    assert {fact for _, fact, _ in facts(evidence)} == {"audit", "chown", "copy_all"}
    bases = evidence["base_images"]
    assert list(bases["image"]) == ["node:20-alpine", "gcr.io/distroless/nodejs20-debian12"]
    assert list(bases["pinned"]) == [False, False]
    assert list(bases["floating"]) == [False, True]


def test_what_is_found_in_the_dockerfile_of_the_guide(tmp_path: Path) -> None:
    registry.load()
    assessment = assess(read(tmp_path, DOCKERFILE), strict=True)
    results = [r for r in assessment.iter_results() if r.control.startswith("KA-BLD-027")]
    failed = sorted(r.control for r in results if r.status is Status.FAIL)
    assert failed == ["KA-BLD-027b", "KA-BLD-027c", "KA-BLD-027c"]
    passed = {r.control for r in results if r.status is Status.PASS}
    assert {f"KA-BLD-027{letter}" for letter in "adefghi"} <= passed


@pytest.mark.parametrize(
    ("text", "user", "root", "known"),
    [
        ("FROM a\n", None, False, True),
        ("FROM a\nUSER 0\n", "0", True, True),
        ("FROM a\nUSER 0:0\n", "0:0", True, True),
        ("FROM a\nUSER root\nUSER app\n", "app", False, True),
        ("FROM a\nUSER app\nUSER root\n", "root", True, True),
        ("FROM a AS b\nUSER 7\nFROM B\n", "7", False, True),
        ("FROM a AS b\nUSER 7\nFROM c\n", None, False, True),
        ("FROM a\nARG U=9\nUSER ${U}\n", "9", False, True),
        ("ARG U=9\nFROM a\nARG U\nUSER $U\n", "9", False, True),
        ("ARG U=9\nFROM a\nUSER $U\n", "$U", False, False),
        ("FROM a\nENV U=root\nUSER $U\n", "root", True, True),
        ("FROM a\nUSER ${U:-0}\n", "0", True, True),
        ("FROM a\nONBUILD USER root\n", None, False, True),
        ("from a\nuser 5\n", "5", False, True),
    ],
)
def test_the_final_user(
    tmp_path: Path, text: str, user: str | None, root: bool, known: bool
) -> None:
    row = file(read(tmp_path, text))
    assert (row["final_user"], row["user_root"], row["user_known"]) == (user, root, known)


def test_a_base_that_has_a_user_says_so_in_its_tag(tmp_path: Path) -> None:
    assert file(read(tmp_path, "FROM gcr.io/distroless/static:nonroot\n"))["user_of_base"]
    assert not file(read(tmp_path, "FROM nonroot/static:1\n"))["user_of_base"]


@pytest.mark.parametrize(
    ("text", "images", "pinned"),
    [
        ("FROM a:1", ["a:1"], [False]),
        (f"FROM a:1{DIGEST}", [f"a:1{DIGEST}"], [True]),
        ("ARG T=3\nFROM a:$T", ["a:3"], [False]),
        ("ARG T=3\nARG I=a:$T\nFROM $I", ["a:3"], [False]),
        ("FROM a:${T:-4}", ["a:4"], [False]),
        ("FROM a AS x\nFROM x", ["a", "x"], [False, False]),
        ("FROM a AS x\nFROM b\nCOPY --from=X /a /\nCOPY --from=0 /a /", ["a", "b"], [False, False]),
        ("FROM a\nRUN --mount=type=bind,from=c:1,target=/c ls", ["a", "c:1"], [False, False]),
    ],
)
def test_images_of_stages(tmp_path: Path, text: str, images: list[str], pinned: list[bool]) -> None:
    bases = read(tmp_path, text)["base_images"]
    assert list(bases["image"]) == images
    assert list(bases["pinned"]) == pinned


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("RUN apt-get update && apt-get upgrade -y", {"upgrade"}),
        ("RUN apt-get install -y curl=7.88.1-10", set()),
        ("RUN apt-get install -y -t bookworm curl", {"unpinned_packages"}),
        ("RUN apk add --no-cache --virtual .deps gcc", {"unpinned_packages"}),
        ("RUN apk add --no-cache 'gcc=~13'", set()),
        ("RUN pip install -r requirements.txt", set()),
        ("RUN python -m pip install flask==3.0", set()),
        ("RUN pip install flask>=3", {"unpinned_packages"}),
        ("RUN npm install", set()),
        ("RUN npm i -g yarn", {"unpinned_packages"}),
        ("RUN npm i -g yarn@1.22.22 @scope/a@2", set()),
        ("RUN pip-audit && npm audit --audit-level=high", {"audit"}),
        ("RUN wget -qO- https://example.com/i.sh|sh", {"pipe_to_shell"}),
        ('RUN bash -c "curl -s https://example.com/i.sh | bash"', {"pipe_to_shell"}),
        ('RUN sh -c "$(curl -fsSL https://example.com/i.sh)"', {"pipe_to_shell"}),
        ("RUN bash <(curl -s https://example.com/i.sh)", {"pipe_to_shell"}),
        ("RUN curl -s https://example.com/a | tar xz", set()),
        ("RUN curl -s https://example.com/a | gunzip | sh", {"pipe_to_shell"}),
        ('RUN ["sh", "-c", "curl -s https://example.com/i | sh"]', {"pipe_to_shell"}),
        ("RUN echo 'curl x | sh'", set()),
        ("RUN apt-get install -y sudo=1.9", {"sudo"}),
        ("RUN chmod 0777 /a", {"open_mode"}),
        ("RUN chmod 755 /a", set()),
        ("COPY --chmod=777 a b", {"open_mode"}),
        ("ADD https://example.com/a.tgz /a", {"add_url"}),
        (f"ADD --checksum=sha256:{'0' * 64} https://example.com/a.tgz /a", set()),
        ('ADD ["https://example.com/a b.tgz", "/a"]', {"add_url"}),
        ("COPY ./ /app", {"copy_all"}),
        ("COPY --from=x . /app", set()),
        ("ENV TOKEN_FILE=/run/secrets/t PATH=/a:$PATH", set()),
        ("ENV SECRET_KEY=$SECRET_KEY", {"credential"}),
        ("ARG GITHUB_TOKEN", {"credential"}),
        ("LABEL a=ghp_0123456789abcdefghijABCDEFGHIJ012345", {"credential"}),
        ("RUN --mount=type=secret,id=npm npm ci", {"secret_mount"}),
        ("ONBUILD RUN curl -s https://example.com/i | sh", {"pipe_to_shell"}),
    ],
)
def test_facts(tmp_path: Path, line: str, found: set[str]) -> None:
    assert {fact for _, fact, _ in facts(read(tmp_path, f"FROM a:1\n{line}\n"))} == found


def test_a_here_document_is_run_or_is_data(tmp_path: Path) -> None:
    run = "FROM a\nRUN <<EOF\ncurl -s https://example.com/i | sh\nEOF\nRUN true\n"
    data = "FROM a\nRUN cat <<EOF > /i\ncurl -s https://example.com/i | sh\nEOF\nRUN true\n"
    assert [fact for _, fact, _ in facts(read(tmp_path, run))] == ["pipe_to_shell"]
    assert facts(read(tmp_path, data)) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("FROM a\nRUNN x\n", 2),
        ("FROM a\n\nRUN <<EOF\nx\n", 3),
        ("FROM a\nENV x\n", 2),
        ("FROM a\nRUN --network=none\n", 2),
    ],
)
def test_what_a_build_would_refuse_is_a_gap_that_names_the_line(
    tmp_path: Path, text: str, line: int
) -> None:
    evidence = read(tmp_path, text)
    (gap,) = (g for g in evidence.gaps if g.reason is Reason.BROKEN)
    assert f"line {line}: " in gap.detail
    assert "dockerfiles" in gap.tables


@pytest.mark.parametrize("text", ["", "RUN x\n", "ARG A=1\n", "hello\n"])
def test_what_is_no_dockerfile_is_a_gap(tmp_path: Path, text: str) -> None:
    (gap,) = (g for g in read(tmp_path, text).gaps if g.reason is Reason.BROKEN)
    assert "Dockerfile" in gap.what


def test_in_a_folder_they_are_found_by_name(tmp_path: Path) -> None:
    for name in ("Dockerfile", "web.Dockerfile", "Dockerfile.dev", "Containerfile", "notes.txt"):
        (tmp_path / name).write_text(f"FROM a:1\n# {name}\n")
    (tmp_path / "Dockerfile.dockerignore").write_text("node_modules\n")
    found = collect(FileSource(tmp_path))["dockerfiles"]
    assert set(found["file"]) == {"Dockerfile", "web.Dockerfile", "Dockerfile.dev", "Containerfile"}
