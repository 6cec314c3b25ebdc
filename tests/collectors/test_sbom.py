"""Bills of materials: of what they are, what they list, and the flaws they carry along."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.source.tools import ToolSource

EXAMPLES = Path(__file__).parent / "outputs"
DIGEST = "sha256:" + "0123456789abcdef" * 4


def read(name: str, format: str = "sbom") -> Evidence:
    return collect(ToolSource(format, EXAMPLES / format / name))


def rows(evidence: Evidence, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pa.Table.from_pandas(
        evidence[table], preserve_index=False
    ).to_pylist()
    return found


def test_cyclonedx() -> None:
    evidence = read("cyclonedx.json")
    (document,) = rows(evidence, "sboms")
    assert (document["name"], document["kind"]) == ("registry.example.com/shop/web:1", "container")
    assert (document["digests"], document["config_digest"]) == ([DIGEST], "sha256:aa")
    assert (document["tools"], document["spec_version"]) == (["trivy 0.50.0"], "1.5")
    assert document["components"] == 3
    components = rows(evidence, "sbom_components")
    assert [one["name"] for one in components] == ["org.example/zlib", "app", "inner"]
    assert components[0]["licenses"] == ["MIT OR Apache-2.0", "Zlib"]


def test_flaws_in_cyclonedx_are_a_scan() -> None:
    evidence = read("cyclonedx.json")
    (scan,) = rows(evidence, "image_scans")
    assert (scan["tool"], scan["artifact_type"], scan["findings"]) == ("trivy", "image", 3)
    assert scan["registry_digests"] == [DIGEST]
    first, second, third = rows(evidence, "vulnerabilities")
    assert (first["package"], first["cvss_score"], first["severity"]) == (
        "org.example/zlib",
        7.5,
        "high",
    )
    assert (second["id"], second["package"], second["version"]) == ("CVE-2099-00001", "inner", "3")
    assert (third["package"], third["severity"], third["suppressed"]) == ("gone", "unknown", True)


def test_what_vex_says_is_an_exception_and_no_scan() -> None:
    (analysis,) = rows(read("cyclonedx.json"), "scan_exceptions")
    assert (analysis["status"], analysis["justification"]) == ("not_affected", "code_not_reachable")
    evidence = read("vex.json")
    (alone,) = rows(evidence, "scan_exceptions")
    assert (alone["status"], alone["scope"]) == ("affected", ["urn:cdx:0/1#web"])
    assert alone["owner"] == "Example"
    assert [rows(evidence, name) for name in ("sboms", "image_scans", "vulnerabilities")] == [
        []
    ] * 3


def test_spdx() -> None:
    evidence = read("spdx.json")
    (document,) = rows(evidence, "sboms")
    assert (document["name"], document["digests"]) == ("web", [DIGEST])
    assert (document["tools"], document["spec_version"]) == (["syft-1.4"], "2.3")
    _, second = rows(evidence, "sbom_components")
    assert (second["purl"], second["licenses"]) == ("pkg:deb/debian/zlib@1.2", ["Zlib"])


def test_a_bill_inside_an_attestation_is_of_its_subject() -> None:
    evidence = read("bill.json", "attestation")
    (document,) = rows(evidence, "sboms")
    assert (document["attested"], document["digests"]) == (True, [DIGEST])
    assert [one["name"] for one in rows(evidence, "sbom_components")] == ["zlib"]
    assert len(evidence["attestations"]) == 1


def test_a_bill_without_flaws_says_nothing_of_scans() -> None:
    evidence = read("spdx.json")
    lacking = {table for gap in evidence.gaps for table in gap.tables}
    assert {"image_scans", "vulnerabilities"} <= lacking
    assert not {"sboms", "sbom_components"} & lacking
