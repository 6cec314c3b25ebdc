"""What many objects repeat is judged once, and to the same effect each time."""

from typing import Any

import msgspec
import pytest

from kaudit.model import container, meta
from kaudit.model.container import EnvVar
from kaudit.model.meta import ABSENT, REDACTED, Metadata

VALUES: list[Any] = ["info", "hunter22hunter22", "", None, 5, True, "AKIAIOSFODNN7EXAMPLE"]
NAMES = ["LOG_LEVEL", "DB_PASSWORD"]


def judged(name: str, value: Any) -> tuple[str, bytes]:
    found = msgspec.json.decode(msgspec.json.encode({"name": name, "value": value}), type=EnvVar)
    assert found.value in (ABSENT, REDACTED)
    return found.verdict, msgspec.json.encode(found)


@pytest.mark.parametrize("value", VALUES)
def test_a_variable(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "_harmless", set())
    first = {name: judged(name, value) for name in NAMES}
    assert {name: judged(name, value) for name in NAMES} == first
    assert not any(isinstance(kept, str) for kept in container._harmless)


def test_a_harmless_value_is_none_under_another_name() -> None:
    assert judged("LOG_LEVEL", "hunter22hunter22")[0] == ""
    assert judged("LOG_LEVEL", "hunter22hunter22")[0] == ""
    assert judged("DB_PASSWORD", "hunter22hunter22")[0] == "named as a credential"


def test_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meta, "_harmless", set())
    texts: tuple[dict[str, str | None], ...] = (
        {"app": "web"},
        {"app": "AKIAIOSFODNN7EXAMPLE"},
        {"app": None},
        {},
    )
    for labels in (*texts, *texts):
        data = msgspec.json.encode({"labels": labels})
        found = msgspec.json.decode(data, type=Metadata).credentials
        told = ["label app: AWS access key"] if "AKIA" in str(labels) else None
        assert found == told
