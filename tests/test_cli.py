"""The command line: one clear sentence, the right exit code, nothing half-written."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kaudit.cli import app
from kaudit.collect import collect
from kaudit.errors import InputError
from tests.memory_source import MemorySource

POD = """
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop}
spec: {containers: [{name: c, image: nginx, securityContext: {privileged: true}}]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pod.yaml").write_text(POD)
    return tmp_path


FAULTY = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: 3}}\n"


def run(*arguments: str, text: str | None = None) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(arguments), input=text)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["assess", "missing"], "missing: there is no such file or folder"),
        (["assess", "empty"], "holds no YAML or JSON file"),
        (["assess", "broken.yaml"], "broken.yaml: line 2"),
        (["assess", "cut.json"], "cut.json"),
        (["assess", "bomb.yaml"], "aliases expand"),
        (["assess", "notes.yaml"], "holds no Kubernetes object"),
        (["assess", "faulty"], "nothing could be read: Pod p: document 1 of a.yaml: "),
        (["pss", "faulty"], "; and 1 more fault"),
        (["collect", "faulty/a.yaml", "-o", "e.kaudit"], "document 1 of a.yaml: Expected `array"),
        (["collect", "--trivy", "cut.json", "-o", "e"], "Trivy output cut.json: is no output of"),
        (["assess", "pod.yaml", "--fail-on", "worst"], "'worst' is no severity"),
        (["assess", "pod.yaml", "--format", "xml"], "'xml' is no format"),
        (["assess", "pod.yaml", "--framework", "cis"], "cis-kubernetes"),
        (["assess", "pod.yaml", "-P", "colour=red"], "no parameter 'colour'"),
        (["assess", "pod.yaml", "--waivers", "none.yaml"], "none.yaml: cannot be read"),
        (["assess", "pod.yaml", "--control", "KA-DEP-999"], "no control has the id KA-DEP-999"),
        (["pss", "pod.yaml", "--level", "strict"], "'strict' is no level"),
        (["pss", "pod.yaml", "--version", "2.0"], "'2.0' is no version"),
        (["controls", "KA-XXX-000"], "no control has the id"),
        (["frameworks", "cisco"], "cisco"),
        (["tables", "pod.yaml", "podz"], "there is no table 'podz'"),
        (["verify", "nowhere.kaudit"], "nowhere.kaudit"),
        (["collect", "pod.yaml", "-o", "pod.yaml"], "there is something already"),
        (["collect", "pod.yaml", "-o", "no/such/bundle"], "does not exist"),
        (["assess", ""], "a source has no name"),
        (["assess", "a" * 5000], "File name too long"),
        (["verify", "a" * 300], "File name too long"),
        (["assess", "pod.yaml", "-f", "json", "-o", "a" * 300], "File name too long"),
    ],
)
def test_bad_input_is_one_sentence(folder: Path, arguments: list[str], said: str) -> None:
    (folder / "empty").mkdir()
    (folder / "broken.yaml").write_text("kind: Pod\n  bad: [indent\n")
    (folder / "cut.json").write_text('{"apiVersion": "v1", "kind": "Pod", "metadata": {')
    bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    bomb += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    (folder / "bomb.yaml").write_text("\n".join(bomb))
    (folder / "notes.yaml").write_text("just: notes\n")
    (folder / "faulty").mkdir()
    for name in "ab":
        (folder / f"faulty/{name}.yaml").write_text(FAULTY)
    before = sorted(os.listdir(folder))
    code, out, err = run(*arguments)
    assert code == 2
    assert said in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1
    assert out == ""
    assert sorted(os.listdir(folder)) == before


def test_what_could_not_be_read_is_told_by_every_command(folder: Path) -> None:
    (folder / "faulty.yaml").write_text(FAULTY)
    for arguments in (["assess"], ["pss"], ["connections"], ["risks"], ["tables"]):
        code, _, err = run(*arguments, ".")
        assert (code, err.count("gap: ")) == (0, 1), arguments
        assert "gap: Pod p: broken (document 1 of faulty.yaml: Expected `array" in err
        assert "gap: " not in run(*arguments, ".", "--quiet")[2]


def test_a_pod_that_could_not_be_read_is_not_let_through(folder: Path) -> None:
    assert run("pss", ".", "--level", "privileged", "--fail")[0] == 0
    (folder / "faulty.yaml").write_text(FAULTY)
    assert run("pss", ".", "--level", "privileged", "--fail")[0] == 3
    assert run("pss", ".", "--level", "restricted", "--fail")[0] == 1
    (folder / "faulty.yaml").write_text("{apiVersion: v1, kind: Service, spec: 3}")
    assert run("pss", ".", "--level", "privileged", "--fail")[0] == 0


def test_a_cluster_or_an_unknown_kind_is_evidence_though_all_else_is_broken(folder: Path) -> None:
    broken = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": 3}
    unknown = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}}
    for held, live in (([broken, unknown], False), ([broken], True)):
        found = collect(MemorySource(*held, live=live), strict=True)
        assert "Pod p" in [gap.what for gap in found.gaps if gap.failed]
    with pytest.raises(InputError, match="nothing could be read"):
        collect(MemorySource(broken), strict=True)


def test_of_many_gaps_some_are_told(folder: Path) -> None:
    (folder / "faulty.yaml").write_text("---\n".join([FAULTY] * 9))
    err = run("pss", ".")[2].splitlines()
    assert len(err) == 6
    assert err[-1] == "gap: 4 more; kaudit tables . --gaps lists all"


def test_exit_codes(folder: Path) -> None:
    assert run("assess", "pod.yaml")[0] == 0
    assert run("assess", "pod.yaml", "--fail-on", "critical")[0] == 1
    assert run("assess", "pod.yaml", "--fail-on", "critical", "--control", "KA-DEP-002")[0] == 0
    assert run("assess", "pod.yaml", "--require-complete")[0] == 3
    assert run("assess", "pod.yaml", "--require-complete", "--control", "KA-DEP-001")[0] == 0
    assert run("pss", "pod.yaml", "--level", "baseline", "--fail")[0] == 1


def test_json_is_only_json(folder: Path) -> None:
    code, out, _ = run("assess", "pod.yaml", "--format", "json")
    found = json.loads(out)
    assert code == 0
    assert found["schema"] == "kaudit/results/v1"
    failed = {r["control"] for r in found["results"] if r["status"] == "fail"}
    assert {"KA-DEP-001", "KA-BLD-007"} <= failed
    result = next(r for r in found["results"] if r["control"] == "KA-DEP-001")
    assert (result["kind"], result["namespace"], result["name"], result["container"]) == (
        "Pod",
        "shop",
        "p",
        "c",
    )
    assert {c["id"] for c in found["controls"]} == {r["control"] for r in found["results"]}


def test_pss_contract(folder: Path) -> None:
    found = json.loads(run("pss", "pod.yaml", "--level", "baseline", "--format", "json")[1])
    assert found == [
        {
            "kind": "Pod",
            "namespace": "shop",
            "name": "p",
            "level": "baseline",
            "version": "latest",
            "allowed": False,
            "violations": [
                {"check": "privileged", "message": found[0]["violations"][0]["message"]}
            ],
        }
    ]


def test_bundles_and_a_flipped_byte(folder: Path) -> None:
    assert run("collect", "pod.yaml", "-o", "bundle")[0] == 0
    code, out, _ = run("verify", "bundle")
    assert code == 0
    assert "match their hashes" in out
    path = folder / "bundle/tables/pods.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    code, _, err = run("verify", "bundle")
    assert code == 2
    assert "tables/pods.parquet differs from its SHA-256" in err


def test_a_waived_failure_stays_a_failure(folder: Path) -> None:
    (folder / "w.yaml").write_text(
        "waivers: [{id: W1, control: KA-DEP-001, reason: r, owner: o, approver: a, expires: 2030-01-01}]"
    )
    options = ["--control", "KA-DEP-001", "--as-of", "2026-01-01", "--waivers", "w.yaml"]
    code, out, _ = run("assess", "pod.yaml", *options, "--format", "json", "--fail-on", "low")
    result = json.loads(out)["results"][0]
    assert (code, result["status"], result["waiver"]) == (0, "fail", "W1")
    late = ["--control", "KA-DEP-001", "--as-of", "2031-01-01", "--waivers", "w.yaml"]
    assert run("assess", "pod.yaml", *late, "--fail-on", "low")[0] == 1


def test_control_sequences_do_not_reach_the_terminal(folder: Path) -> None:
    hostile = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p\x1b[31m\u202eevil"},
        "spec": {"containers": [{"name": "c", "image": "=cmd|'/c calc'!A1"}]},
    }
    (folder / "h.json").write_text(json.dumps(hostile))
    for arguments in (
        ["assess", "h.json", "--format", "csv"],
        ["tables", "h.json", "containers"],
        ["pss", "h.json"],
        ["tables", "h.json", "containers", "--format", "csv"],
    ):
        code, out, _ = run(*arguments)
        assert code == 0
        assert "\x1b[31m" not in out
        assert "\u202e" not in out
        assert ",=cmd" not in out
