"""What policy engines print: gator, Gatekeeper's log, kyverno apply."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.kyverno_apply import said_in
from kaudit.source.tools import OutputSource, ToolSource
from tests.collectors.test_tools import EXAMPLES
from tests.corpus.reading import broken
from tests.memory_source import rows

NAMES = ("policy_kind", "policy", "rule", "result", "kind", "namespace", "name")


def read(tool: str, name: str) -> Evidence:
    return collect(ToolSource(tool, EXAMPLES / tool / name))


def given_text(name: str, text: str) -> Evidence:
    return collect(OutputSource(name, text.encode()))


def verdicts(evidence: Evidence, *columns: str) -> list[tuple[Any, ...]]:
    found = rows(evidence, "policy_verdicts", "position", *(columns or NAMES))
    return [tuple(row.values())[1:] for row in sorted(found, key=lambda row: row["position"])]


def reports(evidence: Evidence, *columns: str) -> dict[str, Any]:
    (found,) = rows(evidence, "verdict_reports", *columns)
    return found


def test_gator_tells_who_violates_what_and_what_it_would_do() -> None:
    evidence = read("gator", "two.json")
    assert verdicts(evidence) == [
        ("K8sLimits", "limits", "", "fail", "Pod", "shop", "web"),
        ("K8sOwner", "owner", "", "fail", "Deployment", "shop", "web-*"),
    ]
    assert verdicts(evidence, "group", "actions", "message") == [
        ("", ["deny"], "container <web> has no limits"),
        ("apps", ["deny", "warn"], "no owner"),
    ]
    assert b"hunter2" not in json.dumps(evidence.record("results.gator", 1)).encode()


def test_gator_yaml_and_statistics_say_the_same() -> None:
    assert verdicts(read("gator", "one.yaml")) == verdicts(read("gator", "two.json"))[:1]
    assert verdicts(read("gator", "stats.json"), "policy", "actions", "namespace", "name") == [
        ("owner", ["dryrun"], "", "shop")
    ]


@pytest.mark.parametrize("text", ["null", "[]\n"])
def test_gator_that_finds_nothing_is_a_report_without_verdicts(text: str, tmp_path: Path) -> None:
    path = tmp_path / "none.json"
    path.write_text(text)
    evidence = collect(ToolSource("gator", path))
    assert broken(evidence) == []
    assert reports(evidence, "tool", "verdicts") == {"tool": "gator", "verdicts": 0}


def test_a_log_of_gatekeeper_is_read_from_its_last_whole_audit() -> None:
    evidence = read("gatekeeper", "two-audits.log")
    assert verdicts(evidence, "process", "policy", "group", "kind", "name", "actions") == [
        ("audit", "limits", "", "Pod", "web", ["deny", "warn"]),
        ("audit", "owner", "apps", "Deployment", "web", ["dryrun"]),
        ("admission", "owner", "", "Pod", "new", ["deny"]),
    ]
    told = reports(evidence, "run", "runs", "stated", "complete", "verdicts")
    assert told == {
        "run": "2026-01-01T00:01:01Z",
        "runs": 3,
        "stated": 2,
        "complete": True,
        "verdicts": 3,
    }
    assert b"hunter2" not in repr(rows(evidence, "policy_verdicts", "message")).encode()


def log(*lines: dict[str, Any]) -> str:
    return "\n".join(json.dumps(line) for line in lines) + "\n"


def violation(name: str) -> dict[str, Any]:
    return {
        "audit_id": "2026-01-01T00:00:01Z",
        "process": "audit",
        "event_type": "violation_audited",
        "constraint_kind": "K",
        "constraint_name": "c",
        "resource_kind": "Pod",
        "resource_name": name,
    }


START = {"audit_id": "2026-01-01T00:00:01Z", "event_type": "audit_started"}
END = START | {"event_type": "audit_finished"}
TOTAL = START | {"event_type": "constraint_audited", "constraint_violations": "2"}


def test_a_log_in_which_no_audit_ends_is_a_gap() -> None:
    evidence = given_text("gatekeeper.log", log(START, violation("a")))
    (gap,) = broken(evidence)
    assert "no audit ended" in gap.detail
    assert gap.tables == ("policy_verdicts",)
    assert len(verdicts(evidence)) == 1
    assert reports(evidence, "complete") == {"complete": False}


def test_a_log_that_lost_lines_is_not_complete() -> None:
    evidence = given_text("gatekeeper.log", log(START, violation("a"), TOTAL, END))
    assert reports(evidence, "stated", "complete") == {"stated": 2, "complete": False}


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        (log(START, violation("a"), END), True),
        (log(violation("a"), END), False),
        (log(START) + json.dumps(violation("b"))[:-9] + "\n" + log(violation("a"), END), False),
        (log(START, violation("a"), END) + json.dumps(violation("b"))[:-9], True),
    ],
    ids=["whole", "without its beginning", "with a damaged line", "damaged behind its end"],
)
def test_an_audit_is_complete_where_all_of_it_was_read(text: str, complete: bool) -> None:
    evidence = given_text("gatekeeper.log", text)
    assert reports(evidence, "complete") == {"complete": complete}


def test_wrapped_lines_and_lines_behind_a_time_are_read() -> None:
    wrapped = json.dumps({"log": json.dumps(violation("a")) + "\n", "stream": "stdout"})
    behind = "2026-01-01T00:00:02.1Z stdout F " + json.dumps(violation("b"))
    evidence = given_text("gatekeeper.log", log(START) + wrapped + "\n" + behind + "\n" + log(END))
    assert verdicts(evidence, "name") == [("a",), ("b",)]


def test_a_line_that_is_cut_off_is_a_gap() -> None:
    text = log(START, violation("a"), END) + json.dumps(violation("b"))[:-9]
    evidence = given_text("gatekeeper.log", text)
    (gap,) = broken(evidence)
    assert gap.detail.startswith("item 4 of gatekeeper.log: line 4: ")


def test_what_the_export_wrote_is_read_and_is_not_said_to_be_all() -> None:
    evidence = read("gatekeeper", "export.json")
    assert verdicts(evidence) == [("K8sOwner", "owner", "", "fail", "Pod", "shop", "web")]
    assert reports(evidence, "complete") == {"complete": None}


def test_reports_of_kyverno() -> None:
    expected = [
        ("ClusterPolicy", "no-latest", "tag", "fail", "Pod", "shop", "web"),
        ("ClusterPolicy", "no-latest", "tag", "pass", "Pod", "shop", "api"),
        ("ValidatingPolicy", "cel-latest", "", "fail", "Deployment", "shop", "web"),
        ("Policy", "own", "autogen-tag", "fail", "Deployment", "shop", "web"),
    ]
    assert verdicts(read("kyverno", "one.json")) == expected[:3]
    assert verdicts(read("kyverno", "reports.txt")) == expected
    assert verdicts(read("kyverno", "old.yaml")) == expected[:1]


def test_a_table_and_plain_text_of_kyverno() -> None:
    assert verdicts(read("kyverno", "table-kyverno-apply.txt")) == [
        ("", "no-latest", "tag", "fail", "Pod", "shop", "web"),
        ("", "own", "", "pass", "Namespace", "", "a"),
    ]
    plain = read("kyverno", "plain-kyverno-apply.txt")
    assert verdicts(plain) == [
        ("", "no-latest", "tag", "fail", "Pod", "shop", "web"),
        ("", "no-latest", "registry", "fail", "Pod", "shop", "web"),
        ("", "soft", "owner", "warn", "Pod", "shop", "web"),
    ]
    assert reports(plain, "stated", "complete") == {"stated": 2, "complete": True}
    assert "really" in verdicts(plain, "message")[0][0]


def test_a_policy_that_kyverno_leaves_out_is_a_gap() -> None:
    text = "Policies Skipped:\n1. bad: policy contains invalid variables\n" + "-" * 70 + "\n"
    text += (EXAMPLES / "kyverno/one.json").read_text()
    evidence = given_text("kyverno.txt", text)
    (gap,) = broken(evidence)
    assert "the policy was not applied: bad: policy contains" in gap.detail
    assert len(verdicts(evidence)) == 3


def test_a_report_of_a_cluster_is_an_object_and_no_output() -> None:
    text = (EXAMPLES / "kyverno/one.json").read_text()
    held = text.replace('{"name":"merged"}', '{"name":"merged","uid":"1f"}')
    with pytest.raises(Exception, match="no tool"):
        OutputSource("a.json", held.encode())


WORDS = st.from_regex(r"[a-z][a-z0-9-]{0,12}", fullmatch=True)
RESULTS = st.lists(st.tuples(WORDS, WORDS, WORDS, WORDS), max_size=6)


def plain(results: Iterable[tuple[str, str, str, str]]) -> str:
    lines = ["", "Applying 1 policy rule(s) to 1 resource(s)..."]
    for policy, rule, space, name in results:
        lines += [f"policy {policy} -> resource {space}/Pod/{name} failed:", f"1 - {rule} no"]
    return "\n".join(lines)


def table(results: Iterable[tuple[str, str, str, str]]) -> str:
    lines = ["│ ID │ POLICY │ RULE │ RESOURCE │ RESULT │ REASON │"]
    for number, (policy, rule, space, name) in enumerate(results, start=1):
        lines.append(f"│ {number} │ {policy} │ {rule} │ {space}/Pod/{name} │ Fail │  │")
    return "\n".join(lines)


@given(RESULTS)
def test_text_and_table_say_the_same(results: list[tuple[str, str, str, str]]) -> None:
    for text in (plain(results), table(results)):
        found = [
            (one.policy, one.rule, one.resources[0].namespace, one.resources[0].name)
            for one in said_in(text.splitlines()).results
            if one.resources
        ]
        assert found == results
