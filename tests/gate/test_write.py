"""Verdicts for other programs: SARIF, JUnit, and hostile text in both."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kaudit.collect import collect
from kaudit.errors import InputError
from kaudit.gate.verdict import Check, Finding, Limits, Outcome, Verdict
from kaudit.gate.write import as_junit, as_sarif, format_of
from kaudit.source.tools import ToolSource
from tests.memory_source import rows

HOSTILE = "<script>\x1b[31m\x00\ud800]]>&\u202e"


def verdict(text: str = "made up") -> Verdict:
    checks = [
        Check(what="vulnerabilities", tool="trivy", target="a:1", outcome=Outcome.PASS),
        Check(
            what="vulnerabilities",
            tool="trivy",
            target=text,
            outcome=Outcome.FAIL,
            counts={"critical": 2},
            why="2 critical, at most 0 allowed",
        ),
        Check(what="scan", tool="grype", target="c:1", outcome=Outcome.INCOMPLETE, why=text),
    ]
    findings = [
        Finding(
            what="vulnerabilities",
            tool="trivy",
            target="b:1",
            rule="CVE-2099-0001",
            severity="critical",
            subject="libx 1",
            message=text,
            url="javascript:alert(1)",
        ),
        Finding(
            what="findings",
            tool="hadolint",
            target="Dockerfile",
            rule="DL3007",
            severity="medium",
            file="app/Dockerfile",
            line=3,
            url="https://rules.example/DL3007",
            suppressed="waiver W1",
        ),
    ]
    return Verdict(limits=Limits(), checks=checks, findings=findings, gaps=[])


def test_sarif() -> None:
    document = json.loads(as_sarif(verdict()))
    (run,) = document["runs"]
    assert document["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [
        "trivy/CVE-2099-0001",
        "hadolint/DL3007",
    ]
    assert "helpUri" not in run["tool"]["driver"]["rules"][0], "no script hides in a link"
    assert run["tool"]["driver"]["rules"][0]["properties"]["security-severity"] == "9.5"
    first, second = run["results"]
    assert (first["level"], first["message"]["text"]) == ("error", "libx 1: made up")
    assert "suppressions" not in first
    assert second["suppressions"] == [{"kind": "external", "justification": "waiver W1"}]
    place = second["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "app/Dockerfile"},
        "region": {"startLine": 3},
    }
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["exitCode"] == 1
    (told,) = invocation["toolExecutionNotifications"]
    assert told["message"]["text"] == "grype scan c:1: made up"


def test_sarif_is_read_again_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "gate.sarif"
    path.write_bytes(as_sarif(verdict()))
    evidence = collect(ToolSource("sarif", path))
    assert [gap for gap in evidence.gaps if gap.failed] == []
    assert rows(evidence, "tool_findings", "tool", "rule", "status", "severity", "line") == [
        {
            "tool": "kaudit gate",
            "rule": "trivy/CVE-2099-0001",
            "status": "fail",
            "severity": "critical",
            "line": None,
        },
        {
            "tool": "kaudit gate",
            "rule": "hadolint/DL3007",
            "status": "skip",
            "severity": "medium",
            "line": 3,
        },
    ]


def test_junit() -> None:
    top = ElementTree.fromstring(as_junit(verdict()))
    assert (top.get("tests"), top.get("failures"), top.get("errors")) == ("3", "1", "1")
    cases = top.findall("testcase")
    assert cases[0].get("classname") == "trivy.vulnerabilities"
    assert [[child.tag for child in case] for case in cases] == [[], ["failure"], ["error"]]
    failure = cases[1].find("failure")
    assert failure is not None
    assert failure.get("message") == "2 critical, at most 0 allowed"
    assert failure.text == "2 critical"


def test_hostile_text_stays_text() -> None:
    sarif = as_sarif(verdict(HOSTILE)).decode()
    json.loads(sarif)
    junit = as_junit(verdict(HOSTILE)).decode()
    top = ElementTree.fromstring(junit)
    assert "<script>" in (top.findall("testcase")[1].get("name") or "")
    for text in (sarif, junit):
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_formats_by_the_name_of_a_file() -> None:
    names = {"a.json": "json", "a.SARIF": "sarif", "junit.xml": "junit"}
    assert {name: format_of(Path(name)) for name in names} == names
    with pytest.raises(InputError, match=r"end it in \.json, \.sarif, \.xml"):
        format_of(Path("a.txt"))
