"""The command on connections: what it lists, explains and compares, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.test_cli import run
from tests.test_segmentation import CLUSTER, pod, policy


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.yaml").write_text(CLUSTER)
    (tmp_path / "new.yaml").write_text(
        CLUSTER.replace("port: 443", "port: 8443") + pod("late", "batch")
    )
    return tmp_path


def test_a_list_holds_workloads_and_addresses(folder: Path) -> None:
    found = json.loads(run("connections", "old.yaml", "--format", "json")[1])
    web = {"protocol": "TCP", "from_port": 443, "to_port": 443}
    assert {"src": "frontend/web[Pod]", "dst": "pci/db[Pod]", "connections": [web]} in found
    outward = [c for c in found if c["src"] == "batch/job[Pod]" and c["dst"] == "0.0.0.0/0"]
    assert [[p["protocol"] for p in c["connections"]] for c in outward] == [["TCP", "UDP", "SCTP"]]
    assert all(c["src"] != c["dst"] for c in found)
    assert found == sorted(found, key=lambda c: (c["src"], c["dst"]))


def test_a_connection_is_explained(folder: Path) -> None:
    asked = ("connections", "old.yaml", "--format", "json", "--explain")
    found = json.loads(run(*asked, "frontend/web", "pci/db[Pod]", "443")[1])
    assert found["verdict"] == "allowed"
    assert found["reasons"] == [
        {
            "direction": "egress",
            "policy": "",
            "effect": "decides nothing: no policy applies",
            "rule": None,
        },
        {"direction": "ingress", "policy": "NetworkPolicy pci/p", "effect": "allows", "rule": 0},
    ]
    found = json.loads(run(*asked, "8.8.8.8", "pci/db", "udp/53")[1])
    assert (found["protocol"], found["verdict"]) == ("UDP", "denied")
    assert [r["effect"] for r in found["reasons"]] == [
        "decides nothing: it is outside",
        "isolates",
    ]


def test_two_states_are_compared(folder: Path) -> None:
    out = run("connections", "old.yaml", "--compare", "new.yaml", "--format", "csv")[1]
    assert "changed,frontend/web[Pod],pci/db[Pod],TCP 443,TCP 8443" in out
    assert "added,batch/late[Pod],0.0.0.0/0,,all" in out
    assert "removed" not in out
    same = run("connections", "old.yaml", "--compare", "old.yaml", "--format", "json")[1]
    assert json.loads(same) == []


ADMIN = """
{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: NAME},
 spec: {priority: 5, subject: {namespaces: {}}, ingress: [{action: Pass, from: [{namespaces: {}}]}]}}
---
"""


@pytest.mark.parametrize(
    ("text", "arguments", "told"),
    [
        ("", ["--explain", "pci/none", "pci/db", "443"], "there is no workload 'pci/none'"),
        ("", ["--explain", "pci/db", "pci/cache", "https"], "'https' is no port"),
        ("", ["--explain", "pci/db", "pci/cache", "70000"], "'70000' is no port"),
        ("", ["--explain", "a", "b", "1", "--compare", "x"], "different questions"),
        ("", ["--statements", "none.yaml"], "none.yaml: cannot be read"),
        (policy("pci", "{podSelector: {}}"), [], "there are 2 of NetworkPolicy pci/p"),
        (policy("pci", "{podSelector: {}, ingress: [{from: [{}]}]}", "q"), [], "names nobody"),
        (
            policy("x", "{podSelector: {}, ingress: [{ports: [{port: a, endPort: 9}]}]}"),
            [],
            "endPort wants a port that is a number",
        ),
        (
            ADMIN.replace("NAME", "a") + ADMIN.replace("NAME", "b"),
            [],
            "2 of AdminNetworkPolicy with priority 5",
        ),
        (ADMIN.replace("Pass", "Skip"), [], "there is no action 'Skip'"),
        (ADMIN.replace("priority: 5, ", ""), [], "its priority must be"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    folder: Path, text: str, arguments: list[str], told: str
) -> None:
    (folder / "all.yaml").write_text(CLUSTER + text)
    code, out, err = run("connections", "all.yaml", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("kaudit: ")
    assert told in err
    assert err.count("\n") == 1
