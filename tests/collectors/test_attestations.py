"""Attestations: what they state, of what, and whether anybody verified it."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kaudit.collect import collect
from kaudit.model.words import Reason
from kaudit.source.tools import ToolSource

EXAMPLES = Path(__file__).parent / "outputs" / "attestation"
DIGEST = "sha256:" + "0123456789abcdef" * 4


def rows(name: str) -> list[dict[Hashable, Any]]:
    found = collect(ToolSource("attestation", EXAMPLES / name))["attestations"]
    return found.astype(object).where(found.notna(), None).to_dict("records")


def test_provenance_of_slsa_1() -> None:
    first, second = rows("statement.json")
    assert (first["digest"], second["digest"]) == (DIGEST, "sha512:00")
    assert first["slsa_version"] == "v1"
    assert first["builder_id"] == "https://build.example.com/runner"
    assert first["source_uri"] == "https://git.example.com/shop/web@refs/tags/v1"
    assert first["source_digest"] == "1" * 40
    assert first["invocation_id"] == "run-7"
    assert first["finished_at"] == pd.Timestamp("2024-05-01T10:05:00Z")


@pytest.mark.parametrize(
    ("name", "envelope", "index"), [("envelope", "dsse", None), ("bundle", "bundle", 12)]
)
def test_an_envelope_alone_is_not_verified(name: str, envelope: str, index: int | None) -> None:
    (row,) = rows(f"{name}.json")
    assert (row["envelope"], row["signatures"], row["verified"]) == (envelope, 1, None)
    assert (row["source_digest"], row["slsa_version"]) == ("2" * 40, "v0.2")
    assert row["log_index"] == index


def test_an_attestation_without_subject_is_not_lost() -> None:
    _, second = rows("several.intoto.jsonl")
    assert (second["subject"], second["digest"], second["subject_position"]) == ("", None, 0)
    assert second["predicate_type"] == "https://cosign.sigstore.dev/attestation/vuln/v1"


def test_what_cosign_verified_and_what_it_refused() -> None:
    (good,) = rows("verified.txt")
    assert (good["verified"], good["digest"]) == (True, DIGEST)
    (bad,) = rows("refused.txt")
    assert (bad["verified"], bad["envelope"]) == (False, "failure")


def test_a_summary_of_cloud_build() -> None:
    (row,) = rows("gcb.json")
    assert (row["slsa_version"], row["source_digest"]) == ("v0.1", "3" * 40)
    assert (row["build_type"], row["invocation_id"]) == ("y", "a-b")


@pytest.mark.parametrize(
    "payload", ["!!", "AA", "bnVsbA", "eyJzdWJqZWN0IjogMX0="], ids=["none", "short", "null", "odd"]
)
def test_a_payload_that_is_none_is_a_gap(payload: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(f'{{"payloadType": "x", "payload": "{payload}"}}')
    evidence = collect(ToolSource("attestation", path))
    (gap,) = (g for g in evidence.gaps if g.reason is Reason.BROKEN)
    assert gap.tables == ("attestations",)
