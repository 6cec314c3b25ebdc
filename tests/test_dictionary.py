"""The data dictionary is what the tables declare."""

import re

import pytest

from kaudit import registry
from kaudit.dictionary import Entry, entries
from kaudit.errors import InputError


def test_one_table() -> None:
    found = entries("service_accounts")
    assert [(e.column, e.kind, e.null) for e in found] == [
        ("uid", "text", False),
        ("namespace", "text", False),
        ("name", "text", False),
        ("kind", "text", False),
        ("automount_token", "flag", True),
        ("labels", "texts", False),
        ("annotation_keys", "texts", False),
        ("secrets", "texts", False),
        ("image_pull_secrets", "texts", False),
        ("cloud_identity", "text", True),
        ("created_at", "time", True),
        ("raw", "text", False),
        ("raw_line", "integer", False),
    ]
    assert found[4] == Entry(
        "service_accounts",
        "one service account",
        False,
        "automount_token",
        "flag",
        True,
        "automountServiceAccountToken as written",
    )


def test_all_tables_and_views_with_a_sentence_for_every_column() -> None:
    found = entries()
    assert {e.table for e in found} == set(registry.TABLES)
    assert {e.table for e in found if e.computed} == set(registry.VIEWS)
    assert {"pods", "containers", "rbac_rules", "network_policies"} <= set(registry.TABLES)
    assert {"security_context", "pod_security"} <= set(registry.VIEWS)
    for entry in found:
        assert len(entry.sentence) > 2, entry
        assert re.match(r"(one|the one|the image of one) ", entry.grain), entry


def test_times_end_in_at() -> None:
    times = {e.column for e in entries() if e.kind == "time"}
    assert {"created_at", "as_of"} <= times
    assert all(name.endswith("_at") for name in times - {"as_of"})


def test_an_unknown_table() -> None:
    with pytest.raises(InputError, match=r"no table 'podz' \(did you mean pods\?\)"):
        entries("podz")
