"""kaudit collect context:… --scan: what runs is scanned, not what its tag names by now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from kaudit.evidence.bundle import Evidence
from tests.integration.cluster import Cluster
from tests.integration.engine import engine
from tests.integration.images import Images
from tests.integration.scanning import environment
from tests.memory_source import rows
from tests.test_cli import run

_NAMESPACE = "scanned"


def runs(cluster: Cluster, images: Images, name: str, digest: str) -> None:
    """Make a pod, and let its status say by which digest its image runs."""
    path = f"/api/v1/namespaces/{_NAMESPACE}/pods"
    container = {"name": "c", "image": images.tagged(name)}
    pod = {"metadata": {"name": name}, "spec": {"containers": [container]}}
    made = cluster.request("POST", path, pod)
    assert made.status == 201, made.body
    told = {
        "name": "c",
        "image": images.tagged(name),
        "imageID": f"{images.registry}/{name}@{digest}",
        "ready": True,
        "restartCount": 0,
    }
    whole = made.body | {"status": {"phase": "Running", "containerStatuses": [told]}}
    answer = cluster.request("PUT", f"{path}/{name}/status", whole)
    assert answer.status == 200, answer.body


def test_what_runs_is_scanned_and_tools_do_not_see_the_cluster(
    cluster: Cluster,
    images: Images,
    trivy_cache: Path,
    grype_settings: Mapping[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": _NAMESPACE}})
    runs(cluster, images, "vulnerable", images.digests["vulnerable"])
    runs(cluster, images, "moved", images.signed_before)
    wrapped = tmp_path / "bin"
    wrapped.mkdir()
    script = wrapped / "trivy"
    script.write_text(f'#!/bin/sh\nenv >> {tmp_path}/seen\nexec {engine("trivy")} "$@"\n')
    script.chmod(0o755)
    ours = environment(tmp_path, trivy_cache, grype_settings, "trivy")
    for name, value in (ours | {"PATH": f"{wrapped}:{ours['PATH']}"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KUBECONFIG", str(cluster.admin))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-5b1e")
    out = tmp_path / "e"
    options = ["--kinds", "pods", "--tools", "trivy", "-o", str(out)]
    code, _, err = run("collect", "context:admin", *options)
    assert code == 0, err
    evidence = Evidence.open(out)
    before = f"{images.registry}/moved@{images.signed_before}"
    found = {
        row["artifact"]: row["findings"]
        for row in rows(evidence, "image_scans", "artifact", "findings")
    }
    assert found[images.pinned("vulnerable")] == 3
    assert found[before] == 0, "its tag names a vulnerable image by now"
    assert images.pinned("moved") not in found
    assert images.tagged("moved") not in found
    seen = (tmp_path / "seen").read_text()
    assert "TRIVY_CACHE_DIR" in seen
    for word in ("KUBE", "AWS", "canary-5b1e", str(cluster.admin)):
        assert word not in seen
    again = tmp_path / "again"
    count = seen.count("TRIVY_CACHE_DIR")
    run("collect", "context:admin", *options[:-1], str(again))
    more = (tmp_path / "seen").read_text().count("TRIVY_CACHE_DIR") - count
    tagged = sum(row["digest"] is None for row in rows(evidence, "tool_runs", "digest"))
    assert 1 <= more <= 1 + tagged, "digests are known already; the version is asked for again"
    assert json.dumps(rows(Evidence.open(again), "vulnerabilities", "id", "report")) == json.dumps(
        rows(evidence, "vulnerabilities", "id", "report")
    )
