"""Credentials in the text of policies and in kept annotations are masked before they are held."""

from __future__ import annotations

import msgspec

from kaudit.model.meta import KEPT_ANNOTATIONS, Metadata
from kaudit.model.policy_text import masked_code, masked_json

KEY = "AKIA" + "ABCDEFGHIJKLMNOP"


def test_strings_of_policies_are_masked() -> None:
    raw = msgspec.Raw(msgspec.json.encode({"pattern": [f"use {KEY} here", "plain", 7]}))
    kept = bytes(masked_json(raw))
    assert KEY.encode() not in kept
    assert msgspec.json.decode(kept)["pattern"][1:] == ["plain", 7]


def test_kept_annotations_are_masked() -> None:
    annotation = f"{KEPT_ANNOTATIONS[0]}"
    raw = msgspec.json.encode({"name": "a", "annotations": {annotation: f"use {KEY} here"}})
    held = msgspec.json.encode(msgspec.json.decode(raw, type=Metadata))
    assert annotation.encode() in held
    assert KEY.encode() not in held


def test_code_is_masked_within_its_quotes() -> None:
    code = 'violation { password := "hunter22"; msg := sprintf("secret: %v", [x]) }'
    shown = masked_code(code)
    assert "hunter22" not in shown
    assert shown.count('"') == 4
    assert masked_code(shown) == shown
    assert "hunter22" not in masked_code('{"password": "hunter22"} # token=hunter22')
    for hostile in ('"' * 50_001, '"\\' * 50_000, "`" * 50_001):
        masked_code(hostile)
