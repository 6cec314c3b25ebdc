"""Credentials in the text of policies and in kept annotations are masked before they are held."""

from __future__ import annotations

import msgspec

from kaudit.model.meta import KEPT_ANNOTATIONS, Metadata
from kaudit.model.policy_text import masked_json

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
