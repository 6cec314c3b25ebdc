"""A report is whole, the same in every run, and its numbers agree wherever they stand."""

import base64
import csv
import hashlib
import html
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
import pyarrow.parquet as pq
import pytest
from pypdf import PdfReader

from kaudit.dossier import audit_report, demo_report
from kaudit.errors import InputError, ReportError
from kaudit.report import find_notebook, render

POD = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "report"
    demo_report(out)
    return out


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_folder_is_whole_and_every_file_has_its_hash(demo: Path) -> None:
    mark = json.loads((demo / "report.json").read_text())
    found = hashes(demo)
    del found["report.json"]
    assert mark["files"] == found
    assert {
        "audit.html",
        "audit.ipynb",
        "audit.pdf",
        "evidence.kaudit",
        "waivers.yaml",
    } <= found.keys()
    assert [p for p in demo.parent.iterdir() if p != demo] == []


def test_another_place_time_and_language_give_the_same_bytes(demo: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "TZ": "Asia/Kathmandu",
        "LC_ALL": "C",
        "PYTHONHASHSEED": "7",
        "HOME": str(tmp_path),
        "COLUMNS": "40",
    }
    out = tmp_path / "elsewhere" / "again"
    subprocess.run(
        [sys.executable, "-m", "kaudit", "demo", "--quiet", "--out", str(out)],
        check=True,
        env=environment,
        cwd=tmp_path,
        umask=0o077,
    )
    assert hashes(out) == hashes(demo)


def test_numbers_agree(demo: Path) -> None:
    results = json.loads((demo / "tables" / "results.json").read_text())
    by_status = Counter(r["status"] for r in results["results"])
    controls = rows(demo / "tables" / "controls.csv")
    findings = rows(demo / "tables" / "findings.csv")
    layers = rows(demo / "tables" / "layers.csv")
    for status in ("pass", "fail", "not_assessed"):
        assert sum(int(c[status]) for c in controls) == by_status[status]
    assert len(findings) == by_status["fail"]
    assert len(rows(demo / "tables" / "not_assessed.csv")) == by_status["not_assessed"]
    assert sum(int(layer["findings"]) for layer in layers) == by_status["fail"]
    waived = [f for f in findings if f["waiver"]]
    assert sum(int(c["waived"]) for c in controls) == len(waived) == 10
    for name in ("findings", "controls", "layers", "gaps", "requirements"):
        table = pq.read_table(demo / "tables" / f"{name}.parquet")
        assert table.num_rows == len(rows(demo / "tables" / f"{name}.csv"))
    page = re.sub(r"<[^>]+>", " ", (demo / "audit.html").read_text())
    text = " ".join(
        " ".join(p.extract_text() for p in PdfReader(demo / "audit.pdf").pages[:4]).split()
    )
    for shown in (" ".join(page.split()), text):
        assert f"{by_status['fail']:,}" in shown
        assert f"{len(waived)} under a waiver" in shown
        assert f"{by_status['pass']:,}" in shown
        assert "2 reads failed" in shown
        for layer in layers:
            assert layer["operation"] in shown


def test_every_finding_leads_to_its_record(demo: Path) -> None:
    from kaudit.evidence.bundle import Evidence

    evidence = Evidence.open(demo / "evidence.kaudit")
    for finding in rows(demo / "tables" / "findings.csv"):
        if not finding["raw"]:  # nobody brought it: there is nothing to lead to
            assert (finding["control"], finding["kind"]) == ("KA-RUN-021", "Pack")
            continue
        record = evidence.record(finding["raw"], int(finding["raw_line"]))
        if finding["raw"] == "gaps":
            assert finding["control"] == "KA-RUN-021"
            assert record["what"]
            assert record["reason"]
            continue
        of_tool = "report" in record  # what a tool wrote names its report instead
        assert record["report"] if of_tool else record["metadata"]["name"]
        assert re.fullmatch(
            "[0-9a-f]{64}", evidence.origin(finding["raw"], int(finding["raw_line"]))["sha256"]
        )


def test_the_pdf_is_tagged_and_complete(demo: Path) -> None:
    reader = PdfReader(demo / "audit.pdf")
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"]
    assert reader.metadata is not None
    assert reader.metadata.title == "Northwind Parcel: Kubernetes security audit"
    pages = [page.extract_text() for page in reader.pages]
    assert [n for n, text in enumerate(pages, 1) if len(text.strip()) < 60] == []
    text = "".join("".join(pages).split())
    for control in rows(demo / "tables" / "controls.csv"):
        assert control["control"] in text
    assert f"Page{len(pages)}of{len(pages)}" in text


def test_the_page_asks_nobody_and_its_policy_is_strict(demo: Path) -> None:
    page = html.unescape((demo / "audit.html").read_text())
    policy = re.search(r'http-equiv="Content-Security-Policy"\s+content="([^"]*)"', page)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]
    page = (demo / "audit.html").read_text()
    scripts = re.findall(r"<script(?![^>]*application/json)[^>]*>(.*?)</script>", page, re.DOTALL)
    assert scripts

    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[1]
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page.replace('href="https://', "")) == []


def test_the_notebook_keeps_its_code_and_nothing_of_time_or_place(demo: Path) -> None:
    node = nbformat.read(demo / "audit.ipynb", as_version=4)
    nbformat.validate(node)
    code = [c for c in node.cells if c.cell_type == "code"]
    assert all(c.execution_count is None for c in code)
    assert any("ka.show.summary(a)" in c.source for c in code)
    text = (demo / "audit.ipynb").read_text()
    assert str(demo) not in text
    assert "start_time" not in text


def test_the_exporters_give_the_same_bytes(demo: Path) -> None:
    from kaudit.template.exporters import AuditHTML, AuditPDF

    node = nbformat.read(demo / "audit.ipynb", as_version=4)
    assert AuditHTML().from_notebook_node(node)[0] == (demo / "audit.html").read_text()
    assert AuditPDF().from_notebook_node(node)[0] == (demo / "audit.pdf").read_bytes()


def pod(folder: Path) -> list[str]:
    path = folder / "pod.yaml"
    path.write_text(POD)
    return [str(path)]


def test_a_layer_without_evidence_says_so(tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: m}}")
    audit_report([str(tmp_path / "map.yaml")], tmp_path / "out", pdf=False)
    layers = rows(tmp_path / "out" / "tables" / "layers.csv")
    assert {layer["operation"] for layer in layers} == {"unable to conclude"}
    page = (tmp_path / "out" / "audit.html").read_text()
    assert page.count("unable to conclude") >= 10


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="no report"):
        audit_report(pod(tmp_path), out, pdf=False)
    assert [p.name for p in out.iterdir()] == ["thesis.txt"]


def notebook(folder: Path, source: str) -> Path:
    cells = [nbformat.v4.new_code_cell("x: int = 1", metadata={"tags": ["parameters"]})]
    node = nbformat.v4.new_notebook(cells=[*cells, nbformat.v4.new_code_cell(source)])
    node.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    path = folder / "own.ipynb"
    nbformat.write(node, path)
    return path


def test_a_cell_that_fails_keeps_the_older_report_and_the_notebook(tmp_path: Path) -> None:
    out = tmp_path / "out"
    render(notebook(tmp_path, "x"), {"x": 2}, out, formats=["html"])
    before = hashes(out)
    with pytest.raises(ReportError, match="ZeroDivisionError") as fault:
        render(notebook(tmp_path, "1 / 0"), {"x": 2}, out, formats=["html"])
    assert hashes(out) == before
    assert fault.value.notebook == tmp_path / "out.failed" / "failed.ipynb"
    assert fault.value.notebook.exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "out.failed", "own.ipynb"]


def test_wrong_parameters_and_notebooks_are_one_sentence(tmp_path: Path) -> None:
    own = notebook(tmp_path, "x")
    with pytest.raises(InputError, match="no parameter 'y'"):
        render(own, {"y": 1}, tmp_path / "out")
    with pytest.raises(InputError, match=r"there is no notebook 'audti'.*did you mean audit"):
        find_notebook("audti")
    (tmp_path / "bad.ipynb").write_text("{")
    with pytest.raises(InputError, match="no Jupyter notebook"):
        render(tmp_path / "bad.ipynb", {}, tmp_path / "out")
    assert not (tmp_path / "out").exists()
