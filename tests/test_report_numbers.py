"""The numbers of a report are the same in its text, charts, tables, JSON, CSV and Parquet."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pypdf import PdfReader

from kaudit.dossier import audit_report
from kaudit.model.words import Layer, Severity, Status
from kaudit.show.blocks import MIME
from tests.shared import needs_shared, shared

LAYERS, SEVERITIES = [x.value for x in Layer], [x.value for x in Severity]
WAIVERS = """
waivers:
  - {id: W-1, control: KA-DEP-002, namespace: "*", name: "*", reason: r, owner: o, approver: a, expires: 2126-12-31}
"""
PODS = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, creationTimestamp: "2026-01-01T00:00:00Z"}
spec: {hostPID: true, containers: [{name: c, image: i, securityContext: {privileged: true}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec: {template: {spec: {containers: [{name: c, image: "r.example/i:v1"}, {name: d, image: j}]}}}
"""


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    """Rows of a table as CSV, after its Parquet was compared with it."""
    with (folder / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        found = list(csv.DictReader(stream))
    whole = pq.read_table(folder / "tables" / f"{name}.parquet")
    assert whole.num_rows == len(found)
    for column in whole.column_names:
        values = whole.column(column).to_pylist()
        if all(isinstance(value, int) for value in values):
            assert [str(value) for value in values] == [row[column] for row in found]
    return found


def blocks(folder: Path) -> Iterator[dict[str, Any]]:
    """All blocks of the executed notebook, in order."""
    todo = [
        output["data"][MIME]
        for cell in json.loads((folder / "audit.ipynb").read_text())["cells"]
        for output in cell.get("outputs", ())
        if MIME in output.get("data", ())
    ]
    while todo:
        block = todo.pop(0)
        todo[:0] = block.get("blocks", ())
        yield block


def one(folder: Path, kind: str, caption: str) -> dict[str, Any]:
    return next(b for b in blocks(folder) if b["block"] == kind and b.get("caption", "") == caption)


def counted(alt: str, name: str) -> dict[str, int]:
    """Numbers that the text of a chart says of one row."""
    said = re.search(rf"(?:^|[;.] ){name}: ([^;]*?)(?:;|\.$| of )", alt)
    assert said, (name, alt)
    return {
        word: int(number.replace(",", ""))
        for number, word in re.findall(r"([\d,]+) ([a-z ]+?)(?=,|$)", said[1])
    }


def check(folder: Path) -> None:
    """Compare every place where a report says a total."""
    told = json.loads((folder / "tables" / "results.json").read_text())
    results = told["results"]
    status = Counter(r["status"] for r in results)
    unsure = status["not_assessed"] + status["error"]
    fails = [r for r in results if r["status"] == "fail"]
    waived = sum(bool(r["waiver"]) for r in fails)

    findings, controls = rows(folder, "findings"), rows(folder, "controls")
    assert Counter(r["fingerprint"] for r in fails) == Counter(f["fingerprint"] for f in findings)
    assert sum(bool(f["waiver"]) for f in findings) == waived
    assert len(rows(folder, "not_assessed")) == unsure + status["manual"]
    assert len(controls) == len(told["controls"])
    by_control = {c["control"]: c for c in controls}
    for name in (s.value for s in Status):
        of = Counter(r["control"] for r in results if r["status"] == name)
        assert {c: int(row[name]) for c, row in by_control.items()} == {
            c: of[c] for c in by_control
        }

    numbers = {n["label"]: n for n in one(folder, "numbers", "Results in numbers")["items"]}
    critical = sum(r["severity"] == "critical" and not r["waiver"] for r in fails)
    shown = [numbers[x]["value"] for x in ("findings", "critical", "passed", "not assessed")]
    assert shown == [len(fails), critical, status["pass"], unsure]
    assert numbers["findings"].get("note") == f"{waived:,} under a waiver"

    by_layer = Counter((r["layer"], r["status"]) for r in results)
    severe = Counter((r["layer"], r["severity"]) for r in fails)
    conclusions = {
        v["name"]: dict(v["facts"])
        for v in one(folder, "verdicts", "Conclusions by layer")["items"]
    }
    table = {row["layer"]: row for row in rows(folder, "layers")}
    bars = one(folder, "figure", "Results by layer and status")["alt"]
    heat = one(folder, "figure", "Findings by layer and severity")["alt"]
    for layer in LAYERS:
        own = [c for c in controls if c["layer"] == layer]
        failing, open_ = by_layer[layer, "fail"], by_layer[layer, "not_assessed"]
        said = conclusions[layer]
        assert [said["controls"], said["findings"], said["not assessed"]] == [
            len(own),
            failing,
            open_,
        ]
        assert [int(table[layer][x]) for x in ("controls", "findings", "not_assessed")] == [
            len(own),
            failing,
            open_,
        ]
        expected = {
            s.replace("_", " "): by_layer[layer, s] for s in ("fail", "pass", "not_assessed")
        }
        assert counted(bars, layer) == {s: n for s, n in expected.items() if n}
        assert counted(heat, layer) == {s: severe[layer, s] for s in SEVERITIES if severe[layer, s]}
        listed = one(folder, "table", f"Controls of the {layer} layer")["rows"]
        assert sum(row[4] for row in listed) == failing
        assert sum(row[3] for row in listed) == sum(int(c["population"]) for c in own)
        assert len(listed) == sum(int(c["population"]) > 0 for c in own)

    spaces = one(folder, "table", "Findings by namespace, worst first")
    if not spaces.get("total", 0) > len(spaces["rows"]):
        assert sum(row[-1] for row in spaces["rows"]) == len(fails)
    for block in blocks(folder):
        if block["block"] == "finding":
            row = by_control[block["control"]]
            assert {s: int(row[s]) for s in block["counts"]} == block["counts"]
            assert block["observed"].get("total", 0) == int(row["fail"])

    chains = {n["label"]: n["value"] for n in one(folder, "numbers", "Chains of risk")["items"]}
    states = Counter(r["state"] for r in rows(folder, "risks"))
    assert [chains["proven"], chains["possible"]] == [states["holds"], states["unknown"]]
    requirements = Counter((r["framework"], r["verdict"]) for r in rows(folder, "requirements"))
    tested = sum(n for (f, v), n in requirements.items() if f == "pss" and v != "untested")
    known = one(folder, "table", "Pod Security Standards: requirements that controls test")
    assert len(known["rows"]) == tested

    page = " ".join(re.sub(r"<[^>]+>", " ", (folder / "audit.html").read_text()).split())
    paper = " ".join(
        " ".join(p.extract_text() for p in PdfReader(folder / "audit.pdf").pages[:4]).split()
    )
    for text in (page, paper):
        for number in (len(fails), status["pass"], unsure):
            assert f"{number:,}" in text
        for layer in LAYERS:
            assert table[layer]["operation"] in text


def test_with_waivers(tmp_path: Path) -> None:
    (tmp_path / "pods.yaml").write_text(PODS)
    (tmp_path / "waivers.yaml").write_text(WAIVERS)
    out = tmp_path / "out"
    audit_report([str(tmp_path / "pods.yaml")], out, waivers=tmp_path / "waivers.yaml")
    check(out)
    assert any(f["waiver"] for f in rows(out, "findings"))


@needs_shared
def test_of_a_real_application(tmp_path: Path) -> None:
    audit_report([str(shared("apps", "online-boutique"))], tmp_path / "out")
    check(tmp_path / "out")
