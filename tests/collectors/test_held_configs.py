"""Configurations of schedulers and of ingress-nginx: in files and in ConfigMaps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import kaudit as ka
from kaudit.collect import collect
from kaudit.model.words import Reason, Status
from kaudit.source.files import FileSource
from kaudit.source.tools import ToolSource
from tests.memory_source import evidence_of, rows

HEAD = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
SHOWN = ("kind", "namespace", "name", "key", "profiling", "fault")


def config_map(**data: str) -> str:
    found = {"apiVersion": "v1", "kind": "ConfigMap", "data": data}
    return json.dumps(found | {"metadata": {"name": "held", "namespace": "shop"}})


def statuses(evidence: ka.Evidence, control: str) -> set[tuple[str, str, Status]]:
    found = ka.assess(evidence, control=control).by_control[control].results()
    return {(one.kind, one.name, one.status) for one in found}


def test_schedulers_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "scheduler.yaml").write_text(f"# of the node\n{HEAD}enableProfiling: false\n")
    item = {"apiVersion": "kubescheduler.config.k8s.io/v1beta3"}
    item["kind"] = "KubeSchedulerConfiguration"
    (tmp_path / "old.json").write_text(json.dumps(item))
    (tmp_path / "map.json").write_text(config_map(**{"a.yaml": HEAD, "b": f"{HEAD}profiles: []"}))
    evidence = collect(FileSource(tmp_path))
    assert sorted(
        tuple(row.values()) for row in rows(evidence, "scheduler_configs", *SHOWN[:5])
    ) == [
        ("ConfigMap", "shop", "held", "a.yaml", True),
        ("ConfigMap", "shop", "held", "b", True),
        ("KubeSchedulerConfiguration", "", "old.json", "", True),
        ("KubeSchedulerConfiguration", "", "scheduler.yaml", "", False),
    ]
    assert statuses(evidence, "KA-DEP-085d") == {
        ("ConfigMap", "held", Status.FAIL),
        ("KubeSchedulerConfiguration", "old.json", Status.FAIL),
        ("KubeSchedulerConfiguration", "scheduler.yaml", Status.PASS),
    }


@pytest.mark.parametrize("text", [f"{HEAD}enableProfiling: maybe\n", f"{HEAD}enableProfiling: 0\n"])
def test_what_a_scheduler_refuses_is_no_pass(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    evidence = collect(ToolSource("scheduler", tmp_path / "a.yaml"))
    (row,) = rows(evidence, "scheduler_configs", *SHOWN)
    assert row["fault"]
    (held,) = rows(evidence_of(config_map(a=text)), "scheduler_configs", "fault")
    assert held["fault"] == row["fault"]
    ((_, _, status),) = statuses(evidence, "KA-DEP-085d")
    assert status is Status.NOT_ASSESSED


@pytest.mark.parametrize(
    "text", ["[]", "kind: KubeSchedulerConfiguration\n", f"{HEAD}---\n{HEAD}", f"{HEAD}a: [\n"]
)
def test_what_is_no_configuration_is_a_gap(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    evidence = collect(ToolSource("scheduler", tmp_path / "a.yaml"))
    assert rows(evidence, "scheduler_configs") == []
    assert [gap for gap in evidence.gaps if gap.reason is Reason.BROKEN]
    assert len(evidence_of(config_map(a=text))["config_maps"]) == 1


def test_an_address_and_a_kubeconfig_are_not_kept(tmp_path: Path) -> None:
    text = f"{HEAD}clientConnection: {{kubeconfig: /hunter2}}\n"
    assert "hunter2" not in json.dumps(evidence_of(config_map(a=text)).record("configmaps", 1))
    (tmp_path / "a.yaml").write_text(text)
    evidence = collect(ToolSource("scheduler", tmp_path / "a.yaml"))
    (row,) = rows(evidence, "scheduler_configs", "raw", "raw_line")
    assert "hunter2" not in json.dumps(evidence.record(str(row["raw"]), 1))


@pytest.mark.parametrize(
    ("allowed", "risk", "expected"),
    [
        ("true", None, Status.FAIL),
        ("True", None, Status.FAIL),
        ("1", "Critical", Status.FAIL),
        (" true\n", "critical", Status.FAIL),
        ("true", "High", Status.PASS),
        ("true", "low", Status.PASS),
        ("true", "unheard of", Status.FAIL),
        ("false", "Critical", Status.PASS),
        ("no", None, Status.PASS),
    ],
)
def test_settings_of_ingress_nginx(allowed: str, risk: str | None, expected: Status) -> None:
    more = {"annotations-risk-level": risk} if risk else {}
    evidence = evidence_of(config_map(**{"allow-snippet-annotations": allowed, **more}))
    assert statuses(evidence, "KA-NET-015b") == {("ConfigMap", "held", expected)}


@pytest.mark.parametrize(
    "data", [{}, {"annotations-risk-level": "Critical"}, {"server-tokens": "x"}]
)
def test_config_maps_that_say_nothing_of_snippets(data: dict[str, str]) -> None:
    evidence = evidence_of(config_map(**data))
    assert {status for *_, status in statuses(evidence, "KA-NET-015b")} == {Status.NOT_APPLICABLE}


def test_a_value_that_means_nothing_is_not_kept() -> None:
    evidence = evidence_of(config_map(**{"allow-snippet-annotations": "hunter2"}))
    assert "hunter2" not in json.dumps(evidence.record("configmaps", 1))
    (row,) = rows(evidence, "ingress_nginx", "allow_snippet_annotations", "snippets")
    assert row == {"allow_snippet_annotations": "another value", "snippets": False}
