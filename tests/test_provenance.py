"""The way back: finding, table row, raw record, file, hash."""

import csv
import hashlib
import io
import json
from pathlib import Path

import pytest

from kaudit.assess import assess
from kaudit.dossier import demo_evidence
from kaudit.errors import InputError
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Status
from kaudit.provenance import control_of, traced, traced_record
from tests.test_cli import run

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: good, namespace: shop}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: one, namespace: shop}, spec: {containers: [
    {name: c, image: i}, {name: d, image: "j\\e[2J", securityContext: {privileged: true}}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: broken}, spec: {containers: 3}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests/pods.yaml").write_text(PODS)
    assert run("collect", "manifests", "-o", "e.kaudit", "-q") == (0, "", "")
    return tmp_path


TOLD = "gap: Pod broken: broken"


def fingerprint(source: str, name: str, container: str = "", control: str = "KA-DEP-001") -> str:
    out = run("assess", source, "--control", control, "--format", "json", "-q")[1]
    (found,) = (
        r["fingerprint"]
        for r in json.loads(out)["results"]
        if (r["name"], r["container"]) == (name, container)
    )
    return str(found)


@pytest.mark.parametrize("source", ["e.kaudit", "manifests"])
def test_a_finding_leads_to_its_row_record_file_and_hash(folder: Path, source: str) -> None:
    print_ = fingerprint(source, "one", "d")
    code, out, err = run("trace", source, print_, "--format", "json")
    found = json.loads(out)
    assert (code, err[: len(TOLD)]) == (0, TOLD)
    (gap,) = found["gaps"]
    assert (gap["kind"], gap["name"], gap["reason"]) == ("Pod", "broken", "broken")
    assert found["finding"]["fingerprint"] == print_
    assert found["table"] == "security_context"
    (row,) = found["rows"]
    assert (row["pod"], row["container"], row["privileged"]) == ("one", "d", True)
    assert (row["raw"], row["raw_line"]) == (found["raw"], found["line"]) == ("pods", 2)
    assert found["record"]["metadata"]["name"] == "one"
    assert (found["document"], found["item"]) == (2, 1)
    content = (folder / "manifests/pods.yaml").read_bytes()
    assert (found["file"], found["sha256"]) == ("pods.yaml", hashlib.sha256(content).hexdigest())


def test_what_people_see(folder: Path) -> None:
    code, out, err = run("trace", "e.kaudit", fingerprint("e.kaudit", "one", "d"))
    assert (code, err[: len(TOLD)]) == (0, TOLD)
    titles = [line for line in out.splitlines() if line and line[0] not in ' {}"']
    assert titles == ["Finding", "Row of security_context", "Read from", "Record pods:2"]
    assert "\x1b" not in out
    (value,) = (line.split() for line in out.splitlines() if line.startswith(" privileged "))
    assert value == ["privileged", "true"]
    assert json.loads(out.partition("Record pods:2\n")[2])["kind"] == "Pod"


def test_comma_separated(folder: Path) -> None:
    out = run("trace", "e.kaudit", fingerprint("e.kaudit", "one", "d"), "-f", "csv")[1]
    head, *rows = csv.reader(io.StringIO(out))
    assert head == ["part", "what", "value"]
    assert ["Finding", "control", "KA-DEP-001"] in rows
    assert ["Row of security_context", "privileged", "true"] in rows
    (hash_,) = (value for part, what, value in rows if (part, what) == ("Read from", "sha256"))
    assert len(hash_) == 64
    (lost,) = (value for part, what, value in rows if (part, what) == ("Not read", "gap"))
    assert f"gap: {lost}".startswith(TOLD)


@pytest.mark.parametrize("text", ["pods:1", "raw/pods.jsonl.zst:1", "raw/pods.jsonl.zst, line 1"])
def test_a_record_leads_to_its_file(folder: Path, text: str) -> None:
    found = json.loads(run("trace", "e.kaudit", text, "--format", "json")[1])
    assert (found["finding"], found["table"], found["rows"]) == (None, "", [])
    assert (found["record"]["metadata"]["name"], found["document"]) == ("good", 1)
    assert [gap["name"] for gap in found["gaps"]] == ["broken"]


def test_what_was_not_read_leads_to_its_gap(folder: Path) -> None:
    evidence = Evidence.open("e.kaudit")
    line = 1 + next(n for n, gap in enumerate(evidence.gaps) if gap.name == "broken")
    found = traced_record(evidence, f"gaps:{line}")
    assert found.record is not None
    assert (found.record["reason"], found.file) == ("broken", "evidence.json")
    result = fingerprint("e.kaudit", "broken")
    told = json.loads(run("trace", "e.kaudit", result, "-f", "json")[1])
    assert (told["finding"]["status"], told["rows"], told["raw"]) == ("not_assessed", [], "")
    assert "rests on no record" in run("trace", "e.kaudit", result)[2]


def test_a_waiver_is_shown(folder: Path) -> None:
    (folder / "w.yaml").write_text(
        "waivers: [{id: W1, control: KA-DEP-001, reason: r, owner: o, approver: a, "
        "expires: 2030-01-01}]"
    )
    words = ["trace", "manifests", fingerprint("manifests", "one", "d"), "-f", "json"]
    out = run(*words, "--waivers", "w.yaml", "--as-of", "2026-01-01")[1]
    assert json.loads(out)["finding"]["waiver"] == "W1"


@pytest.mark.parametrize(
    ("finding", "said"),
    [
        ("pods:9", "there is no raw record pods:9 (it has 2)"),
        ("pod:1", "there is no raw record pod:1 (did you mean pods?)"),
        ("pods:0", "there is no raw record pods:0"),
        ("pods:999999999999999999", "there is no raw record pods:"),
        ("pods:9999999999999999999999", "names no finding"),
        ("../../etc/passwd:1", "names no finding (give"),
        ("gaps:100000", "there is no raw record gaps:"),
        ("ka-dep-001.0000000000000000", "no result has the fingerprint ka-dep-001.00"),
        ("ka-dep-999.0000000000000000", "no control has the id KA-DEP-999"),
        ("privileged", "names no finding (give a fingerprint, such as ka-dep-001."),
        ("", "names no finding"),
    ],
)
def test_what_is_wrong_is_one_sentence(folder: Path, finding: str, said: str) -> None:
    code, out, err = run("trace", "e.kaudit", finding)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert said in err


def test_what_names_no_record_is_refused(folder: Path) -> None:
    assert (control_of("pods:1"), control_of("ka-dep-001.1")) == ("", "KA-DEP-001")
    with pytest.raises(InputError, match="names no record"):
        traced_record(Evidence.open("e.kaudit"), "pods")


def test_every_failure_of_the_demo_leads_to_rows_and_a_record(tmp_path: Path) -> None:
    demo_evidence(tmp_path / "e.kaudit")
    assessment = assess(Evidence.open(tmp_path / "e.kaudit"))
    origins = {(o.name, o.sha256) for o in assessment.evidence.manifest.origins}
    failing = [id_ for id_, tally in assessment.tallies.items() if tally.fail_]
    assert len(failing) > 100
    for id_ in failing:
        first = next(assessment.results_of(id_, Status.FAIL))
        found = traced(assessment, first.fingerprint)
        assert found.finding == first
        assert len(found.rows) == first.rows > 0, id_
        row = found.rows[0]
        if not found.raw:  # what a run should have brought and did not
            assert (id_, row["state"], row["raw"]) == ("KA-RUN-021", "missing", "")
            continue
        assert (row["raw"], row["raw_line"]) == (found.raw, found.line), id_
        assert found.record, id_
        assert found.raw == "gaps" or (found.file, found.sha256) in origins, id_
