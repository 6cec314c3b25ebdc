"""Ages of Secrets: what is old is known by any moment, what is young only by the true one."""

from datetime import UTC, datetime

import pytest

from kaudit.collect import collect
from tests.memory_source import MemorySource, objects, rows

SECRETS = """
{apiVersion: v1, kind: Secret, metadata: {name: changed, creationTimestamp: "2024-01-01T00:00:00Z",
  managedFields: [{manager: m, operation: Update, time: "2025-11-30T00:00:00Z"}]}, type: Opaque}
---
{apiVersion: v1, kind: Secret, metadata: {name: old, creationTimestamp: "2025-01-01T00:00:00Z"}}
---
{apiVersion: v1, kind: Secret, metadata: {name: undated}}
---
{apiVersion: v1, kind: Secret, metadata: {name: young, creationTimestamp: "2025-11-20T00:00:00Z"}}
"""
NOW = datetime(2025, 12, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("as_of", "old"),
    [
        (NOW, [("changed", False), ("old", True), ("undated", None), ("young", False)]),
        (None, [("changed", None), ("old", True), ("undated", None), ("young", None)]),
    ],
    ids=["told", "the newest object"],
)
def test_old_or_not(as_of: datetime | None, old: list[tuple[str, bool | None]]) -> None:
    evidence = collect(MemorySource(*objects(SECRETS)), as_of=as_of)
    found = [(r["name"], r["old"]) for r in rows(evidence, "secret_ages", "name", "old")]
    assert found == old


def test_days() -> None:
    evidence = collect(MemorySource(*objects(SECRETS)), as_of=NOW)
    found = rows(evidence, "secret_ages", "name", "age_days")
    assert {r["name"]: r["age_days"] for r in found} == {
        "changed": 1,
        "old": 334,
        "undated": None,
        "young": 11,
    }
