"""An assessment as people see it: conclusions, the worst, what is not known, where next."""

import re
from datetime import UTC, date, datetime

import pytest

import kaudit as ka
from kaudit import registry
from kaudit.assess import assess
from kaudit.cli.overview import show
from kaudit.collect import collect
from kaudit.waivers import Waiver
from tests.memory_source import MemorySource, evidence_of, objects

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: bad, namespace: shop}
spec:
  hostPID: true
  containers:
    - {name: one, image: i, securityContext: {privileged: true}}
    - {name: two, image: i, securityContext: {privileged: true}}
---
apiVersion: v1
kind: Pod
metadata: {name: broken, namespace: shop}
spec: {containers: 3}
"""


def lines(capfd: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capfd.readouterr()
    assert err == ""
    return [" ".join(line.split()) for line in out.splitlines() if line.strip(" ─")]


def judged(*controls: str) -> ka.Assessment:
    registry.load()
    return assess(evidence_of(PODS), [registry.find_control(id) for id in controls] or None)


def test_the_order_of_what_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    show(judged("KA-DEP-001", "KA-DEP-002", "KA-DEP-007"), ["pods.yaml"])
    found = lines(capfd)
    assert found[0] == "Conclusions on memory"
    assert found[3] == (
        "deploy not effective 3 0 3 2 of 3 controls fail at high or critical severity"
    )
    at = found.index("2 controls fail, worst first")
    assert found[at + 1 : at + 6] == [
        "severity control fail finding",
        "critical KA-DEP-001 2/3 No container runs in privileged mode.",
        "Pod shop/bad, container one: container type: regular; privileged: true",
        "high KA-DEP-002 1/2 No pod sees the processes of its node.",
        "Pod shop/bad: host pid: true",
    ]
    at = found.index("3 controls could not be assessed, or not everywhere")
    assert found[at + 1] == "reason resources controls"
    assert found[at + 2].startswith("Pod shop/broken: broken (")
    assert found[at + 2].endswith("3 KA-DEP-001, KA-DEP-002, KA-DEP-007")
    at = found.index("Next")
    assert found[at + 1 :] == [
        "kaudit controls KA-DEP-001 why it matters and how to remedy it",
        "kaudit trace pods.yaml ka-dep-001.de3a83d35106b1b3 this finding, back to what was read",
        "kaudit tables pods.yaml --gaps what could not be read: 1 gap",
        "kaudit assess pods.yaml --format csv every result",
        "kaudit report pods.yaml -o report the report to hand in",
    ]


def test_a_waived_failure_is_not_the_example(capfd: pytest.CaptureFixture[str]) -> None:
    waiver = Waiver(
        id="W",
        control="KA-DEP-001",
        container="one",
        reason="r",
        owner="o",
        approver="a",
        expires=date(2030, 1, 1),
    )
    registry.load()
    source = MemorySource(*objects(PODS))
    evidence = collect(source, as_of=datetime(2026, 1, 1, tzinfo=UTC))
    show(assess(evidence, [registry.find_control("KA-DEP-001")], waivers=[waiver]), ["x"])
    found = lines(capfd)
    assert found[0] == "Conclusions on memory, as of 2026-01-01"
    at = next(n for n, line in enumerate(found) if line.startswith("critical KA-DEP-001"))
    assert found[at].startswith("critical KA-DEP-001 1/3 ")
    assert found[at + 1].startswith("Pod shop/bad, container two: ")


def test_where_nothing_fails_it_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    good = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}"
    registry.load()
    show(assess(evidence_of(good), [registry.find_control("KA-DEP-001")]), ["a", "b"])
    found = lines(capfd)
    assert "Nothing fails that is not waived." in found
    assert not any("could not be assessed" in line for line in found)
    assert found[found.index("Next") + 1] == "kaudit assess SOURCE --format csv every result"


def test_only_the_worst_unless_all_are_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    everything = judged()
    failing = [c for c in everything.controls if everything.tallies[c.id].open]
    assert len(failing) > 20
    show(everything, ["x"])
    short = lines(capfd)
    shown = [line for line in short if re.match(r"(critical|high|medium|low|info) KA-", line)]
    assert len(shown) == 20
    more = next(line for line in short if "--all shows them" in line)
    assert more.startswith(f"{len(failing) - 20} more fail (")
    show(everything, ["x"], everything=True)
    full = lines(capfd)
    assert not any("--all" in line for line in full)
    ids = {
        line.split()[1] for line in full if re.match(r"(critical|high|medium|low|info) KA-", line)
    }
    assert ids == {c.id for c in failing}


def test_quiet_leaves_out_where_to_look_next(capfd: pytest.CaptureFixture[str]) -> None:
    show(judged("KA-DEP-001"), ["x"], quiet=True)
    assert "Next" not in lines(capfd)


def test_a_source_that_a_shell_would_split_is_quoted(capfd: pytest.CaptureFixture[str]) -> None:
    show(judged("KA-DEP-001"), ["my files; rm -rf"])
    assert "kaudit report 'my files; rm -rf' -o report the report to hand in" in lines(capfd)


def test_hostile_names_are_shown_harmless_and_short(
    capfd: pytest.CaptureFixture[str],
) -> None:
    name = "\x1b[2J" + "x" * 10_000
    pod = PODS.partition("---")[0].replace("name: bad", f'name: "{name}"'.replace("\x1b", "\\e"))
    registry.load()
    show(assess(evidence_of(pod), [registry.find_control("KA-DEP-001")]), ["x"])
    out = capfd.readouterr().out
    assert "\x1b" not in out
    assert len(out) < 4_000
    assert "\\u{1b}[2Jxxx" in out
