"""Real attestations: subjects and builders are what the payloads say, decoded here."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Reason
from kaudit.source.tools import ToolSource
from tests.shared import needs_shared, shared

pytestmark = needs_shared
FILES = {
    "dsse-alpine.att.json": "dsse",
    "dsse-cyclonedx.intoto.jsonl": "dsse",
    "intoto-statement-kubectl.json": "statement",
    "oci-attestation.sigstore.json": "bundle",
    "sigstore-bundle-cyclonedx.json": "bundle",
    "slsa-gcb-provenance-v0.3.json": "gcb",
    "slsa-v0.2-generic.intoto.jsonl": "dsse",
    "verify-attestation-kms.txt": "dsse",
}


def statement(name: str) -> dict[str, Any]:
    text = shared("corpus", "cosign", name).read_text("utf-8")
    found = json.loads(text[text.index("\n{") if name.endswith(".txt") else 0 :])
    if "provenance_summary" in found:
        found = found["provenance_summary"]["provenance"][0]["envelope"]
    found = found.get("dsseEnvelope", found)
    if "payload" in found:
        found = json.loads(base64.b64decode(found["payload"], altchars=b"-_"))
    assert isinstance(found, dict)
    return found


def read(name: str) -> Evidence:
    evidence = collect(ToolSource("attestation", shared("corpus", "cosign", name)))
    assert [gap for gap in evidence.gaps if gap.reason is Reason.BROKEN] == []
    return evidence


@pytest.mark.parametrize("name", FILES)
def test_subjects_and_what_is_stated(name: str) -> None:
    expected = statement(name)
    found = read(name)["attestations"]
    digests = [f"sha256:{s['digest']['sha256']}" for s in expected["subject"]]
    assert sorted(found["digest"]) == sorted(digests)
    assert sorted(found["subject"]) == sorted(s["name"] for s in expected["subject"])
    assert set(found["predicate_type"]) == {expected["predicateType"]}
    assert set(found["envelope"]) == {FILES[name]}
    builder = expected["predicate"].get("builder", {}).get("id")
    assert set(found["builder_id"].dropna()) == ({builder} if builder else set())


def test_sources_of_the_builds() -> None:
    commits = {
        "slsa-v0.2-generic.intoto.jsonl": "f24af35a7c714f1b4eeb53afefb57fa11bd5c95c",
        "slsa-gcb-provenance-v0.3.json": "01ce393d04eb6df2a7b2b3e95d4126e687afb7ae",
    }
    for name, commit in commits.items():
        assert set(read(name)["attestations"]["source_digest"]) == {commit}


def test_only_what_cosign_verified_is_verified() -> None:
    verified = {name: read(name)["attestations"]["verified"].eq(True).any() for name in FILES}
    assert [name for name, yes in verified.items() if yes] == ["verify-attestation-kms.txt"]


def test_the_signer_is_named_by_the_certificate() -> None:
    (row,) = read("oci-attestation.sigstore.json")["attestations"].to_dict("records")
    assert (row["signer"], row["issuer"]) == ("cody@soyland.com", "https://github.com/login/oauth")
    assert row["log_index"] == 175508996
