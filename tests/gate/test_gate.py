"""The gate refuses what exceeds a limit, and takes nothing that it did not see for a pass."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from kaudit.errors import InputError
from kaudit.gate.run import gate
from kaudit.gate.verdict import Limits, Outcome, Verdict, limited
from kaudit.model.words import Severity
from kaudit.source.run.tool import Settings
from tests.source.run.fake import REPORT, program

IMAGE = "r.example/web:1"
POD = """
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop}
spec: {containers: [{name: c, image: "r.example/web:1", securityContext: {privileged: true}}]}
"""
QUIET = """
apiVersion: v1
kind: ConfigMap
metadata: {name: c, namespace: shop}
"""


@pytest.fixture
def ours(tmp_path: Path) -> dict[str, str]:
    return {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "HOME": str(tmp_path)}


def judged(ours: dict[str, str], *images: str, tools: str = "trivy", **more: Any) -> Verdict:
    settings = Settings(tools=tuple(tools.split(",")), seconds=30.0)
    return gate(images, **{"settings": settings, "ours": ours, **more})


def report(*found: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = copy.deepcopy(REPORT) | {"ArtifactName": IMAGE}
    made["Results"][0] |= {"Vulnerabilities": [dict(one) for one in found], **more}
    return made


def flaw(severity: str, number: int = 1, **more: str) -> dict[str, Any]:
    cve = f"CVE-2099-{number:04}"
    return {"VulnerabilityID": cve, "PkgName": "x", "InstalledVersion": "1"} | {
        "Severity": severity,
        **more,
    }


def given(tmp_path: Path, content: Any, name: str = "trivy.json") -> list[tuple[str, Path]]:
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return [("trivy", path)]


def outcomes(verdict: Verdict) -> list[tuple[str, str, str]]:
    return [(c.what, c.target, c.outcome) for c in verdict.checks]


def test_an_image_with_a_critical_flaw_is_refused(tmp_path: Path, ours: dict[str, str]) -> None:
    program(tmp_path / "bin")
    verdict = judged(ours, IMAGE)
    assert outcomes(verdict) == [("vulnerabilities", IMAGE, "fail")]
    assert verdict.checks[0].why == "1 critical, at most 0 allowed"
    assert verdict.code == 1
    (finding,) = verdict.findings
    assert (finding.rule, finding.target, finding.subject) == ("CVE-2099-0001", IMAGE, "libx 1")


def test_limits_are_what_is_let_through(tmp_path: Path, ours: dict[str, str]) -> None:
    outputs = given(tmp_path, report(flaw("HIGH"), flaw("HIGH", 2), flaw("LOW", 3)))
    assert gate(outputs=outputs, ours=ours).code == 1
    two = gate(outputs=outputs, ours=ours, limits=Limits(max=limited(["high=2"])))
    assert two.code == 0
    assert two.checks[0].counts == {"high": 2, "low": 1}
    none = gate(outputs=outputs, ours=ours, limits=Limits(max=limited(["high=2", "low=0"])))
    assert none.checks[0].why == "1 low, at most 0 allowed"


def test_only_what_has_a_fix(tmp_path: Path, ours: dict[str, str]) -> None:
    found = report(flaw("CRITICAL"), flaw("HIGH", 2, FixedVersion="2"))
    outputs = given(tmp_path, found)
    verdict = gate(outputs=outputs, ours=ours, limits=Limits(fixed_only=True))
    (check,) = verdict.checks
    assert (check.counts, check.unfixed, check.outcome) == ({"high": 1}, 1, Outcome.FAIL)
    some = Limits(fixed_only=True, max={"critical": 0})
    assert gate(outputs=outputs, ours=ours, limits=some).code == 0


def test_exceptions_are_honoured_and_counted(tmp_path: Path, ours: dict[str, str]) -> None:
    left = {"Type": "vulnerability", "Status": "not_affected", "Source": "vex.json"}
    found = report(ExperimentalModifiedFindings=[left | {"Finding": flaw("CRITICAL")}])
    verdict = gate(outputs=given(tmp_path, found), ours=ours)
    (check,) = verdict.checks
    assert (check.outcome, check.suppressed, check.counts) == (Outcome.PASS, 1, {})
    assert verdict.findings[0].suppressed == "vex.json: not_affected"


def test_a_statement_clears_what_an_output_names(tmp_path: Path, ours: dict[str, str]) -> None:
    outputs = given(tmp_path, report(flaw("CRITICAL"), flaw("CRITICAL", 2)))
    vex = tmp_path / "web.openvex.json"
    statement = {
        "vulnerability": {"name": "CVE-2099-0001"},
        "status": "not_affected",
        "justification": "component_not_present",
    }
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "v",
        "author": "a",
        "timestamp": "2025-11-01T00:00:00Z",
        "version": 1,
        "statements": [statement],
    }
    vex.write_text(json.dumps(document))
    settings = Settings(tools=("trivy",), vex=(vex,))
    verdict = gate(outputs=outputs, settings=settings, ours=ours)
    (check,) = verdict.checks
    assert (check.counts, check.suppressed, check.outcome) == ({"critical": 1}, 1, Outcome.FAIL)
    assert [f.suppressed for f in verdict.findings] == ["VEX: component_not_present", ""]


def test_exceptions_reach_the_scanner(tmp_path: Path, ours: dict[str, str]) -> None:
    seen = tmp_path / "seen"
    program(
        tmp_path / "bin",
        f"json.dump(arguments, open({str(seen)!r}, 'w')); print(json.dumps(report))",
    )
    for name in ("v.json", "ignore"):
        (tmp_path / name).write_text("")
    settings = Settings(
        tools=("trivy",), vex=(tmp_path / "v.json",), ignore=tmp_path / "ignore", local=True
    )
    gate([IMAGE], settings=settings, ours=ours)
    told = json.loads(seen.read_text())
    assert told[told.index("--vex") + 1] == str(tmp_path / "v.json")
    assert told[told.index("--ignorefile") + 1] == str(tmp_path / "ignore")
    assert "--show-suppressed" in told
    assert "--image-src" not in told, "what was just built is only here"


def test_a_credential_in_an_image(tmp_path: Path, ours: dict[str, str]) -> None:
    found = report()
    secret = {"RuleID": "aws", "Severity": "CRITICAL", "Title": "a key", "StartLine": 3}
    found["Results"].append({"Target": "/app/.env", "Class": "secret", "Secrets": [secret]})
    verdict = gate(outputs=given(tmp_path, found), ours=ours)
    assert outcomes(verdict) == [
        ("vulnerabilities", IMAGE, "pass"),
        ("credentials", IMAGE, "fail"),
    ]
    assert verdict.findings[0].file == "/app/.env"


NOTHING = {
    "no results": REPORT | {"ArtifactName": IMAGE, "Results": None},
    "results without packages": REPORT | {"ArtifactName": IMAGE, "Results": []},
    "an error page": "<html>502 Bad Gateway</html>",
    "an error as JSON": {"error": "made up"},
    "half a report": json.dumps(REPORT)[:-30],
    "nothing": "",
    "null": "null",
}


@pytest.mark.parametrize("content", NOTHING.values(), ids=NOTHING)
def test_where_the_script_of_the_guide_would_pass_on_nothing(
    tmp_path: Path, ours: dict[str, str], content: Any
) -> None:
    verdict = gate(outputs=given(tmp_path, content), ours=ours)
    assert verdict.outcome is Outcome.INCOMPLETE
    assert verdict.code == 3
    assert all(check.why for check in verdict.checks)


@pytest.mark.parametrize(
    "body", ["print('{}')", "sys.exit(1)", "print('{\"Results\": null}')", "print('null')", "pass"]
)
def test_a_scanner_that_says_nothing_of_the_image(
    tmp_path: Path, ours: dict[str, str], body: str
) -> None:
    program(tmp_path / "bin", body)
    verdict = judged(ours, IMAGE)
    assert verdict.code == 3
    assert IMAGE in {check.target for check in verdict.checks}


def test_a_scanner_that_is_not_there(ours: dict[str, str]) -> None:
    verdict = judged(ours, IMAGE, tools="trivy,grype")
    assert verdict.code == 3
    assert {(c.tool, c.outcome) for c in verdict.checks} == {
        ("trivy", "incomplete"),
        ("grype", "incomplete"),
    }
    assert "is not on the PATH; get it from" in verdict.checks[0].why


def test_an_image_that_no_tool_looks_at(ours: dict[str, str]) -> None:
    verdict = judged(ours, IMAGE, tools="hadolint")
    assert outcomes(verdict) == [("scan", IMAGE, "incomplete")]


def test_a_refusal_and_a_gap_are_both_told(tmp_path: Path, ours: dict[str, str]) -> None:
    program(tmp_path / "bin", "if 'bad' in target: sys.exit(1)\nprint(json.dumps(report))")
    verdict = judged(ours, IMAGE, "r.example/bad:1")
    assert sorted(check.outcome for check in verdict.checks) == ["fail", "incomplete"]
    assert verdict.code == 1


def manifest(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "deploy.yaml"
    path.write_text(text)
    return path


def test_manifests_are_judged_by_the_controls(tmp_path: Path, ours: dict[str, str]) -> None:
    path = manifest(tmp_path, POD)
    verdict = judged(ours, manifests=[path])
    (controls,) = (c for c in verdict.checks if c.what == "controls")
    assert controls.outcome is Outcome.FAIL
    assert "at or above high, none allowed" in controls.why
    assert "KA-DEP-001" in {finding.rule for finding in verdict.findings}
    let = judged(ours, manifests=[path], limits=Limits(fail_on=None))
    assert let.code == 0
    assert [c.counts for c in let.checks] == [controls.counts]
    fine = judged(ours, manifests=[manifest(tmp_path, QUIET)], limits=Limits(fail_on=Severity.HIGH))
    assert fine.code == 0


def test_a_manifest_that_cannot_be_read_is_no_pass(tmp_path: Path, ours: dict[str, str]) -> None:
    path = manifest(tmp_path, QUIET + "---\napiVersion: v1\nkind: Pod\nspec: {containers: 3}\n")
    verdict = judged(ours, manifests=[path], limits=Limits(fail_on=None))
    assert verdict.code == 3
    assert any(check.what == "scan" for check in verdict.checks)


def scored(**more: Any) -> str:
    found = {"object": "Pod/p.shop", "valid": True, "score": 3, "message": "", "scoring": {}}
    passed = {"id": "X", "selector": "x", "reason": "r", "points": 3}
    return json.dumps([found | {"scoring": {"passed": [passed]}} | more])


KUBESEC = [
    (scored(), Outcome.PASS, ""),
    (scored(score=-30), Outcome.FAIL, "a score of -30, at least 0 is asked for"),
    (
        scored(scoring={"critical": [{"id": "P", "selector": "p", "reason": "r", "points": -1}]}),
        Outcome.FAIL,
        "1 critical, at most 0 allowed",
    ),
    (scored(valid=False, scoring={}, message="no schema"), Outcome.INCOMPLETE, "no schema"),
    (
        scored(object="Service/s.shop", valid=False, scoring={}),
        Outcome.INCOMPLETE,
        "nothing that kubesec has rules for",
    ),
]


@pytest.mark.parametrize(("text", "outcome", "why"), KUBESEC)
def test_scores(
    tmp_path: Path, ours: dict[str, str], text: str, outcome: Outcome, why: str
) -> None:
    path = tmp_path / "k.json"
    path.write_text(text)
    (check,) = gate(outputs=[("kubesec", path)], ours=ours).checks
    assert (check.what, check.outcome) == ("score", outcome)
    assert why in check.why


def test_an_empty_list_of_scores_is_no_pass(tmp_path: Path, ours: dict[str, str]) -> None:
    path = tmp_path / "k.json"
    path.write_text("[]")
    assert gate(outputs=[("kubesec", path)], ours=ours).code == 3


def hadolint(rule: str, level: str) -> str:
    found = {"code": rule, "level": level, "line": 2, "column": 1, "message": "m", "file": "D"}
    return json.dumps([found])


@pytest.mark.parametrize(
    ("rule", "level", "code"),
    [("DL3004", "error", 1), ("DL3007", "warning", 0), ("DL1000", "error", 3)],
)
def test_findings_of_hadolint(
    tmp_path: Path, ours: dict[str, str], rule: str, level: str, code: int
) -> None:
    path = tmp_path / "h.json"
    path.write_text(hadolint(rule, level))
    assert gate(outputs=[("hadolint", path)], ours=ours).code == code


def test_nothing_to_look_at(tmp_path: Path, ours: dict[str, str]) -> None:
    with pytest.raises(InputError, match="nothing to look at"):
        gate(ours=ours)
    with pytest.raises(InputError, match="there is no such file"):
        gate(manifests=[tmp_path / "none"], ours=ours)
    some = Settings(tools=("trivy",), ignore=tmp_path / ".trivyignore")
    with pytest.raises(InputError, match="give it to the tool that wrote the outputs"):
        gate(outputs=given(tmp_path, report()), settings=some, ours=ours)
    (tmp_path / ".trivyignore").write_text("CVE-2099-0001\n")
    with pytest.raises(InputError, match="the gate has no limit for exceptions"):
        gate(outputs=[("exceptions", tmp_path / ".trivyignore")], ours=ours)
    for odd in ("-x", "Bad Ref", "dir:/etc"):
        with pytest.raises(InputError, match=r"is no image reference|begins with a dash"):
            gate([odd], ours=ours)


def test_limits_of_the_command_line() -> None:
    assert limited([]) == {"critical": 0, "high": 0}
    assert limited(["high=5", "medium = 3"]) == {"critical": 0, "high": 5, "medium": 3}
    with pytest.raises(InputError, match=r"'hihg' is no severity \(did you mean high"):
        limited(["hihg=1"])
    for odd in ("high", "high=", "high=-1", "high=x", "high=1.5"):
        with pytest.raises(InputError, match="is no SEVERITY=NUMBER"):
            limited([odd])


def test_no_check_at_all_is_incomplete() -> None:
    assert Verdict(limits=Limits(), checks=[], findings=[], gaps=[]).code == 3


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ({}, Outcome.FAIL),
        ({"kind": "pass"}, Outcome.PASS),
        ({"suppressions": [{"kind": "external", "status": "accepted"}]}, Outcome.PASS),
        ({"suppressions": [{"kind": "external", "status": "rejected"}]}, Outcome.FAIL),
        ({"baselineState": "absent"}, Outcome.PASS),
    ],
)
def test_only_findings_that_fail_count(
    ours: dict[str, str], tmp_path: Path, result: dict[str, Any], outcome: Outcome
) -> None:
    driver = {"name": "example", "rules": [{"id": "R1", "properties": {"security-severity": "9"}}]}
    usual = {"ruleId": "R1", "level": "error", "message": {"text": "m"}}
    run = {"tool": {"driver": driver}, "results": [usual | result]}
    path = tmp_path / "x.sarif"
    path.write_text(json.dumps({"version": "2.1.0", "runs": [run]}))
    (check,) = gate(outputs=[("sarif", path)], ours=ours).checks
    assert check.outcome is outcome
