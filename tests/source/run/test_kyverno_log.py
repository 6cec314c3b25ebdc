"""What kyverno logs of what it passes over is read, whatever it is put around it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kaudit.cli import app
from kaudit.source.run.kyverno_log import missed, sieved, words
from kaudit.source.run.program import Ended
from tests.source.run.test_policies import POD, POLICY, engines, kyverno, stand_in

__all__ = ["engines"]
PLACE = "2026-11-27T01:52:12Z"
UNKNOWN = "failed to parse document (spec.a: Invalid value: value provided for unknown field)"


def skipped(path: Path) -> str:
    return (
        f"\x1b[90m{PLACE}\x1b[0m -2 command.go:1172 > skipping invalid YAML file "
        f'error="failed to load file {path}: {UNKNOWN}" logger=kubectl-kyverno path={path} v=3\n'
    )


def not_loaded(why: str) -> str:
    return (
        f"{PLACE} ERR command.go:1168 > Non-fatal parsing error for single document "
        f'error="{why}" logger=kubectl-kyverno\n'
    )


class Kyverno:
    """Stands in for runs: says of each file what a test says of its policy."""

    def __init__(self, folder: Path, *, says: dict[str, str], together: str = "") -> None:
        self.out, self.says, self.together, self.runs = folder / "out", says, together, 0

    def run(self, arguments: list[str | Path]) -> Ended:
        self.runs += 1
        files = [Path(word) for word in arguments[arguments.index("--") + 1 :]]
        said = "".join(self.of(path) for path in files)
        rules = sum(not self.of(path) for path in files)
        self.out.write_text(f"\nApplying {rules} policy rule(s) to 1 resource(s)...\n")
        return Ended(0, self.out, said)

    def of(self, path: Path) -> str:
        name = json.loads(path.read_text())["metadata"]["name"]
        return self.says.get(name, "").replace("PATH", str(path))


def policies(folder: Path, *names: str) -> Path:
    path = folder / "policies.yaml"
    lines = [json.dumps({"kind": "ClusterPolicy", "metadata": {"name": name}}) for name in names]
    path.write_text("".join(f"---\n{line}\n" for line in lines))
    return path


def left(path: Path) -> Iterator[str]:
    for line in path.read_text().splitlines():
        if line != "---":
            yield json.loads(line)["metadata"]["name"]


def test_a_file_that_is_skipped_is_told_with_its_policy(tmp_path: Path) -> None:
    path = policies(tmp_path, "a", "b", "c")
    found = sieved(path, Kyverno(tmp_path, says={"b": skipped(Path("PATH"))}).run)
    assert found == [f"ClusterPolicy b was not evaluated: {UNKNOWN}"]
    assert [*left(path)] == ["a", "c"]


def test_what_does_not_compile_is_told_one_after_the_other(tmp_path: Path) -> None:
    says = {
        name: f"{PLACE} TRC failed to apply policies on resource kaudit "
        f"(failed to compile policy {name} ([spec: no]))\n"
        for name in ("a", "c")
    }
    path = policies(tmp_path, "a", "b", "c")
    found = sieved(path, Kyverno(tmp_path, says=says).run)
    assert [text.split()[1] for text in found] == ["a", "c"]
    assert [*left(path)] == ["b"]


def test_what_is_not_loaded_without_a_name_is_found_by_trying_each(tmp_path: Path) -> None:
    path = policies(tmp_path, "a", "b", "c")
    run = Kyverno(tmp_path, says={"c": not_loaded("no such version")})
    assert sieved(path, run.run) == ["ClusterPolicy c was not evaluated: no such version"]
    assert ([*left(path)], run.runs) == (["a", "b"], 4)


def test_where_all_are_loaded_nothing_is_changed(tmp_path: Path) -> None:
    path = policies(tmp_path, "a")
    before = path.read_bytes()
    run = Kyverno(tmp_path, says={})
    assert (sieved(path, run.run), path.read_bytes(), run.runs) == ([], before, 1)


def test_objects_without_any_policy_are_told_once_a_reason() -> None:
    line = f"{PLACE} TRC failed to apply policies on resource %s (no such %s)\n"
    said = "".join(line % (name, "kind") for name in "abcd") + line % ("e", "group")
    assert missed(said) == [
        "no policy was applied to e: no such group",
        "no policy was applied to a, b, c and 1 more: no such kind",
    ]


def test_words_are_what_is_left_without_chatter() -> None:
    assert words(f"{PLACE} TRC a\n\x1b[90m{PLACE}\x1b[0m -2 b\nError: failed\n") == "Error: failed"


@pytest.mark.parametrize(("result", "code"), [("pass", 0), ("fail", 1), ("error", 3)])
def test_what_is_not_known_of_proposed_policies_is_no_success(
    engines: Path, tmp_path: Path, result: str, code: int
) -> None:
    spec = {"rules": POLICY["spec"]["rules"][:1]}  # type: ignore[index]
    subject = {"kind": "Pod", "namespace": "default", "name": "web", "apiVersion": "v1"}
    told = {"policy": "labels", "rule": "team", "result": result, "resources": [subject]}
    stand_in(engines, "kyverno", kyverno(told))
    (tmp_path / "policy.json").write_text(json.dumps({**POLICY, "spec": spec}))
    (tmp_path / "pod.json").write_text(json.dumps(POD))
    words = ["admission", str(tmp_path / "pod.json"), "--policies", str(tmp_path / "policy.json")]
    assert CliRunner().invoke(app, [*words, "--fail"]).exit_code == code
    assert CliRunner().invoke(app, words).exit_code == 0


def test_a_proposed_policy_that_was_passed_over_is_no_success(
    engines: Path, tmp_path: Path
) -> None:
    said = skipped(Path("PATH"))
    body = kyverno()
    stand_in(engines, "kyverno", body)
    program = engines / "kyverno"
    log = f'sys.stderr.write({said!r}.replace("PATH", sys.argv[-1]))'
    text = program.read_text().replace('"-v=3" in sys.argv:', f'"-v=3" in sys.argv:\n    {log}')
    program.write_text(text)
    (tmp_path / "policy.json").write_text(json.dumps(POLICY))
    (tmp_path / "pod.json").write_text(json.dumps(POD))
    words = ["admission", str(tmp_path / "pod.json"), "--policies", str(tmp_path / "policy.json")]
    found = CliRunner().invoke(app, [*words, "--fail"])
    assert found.exit_code == 3
    assert "unknown field" in found.stderr
