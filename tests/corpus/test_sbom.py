"""Real bills of materials: as many components and flaws as counted here."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Reason
from kaudit.source.tools import ToolSource
from tests.shared import needs_shared, shared

pytestmark = needs_shared
FILES = (
    "sbom-cyclonedx-1.6-syft.json",
    "sbom-cyclonedx-alpine.json",
    "sbom-cyclonedx-vulns-embedded.json",
    "sbom-kbom-minikube-cyclonedx.json",
    "sbom-spdx-2.2-syft-alpine.json",
    "sbom-spdx-small.json",
)


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared("corpus", "peers", name).read_bytes())
    return found


def read(name: str) -> Evidence:
    evidence = collect(ToolSource("sbom", shared("corpus", "peers", name)))
    assert [gap for gap in evidence.gaps if gap.reason is Reason.BROKEN] == []
    return evidence


def listed(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [c for one in components for c in (one, *listed(one.get("components", [])))]


@pytest.mark.parametrize("name", FILES)
def test_every_component_is_listed(name: str) -> None:
    whole = document(name)
    expected = listed(whole.get("components", [])) + whole.get("packages", [])
    evidence = read(name)
    found = evidence["sbom_components"]
    names = [
        f"{c['group']}/{c['name']}" if c.get("group") else c.get("name") or c["packageName"]
        for c in expected
    ]
    assert found["name"].tolist() == names
    assert evidence["sboms"]["components"].tolist() == [len(expected)]
    purls = [c["purl"] for c in expected if c.get("purl")]
    purls += [
        ref["referenceLocator"]
        for c in expected
        for ref in c.get("externalRefs", [])
        if ref["referenceType"] == "purl"
    ]
    assert found["purl"].dropna().tolist() == purls


@pytest.mark.parametrize("name", FILES)
def test_flaws_are_those_of_the_document(name: str) -> None:
    flaws = document(name).get("vulnerabilities", [])
    expected = sorted(flaw["id"] for flaw in flaws for _ in flaw["affects"])
    evidence = read(name)
    assert sorted(evidence["vulnerabilities"]["id"]) == expected
    assert len(evidence["image_scans"]) == bool(expected)


def test_vex_of_cyclonedx() -> None:
    (flaw,) = document("vex-cyclonedx.json")["vulnerabilities"]
    (row,) = read("vex-cyclonedx.json")["scan_exceptions"].to_dict("records")
    assert (row["id"], row["status"]) == (flaw["id"], "affected")
    assert row["reason"] == flaw["analysis"]["detail"]


@pytest.mark.parametrize("name", ["dsse-cyclonedx.intoto.jsonl", "sigstore-bundle-cyclonedx.json"])
def test_bills_in_attestations(name: str) -> None:
    evidence = collect(ToolSource("attestation", shared("corpus", "cosign", name)))
    assert [gap for gap in evidence.gaps if gap.reason is Reason.BROKEN] == []
    (document,) = evidence["sboms"].to_dict("records")
    assert document["components"] == len(evidence["sbom_components"]) > 1
    assert set(evidence["attestations"]["digest"]) <= set(document["digests"])
