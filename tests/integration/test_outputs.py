"""What real tools write of the same thing in different formats comes to the same."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Reason
from kaudit.source.tools import ToolSource
from tests.integration.engine import engine
from tests.integration.images import Images
from tests.integration.vulnerabilities import OFFLINE

POD = """
apiVersion: v1
kind: Pod
metadata: {name: bad, namespace: shop}
spec: {hostPID: true, containers: [{name: c, image: nginx, securityContext: {privileged: true}}]}
"""
CONFIG = """
controls: {version_mapping: {}}
version_mapping: {"1.30": made-up}
target_mapping: {made-up: [node]}
node: {components: []}
"""
CHECKS = """
controls:
version: made-up
id: 4
text: Worker
type: node
groups:
  - id: 4.1
    text: Files
    checks:
      - {id: 4.1.1, text: Says yes, audit: echo yes, scored: true, remediation: none,
         tests: {test_items: [{flag: "yes"}]}}
      - {id: 4.1.2, text: Says no, audit: echo no, scored: true, remediation: none,
         tests: {test_items: [{flag: "yes"}]}}
      - {id: 4.1.3, text: Asks a person, type: manual, scored: false, remediation: none}
      - {id: 4.1.4, text: Left out, type: skip, scored: true, remediation: none}
"""


def printed(*command: str | Path, env: Mapping[str, str] | None = None) -> bytes:
    ended = subprocess.run(
        [*map(str, command)], env=os.environ | dict(env or {}), capture_output=True, check=True
    )
    return ended.stdout


def evidence(format: str, output: bytes, folder: Path) -> Evidence:
    path = folder / f"{format}.json"
    path.write_bytes(output)
    found = collect(ToolSource(format, path))
    assert [gap for gap in found.gaps if gap.reason is Reason.BROKEN] == []
    return found


def test_trivy_on_manifests(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(POD)
    config = (engine("trivy"), "config", "--quiet", "--skip-check-update", tmp_path / "pod.yaml")
    whole = evidence("trivy", printed(*config, "--format", "json"), tmp_path)
    sarif = evidence("sarif", printed(*config, "--format", "sarif"), tmp_path)
    failed = whole["tool_findings"].query("status == 'fail'")
    assert len(failed) > 5
    columns = ["rule", "severity"]
    assert sorted(failed[columns].to_numpy().tolist()) == sorted(
        sarif["tool_findings"][columns].to_numpy().tolist()
    )
    assert sarif["tool_reports"]["tool"].tolist() == ["trivy"]


def test_trivy_on_an_image(images: Images, trivy_cache: Path, tmp_path: Path) -> None:
    command = (engine("trivy"), "image", "--cache-dir", trivy_cache, *OFFLINE, "--quiet")
    pinned = images.pinned("vulnerable")
    whole = evidence("trivy", printed(*command, "--format", "json", pinned), tmp_path)
    sarif = evidence("sarif", printed(*command, "--format", "sarif", pinned), tmp_path)
    found = Counter(whole["vulnerabilities"]["id"])
    assert found
    assert Counter(sarif["tool_findings"]["rule"]) == found
    assert len(sarif["vulnerabilities"]) == 0


def test_grype_on_an_image(
    images: Images, grype_settings: Mapping[str, str], tmp_path: Path
) -> None:
    env = {"GRYPE_REGISTRY_INSECURE_USE_HTTP": "true"} | dict(grype_settings)
    command = (engine("grype"), f"registry:{images.pinned('vulnerable')}", "--output")
    output = printed(*command, "json", env=env)
    whole = evidence("grype", output, tmp_path)
    sarif = evidence("sarif", printed(*command, "sarif", env=env), tmp_path)
    rows = whole["vulnerabilities"]
    assert len(rows) == len(json.loads(output)["matches"]) > 0
    rules = {f"{id}-{package}" for id, package in zip(rows["id"], rows["package"], strict=True)}
    assert set(sarif["tool_findings"]["rule"]) == rules
    (scan,) = whole["image_scans"].to_dict("records")
    assert scan["manifest_digest"] == images.pinned("vulnerable").rpartition("@")[2]
    assert scan["database_built_at"] is not None
    assert scan["config_digest"].startswith("sha256:")


def test_kube_bench(tmp_path: Path) -> None:
    folder = tmp_path / "cfg" / "made-up"
    folder.mkdir(parents=True)
    (folder.parent / "config.yaml").write_text(CONFIG)
    (folder / "config.yaml").write_text("---\n")
    (folder / "node.yaml").write_text(CHECKS)
    output = printed(
        *(engine("kube-bench"), "run", "--config-dir", folder.parent),
        *("--config", folder.parent / "config.yaml", "--benchmark", "made-up", "--json"),
    )
    found = evidence("kube-bench", output, tmp_path)
    rows = found["tool_findings"].set_index("rule")["status"].to_dict()
    assert rows == {"4.1.1": "pass", "4.1.2": "fail", "4.1.3": "manual", "4.1.4": "skip"}
    totals = json.loads(output)["Totals"]
    assert (totals["total_pass"], totals["total_fail"], totals["total_warn"]) == (1, 1, 1)
    assert found["tool_reports"]["standard"].tolist() == ["made-up"]


@pytest.mark.parametrize("text", ["", "nothing\n"])
def test_kube_bench_without_json_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "text.json"
    path.write_text(f"[INFO] 4 Worker\n[PASS] 4.1.1 Says yes\n{text}")
    (gap,) = (g for g in collect(ToolSource("kube-bench", path)).gaps if g.failed)
    assert "--json" in gap.detail
