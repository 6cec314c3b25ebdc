"""Real reports of Trivy: what the tables say is what plain JSON says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.collectors.test_tools import EXAMPLES
from tests.corpus.reading import broken, changed, corpus, files, given, read
from tests.shared import needs_shared

EXAMPLE = EXAMPLES / "trivy" / "image.json"
STATUS = {"PASS": "pass", "EXCEPTION": "skip"}


def results(document: Any) -> Iterator[dict[str, Any]]:
    """Every result, whatever the shape of the report."""
    if isinstance(document, list):
        yield from document
    elif document:
        yield from document.get("Results") or ()
        for name in ("Resources", "Vulnerabilities", "Misconfigurations"):
            for resource in document.get(name) or ():
                yield from resource.get("Results") or ()


def plain(path: Path, name: str) -> list[dict[str, Any]]:
    document = json.loads(path.read_bytes())
    return [found for result in results(document) for found in result.get(name) or ()]


def word(severity: str | None) -> str:
    return (severity or "unknown").lower()


@needs_shared
@pytest.mark.parametrize("path", files("trivy", "*.json"), ids=lambda p: p.name)
def test_counts_are_those_of_plain_json(path: Path) -> None:
    evidence = read("trivy", path)
    assert broken(evidence) == []
    flaws = plain(path, "Vulnerabilities")
    rows = evidence["vulnerabilities"]
    assert Counter(rows["severity"]) == Counter(word(f.get("Severity")) for f in flaws)
    assert Counter(zip(rows["id"], rows["package"], rows["version"], strict=True)) == Counter(
        (f["VulnerabilityID"], f["PkgName"], f["InstalledVersion"]) for f in flaws
    )
    assert (rows["fix"] == "fixed").sum() == sum(bool(f.get("FixedVersion")) for f in flaws)
    assert evidence["image_scans"]["findings"].sum() == len(flaws)
    checks = plain(path, "Misconfigurations")
    rows = evidence["tool_findings"]
    assert Counter(zip(rows["rule"], rows["status"], rows["severity"], strict=True)) == Counter(
        (c["ID"], STATUS.get(c["Status"], "fail"), word(c["Severity"])) for c in checks
    )
    assert evidence["tool_reports"]["findings"].sum() == len(checks)
    secrets = plain(path, "Secrets")
    rows = evidence["image_secrets"]
    assert Counter(zip(rows["rule"], rows["line"].fillna(0), strict=True)) == Counter(
        (s.get("RuleID", ""), s.get("StartLine", 0)) for s in secrets
    )
    licenses = plain(path, "Licenses")
    assert Counter(evidence["licenses"]["license"]) == Counter(one["Name"] for one in licenses)


@needs_shared
@pytest.mark.parametrize("path", files("trivy", "image-*.json"), ids=lambda p: p.name)
def test_an_image_is_one_scan_with_its_digests(path: Path) -> None:
    document = json.loads(path.read_bytes())
    metadata = document.get("Metadata") or {}
    (scan,) = read("trivy", path)["image_scans"].to_dict("records")
    assert scan["config_digest"] == metadata.get("ImageID")
    assert list(scan["tags"]) == sorted(metadata.get("RepoTags") or ())
    digests = {text.split("@")[1] for text in metadata.get("RepoDigests") or ()}
    assert set(scan["registry_digests"]) == digests
    assert scan["os_family"] == (metadata.get("OS") or {}).get("Family")


@needs_shared
@pytest.mark.parametrize(
    "name",
    [
        "image-no-vulnerabilities-key.json",
        "fs-no-results-key.json",
        "image-empty-results-list.json",
        "legacy-null-document.json",
    ],
)
def test_a_scan_without_findings_is_a_scan(name: str) -> None:
    evidence = read("trivy", corpus("trivy", name))
    assert len(evidence["image_scans"]) == 1
    assert len(evidence["vulnerabilities"]) == 0
    assert evidence["image_scans"]["findings"].tolist() == [0]


@needs_shared
def test_findings_in_a_cluster_are_of_the_objects_that_they_name() -> None:
    path = corpus("trivy", "k8s-full-cluster-2.6MB.json")
    expected: Counter[tuple[str, str]] = Counter()
    for resource in json.loads(path.read_bytes())["Resources"]:
        found = [r.get("Misconfigurations") or () for r in resource.get("Results") or ()]
        expected[resource["Kind"], resource["Name"]] += sum(map(len, found))
    rows = read("trivy", path)["tool_findings"]
    assert Counter(zip(rows["kind"], rows["name"], strict=True)) == +expected


def test_unknown_severity_is_unknown_and_written_as_it_was(tmp_path: Path) -> None:
    place = ("Results", 0, "Vulnerabilities", 0, "Severity")
    rows = given("trivy", changed(EXAMPLE, place, "Purple"), tmp_path)["vulnerabilities"]
    assert ("unknown", "Purple") in set(
        zip(rows["severity"], rows["severity_written"], strict=True)
    )


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("Results", 0, "Vulnerabilities", 0, "CVSS"), {"nvd": {"V3Score": 11}}, "<= 10"),
        (("Results", 0, "Vulnerabilities", 0, "CVSS"), {"nvd": {"V2Score": -1}}, ">= 0"),
        (("Metadata", "Size"), -5, ">= 0"),
        (("CreatedAt",), "yesterday", "RFC3339"),
    ],
)
def test_numbers_out_of_range_are_told(
    path: tuple[Any, ...], value: Any, told: str, tmp_path: Path
) -> None:
    (gap,) = broken(given("trivy", changed(EXAMPLE, path, value), tmp_path))
    assert "given.json" in gap.detail
    assert told in gap.detail
