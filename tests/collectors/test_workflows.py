"""Workflows: what is pinned, what scans, and what stops the build."""

from collections import Counter
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
from tests.guide_build import WORKFLOW

EXAMPLE = Path(__file__).parent / "outputs" / "workflow" / "release.yml"
HEAD = "on: push\njobs:\n  a:\n    steps:\n"


def read(tmp_path: Path, text: str) -> Evidence:
    path = tmp_path / "ci.yml"
    path.write_text(text)
    return collect(ToolSource("workflow", path))


def steps(evidence: Evidence) -> list[dict[Hashable, Any]]:
    found = evidence["pipeline_steps"]
    return found.astype(object).where(found.notna(), None).to_dict("records")


def tools(evidence: Evidence) -> list[tuple[str, str, bool, str | None]]:
    found = evidence["pipeline_tools"]
    found = found.astype(object).where(found.notna(), None)
    return list(
        zip(found["tool"], found["purpose"], found["blocks"], found["why_not"], strict=True)
    )


def test_the_workflow_of_the_guide(tmp_path: Path) -> None:
    evidence = read(tmp_path, WORKFLOW)
    found = {row["action"]: row for row in steps(evidence) if row["action"]}
    assert {action: row["ref"] for action, row in found.items()} == {
        "actions/checkout": "v4",
        "aquasecurity/trivy-action": "master",
        "github/codeql-action/upload-sarif": "v2",
        "anchore/scan-action": "v3",
        "hadolint/hadolint-action": "v3.1.0",
    }
    assert not any(row["pinned"] for row in found.values())
    assert [a for a, row in found.items() if row["third_party"]] == [
        "aquasecurity/trivy-action",
        "anchore/scan-action",
        "hadolint/hadolint-action",
    ]
    assert tools(evidence) == [
        ("docker", "build", False, None),
        ("trivy", "scan_image", True, None),
        ("codeql", "upload_sarif", False, None),
        ("grype", "scan_image", True, None),
        ("hadolint", "lint_dockerfile", True, None),
    ]
    thresholds = evidence["pipeline_tools"]["threshold"].dropna().tolist()
    assert thresholds == ["CRITICAL,HIGH", "high", "warning"]
    (pipeline,) = evidence["pipelines"].to_dict("records")
    assert pipeline["triggers"] == ["pull_request", "push"]
    assert pipeline["permissions_set"] is False
    assert (pipeline["jobs"], pipeline["steps"]) == (1, 6)


def test_what_is_found_in_the_workflow_of_the_guide(tmp_path: Path) -> None:
    registry.load()
    assessment = assess(read(tmp_path, WORKFLOW), strict=True)
    failed = Counter(r.control for r in assessment.iter_results() if r.status is Status.FAIL)
    assert failed == {"KA-BLD-028c": 3, "KA-BLD-028d": 2, "KA-BLD-028h": 1}


def test_the_example() -> None:
    evidence = collect(ToolSource("workflow", EXAMPLE))
    assert tools(evidence) == [
        ("docker", "build", False, None),
        ("docker", "push", False, None),
        ("docker", "attest", False, None),
        ("trivy", "scan_image", True, None),
        ("grype", "scan_image", False, "|| true"),
        ("cosign", "sign", False, None),
    ]
    last = steps(evidence)[-1]
    assert (last["step"], last["owner"], last["ref"]) == (0, "example", "v1")
    assert sorted(evidence["pipeline_steps"]["writes"][0]) == ["id-token", "packages"]


@pytest.mark.parametrize(
    ("uses", "pinned", "third_party"),
    [
        (f"a/b@{'0' * 40}", True, True),
        ("a/b@v1", False, True),
        ("a/b@0123456", False, True),
        ("a/b", False, True),
        ("actions/checkout@v4", False, False),
        ("./.github/actions/x", True, False),
        ("docker://alpine:3", False, True),
        (f"docker://alpine@sha256:{'0' * 64}", True, True),
    ],
)
def test_pins(tmp_path: Path, uses: str, pinned: bool, third_party: bool) -> None:
    (row,) = steps(read(tmp_path, f"{HEAD}      - uses: {uses}\n"))
    assert (row["pinned"], row["third_party"]) == (pinned, third_party)


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("run: trivy image a", "exit code 0 whatever it finds"),
        ("run: trivy image --exit-code 1 a", None),
        ("run: trivy image --exit-code=0 a", "exit code 0 whatever it finds"),
        ("run: trivy image --exit-code 1 a || true", "|| true"),
        ("run: trivy image --exit-code 1 a || exit 1", None),
        ("run: trivy image --exit-code 1 a | tee out", "its exit status is lost in a pipe"),
        ("{run: trivy image --exit-code 1 a | tee out, shell: bash}", None),
        ('run: "set -o pipefail\\ntrivy image --exit-code 1 a | tee out"', None),
        ('run: "set +e\\ntrivy image --exit-code 1 a"', "set +e goes on after faults"),
        ("{run: trivy image --exit-code 1 a, continue-on-error: true}", "continue-on-error"),
        ("{run: trivy image a, env: {TRIVY_EXIT_CODE: 1}}", None),
        ("run: docker run --rm aquasec/trivy:0.50 image --exit-code 1 a", None),
        ("run: grype a", "no --fail-on"),
        ("run: grype a --fail-on critical", None),
        ("run: hadolint --no-fail Dockerfile", "--no-fail"),
        ("run: hadolint Dockerfile", None),
        ("run: kubesec scan a.yaml", None),
        ("run: checkov --soft-fail -d .", "--soft-fail"),
        ("run: docker scout cves a", "no --exit-code"),
        ("run: snyk container test a", None),
        ("run: cosign verify --key k a", None),
        ("run: cat images | xargs -I {} -n1 trivy image {}", "exit code 0 whatever it finds"),
        ("{uses: aquasecurity/trivy-action@v1, with: {image-ref: a}}", "no exit-code"),
        ("{uses: aquasecurity/trivy-action@v1, with: {exit-code: 0}}", "no exit-code"),
        (
            "{uses: anchore/scan-action@v3, with: {image: a, fail-build: false}}",
            "fail-build is false",
        ),
        ("{uses: anchore/scan-action@v3, with: {image: a}}", None),
        ("{uses: hadolint/hadolint-action@v3, with: {no-fail: true}}", "no-fail"),
        (
            "{uses: hadolint/hadolint-action@v3, with: {failure-threshold: none}}",
            "its threshold is none",
        ),
        ("{uses: bridgecrewio/checkov-action@v12, with: {soft_fail: true}}", "soft_fail"),
        ("{uses: docker/scout-action@v1, with: {command: cves}}", "exit-code is false"),
    ],
)
def test_what_stops_the_build(tmp_path: Path, step: str, why: str | None) -> None:
    (found,) = tools(read(tmp_path, f"{HEAD}      - {step}\n"))
    assert found[2:] == (why is None, why)


def test_code_and_text_of_strangers(tmp_path: Path) -> None:
    text = (
        "on: pull_request_target\njobs:\n  a:\n    steps:\n"
        "      - uses: actions/checkout@v4\n"
        "        with: {ref: '${{ github.event.pull_request.head.sha }}'}\n"
        "      - uses: actions/checkout@v4\n"
        "      - run: echo '${{ github.event.pull_request.title }}'\n"
        "      - run: echo '${{ github.sha }}'\n"
    )
    found = steps(read(tmp_path, text))
    assert [row["foreign_code"] for row in found] == [True, False, False, False]
    assert [row["injectable"] for row in found] == [False, False, True, False]


def test_a_credential_in_a_workflow_is_a_name(tmp_path: Path) -> None:
    text = f"{HEAD}      - {{run: ls, env: {{API_TOKEN: made-up-9, OK_TOKEN: '${{{{ secrets.A }}}}'}}}}\n"
    evidence = read(tmp_path, text)
    assert steps(evidence)[0]["credentials"] == ["API_TOKEN"]
    assert "made-up-9" not in str(evidence["records"].to_dict())


def test_what_an_expression_gives_is_no_credential_in_the_file(tmp_path: Path) -> None:
    text = f"{HEAD}      - {{run: ls, env: {{API_KEY: 'Bearer ${{{{ secrets.A }}}}'}}}}\n"
    assert len(read(tmp_path, text)["pipeline_steps"]["credentials"][0]) == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("on: push\njobs: 1\n", "it has no jobs"),
        ("on: push\njobs:\n  a: [\n", "ci.yml:"),
        ("on: push\njobs:\n  a: 7\n", "job a: it is no mapping"),
        (f"{HEAD}      - uses: [1]\n", "Expected"),
        (f"{HEAD}      - 7\n", "Expected"),
        ("on: push\njobs:\n  a:\n    steps: {}\n  b:\n    steps: x\n", "no list"),
    ],
)
def test_what_cannot_be_read_is_a_gap(tmp_path: Path, text: str, says: str) -> None:
    gaps = [gap for gap in read(tmp_path, text).gaps if gap.reason is Reason.BROKEN]
    assert len(gaps) == 1
    assert says in gaps[0].detail


def test_a_folder_of_a_repository_is_looked_into(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "ci.yml").write_text(WORKFLOW)
    (tmp_path / "pod.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n")
    evidence = collect(FileSource(tmp_path))
    assert list(evidence["pipelines"]["file"]) == [".github/workflows/ci.yml"]
    assert len(evidence["pods"]) == 1
