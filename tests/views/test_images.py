"""Images, the scans that are of them, and what is brought together by digest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.source.tools import OutputSource
from kaudit.views.image_exceptions import _covers
from tests.memory_source import MemorySource, Object

A, B, C = ("sha256:" + letter * 64 for letter in "abc")
NOW = datetime(2025, 12, 1, tzinfo=UTC)


def pod(name: str, image: str, image_id: str = "", *, namespace: str = "shop") -> Object:
    status = {"containerStatuses": [{"name": "c", "imageID": image_id}]} if image_id else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [{"name": "c", "image": image}]},
        "status": status,
    }


def deployment(image: str) -> Object:
    template = {"spec": {"containers": [{"name": "c", "image": image}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": template},
    }


def flaw(id: str, package: str = "zlib", **more: Any) -> Object:
    return {
        "VulnerabilityID": id,
        "PkgName": package,
        "InstalledVersion": "1",
        "Severity": "HIGH",
        **more,
    }


def trivy(artifact: str, *flaws: Object, digest: str = "", at: str = "", **more: Any) -> Object:
    metadata = {"RepoDigests": [f"x@{digest}"]} if digest else {}
    result = {"Target": "t", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": flaws}
    report = {
        "SchemaVersion": 2,
        "ArtifactName": artifact,
        "Metadata": metadata,
        "Results": [result],
        **more,
    }
    return report | ({"CreatedAt": at} if at else {})


def grype(artifact: str, *matches: Object, manifest: str = "") -> Object:
    target = {"userInput": artifact, "manifestDigest": manifest}
    return {
        "matches": matches,
        "source": {"type": "image", "target": target},
        "distro": {"name": "debian", "version": "12"},
    }


def evidence(*things: Object) -> Evidence:
    """Evidence of objects and of outputs, which have no kind."""
    sources: list[Any] = [MemorySource(*(thing for thing in things if "kind" in thing))]
    for number, thing in enumerate(thing for thing in things if "kind" not in thing):
        sources.append(OutputSource(f"{number}.json", msgspec.json.encode(thing)))
    return collect(*sources, as_of=NOW)


def matched(found: Evidence) -> dict[str, str]:
    table = found["image_coverage"]
    return dict(zip(table["image"], table["matched"], strict=True))


def test_an_image_is_one_whatever_it_is_called() -> None:
    found = evidence(
        pod("a", "web:1", f"docker.io/library/web@{A}"),
        pod("b", f"docker.io/library/web@{A}", f"docker.io/library/web@{A}", namespace="other"),
        deployment("library/web:1"),
    )["images"]
    assert found["image"].tolist() == [f"docker.io/library/web@{A}"]
    (row,) = found.to_dict("records")
    assert list(row["references"]) == [f"docker.io/library/web@{A}", "web:1"]
    assert list(row["namespaces"]) == ["other", "shop"]
    assert (row["running"], row["pods"], row["workloads"]) == (True, 2, 2)


def test_a_template_alone_would_run_its_image() -> None:
    (row,) = evidence(deployment("web:1"))["images"].to_dict("records")
    assert (row["image"], row["running"]) == ("docker.io/library/web:1", False)


def test_digests_of_configurations_and_of_the_registry_are_two_things() -> None:
    found = evidence(
        pod("a", "web:1", f"sha256:{'a' * 64}"),
        trivy("web:1", digest=B),
    )
    image = found["images"].iloc[0]
    assert (image["digest"], image["config_digest"]) == ("", A)
    assert matched(found) == {"docker.io/library/web:1": "name"}  # nothing to compare


@pytest.mark.parametrize(
    ("scan", "how"),
    [
        (trivy("elsewhere:9", digest=A), "digest"),
        (trivy("web:1", digest=B), "other"),
        (trivy("web:1"), "name"),
        (trivy("docker.io/library/web:1"), "name"),
        (grype("web:1", manifest=B), "name"),  # of one platform: proves nothing of the index
        (grype("web:1", manifest=A), "digest"),
    ],
)
def test_how_surely_a_scan_is_of_an_image(scan: Object, how: str) -> None:
    found = evidence(pod("a", "web:1", f"docker.io/library/web@{A}"), scan)
    assert matched(found) == {f"docker.io/library/web@{A}": how}
    posture = found["image_posture"].iloc[0]
    assert posture["scanned"] == (how != "other")
    assert posture["matched"] == how


def test_a_scan_of_an_image_that_nobody_uses_stands_by_itself() -> None:
    found = evidence(pod("a", "web:1"), trivy("b:1", flaw("CVE-2099-1"), digest=C))
    assert matched(found) == {f"docker.io/library/b@{C}": "unused"}
    row = found["image_vulnerabilities"].iloc[0]
    assert (row["image"], row["workloads"]) == (f"docker.io/library/b@{C}", 0)
    assert found["image_posture"]["image"].tolist() == ["docker.io/library/web:1"]


def test_the_newest_scan_of_each_tool_counts() -> None:
    found = evidence(
        pod("a", "web:1"),
        trivy("web:1", flaw("CVE-2099-1"), flaw("CVE-2099-2"), at="2025-11-01T00:00:00Z"),
        trivy("web:1", flaw("CVE-2099-3"), at="2025-11-20T00:00:00Z"),
    )
    assert found["image_vulnerabilities"]["advisory"].tolist() == ["CVE-2099-3"]
    assert found["image_posture"]["scan_age_days"].tolist() == [11]


def test_two_tools_name_one_flaw_and_one_package_in_their_ways() -> None:
    match = {
        "vulnerability": {"id": "GHSA-aaaa-bbbb-cccc", "severity": "Critical"},
        "relatedVulnerabilities": [{"id": "CVE-2099-1"}],
        "artifact": {
            "name": "log4j-core",
            "version": "1",
            "type": "java-archive",
            "purl": "pkg:maven/org.apache.logging.log4j/log4j-core@1",
        },
    }
    java = flaw("CVE-2099-1", "org.apache.logging.log4j:log4j-core")
    found = evidence(pod("a", "web:1"), trivy("web:1", java), grype("web:1", match))
    (row,) = found["image_vulnerabilities"].to_dict("records")
    assert (row["advisory"], row["severity"]) == ("CVE-2099-1", "critical")
    assert list(row["ids"]) == ["CVE-2099-1", "GHSA-aaaa-bbbb-cccc"]
    assert list(row["severities"]) == ["grype=critical", "trivy=high"]
    assert found["scanner_reconciliation"]["verdict"].tolist() == ["severity differs"]


def test_what_an_exception_left_out_is_not_counted_but_told() -> None:
    left_out = {"Status": "ignored", "Source": ".trivyignore", "Finding": flaw("CVE-2099-1")}
    report = trivy("web:1", flaw("CVE-2099-2"))
    report["Results"][0]["ExperimentalModifiedFindings"] = [left_out]
    found = evidence(pod("a", "web:1"), report)
    posture = found["image_posture"].iloc[0]
    assert (posture["high"], posture["suppressed"]) == (1, 1)


def test_an_upgrade_counts_images_once() -> None:
    fixed = flaw("CVE-2099-1", FixedVersion="2"), flaw("CVE-2099-2", FixedVersion="3")
    found = evidence(pod("a", "web:1"), pod("b", "api:1"), trivy("web:1", *fixed))
    (row,) = found["upgrade_plan"].to_dict("records")
    assert (row["package"], row["high"], row["flaws"], row["images"]) == ("zlib", 2, 2, 1)
    assert list(row["fixed_versions"]) == ["2", "3"]


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ((), True),
        ((f"pkg:oci/web@{A}",), True),
        ((f"pkg:oci/web@sha256%3A{'a' * 64}?repository_url=r.example",), True),
        ((f"pkg:oci/web@{B}",), False),
        (("pkg:oci/web",), True),
        (("pkg:oci/other",), False),
        (("pkg:deb/debian/zlib@1",), True),
        (("pkg:deb/debian/zlib@2",), False),
        (("pkg:deb/debian/zlib",), True),
        (("pkg:oci/other", "pkg:deb/debian/zlib"), False),
        (("pkg:oci/web", "pkg:deb/debian/curl"), False),
        (("urn:cdx:x/1#y",), False),
        (("src/main.c",), False),
    ],
)
def test_what_a_statement_covers(scope: tuple[str, ...], covered: bool) -> None:
    assert _covers(scope, f"docker.io/library/web@{A}", ("zlib", "1")) is covered


@pytest.mark.parametrize(
    ("status", "clears"),
    [("not_affected", True), ("fixed", True), ("under_investigation", False), ("affected", False)],
)
def test_which_statements_clear(status: str, clears: bool) -> None:
    vex = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "v",
        "author": "a",
        "timestamp": "2025-11-01T00:00:00Z",
        "version": 1,
        "statements": [
            {
                "vulnerability": {"name": "CVE-2099-1"},
                "products": [{"@id": "pkg:oci/web"}],
                "status": status,
            }
        ],
    }
    found = evidence(pod("a", "web:1"), trivy("web:1", flaw("CVE-2099-1")), vex)
    assert found["image_exceptions"]["clears"].tolist() == [clears]
