"""Cosign's outputs: what was verified, what was refused, and what nobody could look at."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kaudit.collect import collect
from kaudit.model.words import Reason
from kaudit.source.tools import ToolSource

EXAMPLES = Path(__file__).parent / "outputs" / "cosign"
DIGEST = "sha256:" + "0123456789abcdef" * 4


def rows(path: Path) -> list[dict[Hashable, Any]]:
    found = collect(ToolSource("cosign", path))["signatures"]
    return found.astype(object).where(found.notna(), None).to_dict("records")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cosign.txt"
    path.write_text(text)
    return path


def test_a_keyless_signature() -> None:
    first, second = rows(EXAMPLES / "keyless.json")
    assert first["method"] == "keyless"
    assert first["issuer"] == "https://issuer.example.com"
    assert first["workflow_commit"] == "1" * 40
    assert first["log_index"] == 7
    assert first["integrated_at"] == pd.Timestamp("2023-11-14T22:13:20Z")
    assert "team=shop" in first["annotations"]
    assert (second["method"], second["verified"]) == ("unknown", True)


def test_a_key_of_a_service_is_known_by_the_command() -> None:
    (row,) = rows(EXAMPLES / "key.txt")
    assert (row["method"], row["key"]) == ("kms", "awskms:///alias/release")
    assert (row["digest"], row["verified"]) == (DIGEST, True)


def test_a_refusal_is_one_row_although_it_is_printed_twice() -> None:
    (row,) = rows(EXAMPLES / "refused.txt")
    assert row["image"] == "registry.example.com/shop/api:2"
    assert (row["verified"], row["reason"]) == (False, "no signatures found")


@pytest.mark.parametrize(
    ("name", "digest", "method"),
    [("payload", DIGEST, "unknown"), ("log", None, "key"), ("bundle", DIGEST, "key")],
)
def test_what_is_only_stored_is_not_verified(name: str, digest: str | None, method: str) -> None:
    (row,) = rows(EXAMPLES / f"{name}.json")
    assert (row["digest"], row["method"], row["verified"]) == (digest, method, None)


def test_a_tree_shows_signatures_and_not_attestations() -> None:
    (row,) = rows(EXAMPLES / "tree.txt")
    assert (row["image"], row["digest"]) == ("registry.example.com/shop/web:1", DIGEST)
    assert (row["shape"], row["verified"]) == ("tree", None)


def test_a_tool_that_could_not_look_is_a_gap(tmp_path: Path) -> None:
    text = "Error: fetching signatures: GET https://registry.example.com/v2/: UNAUTHORIZED\n"
    evidence = collect(ToolSource("cosign", written(tmp_path, text)))
    (gap,) = (g for g in evidence.gaps if g.reason is Reason.BROKEN)
    assert "UNAUTHORIZED" in gap.detail
    assert len(evidence["signatures"]) == 0


def test_a_cut_off_list_is_a_gap_and_its_parts_are_no_payloads(tmp_path: Path) -> None:
    whole = (EXAMPLES / "keyless.json").read_text()
    evidence = collect(ToolSource("cosign", written(tmp_path, whole[:-10])))
    assert [g.tables for g in evidence.gaps if g.reason is Reason.BROKEN] == [("signatures",)]
    assert len(evidence["signatures"]) == 0


def test_credentials_that_a_signer_wrote_beside_are_masked(tmp_path: Path) -> None:
    text = (
        '[{"critical": {}, "optional": {"token": "s3cr3t-value-9", "a": {"b": "s3cr3t-value-9"}}}]'
    )
    evidence = collect(ToolSource("cosign", written(tmp_path, text)))
    assert evidence["signatures"]["annotations"][0] == ["token=[masked: named as a credential]"]
    assert "s3cr3t" not in str(evidence["records"].to_dict())


def test_two_images_in_one_output(tmp_path: Path) -> None:
    one = (EXAMPLES / "key.txt").read_text()
    path = written(tmp_path, one + "\n" + (EXAMPLES / "refused.txt").read_text())
    assert [row["verified"] for row in rows(path)] == [True, False]
