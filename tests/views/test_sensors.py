"""Which nodes are watched, and why others are not; what a quiet namespace proves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.source.files import FileSource

LOG = {"rule": "R", "priority": "Notice", "time": "2026-01-01T00:00:00Z", "output_fields": {}}


def node(name: str, **more: Any) -> dict[str, Any]:
    taints = [{"key": k, "effect": "NoSchedule"} for k in more.pop("taints", ())]
    meta = {"name": name, "labels": more.pop("labels", {})}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": meta,
        "spec": {"taints": taints, **more},
    }


def pod(name: str, on: str, image: str, namespace: str = "falco", **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": image}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"nodeName": on, "containers": [container], **spec},
        "status": {"phase": "Running"},
    }


def evidence(folder: Path, *objects: dict[str, Any], logged: bool = True) -> Evidence:
    (folder / "a.yaml").write_text(yaml.safe_dump_all(objects))
    if logged:
        (folder / "falco.jsonl").write_text(json.dumps(LOG))
    return collect(FileSource(folder))


FALCO = "docker.io/falcosecurity/falco:0.42.0"


@pytest.mark.parametrize(
    ("bare", "spec", "why"),
    [
        (node("b", taints=["gpu"]), {}, "falco does not tolerate gpu=:NoSchedule"),
        (node("b", taints=["gpu"]), {"tolerations": [{"operator": "Exists"}]}, "has no pod on it"),
        (
            node("b", taints=["gpu"]),
            {"tolerations": [{"key": "gpu", "effect": "NoSchedule", "operator": "Exists"}]},
            "has no pod on it",
        ),
        (node("b"), {"nodeSelector": {"pool": "web"}}, "falco asks for pool=web"),
        (node("b", labels={"type": "virtual-kubelet"}), {}, "virtual"),
    ],
)
def test_why_a_node_has_none(
    tmp_path: Path, bare: dict[str, Any], spec: dict[str, Any], why: str
) -> None:
    rows = evidence(tmp_path, node("a"), bare, pod("f", "a", FALCO, **spec))["node_sensors"]
    watched, open_ = rows.to_dict("records")
    assert (watched["covered"], watched["why"], watched["versions"][0]) == (
        True,
        "",
        "falco 0.42.0",
    )
    assert open_["covered"] is False
    assert why in open_["why"]


def test_nothing_is_known_where_no_pod_was_read(tmp_path: Path) -> None:
    rows = evidence(tmp_path, node("a"))["node_sensors"]
    assert rows["covered"].isna().all()


@pytest.mark.parametrize(
    "image",
    ["ghcr.io/falcosecurity/falcosidekick:2", "quay.io/cilium/tetragon-operator:v1", "nginx"],
)
def test_what_is_no_sensor(tmp_path: Path, image: str) -> None:
    rows = evidence(tmp_path, node("a"), pod("f", "a", image))["node_sensors"]
    assert rows["covered"].tolist() == [False]


@pytest.mark.parametrize(("logged", "shown"), [(True, True), (False, None)])
def test_quiet_means_something_only_with_sensor_and_log(
    tmp_path: Path, logged: bool, shown: bool | None
) -> None:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    objects = (space, node("a"), pod("f", "a", FALCO), pod("w", "a", "nginx", "shop"))
    rows = evidence(tmp_path, *objects, logged=logged)["namespace_alerts"]
    (row,) = rows.to_dict("records")
    assert (row["shown"] is True) is (shown is True)
    assert list(row["uncovered"]) == []
