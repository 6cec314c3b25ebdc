"""Results as CSV: one line a result, safe in a spreadsheet."""

import csv
import io

import pytest

import kaudit as ka
from kaudit import registry
from kaudit.assessment import Assessment
from kaudit.exporters import csv as exporter
from tests.memory_source import evidence_of

HOSTILE = """
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop}
spec:
  containers:
    - {name: "=cmd|'/c calc'!A1", image: i, securityContext: {privileged: true}}
    - {name: "a,b\\"c\\nd", image: i, securityContext: {privileged: true}}
    - {name: "\\e[31m\\u202e", image: i}
"""


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    return ka.assess(evidence_of(HOSTILE), control="KA-DEP-001")


def text(assessment: Assessment) -> str:
    return b"".join(exporter.results_csv(assessment)).decode()


def test_one_line_a_result(assessment: Assessment) -> None:
    head, *rows = csv.reader(io.StringIO(text(assessment), newline=""))
    assert head == [
        *("control", "status", "severity", "layer", "kind", "namespace", "name", "container"),
        *("observed", "expected", "reason", "rows", "failed", "fingerprint", "waiver"),
        *("raw", "raw_line"),
    ]
    assert [(r[1], r[6], r[7], r[8]) for r in rows] == [
        ("pass", "p", "\\u{1b}[31m\\u{202e}", ""),
        ("fail", "p", "'=cmd|'/c calc'!A1", "container type: regular; privileged: true"),
        ("fail", "p", 'a,b"c\nd', "container type: regular; privileged: true"),
    ]


def test_lines_end_as_rfc_4180_says(assessment: Assessment) -> None:
    assert text(assessment).startswith("control,status,")
    assert text(assessment).endswith("\r\n")
    assert text(assessment).count("\r\n") == 4


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_batches_of_any_size_are_the_same_file(
    assessment: Assessment, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = text(assessment)
    monkeypatch.setattr(exporter, "_CHUNK", size)
    assert text(assessment) == whole


def test_no_result_is_a_head_alone() -> None:
    assert text(Assessment(evidence_of(HOSTILE), [], [])).count("\r\n") == 1


def test_registered() -> None:
    registry.load()
    assert registry.EXPORTERS["csv"].suffix == ".csv"
    assert registry.EXPORTERS["csv"].function is exporter.results_csv
