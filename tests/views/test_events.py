"""Events find their workload in each way that sensors name it, and say why they do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.source.files import FileSource

ID = "0123456789ab" + "c" * 52
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "cart-1",
        "namespace": "shop",
        "uid": "u-1",
        "ownerReferences": [
            {
                "apiVersion": "apps/v1",
                "kind": "DaemonSet",
                "name": "cart",
                "uid": "d",
                "controller": True,
            }
        ],
    },
    "spec": {"nodeName": "node-1", "containers": [{"name": "app", "image": "r.example/cart:1"}]},
    "status": {
        "containerStatuses": [
            {
                "name": "app",
                "containerID": f"containerd://{ID}",
                "imageID": "r.example/cart@sha256:" + "a" * 64,
            }
        ]
    },
}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}}


def evidence(folder: Path, *alerts: dict[str, Any], node: str = "node-1") -> Evidence:
    (folder / "pods.yaml").write_text(yaml.safe_dump_all([POD, NODE]))
    lines = [
        {"rule": "R", "priority": "Error", "time": "2026-01-01T00:00:00Z", "hostname": node} | one
        for one in alerts
    ]
    (folder / "falco.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return collect(FileSource(folder))


def fields(**named: Any) -> dict[str, Any]:
    return {"output_fields": {key.replace("__", "."): value for key, value in named.items()}}


def test_each_way_to_the_workload(tmp_path: Path) -> None:
    ways = [
        fields(k8s__pod__uid="u-1"),
        fields(k8s__ns__name="shop", k8s__pod__name="cart-1"),
        fields(container__id=ID[:12]),
    ]
    rows = evidence(tmp_path, *ways)["event_context"]
    assert rows["resolved_by"].tolist() == ["uid", "name", "container id"]
    assert set(rows["owner_name"]) == {"cart"}
    assert set(rows["unresolved"]) == {""}
    assert rows["image_digest"].tolist()[2] == "sha256:" + "a" * 64
    assert set(rows["pod"]) == {"cart-1"}


def test_why_no_workload_is_known(tmp_path: Path) -> None:
    unknown = [
        fields(k8s__ns__name="shop", k8s__pod__name="gone"),
        fields(container__id="host"),
        {"source": "k8s_audit"} | fields(ka__user__name="ann"),
        {"hostname": "elsewhere"} | fields(k8s__ns__name="a", k8s__pod__name="b"),
        fields(proc__name="sh"),
    ]
    rows = evidence(tmp_path, *unknown)["event_context"]
    assert rows["unresolved"].tolist() == [
        "pod not in the evidence",
        "host",
        "no pod is meant",
        "another cluster",
        "no pod is told",
    ]
    kinds = list(zip(rows["owner_kind"], rows["owner_name"], strict=True))
    assert kinds[:2] == [("Pod", "gone"), ("Node", "node-1")]


def test_an_episode_is_a_rule_a_workload_and_a_command(tmp_path: Path) -> None:
    of_pod = {"k8s__ns__name": "shop", "k8s__pod__name": "cart-1"}
    alerts = [
        {"time": f"2026-01-01T00:00:0{second}Z"} | fields(**of_pod, proc__cmdline=command)
        for second, command in enumerate(["sh", "id", "sh"])
    ]
    rows = evidence(tmp_path, *alerts)["event_episodes"]
    found = {row["command"]: row for row in rows.to_dict("records")}
    assert {name: row["count"] for name, row in found.items()} == {"sh": 2, "id": 1}
    assert (found["sh"]["first_at"].second, found["sh"]["last_at"].second) == (0, 2)
    assert rows["severe"].all()


def test_internal_events_are_no_alerts_but_tell_of_losses(tmp_path: Path) -> None:
    drop = {"rule": "Falco internal: syscall event drop"} | fields(n_drops="7")
    found = evidence(tmp_path, drop)
    assert len(found["event_context"]) == 0
    assert found["node_sensors"]["lost"].tolist() == [7]


def test_other_clusters_do_not_mix(tmp_path: Path) -> None:
    rows = evidence(tmp_path, fields(k8s__ns__name="shop", k8s__pod__name="cart-9"), node="x")
    assert rows["event_context"]["unresolved"].tolist() == ["another cluster"]
