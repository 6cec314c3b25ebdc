"""A report is performed again: what was changed is named, and nothing of it is executed."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kaudit.anew import State
from kaudit.dossier import audit_report
from kaudit.errors import EvidenceError, InputError, KauditError
from kaudit.parameters import Parameters
from kaudit.rerun import rerun
from tests.test_cli import POD, run
from tests.test_schemas import check

WAIVERS = "waivers: [{id: W1, control: KA-BLD-008, reason: r, owner: o, approver: a, expires: 2099-01-01}]"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    (folder / "pod.yaml").write_text(POD)
    (folder / "waivers.yaml").write_text(WAIVERS)
    audit_report(
        [str(folder / "pod.yaml")],
        folder / "report",
        notebook="build",
        waivers=folder / "waivers.yaml",
        parameters=Parameters(allowed_registries=("r.example",), image_max_age_days=7),
        title="<b>Mine</b>",
        pdf=False,
    )
    return folder / "report"


@pytest.fixture
def report(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "report")
    return tmp_path / "report"


def sealed_anew(report: Path, **changes: Any) -> None:
    """Give the mark the hashes of the files as they are: whoever forges a report can."""
    path = report / "report.json"
    mark = json.loads(path.read_text())
    for name in mark["files"]:
        mark["files"][name] = hashlib.sha256((report / name).read_bytes()).hexdigest()
    path.write_text(json.dumps(mark | changes))


def states(report: Path) -> dict[str, tuple[State, int]]:
    found = rerun(report)
    assert found.identical is False
    return {file.name: (file.state, file.line) for file in found.files if file.state != State.SAME}


def test_it_is_made_again_wherever_it_lies(report: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in report.rglob("*")}
    found = rerun(report, out=tmp_path / "again")
    assert (found.notebook, found.identical) == ("build.ipynb", True)
    assert {"build.html", "build.ipynb", "evidence.kaudit", "tables/findings.csv"} <= {
        file.name for file in found.files
    }
    assert {file.state for file in found.files} == {State.SAME}
    for file in found.files:
        if file.name.startswith("evidence.kaudit/tables/"):
            continue
        content = (tmp_path / "again" / file.name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file.sha256
    assert {path: path.stat().st_mtime_ns for path in report.rglob("*")} == before


def test_what_was_changed_is_named(report: Path) -> None:
    findings = report / "tables" / "findings.csv"
    findings.write_bytes(findings.read_bytes().replace(b"KA-BLD-007", b"KA-BLD-001", 1))
    (report / "tables" / "layers.csv").unlink()
    (report / "note.txt").write_text("seen")
    at = 1 + next(
        number
        for number, line in enumerate(findings.read_bytes().splitlines())
        if line.startswith(b"KA-BLD-001")
    )
    assert states(report) == {
        "note.txt": (State.FOREIGN, 0),
        "tables/findings.csv": (State.ALTERED, at),
        "tables/layers.csv": (State.MISSING, 0),
    }


def test_a_forged_report_is_told_and_not_executed(report: Path, tmp_path: Path) -> None:
    notebook = report / "build.ipynb"
    document = json.loads(notebook.read_text())
    for cell in document["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = f"open({str(tmp_path / 'executed')!r}, 'w')"
    notebook.write_text(json.dumps(document))
    page = report / "build.html"
    page.write_text(page.read_text().replace("fail", "pass"))
    sealed_anew(report)
    found = states(report)
    assert {name: state for name, (state, _) in found.items()} == {
        "build.html": State.DIFFERENT,
        "build.ipynb": State.DIFFERENT,
    }
    assert found["build.ipynb"][1] == 1
    assert not (tmp_path / "executed").exists()


def metadata(**given: Any) -> Callable[[Path], None]:
    def change(report: Path) -> None:
        notebook = report / "build.ipynb"
        document = json.loads(notebook.read_text())
        document["metadata"]["papermill"] = {"parameters": given}
        notebook.write_text(json.dumps(document))

    return change


def replaced(name: str, content: str) -> Callable[[Path], None]:
    def change(report: Path) -> None:
        (report / name).write_text(content)

    return change


def by(notebook: Any) -> Callable[[Path], None]:
    return lambda report: sealed_anew(report, notebook=notebook)


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        (lambda report: (report / "report.json").unlink(), InputError, "it is no report"),
        (replaced("report.json", "{"), InputError, "it is no report"),
        (by("mine.ipynb"), InputError, "made by no notebook of kaudit"),
        (by("../../build.ipynb"), InputError, "made by no notebook of kaudit"),
        (by(["build.ipynb"]), InputError, "made by no notebook of kaudit"),
        (replaced("waivers.yaml", "waivers: []"), EvidenceError, "waivers.yaml is not what"),
        (replaced("evidence.kaudit", "x"), EvidenceError, "evidence.kaudit is not what"),
        (
            lambda report: (report / "evidence.kaudit").unlink(),
            EvidenceError,
            "evidence.kaudit is not what",
        ),
        (replaced("report.json", "[" * 9_999), InputError, "it is no report"),
        (replaced("build.ipynb", "[" * 9_999), InputError, "cannot be read as a notebook"),
        (metadata(title=["x"]), InputError, "its parameters cannot be read"),
        (metadata(frameworks="pss"), InputError, "its parameters cannot be read"),
        (metadata(frameworks=[{"a": 1}]), InputError, "no framework has the id"),
        (metadata(decisions={"image_max_age_days": "x"}), InputError, "does not fit"),
        (metadata(decisions={"nobodys": 1}), InputError, "there is no parameter"),
    ],
)
def test_what_cannot_be_made_again(
    report: Path, change: Callable[[Path], None], kind: type[KauditError], said: str
) -> None:
    change(report)
    with pytest.raises(kind, match=said):
        rerun(report)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("title", {"title": "Mine"}),
        ("decisions", {"parameters": Parameters(image_max_age_days=7)}),
        ("frameworks", {"frameworks": ("pss",)}),
        ("waivers", {"waivers": Path("waivers.yaml")}),
    ],
)
def test_what_a_notebook_does_not_take_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, given: dict[str, Any]
) -> None:
    """Tables would be judged by it, and neither the notebook nor who performs it again."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "waivers.yaml").write_text(WAIVERS)
    (tmp_path / "pod.yaml").write_text(POD)
    with pytest.raises(InputError, match=f"the notebook has no parameter '{name}'"):
        audit_report(["pod.yaml"], tmp_path / "out", notebook="explore", **given)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["", "again"])
def test_it_is_not_written_into_the_report(report: Path, place: str) -> None:
    with pytest.raises(InputError, match="would change the report"):
        rerun(report, out=report / place)


def test_evidence_that_is_sealed_wrongly_is_refused(report: Path) -> None:
    evidence = report / "evidence.kaudit"
    content = bytearray(evidence.read_bytes())
    content[len(content) // 2] ^= 1
    evidence.write_bytes(content)
    sealed_anew(report)
    with pytest.raises(EvidenceError):
        rerun(report)


def test_the_command(report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run("rerun", "report")
    assert (code, out) == (0, "")
    assert err.startswith("the report is reproduced by kaudit ")
    (report / "tables" / "layers.csv").unlink()
    (report / "\x1b[2J=1").write_text("")
    code, out, err = run("rerun", "report", "--format", "json", "--quiet", "--out", "again")
    assert (code, err) == (1, "")
    check("rerun", json.loads(out))
    assert (tmp_path / "again" / "report.json").is_file()
    code, out, err = run("rerun", "report")
    assert code == 1
    assert [line.split()[:2] for line in out.splitlines() if line.startswith((" t", " \\"))] == [
        ["\\u{1b}[2J=1", "foreign"],
        ["tables/layers.csv", "missing"],
    ]
    assert "the report is NOT reproduced" in err
    assert run("rerun", "pod.yaml")[0] == 2
