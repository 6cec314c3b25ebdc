"""The committed sample is what the demo writes."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import pytest

from kaudit.dossier import demo_report

SAMPLE = Path(__file__).parents[1] / "reports" / "sample"
#: What draws, sets and packs a report; other versions may do so with other bytes.
MADE_WITH = ("matplotlib", "nbformat", "pyarrow", "typst")
VERSIONS = SAMPLE.parent / "versions.json"


def test_the_sample_is_whole() -> None:
    mark = json.loads((SAMPLE / "report.json").read_text())
    found = {
        path.relative_to(SAMPLE).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(SAMPLE.rglob("*"))
        if path.is_file() and path.name != "report.json"
    }
    assert found == mark["files"]


def test_the_demo_writes_the_sample(tmp_path: Path) -> None:
    demo_report(tmp_path / "out")
    fresh = json.loads((tmp_path / "out" / "report.json").read_text())["files"]
    kept = json.loads((SAMPLE / "report.json").read_text())["files"]
    texts = {name for name in kept if name.endswith((".csv", ".json", ".yaml"))}
    hint = "run kaudit demo --out reports/sample, and commit it"
    assert {n: fresh.get(n) for n in texts} == {n: kept[n] for n in texts}, hint
    now = {name: version(name) for name in MADE_WITH}
    if now != json.loads(VERSIONS.read_text()):
        pytest.skip(f"the sample was made with other versions than {now}")
    assert fresh == kept, hint
