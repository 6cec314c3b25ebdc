"""Pictures of the runtime layer say in words what they draw, and take hostile names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kaudit.show import runtime_pictures as pictures

START = datetime(2026, 1, 1, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\x1b[31m$x_1$\u202e"


@pytest.mark.parametrize("days", [0, 1, 400, 40_000])
def test_a_timeline_fits_between_its_ends(days: int) -> None:
    events = [
        (START, "critical", 2),
        (START + timedelta(days=days, seconds=1), None, 3),
        (START + timedelta(days=days), "debug", 1),
    ]
    found = pictures.timeline(events, caption="Alerts")
    assert "2 critical, 1 notice and below, 3 not told" in found.alt


def test_the_matrix_names_what_would_see_each_technique() -> None:
    rows = [
        ("T1059", "Command and Scripting Interpreter", ["TA0002 Execution"], "seen"),
        ("T1611", HOSTILE, ["TA0004 Privilege Escalation", "TA0002 Execution"], "none"),
    ]
    found = pictures.attack_matrix(rows, caption="ATT&CK")
    assert found.alt == "ATT&CK. seen in the evidence: T1059; nothing: T1611."
    assert b"<script" not in found.svg


def test_many_nodes_are_cut_and_the_open_ones_come_first() -> None:
    nodes = [(f"node-{n:03}", n != 250, True, "falco") for n in range(300)]
    found = pictures.node_map([*nodes, (HOSTILE, None, True, "")], caption="Nodes")
    assert "1 without a ready sensor: node-250; 1 not told" in found.alt
    assert b"<script" not in found.svg


def test_nothing_is_said() -> None:
    for draw in (pictures.timeline, pictures.attack_matrix, pictures.node_map):
        assert draw([], caption="x").alt == "x. Nothing to show."
