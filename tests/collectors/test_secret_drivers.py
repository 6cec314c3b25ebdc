"""Secrets Store CSI and Sealed Secrets: names, never what is sealed."""

import pytest

from tests.memory_source import evidence_of, rows, said

CLASS = """
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: {name: db, namespace: shop}
spec:
  provider: vault
  parameters: {roleName: app, objects: "- secretKey: CANARY"}
  secretObjects: [{secretName: db-copy, type: Opaque, data: [{key: k, objectName: o}]}]
---
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClassPodStatus
metadata: {name: web-0-shop-db, namespace: shop}
status:
  podName: web-0
  secretProviderClassName: db
  mounted: true
  objects: [{id: db/password, version: "3"}, {id: db/user, version: "1"}]
"""
SEALED = """
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: a, namespace: shop, annotations: {%s}}
spec:
  encryptedData: {password: AgCANARY, user: AgCANARY}
  template: {type: kubernetes.io/basic-auth, immutable: true, data: {x: CANARY}}
status: {conditions: [{type: Synced, status: "False", message: CANARY}]}
"""


def test_provider_classes() -> None:
    evidence = evidence_of(CLASS)
    assert said(evidence, "secret_provider_classes") == [
        {
            "namespace": "shop",
            "name": "db",
            "provider": "vault",
            "parameters": ["objects", "roleName"],
            "secrets": ["db-copy"],
        }
    ]
    assert said(evidence, "secret_provider_mounts") == [
        {
            "namespace": "shop",
            "name": "web-0-shop-db",
            "pod": "web-0",
            "provider_class": "db",
            "mounted": True,
            "objects": ["db/password@3", "db/user@1"],
        }
    ]
    record = evidence.record("secretproviderclasses.secrets-store.csi.x-k8s.io", 1)
    assert "CANARY" not in str(record)


@pytest.mark.parametrize(
    ("annotations", "scope"),
    [
        ("", "strict"),
        ('sealedsecrets.bitnami.com/namespace-wide: "true"', "namespace-wide"),
        ('sealedsecrets.bitnami.com/cluster-wide: "true"', "cluster-wide"),
        ('sealedsecrets.bitnami.com/cluster-wide: "false"', "strict"),
    ],
)
def test_sealed_secrets(annotations: str, scope: str) -> None:
    evidence = evidence_of(SEALED % annotations)
    (row,) = rows(evidence, "sealed_secrets")
    assert (row["keys"], row["type"]) == (["password", "user"], "kubernetes.io/basic-auth")
    assert (row["scope"], row["immutable"], row["synced"]) == (scope, True, False)
    assert "CANARY" not in str(evidence.record("sealedsecrets.bitnami.com", 1))
