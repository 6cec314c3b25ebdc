"""Tables of evidence on the command line, in every format."""

import csv
import io
import json
from pathlib import Path

import pytest

from kaudit.console import show_frame
from kaudit.dossier import demo_evidence
from kaudit.evidence.bundle import Evidence
from tests.test_cli import run

POD = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "evidence.kaudit"
    demo_evidence(path)
    return path


def test_every_table_and_view_is_the_same_rows_as_json_and_csv(
    demo: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    evidence = Evidence.open(demo)
    for name in evidence:
        frame = evidence.table(name)
        show_frame(frame, format="json")
        rows = json.loads(capfdbinary.readouterr().out)
        show_frame(frame, format="csv")
        text = capfdbinary.readouterr().out.decode()
        head, *lines = csv.reader(io.StringIO(text, newline=""))
        assert head == list(frame.columns), name
        assert len(rows) == len(lines) == len(frame), name
        assert all(list(row) == head for row in rows), name


def test_a_table_is_cut_and_says_so(demo: Path) -> None:
    code, out, err = run("tables", str(demo), "service_accounts", "--limit", "3")
    assert code == 0
    assert out.splitlines()[0].startswith("service_accounts: ")
    total = int(out.splitlines()[0].split()[1])
    assert err == f"{total - 3} more rows; --limit 0 prints all\n"
    code, out, err = run("tables", str(demo), "service_accounts", "--limit", "0")
    assert err == ""
    *_, err = run("tables", str(demo), "network_policies")
    assert err.startswith("gap: NetworkPolicy legacy/allow-partners: broken (item 5 of document 1 ")
    assert run("tables", str(demo), "network_policies", "--quiet")[2] == ""


@pytest.mark.parametrize("words", [("network_policies",), ("policy_effects",), ()])
def test_what_is_kept_of_a_table_holds_what_could_not_be_read(
    demo: Path, words: tuple[str, ...]
) -> None:
    rows = json.loads(run("tables", str(demo), *words, "-f", "json", "-q")[1])
    (policy,) = (row for row in rows if "legacy/allow-partners: broken" in (row["gap"] or ""))
    assert {value for name, value in policy.items() if name != "gap"} == {None}
    assert {row["gap"] for row in rows[: -len(rows) // 2]} == {None}
    lines = [*csv.reader(io.StringIO(run("tables", str(demo), *words, "-f", "csv", "-q")[1]))]
    assert lines[0][-1] == "gap"
    assert [line[-1] or None for line in lines[1:]] == [row["gap"] for row in rows]
    clean = json.loads(run("tables", str(demo), "service_accounts", "-f", "json", "-q")[1])
    assert not any("gap" in row for row in clean)


def test_gaps_are_listed_with_their_scope(demo: Path) -> None:
    rows = json.loads(run("tables", str(demo), "--gaps", "--format", "json")[1])
    broken = [row for row in rows if row["reason"] == "broken"]
    assert [(r["namespace"], r["name"], r["tables"]) for r in broken] == [
        ("legacy", "allow-partners", broken[0]["tables"])
    ]
    assert "network_policies" in broken[0]["tables"]


def test_the_dictionary_of_one_table(demo: Path) -> None:
    rows = json.loads(run("tables", str(demo), "pods", "--dictionary", "-f", "json")[1])
    assert {row["table"] for row in rows} == {"pods"}
    assert {"namespace", "pod", "raw", "raw_line"} <= {row["column"] for row in rows}


def test_collect_says_what_it_wrote_and_what_it_could_not_read(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(
        "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: 3}}\n---\n"
        "{apiVersion: v1, kind: Namespace, metadata: {name: n}}\n"
    )
    out = str(tmp_path / "e.kaudit")
    code, said, err = run("collect", str(tmp_path / "m.yaml"), "-o", out)
    assert (code, said) == (0, "")
    head, seal, gap = err.splitlines()
    assert seal == f"seal {Evidence.open(out).seal}"
    assert head.startswith(f"{out}: 1 object, 1 failed read, evidence id ")
    assert gap.startswith("gap: Pod p: broken (document 1 of m.yaml: ")
    assert run("collect", str(tmp_path / "m.yaml"), "-o", out + "2", "--quiet") == (0, "", "")


def test_only_the_kinds_that_are_asked_for_are_read_and_the_rest_is_a_gap(tmp_path: Path) -> None:
    source, out = tmp_path / "all.yaml", tmp_path / "e.kaudit"
    source.write_text(
        "{apiVersion: v1, kind: Namespace, metadata: {name: n}}\n---\n"
        "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {}}\n"
    )
    code, _, err = run("collect", str(source), "--kinds", "namespaces, pods", "-o", str(out))
    assert (code, "gap: " in err) == (0, True)
    evidence = Evidence.open(out)
    assert (len(evidence["namespaces"]), len(evidence["services"])) == (1, 0)
    (gap,) = (gap for gap in evidence.gaps if "services" in gap.tables)
    assert (gap.reason, gap.failed) == ("not_collected", True)


@pytest.mark.parametrize("command", ["collect . -o e", "rbac"])
def test_a_kind_that_nothing_reads(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "n.yaml").write_text("{apiVersion: v1, kind: Namespace, metadata: {name: n}}")
    code, out, err = run(*command.split(), "--kinds", "podz")
    assert (code, out) == (2, "")
    assert err == "kaudit: no collector reads 'podz' (did you mean pods?)\n"
    assert [path.name for path in tmp_path.iterdir()] == ["n.yaml"]


def test_a_bundle_is_held_against_the_seal_that_was_kept(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(POD)
    out = tmp_path / "e"
    run("collect", str(tmp_path / "m.yaml"), "-o", str(out), "--quiet")
    found = Evidence.open(out)
    code, said, _ = run("verify", str(out), "--seal", found.seal.upper())
    assert code == 0
    assert said.splitlines() == [
        f"{out}: {len(found.manifest.raw) + len(found.manifest.tables)} files match their hashes; "
        f"evidence id {found.id}",
        f"seal {found.seal}",
    ]
    assert run("verify", str(out), "--seal", found.id)[0] == 0
    code, said, err = run("verify", str(out), "--seal", "0" * 64)
    assert (code, said) == (2, "")
    assert "neither its seal nor its id is 000" in err


def test_a_bundle_of_an_older_version_says_what_it_does_not_tell(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(POD)
    out = tmp_path / "e"
    run("collect", str(tmp_path / "m.yaml"), "-o", str(out), "--quiet")
    manifest = json.loads((out / "evidence.json").read_text())
    seal = manifest.pop("seal")
    (out / "evidence.json").write_text(json.dumps(manifest | {"label": "another"}))
    code, said, _ = run("verify", str(out))
    assert code == 0
    assert said.splitlines()[1].startswith("no seal: an older kaudit wrote it")
    assert run("verify", str(out), "--seal", seal)[0] == 2
