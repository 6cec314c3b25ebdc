"""External Secrets against their stores, their Secrets and the clock."""

from datetime import UTC, datetime
from typing import Any

import pytest

from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.model.words import Gap, Reason, Status
from tests.memory_source import MemorySource, Object, evidence_of, rows

API = "external-secrets.io/v1"
NOW = datetime(2099, 1, 2, 12, tzinfo=UTC)


def secret(name: str = "e", namespace: str = "shop", **spec: Any) -> Object:
    status = {"conditions": [{"type": "Ready", "status": "True"}]}
    if at := spec.pop("at", None):
        status["refreshTime"] = at
    return {
        "apiVersion": API,
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"secretStoreRef": {"name": "own"}, **spec},
        "status": status,
    }


def store(kind: str, name: str, namespace: str, ready: str = "") -> Object:
    found: Object = {"apiVersion": API, "kind": kind, "metadata": {"name": name}}
    if kind == "SecretStore":
        found["metadata"]["namespace"] = namespace
    if ready:
        found["status"] = {"conditions": [{"type": "Ready", "status": ready}]}
    return found


@pytest.mark.parametrize(
    ("spec", "overdue"),
    [
        ({"refreshInterval": "1h", "at": "2099-01-02T08:44:00Z"}, True),
        ({"refreshInterval": "1h", "at": "2099-01-02T08:46:00Z"}, False),
        ({"refreshInterval": "10s", "at": "2099-01-02T11:45:00Z"}, False),
        ({"at": "2099-01-01T08:00:00Z"}, True),
        ({"refreshInterval": "0", "at": "2098-01-01T08:00:00Z"}, None),
        ({"refreshPolicy": "OnChange", "at": "2098-01-01T08:00:00Z"}, None),
        ({"syncWindows": {}, "at": "2098-01-01T08:00:00Z"}, None),
        ({"refreshInterval": "sometimes", "at": "2098-01-01T08:00:00Z"}, None),
        ({"refreshInterval": "1h"}, None),
    ],
)
def test_overdue(spec: dict[str, Any], overdue: bool | None) -> None:
    evidence = collect(MemorySource(secret(**spec)), as_of=NOW)
    assert rows(evidence, "external_secret_sync", "overdue") == [{"overdue": overdue}]


def test_nothing_is_known_to_be_fresh_without_a_date() -> None:
    late = secret("late", at="2000-01-01T00:00:00Z")
    young = secret("young", at="2099-01-01T00:00:00Z")
    young["metadata"]["creationTimestamp"] = "2099-01-01T00:00:01Z"
    found = rows(collect(MemorySource(late, young)), "external_secret_sync", "overdue")
    assert [row["overdue"] for row in found] == [True, None]


@pytest.mark.parametrize(
    ("stores", "ref", "state"),
    [
        ([store("SecretStore", "own", "shop", "True")], {"name": "own"}, "ready"),
        ([store("SecretStore", "own", "shop", "False")], {"name": "own"}, "not ready"),
        ([store("SecretStore", "own", "shop")], {"name": "own"}, "untold"),
        ([store("SecretStore", "own", "other")], {"name": "own"}, "missing"),
        ([store("ClusterSecretStore", "own", "")], {"name": "own"}, "unknown"),
        (
            [store("ClusterSecretStore", "own", "", "True")],
            {"name": "own", "kind": "ClusterSecretStore"},
            "ready",
        ),
        ([], {"name": "own"}, "unknown"),
        ([], {}, "none"),
    ],
)
def test_stores(stores: list[Object], ref: dict[str, str], state: str) -> None:
    evidence = collect(MemorySource(*stores, secret(secretStoreRef=ref)))
    found = rows(evidence, "external_secret_sync", "store_state")
    assert found == [{"store_state": state}]


def test_a_store_of_many_namespaces_is_not_looked_for() -> None:
    text = """
{apiVersion: external-secrets.io/v1, kind: SecretStore, metadata: {name: own, namespace: a}}
---
{apiVersion: external-secrets.io/v1, kind: ClusterExternalSecret, metadata: {name: c},
 spec: {externalSecretSpec: {secretStoreRef: {name: own}}}}
"""
    found = rows(evidence_of(text), "external_secret_sync", "store_state", "target_state")
    assert found == [{"store_state": "unknown", "target_state": "none"}]


MADE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "e", "namespace": "shop"},
}
OWNED = MADE | {
    "metadata": MADE["metadata"]
    | {"ownerReferences": [{"kind": "ExternalSecret", "name": "e", "apiVersion": API, "uid": "u"}]}
}


@pytest.mark.parametrize(
    ("made", "target", "state"),
    [
        ([OWNED], {}, "owned"),
        ([MADE], {}, "there"),
        ([MADE], {"name": "f"}, "missing"),
        ([], {"creationPolicy": "Orphan"}, "missing"),
        ([], {"creationPolicy": "Merge"}, "none"),
        ([], {"manifest": {"apiVersion": "v1", "kind": "ConfigMap"}}, "none"),
    ],
)
def test_targets(made: list[Object], target: dict[str, Any], state: str) -> None:
    evidence = collect(MemorySource(*made, secret(target=target)))
    found = rows(evidence, "external_secret_sync", "target_state")
    assert found == [{"target_state": state}]


def test_a_secret_that_could_not_be_read_is_not_missing() -> None:
    evidence = collect(MemorySource(MADE, secret(), secret(namespace="dark")))
    gap = Gap(
        what="list secrets in dark",
        reason=Reason.FORBIDDEN,
        kind="Secret",
        namespace="dark",
        tables=("secrets",),
    )
    evidence.manifest.gaps = (*evidence.manifest.gaps, gap)
    found = {r.namespace: r.status for r in assess(evidence).results_of("KA-SEC-008c")}
    assert found == {"shop": Status.PASS, "dark": Status.NOT_ASSESSED}


@pytest.mark.parametrize(
    ("conditions", "open"),
    [
        ([], True),
        ([{"namespaces": ["a"]}], False),
        ([{"namespaces": ["a"]}, {"namespaceSelector": {}}], True),
        ([{"namespaceSelector": {"matchLabels": {"a": "b"}}}], False),
        ([{"namespaceRegexes": ["^.*$"]}], True),
        ([{"namespaceRegexes": ["^team-"]}], False),
    ],
)
def test_open_stores(conditions: list[dict[str, Any]], open: bool) -> None:
    found = store("ClusterSecretStore", "s", "") | {"spec": {"conditions": conditions}}
    names = ("cluster_wide", "open")
    assert rows(collect(MemorySource(found)), "store_scope", *names) == [
        {"cluster_wide": True, "open": open}
    ]


def test_a_store_of_one_namespace_is_not_open() -> None:
    found = rows(collect(MemorySource(store("SecretStore", "s", "shop"))), "store_scope", "open")
    assert found == [{"open": False}]
