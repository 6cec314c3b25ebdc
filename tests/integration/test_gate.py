"""kaudit gate with real scanners: bad images are refused, good ones let through, as counted."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.integration.engine import engine
from tests.integration.images import Images
from tests.integration.process import free_port
from tests.integration.scanning import environment, printed
from tests.test_cli import run


@pytest.fixture(autouse=True)
def settings(
    tmp_path: Path,
    trivy_cache: Path,
    grype_settings: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in environment(tmp_path, trivy_cache, grype_settings).items():
        monkeypatch.setenv(name, value)


def checks(*options: str) -> tuple[int, dict[tuple[str, str], dict[str, object]]]:
    code, out, err = run("gate", *options, "--format", "json")
    assert out, err
    document = json.loads(out)
    return code, {(c["tool"], c["target"]): c for c in document["checks"]}


def test_vulnerable_and_clean(images: Images, trivy_cache: Path) -> None:
    good, bad = images.tagged("good"), images.tagged("vulnerable")
    code, found = checks("--image", good, "--image", bad, "--tools", "trivy,grype")
    assert code == 1
    assert {key: c["outcome"] for key, c in found.items()} == {
        ("trivy", good): "pass",
        ("grype", good): "pass",
        ("trivy", bad): "fail",
        ("grype", bad): "fail",
    }
    said = json.loads(
        printed(
            {"TRIVY_CACHE_DIR": str(trivy_cache), "TRIVY_SKIP_DB_UPDATE": "true"},
            *(engine("trivy"), "image", "--quiet", "--format", "json", bad),
        )
    )
    theirs: dict[str, int] = {}
    for result in said["Results"]:
        for flaw in result.get("Vulnerabilities", ()):
            word = flaw["Severity"].lower()
            theirs[word] = theirs.get(word, 0) + 1
    for tool in ("trivy", "grype"):
        assert found[tool, bad]["counts"] == theirs
    assert checks("--image", good)[0] == 0


def test_limits_and_what_has_no_fix(images: Images) -> None:
    bad = images.pinned("vulnerable")
    assert checks("--image", bad, "--max", "critical=1")[0] == 0
    code, found = checks("--image", bad, "--max", "critical=1", "--max", "low=0")
    assert (code, found["trivy", bad]["why"]) == (1, "1 low, at most 0 allowed")
    code, found = checks("--image", bad, "--max", "critical=1", "--max", "low=0", "--fixed-only")
    assert (code, found["trivy", bad]["unfixed"]) == (0, 1)


def test_exceptions_are_honoured_by_trivy_and_counted(images: Images, tmp_path: Path) -> None:
    bad = images.pinned("vulnerable")
    ignored = tmp_path / "ignored"
    ignored.write_text("CVE-2099-0001\n")
    code, found = checks("--image", bad, "--ignore-file", str(ignored))
    assert (code, found["trivy", bad]["suppressed"]) == (0, 1)
    vex = tmp_path / "web.openvex.json"
    product = {"@id": "pkg:apk/alpine/libssl3@3.3.1-r0?arch=x86_64&distro=3.20.1"}
    statement = {
        "vulnerability": {"name": "CVE-2099-0001"},
        "products": [product],
        "status": "not_affected",
        "justification": "vulnerable_code_not_present",
    }
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://vex.example/1",
        "author": "tests",
        "timestamp": "2026-01-02T03:04:05Z",
        "version": 1,
        "statements": [statement],
    }
    vex.write_text(json.dumps(document))
    code, found = checks("--image", bad, "--vex", str(vex))
    assert (code, found["trivy", bad]["suppressed"]) == (0, 1)


def test_signatures(images: Images) -> None:
    names = ("signed", "unsigned", "wrongly-signed", "moved")
    options = [word for name in names for word in ("--image", images.tagged(name))]
    key = ["--key", str(images.key), "--without-log", "--tools", "cosign"]
    code, found = checks(*options, *key)
    assert code == 1
    told = {name: found["cosign", images.tagged(name)]["outcome"] for name in names}
    assert told == {"signed": "pass"} | dict.fromkeys(names[1:], "fail")
    assert checks("--image", images.tagged("signed"), *key)[0] == 0


def test_a_registry_that_is_away_is_no_pass(images: Images) -> None:
    away = f"127.0.0.1:{free_port()}/team/web:1"
    code, found = checks("--image", away, "--image", images.tagged("good"))
    assert code == 3
    assert found["trivy", away]["outcome"] == "incomplete"
    assert "unreachable" in str(found["trivy", away]["why"])


def test_a_broken_database_is_no_pass(
    images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIVY_CACHE_DIR", str(tmp_path / "none"))
    code, found = checks("--image", images.tagged("good"))
    assert code == 3
    assert "its database cannot be used" in str(found["trivy", images.tagged("good")]["why"])


MANIFEST = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: web, image: "IMAGE", securityContext: {privileged: PRIVILEGED}}]}
"""


@pytest.mark.parametrize(("name", "privileged"), [("vulnerable", "true"), ("good", "false")])
def test_the_pipeline_of_the_guide(
    images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, privileged: str
) -> None:
    path = os.pathsep.join([str(engine("kubesec").parent), os.environ["PATH"]])
    monkeypatch.setenv("PATH", path)
    schemas = tmp_path / "schemas/master-standalone-strict"
    schemas.mkdir(parents=True)
    (schemas / "pod-v1.json").write_text('{"type": "object"}')
    text = MANIFEST.replace("IMAGE", images.tagged(name)).replace("PRIVILEGED", privileged)
    Path("deployment.yaml").write_text(text)
    options = ["--image", images.tagged(name), "--manifest", "deployment.yaml"]
    code, found = checks(*options, "--schemas", str(tmp_path / "schemas"), "--fail-on", "none")
    bad = name == "vulnerable"
    assert code == (1 if bad else 0)
    outcome = "fail" if bad else "pass"
    assert found["trivy", images.tagged(name)]["outcome"] == outcome
    score = found["kubesec", "deployment.yaml: Pod/web"]
    assert score["outcome"] == outcome
    said = printed_by_kubesec(tmp_path)
    assert len(said["scoring"].get("critical", ())) == score["counts"].get("critical", 0)  # type: ignore[attr-defined]


def printed_by_kubesec(folder: Path) -> dict[str, dict[str, list[object]]]:
    """What kubesec says by itself; it ends with 2 where the score is below 0."""
    command = [engine("kubesec"), "scan", "--schema-location", folder / "schemas"]
    ended = subprocess.run(
        [*map(str, command), "deployment.yaml"], cwd=folder, capture_output=True, text=True
    )
    (found,) = json.loads(ended.stdout)
    result: dict[str, dict[str, list[object]]] = found
    return result
