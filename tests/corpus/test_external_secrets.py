"""Real objects of the External Secrets Operator: tables say what plain YAML says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from kaudit.collect import collect
from kaudit.source.files import FileSource
from tests.corpus.reading import broken, files
from tests.memory_source import MemorySource, objects, rows
from tests.shared import needs_shared, shared

FOLDER = "external-secrets"


def plain(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


@needs_shared
@pytest.mark.parametrize("path", files(FOLDER, "*externalsecret*.yaml"), ids=lambda p: p.name)
def test_external_secrets(path: Path) -> None:
    evidence = collect(FileSource(path))
    assert broken(evidence) == []
    found = plain(path)
    spec, status = found["spec"] or {}, found.get("status", {})
    asked = spec.get("externalSecretSpec", spec)
    (row,) = rows(evidence, "external_secrets")
    assert row["kind"] == found["kind"]
    assert row["data"] == len(asked.get("data", ()))
    assert row["store"] == asked.get("secretStoreRef", {}).get("name", "")
    assert row["refresh_interval"] == str(asked.get("refreshInterval", "1h0m0s"))
    assert row["refresh_policy"] == asked.get("refreshPolicy", "")
    assert row["templated"] == ("template" in asked.get("target", {}))
    assert len(row["failed_namespaces"]) == len(status.get("failedNamespaces", ()))
    ready = {c["type"]: c["status"] == "True" for c in status.get("conditions", ())}
    expected = False if ready.get("NotReady") else ready.get("Ready")
    assert row["ready"] is expected
    if "refreshTime" in status:
        assert row["refreshed_at"].strftime("%Y-%m-%dT%H:%M:%SZ") == status["refreshTime"]
    text = str(evidence.record(f"{found['kind'].lower()}s.external-secrets.io", 1))
    assert "bearerToken" not in text
    assert "somecreds" not in text


@needs_shared
@pytest.mark.parametrize("path", files(FOLDER, "*secretstore*.yaml"), ids=lambda p: p.name)
def test_stores(path: Path) -> None:
    evidence = collect(FileSource(path))
    found = plain(path)
    (row,) = rows(evidence, "secret_stores")
    (provider,) = found["spec"]["provider"]
    (condition,) = found["status"]["conditions"]
    auth = {"vault": "static", "aws": "ambient"}
    assert (row["provider"], row["auth"]) == (provider, auth[provider])
    assert (row["ready"], row["reason"]) == (condition["status"] == "True", condition["reason"])


@needs_shared
def test_a_push_secret() -> None:
    evidence = collect(FileSource(shared("corpus", FOLDER, "pushsecret-healthy.yaml")))
    (row,) = rows(evidence, "push_secrets")
    assert (row["stores"], row["secret"]) == (["ClusterSecretStore/my-store"], "existing-secret")
    assert (row["remote_keys"], row["ready"]) == (["remote/path"], True)


@needs_shared
def test_the_full_example_of_the_documentation() -> None:
    text = shared("corpus", FOLDER, "externalsecret-full-v1-docs.yaml.tmpl").read_text()
    (found,) = objects(re.sub(r"\{%.*?%\}", "", text))
    (row,) = rows(collect(MemorySource(found)), "external_secrets")
    spec = found["spec"]
    assert (row["data"], row["data_from"]) == (len(spec["data"]), len(spec["dataFrom"]))
    assert row["refresh_policy"] == spec["refreshPolicy"]
    assert row["target"] == spec["target"]["name"]
    assert row["sources"] != []
