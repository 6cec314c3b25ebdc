"""Policies of Tetragon: what they hook, and what the API server and the agent make of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kaudit.model.tracing_policy import judge
from tests.corpus.reading import files
from tests.shared import needs_shared, shared

OPEN: dict[str, Any] = {"call": "security_file_open", "syscall": False}


def test_what_a_policy_does() -> None:
    selector = {"matchActions": [{"action": "Sigkill"}, {"action": "Post"}]}
    found = judge(
        {
            "podSelector": {"matchLabels": {"app": "web"}},
            "options": [{"name": "policy-mode", "value": "monitor"}],
            "kprobes": [{**OPEN, "selectors": [selector]}],
            "tracepoints": [{"subsystem": "raw_syscalls", "event": "sys_exit"}],
            "lsmhooks": [{"hook": "file_open"}],
        }
    )
    assert found.hooks == ["file_open", "raw_syscalls/sys_exit", "security_file_open"]
    assert found.kinds == ["kprobes", "lsmhooks", "tracepoints"]
    assert (found.actions, found.stops, found.mode) == (["Post", "Sigkill"], True, "monitor")
    assert (found.selects, found.refused, found.dropped, found.unloadable) == (True, [], [], [])


@pytest.mark.parametrize(
    ("spec", "kinds", "hooks"),
    [
        ({"loader": True}, ["loader"], ["loader"]),
        ({"loader": False, "kprobes": [OPEN]}, ["kprobes"], ["security_file_open"]),
        (
            {"uprobes": [{"path": "/bin/bash", "symbols": ["readline", "main"]}]},
            ["uprobes"],
            ["/bin/bash main", "/bin/bash readline"],
        ),
        (
            {"usdts": [{"path": "/bin/p", "provider": "python", "name": "line"}]},
            ["usdts"],
            ["/bin/p python:line"],
        ),
        ({"fentries": [OPEN]}, ["fentries"], ["security_file_open"]),
    ],
)
def test_every_kind_of_hook(spec: Any, kinds: list[str], hooks: list[str]) -> None:
    found = judge(spec)
    assert (found.kinds, found.hooks) == (kinds, hooks)
    assert (found.refused, found.dropped, found.unloadable) == ([], [], [])


def test_hooks_that_nobody_knows_are_dropped_and_hook_nothing() -> None:
    found = judge({"xdphooks": [{"device": "eth0"}], "kprobe": OPEN})
    assert [fault.partition(":")[0] for fault in found.dropped] == ["spec.kprobe", "spec.xdphooks"]
    assert found.unloadable == ["it hooks nothing"]


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ({"kprobes": [{**OPEN, "selectors": [{"matchPIDs": [{"operator": "In"}]}]}]}, "values"),
        ({"kprobes": [{**OPEN, "args": [{"index": "0", "type": "file"}]}]}, "args[0].index"),
        ({"kprobes": [{**OPEN, "args": [{"index": 0, "type": "inode"}]}]}, "args[0].type"),
        ({"kprobes": {"call": "x"}}, "kprobes"),
        ({"kprobes": [{"syscall": False}]}, "kprobes[0].call"),
        (None, "spec"),
    ],
)
def test_what_the_api_server_refuses(spec: Any, place: str) -> None:
    found = judge(spec)
    assert any(place in fault for fault in found.refused)


def test_what_it_drops_and_what_cannot_be_loaded() -> None:
    found = judge({"kprobes": [{"call": "tcp_connect", "action": "Post"}]})
    assert found.refused == []
    assert found.dropped == ["spec.kprobes[0].action: no such field; the API server drops it"]
    assert "syscall: false is missing" in found.unloadable[0]
    assert judge({}).unloadable == ["it hooks nothing"]


@needs_shared
def test_the_two_policies_of_the_guide() -> None:
    text = shared("guide.txt").read_text()
    start = text.index("# tetragon-policy.yaml")
    events, network = yaml.safe_load_all(text[start : text.index("Secrets Management\n", start)])
    first, second = judge(events["spec"]), judge(network["spec"])
    assert (first.refused, len(first.dropped)) == ([], 1)
    assert len(second.refused) == 2
    assert "a Linux namespace, not one of Kubernetes" in second.refused[0]


@needs_shared
@pytest.mark.parametrize("path", files("tetragon/policies", "*.yaml"), ids=lambda p: p.name)
def test_real_policies_are_without_fault(path: Path) -> None:
    found = judge(yaml.safe_load(path.read_text())["spec"])
    assert (found.refused, found.dropped, found.unloadable) == ([], [], [])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["kprobes", "call", "selectors", "matchActions", "action", "options"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_spec_is_judged(spec: Any) -> None:
    found = judge(spec)
    assert found.hooks or found.refused or found.unloadable
    json.dumps(found.refused)
