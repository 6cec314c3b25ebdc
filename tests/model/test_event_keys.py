"""What is a repeat at a glance is one when all of it is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kaudit.errors import InputError
from kaudit.model import event_fold
from kaudit.model.event_keys import GLANCES
from kaudit.model.taken import Content

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, 0, 1, True, 1.0, "", "a", "<NA>", "\u00e9", [], {}, {"name": "a"}, {"ns": {"name": "b"}}]
)
TIMES = st.sampled_from(
    [
        None,
        5,
        "2026-01-01T10:00:00",
        "2026-01-01T10:00:01Z",
        "2026-01-01T10:00:00.5+01:00",
        "2026-01-01T10:00:00.123456789Z",
    ]
)


def changed(whole: dict[str, Any], **others: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object with few of its members changed."""
    values = {**dict.fromkeys(whole, ODD), **others}
    one = st.sampled_from(sorted(values)).flatmap(lambda k: st.tuples(st.just(k), values[k]))
    return st.lists(one, max_size=2).map(lambda changes: whole | dict(changes))


TIME = "2026-01-01T10:00:00Z"
FIELDS: dict[str, Any] = {"k8s.ns.name": "a", "k8s.pod.name": "a", "container.id": "host"}
ALERTS = changed(
    {"rule": "R", "priority": "a", "hostname": "a", "time": TIME, "output_fields": FIELDS},
    process_exec=ODD,
    time=TIMES,
    output_fields=ODD | changed(FIELDS, k8s=ODD, container=ODD, evt=ODD),
)
PODS = changed({"namespace": "a", "name": "a"}, container=ODD)
BODIES = changed(
    {"policy_name": "a", "args": None},
    process=ODD | changed({"binary": "/bin/sh"}, pod=ODD | PODS),
)
EVENTS = changed(
    {"node_name": "a", "rule": None, "time": TIME},
    time=TIMES,
    process_exec=ODD | BODIES,
    process_loader=BODIES,
    process_new=BODIES,
    process_kprobe=BODIES,
    aggregation_info=ODD | changed({"count": 3}),
).map(lambda line: {"process_kprobe": {"policy_name": "a"}, **line})


def taken(sensor: str, lines: list[bytes]) -> list[str]:
    fold = event_fold.Fold(Content("a.log", b"\n".join(lines), "0" * 16), sensor)
    try:
        return [repr(found) for found in fold.take()]
    except InputError as wrong:
        return [str(wrong)]


@pytest.mark.parametrize(("sensor", "kind"), [("falco", ALERTS), ("tetragon", EVENTS)])
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_repeats_at_a_glance(
    sensor: str,
    kind: st.SearchStrategy[dict[str, Any]],
    data: st.DataObject,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bounds = data.draw(st.sampled_from([(0, 0, 99), (1, 1, 3), (0, 0, 0), (1, 3, 5)]))
    for name, bound in zip(("SINGLE", "BY_POD", "BY_NAMESPACE"), bounds, strict=True):
        monkeypatch.setattr(event_fold, name, bound)
    monkeypatch.setattr(event_fold, "WINDOW", 3)
    lines = data.draw(st.lists(kind, min_size=2, max_size=12))
    written = [json.dumps(line, ensure_ascii=False).encode() for line in lines]
    monkeypatch.setattr(event_fold, "GLANCES", GLANCES)
    glanced = taken(sensor, written)
    monkeypatch.setattr(event_fold, "GLANCES", {})
    assert glanced == taken(sensor, written)


def test_names_that_are_numbers_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_fold, "SINGLE", 0)
    monkeypatch.setattr(event_fold, "BY_POD", 0)
    alert = {"rule": "R", "time": TIME}
    lines = [json.dumps(alert | {"hostname": name}).encode() for name in (1, True, 1.0, "1")]
    assert '"nodes":["1","1.0","True"]' in taken("falco", lines)[-1]


@pytest.mark.parametrize("bad", [b"\xff", b"\\ud800", b"\x00"])
def test_what_is_no_text_is_broken_also_where_nobody_looks(
    bad: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_fold, "SINGLE", 0)
    monkeypatch.setattr(event_fold, "BY_POD", 0)
    line = b'{"rule": "R", "time": "2026-01-01T10:00:00Z", "uuid": "x"}'
    found = taken("falco", [line, line, line.replace(b'"x"', b'"' + bad + b'"')])
    assert "1 of 3 lines cannot be read: 3" in found[-1]
