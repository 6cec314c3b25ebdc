"""Events of sensors: what a line says, what is lost, what is folded, what is never kept."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model import event_fold, event_lines
from kaudit.model.words import Reason
from kaudit.source import tools
from kaudit.source.files import FileSource
from kaudit.source.tools import ToolSource

OUTPUTS = Path(__file__).parent / "outputs"
ALERT: dict[str, Any] = {
    "hostname": "node-1",
    "rule": "R",
    "priority": "Warning",
    "source": "syscall",
    "time": "2026-01-01T10:00:00Z",
    "output_fields": {"proc.cmdline": "sh", "k8s.ns.name": "shop", "k8s.pod.name": "cart"},
}
EXEC: dict[str, Any] = {
    "process_exec": {"process": {"binary": "/bin/sh", "arguments": "-c id"}},
    "node_name": "node-1",
    "time": "2026-01-01T10:00:00Z",
}


def alert(**changes: Any) -> str:
    return json.dumps({**ALERT, **changes})


def read(folder: Path, text: str | bytes, format: str = "falco", name: str = "a.log") -> Evidence:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return collect(ToolSource(format, path))


def log(evidence: Evidence, sensor: str = "falco") -> dict[Hashable, Any]:
    logs = evidence["event_logs"]
    return logs[logs["sensor"] == sensor].iloc[0].to_dict()


def broken(evidence: Evidence) -> list[str]:
    return [gap.detail for gap in evidence.gaps if gap.reason is Reason.BROKEN]


def test_an_alert_by_its_columns() -> None:
    rows = collect(ToolSource("falco", OUTPUTS / "falco" / "pod.log"))["events"]
    shell, host, attached, drops = rows.to_dict("records")
    assert shell["rule"] == "Terminal shell in container"
    assert (shell["namespace"], shell["pod"], shell["node"]) == ("shop", "cart-7f9c-x1", "node-1")
    assert shell["image"] == "registry.example.com/shop/cart:1.4"
    assert shell["command"].startswith("sh -c curl --password [masked")
    assert (shell["user"], shell["parent"], shell["priority"]) == ("root", "node", "warning")
    assert list(shell["techniques"]) == ["T1059"]
    assert (host["priority"], host["priority_told"]) == ("critical", "CRIT")
    assert host["first_at"] is None  # no zone is told
    assert (host["pod"], host["target"]) == (None, "/etc/shadow")
    assert (attached["user"], attached["pod"]) == ("ann", "cart-7f9c-x1")
    assert attached["target"] == "pods/exec shop/cart-7f9c-x1"
    assert (drops["internal"], drops["dropped"]) == (True, 42)


def test_events_of_tetragon_by_their_type() -> None:
    rows = collect(ToolSource("tetragon", OUTPUTS / "tetragon" / "tetragon.log"))["events"]
    by = {row["type"]: row for row in rows.to_dict("records")}
    assert len(by) == len(rows) == 9
    assert by["process_exec"]["container_id"] == "0123456789abcdef"
    assert by["process_exec"]["image_digest"] == "sha256:" + "0" * 62 + "aa"
    assert "abcdefgh" not in by["process_exec"]["command"]
    assert by["process_kprobe"]["rule"] == "container-security-events"
    assert by["process_kprobe"]["target"] == "/etc/shadow"
    assert by["process_tracepoint"]["source"] == "raw_syscalls/sys_exit"
    assert by["process_uprobe"]["source"] == "readline"
    assert (by["process_lsm"]["action"], by["process_lsm"]["target"]) == (
        "KPROBE_ACTION_SIGKILL",
        "/tmp/x",
    )
    assert by["process_connect"]["target"] == "198.51.100.7:443"
    assert (by["rate_limit_info"]["internal"], by["rate_limit_info"]["dropped"]) == (True, 17)


def test_requests_of_the_audit_log() -> None:
    evidence = collect(ToolSource("kubernetes-audit", OUTPUTS / "kubernetes-audit" / "audit.log"))
    entered, bound = evidence["audit_events"].to_dict("records")
    assert (entered["verb"], entered["resource"], entered["subresource"]) == (
        "create",
        "pods",
        "exec",
    )
    assert (entered["code"], entered["decision"]) == (101, "allow")
    assert (bound["impersonated"], bound["role"]) == ("root", "ClusterRole/cluster-admin")
    kept = json.dumps([evidence.record("events.kubernetes-audit", n) for n in (1, 2)])
    assert "command=sh" not in kept
    assert '"note"' not in kept
    assert len(evidence["events"]) == 2


def test_tools_mixed_in_one_file_are_told_apart(tmp_path: Path) -> None:
    lines = [alert(), json.dumps(EXEC), "{}", alert(rule="S")]
    evidence = read(tmp_path, "\n".join(lines))
    assert Counter(evidence["events"]["sensor"]) == {"falco": 2, "tetragon": 1}
    assert (log(evidence)["other"], log(evidence, "tetragon")["events"]) == (1, 1)


def test_broken_and_interleaved_lines_are_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    lines = [
        alert(rule="A"),
        alert(rule="B")[:90],
        alert(rule="C")[:60] + alert(rule="D"),
        alert(rule="E") + alert(rule="F"),
        "2026-01-01T10:00:00Z stdout F " + alert(rule="G"),
        json.dumps({"log": alert(rule="H") + "\n", "stream": "stdout"}),
        "plain text of a start",
    ]
    evidence = read(tmp_path, "\n".join(lines))
    assert list(evidence["events"]["rule"]) == ["A", "D", "E", "F", "G", "H"]
    assert (log(evidence)["broken"], log(evidence)["other"]) == (2, 1)
    (told,) = broken(evidence)
    assert "2 of 7 lines cannot be read: 2, 3" in told


def test_many_broken_lines_are_one_gap(tmp_path: Path) -> None:
    evidence = read(tmp_path, "\n".join([alert(), *['{"rule": "x'] * 5000]))
    (told,) = broken(evidence)
    assert "5000 of 5001 lines" in told
    assert "and 4992 more" in told


@pytest.mark.parametrize(
    "text", [b"", b"\n\n", b"\x00\x01\xff\xfe" * 500, b"no event at all", b"[]", b"{}"]
)
def test_what_holds_no_event_is_a_gap(tmp_path: Path, text: bytes) -> None:
    evidence = read(tmp_path, text)
    assert len(evidence["events"]) == 0
    assert broken(evidence)


def test_binary_garbage_between_lines_is_passed_over(tmp_path: Path) -> None:
    garbage = bytes(range(256)).replace(b"\n", b"")
    evidence = read(tmp_path, alert().encode() + b"\n" + garbage + b"\n" + alert(rule="S").encode())
    assert len(evidence["events"]) == 2


def test_a_long_line_is_read_and_one_beyond_all_bounds_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = alert(output="x" * (10 << 20))
    evidence = read(tmp_path, "\n".join([long, alert(rule="S")]))
    assert list(evidence["events"]["rule"]) == ["R", "S"]
    monkeypatch.setattr(event_lines, "LONGEST", 1 << 20)
    evidence = read(tmp_path, "\n".join([alert(rule="A"), long, alert(rule="S")]))
    assert list(evidence["events"]["rule"]) == ["A", "S"]
    assert broken(evidence)


def test_control_sequences_and_markup_stay_text(tmp_path: Path) -> None:
    hostile = "\x1b[31msh\r\nforged <script>alert(1)</script>"
    evidence = read(tmp_path, alert(output_fields={"proc.cmdline": hostile}))
    assert evidence["events"]["command"].tolist() == [hostile]
    assert "\x1b" not in repr(evidence["events"])


def test_unknown_priorities_and_missing_zones_are_counted(tmp_path: Path) -> None:
    lines = [alert(priority="Dire"), alert(time="2026-01-01T10:00:00"), alert(time=5)]
    evidence = read(tmp_path, "\n".join(lines))
    assert evidence["events"]["priority"].isna().tolist() == [True, False, False]
    assert evidence["events"]["priority_told"].tolist()[0] == "Dire"
    found = log(evidence)
    assert (found["unknown_priorities"], found["undated"]) == (1, 2)


def test_clock_skew_does_not_turn_first_and_last_around(tmp_path: Path) -> None:
    times = ["2026-01-01T10:00:09Z", "2026-01-01T12:00:00+05:00", "2026-01-01T10:00:05Z"]
    found = log(read(tmp_path, "\n".join(alert(time=t) for t in times)))
    assert found["first_at"].isoformat() == "2026-01-01T07:00:00+00:00"
    assert found["last_at"].isoformat() == "2026-01-01T10:00:09+00:00"


def test_packed_and_rotated_files_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "tetragon.log").write_text(json.dumps(EXEC))
    with gzip.open(tmp_path / "tetragon-2026.log.gz", "wt") as stream:
        stream.write(json.dumps({**EXEC, "node_name": "node-2"}))
    evidence = collect(ToolSource("tetragon", tmp_path))
    assert sorted(evidence["events"]["node"]) == ["node-1", "node-2"]


@pytest.mark.parametrize("packing", ["zst", "gz"])
def test_a_packed_log_that_is_too_large_to_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packing: str
) -> None:
    monkeypatch.setattr(tools, "LARGE", 1000)
    text = "\n".join(alert(rule=f"rule {n}") for n in range(1000)).encode()
    packed = (
        gzip.compress(text, mtime=0) if packing == "gz" else pa.compress(text, "zstd", asbytes=True)
    )
    evidence = read(tmp_path, packed, name=f"falco.log.{packing}")
    assert sorted(evidence["events"]["rule"]) == sorted(f"rule {n}" for n in range(1000))


def test_logs_in_a_folder_of_manifests_are_found(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text("{apiVersion: v1, kind: Pod, metadata: {name: a}}")
    (tmp_path / "events.jsonl").write_text(alert() + "\n" + alert(rule="S"))
    (tmp_path / "falco.log").write_text("text\n" + alert(rule="T"))
    evidence = collect(FileSource(tmp_path))
    assert sorted(evidence["events"]["rule"]) == ["R", "S", "T"]
    assert len(evidence["pods"]) == 1


@pytest.mark.parametrize("repeats", [1, 400_000])
def test_a_log_on_standard_input(tmp_path: Path, repeats: int) -> None:
    """However long: what is too large to hold is read from a private file."""
    text = ((alert() + "\n") * repeats).encode()
    command = [sys.executable, "-m", "kaudit", "collect", "--falco", "-", "-o", "b", "--quiet"]
    done = subprocess.run(command, input=text, cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr
    evidence = Evidence.open(tmp_path / "b")
    assert evidence["events"]["count"].sum() == repeats
    assert evidence.manifest.origins[0].name == "stdin"


@pytest.fixture
def folding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_fold, "SINGLE", 2)
    monkeypatch.setattr(event_fold, "BY_POD", 6)
    monkeypatch.setattr(event_fold, "BY_NAMESPACE", 9)
    monkeypatch.setattr(event_fold, "WINDOW", 4)


@pytest.mark.usefixtures("folding")
def test_repeats_of_a_long_file_are_counted_with_first_and_last(tmp_path: Path) -> None:
    lines = [alert(time=f"2026-01-01T10:{n // 60:02}:{n % 60:02}Z") for n in range(1000)]
    evidence = read(tmp_path, "\n".join(lines))
    rows = evidence["events"]
    assert rows["count"].tolist() == [1, 1, 998]
    assert rows["line"].tolist() == [1, 2, 3]
    last = rows.iloc[2]
    assert (str(last["first_at"])[14:19], str(last["last_at"])[14:19]) == ("00:02", "16:39")
    assert (log(evidence)["events"], log(evidence)["folded"]) == (1000, 997)
    assert evidence.record("events.falco", 3)["count"] == 998


@pytest.mark.usefixtures("folding")
def test_where_too_many_differ_rows_say_what_they_stand_for(tmp_path: Path) -> None:
    lines = [
        alert(
            output_fields={"proc.cmdline": f"sh {n}", "k8s.ns.name": "a", "k8s.pod.name": f"p{n}"}
        )
        for n in range(500)
    ]
    rows = read(tmp_path, "\n".join(lines))["events"]
    assert rows["count"].sum() == 500
    assert set(rows["folded_over"]) == {"", "command", "pod"}
    assert rows[rows["folded_over"] != ""]["command"].isna().all()
    assert rows[rows["folded_over"] == "pod"]["pod"].isna().all()
    assert set(rows["namespace"]) == {"a"}


@pytest.mark.usefixtures("folding")
def test_many_files_share_one_bound(tmp_path: Path) -> None:
    for file in range(5):
        name = tmp_path / f"falco-{file}.jsonl"
        name.write_text("\n".join(alert(hostname=f"n{file}") for _ in range(100)))
    rows = collect(ToolSource("falco", tmp_path))["events"]
    assert rows["count"].sum() == 500
    assert len(rows) == 8  # two alone, one a file, and one more where the fold grows coarser


WORDS = st.sampled_from(
    ["rule", "priority", "time", "output_fields", "tags", "process_exec", "process", "pod", "args"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.dictionaries(WORDS, VALUES, max_size=4), max_size=6))
def test_every_line_is_an_event_or_counted(tmp_path: Path, lines: list[dict[str, Any]]) -> None:
    text = "\n".join([alert(), *map(json.dumps, lines)])
    evidence = read(tmp_path, text)
    logs, gaps = evidence["event_logs"], broken(evidence)
    told = int(logs["events"].sum() + logs["other"].sum() + logs["broken"].sum())
    assert told == len(lines) + 1
    assert len(evidence["events"]) + sum("$." in gap for gap in gaps) == logs["events"].sum()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_cut_anywhere_whole_lines_are_read(tmp_path: Path, data: st.DataObject) -> None:
    whole = [alert(rule=f"rule {n}") for n in range(4)]
    text = "\n".join(whole)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 80)))
    left, right = text[:start].count("\n"), text[end:].count("\n")
    rules = set(read(tmp_path, text[:start] + text[end:])["events"]["rule"])
    assert {f"rule {n}" for n in (*range(left), *range(4 - right, 4))} <= rules
