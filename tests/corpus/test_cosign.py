"""Real outputs of cosign: rows are what the files say, read independently here."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Reason
from kaudit.source.tools import ToolSource
from tests.shared import needs_shared, shared

VERIFIED = (
    "verify-key-plaintext-and-json.txt",
    "verify-keyless-kyverno-1.11.2.txt",
    "verify-keyless-oidc-2023.txt",
    "verify-kms-with-annotations.txt",
    "verify-v3-optional-empty-object.txt",
    "verify-v3-powershell-utf16le.json",
)
pytestmark = needs_shared


def read(name: str) -> Evidence:
    evidence = collect(ToolSource("cosign", shared("corpus", "cosign", name)))
    assert [gap for gap in evidence.gaps if gap.reason is Reason.BROKEN] == []
    return evidence


def signatures(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    text = data.decode("utf-16" if data[:2] == b"\xff\xfe" else "utf-8")
    start = re.search(r"^\[", text, re.MULTILINE)
    assert start
    found, _ = json.JSONDecoder().raw_decode(text, start.start())
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("name", VERIFIED)
def test_each_signature_is_a_row(name: str) -> None:
    expected = signatures(shared("corpus", "cosign", name))
    found = read(name)["signatures"]
    assert len(found) == len(expected) == 1
    (row,) = found.to_dict("records")
    (signature,) = expected
    optional = signature["optional"] or {}
    bundle = optional.get("Bundle", {}).get("Payload", {})
    assert row["image"] == signature["critical"]["identity"]["docker-reference"]
    assert row["digest"] == signature["critical"]["image"]["docker-manifest-digest"]
    assert row["verified"] is True
    for column, key in (("subject", "Subject"), ("issuer", "Issuer")):
        assert (row[column] if key in optional else None) == optional.get(key)
    if bundle:
        assert row["log_index"] == bundle["logIndex"]
        assert row["integrated_at"].timestamp() == bundle["integratedTime"]
    assert {a.partition("=")[0] for a in row["annotations"]} == set(optional) - {"Bundle"}


def test_how_an_image_was_signed() -> None:
    found = {name: read(name)["signatures"]["method"].tolist() for name in VERIFIED}
    assert list(found.values()) == [
        ["kms"],
        ["keyless"],
        ["keyless"],
        ["key"],
        ["unknown"],
        ["unknown"],
    ]


def test_the_workflow_is_what_the_certificate_says() -> None:
    (row,) = read("verify-keyless-kyverno-1.11.2.txt")["signatures"].to_dict("records")
    assert row["workflow_repository"] == "kyverno/kyverno"
    assert row["workflow_ref"] == "refs/tags/v1.11.2"
    assert row["workflow_commit"] == "5f9ed6f0f81e36a5f94a8bcece67ff94f7777a1a"
    assert row["workflow_trigger"] == "push"


def test_what_nobody_verified_is_not_said_to_be() -> None:
    (payload,) = read("simple-signing-payload.json")["signatures"].to_dict("records")
    assert (payload["image"], payload["digest"]) == ("testing/manifest", "sha256:20be...fe55")
    (tree,) = read("tree-signature-tag.txt")["signatures"].to_dict("records")
    assert tree["digest"] == (
        "sha256:ec47c7448d455b6bb84f39d5c400c2fa207ab5fbe8c21327c6c1d06a3f1eecb4"
    )
    (log,) = read("rekor-bundle.json")["signatures"].to_dict("records")
    assert (log["subject"], log["issuer"]) == (
        "shesselm@redhat.com",
        "https://github.com/login/oauth",
    )
    for row in (payload, tree, log):
        assert row["verified"] is not True
        assert row["verified"] is not False
