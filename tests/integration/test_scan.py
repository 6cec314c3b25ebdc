"""kaudit runs Trivy, Grype and cosign on real images: what they say is what it has."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Reason, Status
from kaudit.source.files import FileSource
from kaudit.source.run.scan import ScanSource
from kaudit.source.run.targets import targets
from kaudit.source.run.tool import Settings, Target
from tests.integration.engine import engine
from tests.integration.images import Images
from tests.integration.process import free_port
from tests.integration.scanning import NAMES, environment, pods, printed
from tests.memory_source import rows

FLAWED = {"moved", "vulnerable"}


@pytest.fixture
def ours(tmp_path: Path, trivy_cache: Path, grype_settings: Mapping[str, str]) -> dict[str, str]:
    return environment(tmp_path, trivy_cache, grype_settings)


def scanned(text: str, ours: Mapping[str, str], **chosen: Any) -> Evidence:
    source = FileSource.of_text(text, label="pods")
    settings = Settings(**{"tools": ("trivy", "grype"), "seconds": 60.0, **chosen})
    return collect(
        source, then=lambda gathered: ScanSource(targets(gathered, [source]), settings, ours=ours)
    )


def severities(evidence: Evidence, tool: str, artifact: str) -> Counter[str]:
    scans = evidence["image_scans"]
    mine = scans[(scans["tool"] == tool) & (scans["artifact"] == artifact)]
    (report,) = mine["report"]
    found = evidence["vulnerabilities"]
    return Counter(found.loc[found["report"] == report, "severity"])


def test_every_count_is_the_tools_own(
    images: Images, ours: dict[str, str], trivy_cache: Path, grype_settings: Mapping[str, str]
) -> None:
    evidence = scanned(pods(images), ours)
    assert [g for g in evidence.gaps if g.failed] == []
    assert len(evidence["image_scans"]) == 2 * len(NAMES)
    for name in NAMES:
        reference = images.pinned(name)
        said = json.loads(
            printed(
                {"TRIVY_CACHE_DIR": str(trivy_cache), "TRIVY_SKIP_DB_UPDATE": "true"},
                *(engine("trivy"), "image", "--format", "json", "--quiet", reference),
            )
        )
        theirs = Counter(
            v["Severity"].lower()
            for result in said["Results"]
            for v in result.get("Vulnerabilities", ())
        )
        assert severities(evidence, "trivy", reference) == theirs, name
        assert bool(theirs) == (name in FLAWED), name
        said = json.loads(
            printed(
                {"GRYPE_REGISTRY_INSECURE_USE_HTTP": "true", **grype_settings},
                *(engine("grype"), "--output", "json", f"registry:{reference}"),
            )
        )
        theirs = Counter(m["vulnerability"]["severity"].lower() for m in said["matches"])
        assert severities(evidence, "grype", reference) == theirs, name


def test_controls_tell_the_images_apart(images: Images, ours: dict[str, str]) -> None:
    tools = ("trivy", "grype", "cosign")
    evidence = scanned(pods(images), ours, tools=tools, key=images.key, without_log=True)
    names = {images.pinned(name): name for name in NAMES} | {name: name for name in NAMES}
    found: dict[str, dict[Status, set[str]]] = {}
    for result in assess(evidence).iter_results():
        if result.name in names:
            by = found.setdefault(result.control, {})
            by.setdefault(result.status, set()).add(names[result.name])
    everyone = set(NAMES)
    rooted = {"moved", "root"}
    assert found["KA-BLD-001"] == {Status.PASS: everyone}  # scanned
    assert found["KA-BLD-011"] == {Status.PASS: {"signed"}, Status.FAIL: everyone - {"signed"}}
    assert found["KA-BLD-016"] == {Status.PASS: everyone - rooted, Status.FAIL: rooted}
    assert found["KA-BLD-017"] == {Status.PASS: everyone}  # no credential in any


def test_an_image_that_cannot_be_scanned_costs_no_other(
    images: Images, ours: dict[str, str]
) -> None:
    absent = "---\n{apiVersion: v1, kind: Pod, metadata: {name: absent, namespace: shop}, "
    absent += f"spec: {{containers: [{{name: c, image: '{images.registry}/none:1'}}]}}}}"
    evidence = scanned(pods(images, "good", "root") + absent, ours, tools=("trivy",))
    found = {
        (result.control, result.name): result.status
        for result in assess(evidence).iter_results()
        if result.control in ("KA-BLD-001", "KA-BLD-016")
    }
    assert found == {
        ("KA-BLD-001", images.pinned("good")): Status.PASS,
        ("KA-BLD-001", images.pinned("root")): Status.PASS,
        ("KA-BLD-001", f"{images.registry}/none:1"): Status.NOT_ASSESSED,
        ("KA-BLD-016", "good"): Status.PASS,
        ("KA-BLD-016", "root"): Status.FAIL,
        ("KA-BLD-016", "absent"): Status.NOT_ASSESSED,
    }


def test_digests_users_and_databases_are_told(images: Images, ours: dict[str, str]) -> None:
    evidence = scanned(pods(images, "root", "good"), ours, tools=("trivy",))
    scans = rows(evidence, "image_scans", "artifact", "registry_digests", "image_user")
    assert {r["artifact"]: (r["registry_digests"], r["image_user"]) for r in scans} == {
        images.pinned("good"): ([images.digests["good"]], "65532:65532"),
        images.pinned("root"): ([images.digests["root"]], "0"),
    }
    noted = rows(evidence, "tool_runs", "tool", "version", "database_built_at", "outcome")
    assert {(r["tool"], r["version"], r["outcome"]) for r in noted} == {
        ("trivy", "v0.74.0", "done")
    }
    assert noted[0]["database_built_at"].isoformat() == "2026-01-02T03:04:05+00:00"


def test_signed_unsigned_wrongly_signed_and_moved(images: Images, ours: dict[str, str]) -> None:
    evidence = scanned(pods(images), ours, tools=("cosign",), key=images.key, without_log=True)
    assert [g for g in evidence.gaps if g.failed] == []
    found = rows(evidence, "signatures", "image", "verified", "digest", "method", "reason")
    accepted = [r for r in found if r["verified"]]
    assert [(r["image"], r["digest"]) for r in accepted] == [
        (images.pinned("signed"), images.digests["signed"])
    ]
    refused = {r["image"]: r["reason"] for r in found if not r["verified"]}
    assert set(refused) == {images.pinned(name) for name in NAMES if name != "signed"}
    assert "no signatures found" in refused[images.pinned("unsigned")]
    assert "no matching attestations" in refused[images.pinned("wrongly-signed")]
    assert {r["method"] for r in found} == {"key"}


def test_a_signature_that_needs_the_log_is_not_taken_for_a_missing_one(
    images: Images, ours: dict[str, str]
) -> None:
    evidence = scanned(pods(images, "signed"), ours, tools=("cosign",), key=images.key)
    (gap,) = (g for g in evidence.gaps if g.failed)
    assert (gap.reason, gap.name) == (Reason.UNREACHABLE, images.pinned("signed"))
    assert len(evidence["signatures"]) == 0


def test_what_a_registry_does_not_hold_and_registries_that_are_away(
    images: Images, ours: dict[str, str]
) -> None:
    absent, away = f"{images.registry}/none:1", f"127.0.0.1:{free_port()}/web:1"
    text = (
        "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: ["
        f'{{name: a, image: "{absent}"}}, {{name: b, image: "{away}"}}]}}}}'
    )
    evidence = scanned(
        text, ours, tools=("trivy", "grype", "cosign"), key=images.key, without_log=True
    )
    told = {(g.what.split(" on ")[0], g.name): g.reason for g in evidence.gaps if g.failed}
    assert told == {
        (title, name): reason
        for title in ("Trivy", "Grype", "cosign")
        for name, reason in ((absent, Reason.ABSENT), (away, Reason.UNREACHABLE))
    }
    assert len(evidence["image_scans"]) == 0
    assert {r["outcome"] for r in rows(evidence, "tool_runs", "outcome")} == {"failed"}


@pytest.mark.parametrize("how", ["absent", "broken"])
def test_a_database_that_is_none(
    images: Images, ours: dict[str, str], trivy_cache: Path, tmp_path: Path, how: str
) -> None:
    spoilt = tmp_path / "spoilt"
    (spoilt / "db").mkdir(parents=True)
    if how == "broken":
        (spoilt / "db/trivy.db").write_bytes(b"no database")
        shutil.copy(trivy_cache / "db/metadata.json", spoilt / "db")
    grype = {"GRYPE_DB_CACHE_DIR": str(tmp_path / "none")}
    evidence = scanned(
        pods(images, "good", "vulnerable"), ours | {"TRIVY_CACHE_DIR": str(spoilt)} | grype
    )
    found = [g for g in evidence.gaps if g.failed]
    assert len(found) == 4
    assert {g.name for g in found} == {images.pinned("good"), images.pinned("vulnerable")}
    assert {g.reason for g in found} == {Reason.TOOL_FAILED}
    assert all("its database cannot be used" in g.detail for g in found)
    assert len(evidence["image_scans"]) == 0


def test_trivy_that_is_killed_in_the_middle(
    images: Images, ours: dict[str, str], tmp_path: Path
) -> None:
    wrapped = tmp_path / "bin"
    wrapped.mkdir()
    script = wrapped / "trivy"
    real = engine("trivy")
    script.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *vulnerable*) {real} "$@" | head -c 700; kill -9 $$;; esac\n'
        f'exec {real} "$@"\n'
    )
    script.chmod(0o755)
    path = f"{wrapped}:{ours['PATH']}"
    evidence = scanned(pods(images, "good", "vulnerable"), ours | {"PATH": path}, tools=("trivy",))
    (gap,) = (g for g in evidence.gaps if g.failed)
    assert gap.name == images.pinned("vulnerable")
    assert "was ended by signal 9" in gap.detail
    assert [r["artifact"] for r in rows(evidence, "image_scans", "artifact")] == [
        images.pinned("good")
    ]


def test_four_side_by_side_do_not_wait_for_each_other(images: Images, ours: dict[str, str]) -> None:
    evidence = scanned(pods(images), ours, tools=("trivy",), jobs=4)
    assert [g for g in evidence.gaps if g.failed] == []
    assert len(evidence["image_scans"]) == len(NAMES)


def test_kubesec_scores_manifests(tmp_path: Path) -> None:
    ours = environment(tmp_path, tmp_path, {}, "kubesec")
    schemas = tmp_path / "schemas/master-standalone-strict"
    schemas.mkdir(parents=True)
    (schemas / "pod-v1.json").write_text('{"type": "object"}')
    pod = tmp_path / "pod.yaml"
    pod.write_text(
        "{apiVersion: v1, kind: Pod, metadata: {name: p},"
        " spec: {containers: [{name: c, image: i, securityContext: {privileged: true}}]}}"
    )
    target = Target("Manifest", "app/pod.yaml", path=pod)
    settings = Settings(tools=("kubesec",), schemas=tmp_path / "schemas", seconds=60.0)
    evidence = collect(ScanSource([target], settings, ours=ours))
    assert [g for g in evidence.gaps if g.failed] == []
    (scored,) = rows(evidence, "kubesec_scores", "kind", "name", "score", "valid")
    assert scored == {"kind": "Pod", "name": "p", "score": -30, "valid": True}


def test_kubesec_that_cannot_load_a_schema_has_not_scored(tmp_path: Path) -> None:
    pod = tmp_path / "pod.yaml"
    pod.write_text("{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: []}}")
    ours = environment(tmp_path, tmp_path, {}, "kubesec") | {"HTTPS_PROXY": "http://127.0.0.1:1"}
    target = Target("Manifest", "pod.yaml", path=pod)
    evidence = collect(ScanSource([target], Settings(tools=("kubesec",)), ours=ours))
    (gap,) = (g for g in evidence.gaps if g.failed)
    assert gap.reason is Reason.UNREACHABLE
    assert "failed downloading schema: " in gap.detail
    assert "--schemas" in gap.detail
    assert len(evidence["kubesec_scores"]) == 0
