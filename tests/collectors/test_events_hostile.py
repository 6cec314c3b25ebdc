"""Events that try to break what reads them, or what shows them: counted, told, never obeyed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kaudit import show
from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.correlate import correlate
from kaudit.show.block_html import standalone
from kaudit.source.files import FileSource
from tests.collectors.test_events import alert, broken, log, read

AUDIT: dict[str, Any] = {
    "kind": "Event",
    "auditID": "1",
    "apiVersion": "audit.k8s.io/v1",
    "stage": "ResponseComplete",
    "verb": "get",
    "user": {"username": "anna"},
    "requestReceivedTimestamp": "2026-01-01T10:00:00Z",
}


SENSOR = """
apiVersion: v1
kind: Node
metadata: {name: node-1}
status: {conditions: [{type: Ready, status: "True"}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: falco, namespace: falco, uid: d}
spec:
  selector: {matchLabels: {app: falco}}
  template:
    metadata: {labels: {app: falco}}
    spec: {containers: [{name: falco, image: "falcosecurity/falco:0.42.0"}]}
---
apiVersion: v1
kind: Pod
metadata:
  name: falco-x
  namespace: falco
  labels: {app: falco}
  ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: falco, uid: d, controller: true}]
spec: {nodeName: node-1, containers: [{name: falco, image: "falcosecurity/falco:0.42.0"}]}
status: {conditions: [{type: Ready, status: "True"}]}
"""


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_outside_all_years_is_none(tmp_path: Path, at: str) -> None:
    evidence = read(tmp_path, "\n".join([alert(time=at), alert(rule="S")]))
    assert evidence["events"]["first_at"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    "line",
    [
        '{"rule": "R", "output_fields": ' + '{"a": ' * 50_000 + "1" + "}" * 50_000 + "}",
        '{"rule": "R", "tags": ' + "[" * 50_000 + "]" * 50_000 + "}",
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_nesting_without_end_is_a_broken_line(tmp_path: Path, line: str, first: bool) -> None:
    lines = [line, alert(rule="S")] if first else [alert(rule="S"), line]
    evidence = read(tmp_path, "\n".join(lines))
    assert evidence["events"]["rule"].tolist() == ["S"]
    assert log(evidence)["broken"] == 1


def test_a_line_that_is_wrong_in_several_ways_is_one_broken_line(tmp_path: Path) -> None:
    line = alert(rule="S").encode()
    wrong = line.replace(b"{", b'{"uuid": "\xff", ', 1)
    evidence = read(tmp_path, b"\n".join([line, wrong, line]))

    assert "1 of 3 lines cannot be read: 2" in broken(evidence)[0]
    assert log(evidence)["broken"] == 1


@pytest.mark.parametrize("code", [10**30, -(10**30), "200", 1.5])
def test_a_code_that_no_column_holds_costs_its_line_alone(tmp_path: Path, code: Any) -> None:
    lines = [json.dumps(AUDIT | {"responseStatus": {"code": code}}), json.dumps(AUDIT)]
    evidence = read(tmp_path, "\n".join(lines), "kubernetes-audit")
    assert len(evidence["events"]) == 1
    assert "1 of 2 lines cannot be read: 1" in broken(evidence)[0]


@pytest.mark.parametrize("lost", [2**64 - 1, str(2**64 - 1), 10**40])
def test_counts_beyond_a_column_stay_at_its_end(tmp_path: Path, lost: Any) -> None:
    text = alert(rule="Falco internal: syscall event drop", output_fields={"n_drops": lost})
    assert read(tmp_path, text)["events"]["dropped"].tolist() == [2**63 - 1]


def test_counts_of_what_is_lost_are_added_up_without_overflow(tmp_path: Path) -> None:
    """Sensors that say over and over that they lost all that a number can tell."""
    (tmp_path / "cluster.yaml").write_text(SENSOR)
    rule = "Falco internal: syscall event drop"
    one = alert(rule=rule, output_fields={"n_drops": 2**63 - 1})
    (tmp_path / "falco.jsonl").write_text("\n".join([one] * 3))
    evidence = collect(FileSource(tmp_path))
    assert evidence["sensor_health"]["dropped"].tolist() == [2**63 - 1]
    assert evidence["node_sensors"]["lost"].tolist() == [2**63 - 1]
    show.runtime(assess(evidence, strict=True))


def test_skewed_clocks_far_in_the_future_are_kept_and_judged(tmp_path: Path) -> None:
    lines = [alert(time="2099-01-01T00:00:00Z"), alert(time="1970-01-01T00:00:00Z")]
    found = log(read(tmp_path, "\n".join(lines)))
    assert (found["first_at"].year, found["last_at"].year) == (1970, 2099)


HOSTILE = "=HYPERLINK(\"http://x\")\x1b[2J\x1b]0;owned\x07\r\n<script>alert('K')</script>\u202egnp"
POD = """
apiVersion: v1
kind: Pod
metadata: {name: cart, namespace: shop, creationTimestamp: "2026-01-01T00:00:00Z"}
spec: {containers: [{name: c, image: i}]}
"""


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    folder = tmp_path / "dump"
    folder.mkdir()
    (folder / "pod.yaml").write_text(POD)
    names = {
        "proc.cmdline": HOSTILE,
        "proc.name": HOSTILE,
        "user.name": HOSTILE,
        "fd.name": HOSTILE,
    }
    fields = {**names, "k8s.ns.name": "shop", "k8s.pod.name": "cart"}
    line = alert(rule=HOSTILE, priority="Critical", output=HOSTILE, output_fields=fields)
    (folder / "falco.jsonl").write_text(line)
    return folder


@pytest.mark.parametrize("format", ["table", "csv", "json"])
@pytest.mark.parametrize("command", ["assess", "risks", "tables"])
def test_command_lines_are_never_obeyed_by_a_terminal_or_a_sheet(
    hostile: Path, command: str, format: str
) -> None:
    wanted = ["events"] if command == "tables" else []
    arguments = [command, str(hostile), *wanted, "--format", format, "--quiet"]
    done = subprocess.run([sys.executable, "-m", "kaudit", *arguments], capture_output=True)
    out = done.stdout.decode()
    assert done.returncode in (0, 1), done.stderr.decode()
    assert "\x1b" not in out
    assert "\u202e" not in out or format == "json"
    if format == "csv":
        cells = [cell for line in out.splitlines() for cell in line.split(",")]
        assert not [cell for cell in cells if cell.lstrip('"').startswith("=HYPER")]
    if format == "json":
        json.loads(out)


def test_command_lines_are_text_on_a_page(hostile: Path) -> None:
    made = assess(collect(FileSource(hostile)))
    events: Any = made.evidence["events"]
    pages = [correlate(made)._repr_html_(), events._repr_html_() or ""]
    pages += [standalone(block) for block in (show.risks(made), show.runtime(made))]
    for page in pages:
        assert "<script>alert" not in page
        assert "\x1b" not in page
