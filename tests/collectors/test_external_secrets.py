"""External Secrets Operator: rows of objects as people write them."""

from datetime import UTC, datetime

import pytest

from kaudit.collect import collect
from tests.memory_source import MemorySource, broken, evidence_of, objects, rows, said

API = "external-secrets.io/v1"
FULL = """
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: app, namespace: shop, uid: u1}
spec:
  refreshInterval: 15m
  refreshPolicy: Periodic
  secretStoreRef: {name: vault}
  syncWindows: {}
  target:
    name: app-db
    creationPolicy: Merge
    deletionPolicy: Delete
    immutable: true
    template: {data: {config: "password=CANARY-{{ .p }}"}}
  data:
  - {secretKey: p, remoteRef: {key: shop/db, property: password}}
  - {secretKey: t, remoteRef: {key: shop/db, property: token},
     sourceRef: {storeRef: {kind: ClusterSecretStore, name: common}}}
  dataFrom:
  - extract: {key: shop/all}
  - find: {path: shop/, name: {regexp: "^x"}}
  - sourceRef: {generatorRef: {kind: Password, name: long}}
status:
  refreshTime: "2099-01-02T03:04:05Z"
  syncedResourceVersion: 1-abc
  binding: {name: app-db}
  conditions: [{type: Ready, status: "False", reason: SecretSyncedError, message: CANARY}]
"""


def test_an_external_secret() -> None:
    evidence = evidence_of(FULL)
    assert said(evidence, "external_secrets") == [
        {
            "namespace": "shop",
            "name": "app",
            "uid": "u1",
            "api_version": API,
            "store_kind": "SecretStore",
            "store": "vault",
            "sources": ["ClusterSecretStore/common", "Password/long"],
            "target_kind": "Secret",
            "target": "app-db",
            "creation_policy": "Merge",
            "deletion_policy": "Delete",
            "immutable": True,
            "templated": True,
            "refresh_policy": "Periodic",
            "refresh_interval": "15m",
            "refresh_seconds": 900.0,
            "windowed": True,
            "data": 2,
            "data_from": 3,
            "remote_keys": ["shop/*^x", "shop/all", "shop/db#password", "shop/db#token"],
            "reason": "SecretSyncedError",
            "refreshed_at": datetime(2099, 1, 2, 3, 4, 5, tzinfo=UTC),
            "synced_version": "1-abc",
            "binding": "app-db",
        }
    ]
    assert rows(evidence, "external_secrets", "ready") == [{"ready": False}]
    assert "CANARY" not in str(evidence.record("externalsecrets.external-secrets.io", 1))


def test_defaults_are_those_of_the_definition() -> None:
    evidence = evidence_of(
        "{apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: a}}"
    )
    (row,) = rows(evidence, "external_secrets")
    assert (row["target"], row["creation_policy"], row["deletion_policy"]) == (
        "a",
        "Owner",
        "Retain",
    )
    assert (row["refresh_interval"], row["refresh_seconds"]) == ("1h0m0s", 3600.0)
    assert (row["ready"], row["refreshed_at"], row["store"]) == (None, None, "")


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], (None, None)),
        ([("NotReady", "True")], (False, "NotReady")),
        ([("NotReady", "True"), ("PartiallyReady", "True")], (False, "PartiallyReady")),
        ([("PartiallyReady", "False"), ("Ready", "True")], (True, None)),
        ([("Ready", "False")], (False, None)),
    ],
)
def test_a_cluster_external_secret(
    conditions: list[tuple[str, str]], expected: tuple[bool | None, str | None]
) -> None:
    item = {
        "apiVersion": "external-secrets.io/v1beta1",
        "kind": "ClusterExternalSecret",
        "metadata": {"name": "all"},
        "spec": {
            "externalSecretName": "common",
            "externalSecretSpec": {"refreshInterval": "0"},
            "namespaceSelectors": [{"matchLabels": {"a": "b"}}],
            "namespaces": ["shop"],
        },
        "status": {
            "conditions": [{"type": type, "status": status} for type, status in conditions],
            "failedNamespaces": [{"namespace": "z", "reason": "CANARY"}, {"namespace": "b"}],
            "provisionedNamespaces": ["d", "c"],
        },
    }
    (row,) = rows(collect(MemorySource(item)), "external_secrets")
    assert (row["ready"], row["reason"]) == expected
    assert (row["namespace"], row["target"], row["refresh_seconds"]) == ("", "common", 0.0)
    assert row["selectors"] == ['selector {"matchLabels":{"a":"b"}}', "namespace shop"]
    assert (row["failed_namespaces"], row["provisioned_namespaces"]) == (["b", "z"], ["c", "d"])


PUSH = """
apiVersion: external-secrets.io/v1alpha1
kind: PushSecret
metadata: {name: up, namespace: shop}
spec:
  secretStoreRefs: [{name: v}, {kind: ClusterSecretStore, labelSelector: {matchLabels: {a: b}}}]
  selector: {secret: {name: mine}}
  deletionPolicy: Delete
  refreshInterval: 10s
  data: [{match: {secretKey: k, remoteRef: {remoteKey: shop/k}}}]
status: {conditions: [{type: Ready, status: "True", reason: Synced}]}
---
apiVersion: external-secrets.io/v1alpha1
kind: ClusterPushSecret
metadata: {name: up}
spec:
  pushSecretSpec: {selector: {generatorRef: {kind: UUID, name: g}}, dataTo: [{}]}
  namespaceSelectors: [{}]
"""


def test_push_secrets() -> None:
    names = ("kind", "namespace", "stores", "secret", "generator", "refresh_seconds", "whole")
    evidence = evidence_of(PUSH)
    assert [tuple(r.values()) for r in rows(evidence, "push_secrets", *names)] == [
        ("ClusterPushSecret", "", [], "", "UUID/g", 3600.0, True),
        ("PushSecret", "shop", ["ClusterSecretStore/*", "SecretStore/v"], "mine", "", 10.0, False),
    ]
    others = ("ready", "reason", "remote_keys", "update_policy", "deletion_policy", "selectors")
    assert [tuple(r.values()) for r in rows(evidence, "push_secrets", *others)] == [
        (None, None, [], "Replace", "None", ["selector {}"]),
        (True, "Synced", ["shop/k"], "Replace", "Delete", []),
    ]


STORES = """
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {name: all}
spec:
  controller: blue
  conditions: [{namespaces: [shop], namespaceRegexes: ["^team-"], namespaceSelector: {}}]
  retrySettings: {maxRetries: 5, retryInterval: 10s}
  provider:
    aws: {region: eu-central-1, auth: {secretRef: {
      accessKeyIDSecretRef: {name: aws, key: id, namespace: ops},
      secretAccessKeySecretRef: {name: aws, key: secret, namespace: ops}}}}
status: {capabilities: ReadOnly, conditions: [{type: Ready, status: "False", reason: ValidationFailed}]}
---
apiVersion: external-secrets.io/v1beta1
kind: SecretStore
metadata: {name: own, namespace: shop}
spec: {provider: {vault: {server: "https://vault.example", auth: {kubernetes: {role: app,
  serviceAccountRef: {name: login}}}}}}
---
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: role, namespace: shop}
spec: {provider: {aws: {region: eu-central-1}}}
"""


def test_stores() -> None:
    evidence = evidence_of(STORES)
    names = ("kind", "namespace", "name", "provider", "auth", "secrets", "accounts")
    assert [tuple(r.values()) for r in rows(evidence, "secret_stores", *names)] == [
        ("ClusterSecretStore", "", "all", "aws", "static", ["ops/aws"], []),
        ("SecretStore", "shop", "own", "vault", "account", [], ["shop/login"]),
        ("SecretStore", "shop", "role", "aws", "ambient", [], []),
    ]
    first = rows(evidence, "secret_stores")[0]
    assert first["scopes"] == ["namespace shop", "regex ^team-", "selector {}"]
    assert (first["ready"], first["reason"], first["capabilities"]) == (
        False,
        "ValidationFailed",
        "ReadOnly",
    )
    assert (first["controller"], first["max_retries"]) == ("blue", 5)
    assert "eu-central-1" not in str(evidence.record("secretstores.external-secrets.io", 2))


GENERATORS = """
{apiVersion: generators.external-secrets.io/v1alpha1, kind: ECRAuthorizationToken, metadata: {name: e, namespace: ci},
 spec: {region: r, auth: {jwt: {serviceAccountRef: {name: puller}}}}}
---
{apiVersion: generators.external-secrets.io/v1alpha1, kind: ClusterGenerator, metadata: {name: g},
 spec: {kind: Fake, generator: {fakeSpec: {data: {password: CANARY}}}}}
"""


def test_generators() -> None:
    evidence = evidence_of(GENERATORS)
    names = ("kind", "namespace", "auth", "accounts")
    assert [tuple(r.values()) for r in rows(evidence, "secret_generators", *names)] == [
        ("ClusterGenerator", "", "ambient", []),
        ("ECRAuthorizationToken", "ci", "account", ["ci/puller"]),
    ]
    record = evidence.record("clustergenerators.generators.external-secrets.io", 1)
    assert "CANARY" not in str(record)


def test_what_a_credential_looks_like_is_masked_in_keys() -> None:
    token = "ghp_" + "a" * 36
    item = objects(FULL)[0]
    item["spec"]["data"][0]["remoteRef"]["key"] = token
    evidence = collect(MemorySource(item))
    (row,) = rows(evidence, "external_secrets", "remote_keys")
    assert token not in str(row)
    assert token not in str(evidence.record("externalsecrets.external-secrets.io", 1))


def test_broken_settings_are_a_gap() -> None:
    text = "{apiVersion: external-secrets.io/v1, kind: SecretStore, metadata: {name: s}, spec: {provider: {aws: [CANARY]}}}"
    ((what, detail),) = broken(evidence_of(text))
    assert what == "SecretStore s"
    assert "expected an object" in detail
    assert "CANARY" not in detail
