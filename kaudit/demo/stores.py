"""Secret stores of the demo, and what is fetched from them."""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.demo.objects import Json, thing

_API, _GENERATORS = "external-secrets.io", "generators.external-secrets.io/v1alpha1"


def stores() -> Iterator[Json]:
    """Yield what the External Secrets Operator works on."""
    yield from _stores()
    yield from _fetched()
    yield from _others()
    yield from _drivers()


def _stores() -> Iterator[Json]:
    account: Json = {"role": "app", "serviceAccountRef": {"name": "vault-auth"}}
    vault = {"server": "https://vault.northwind.example", "path": "secret", "version": "v2"}
    for name, ready in (("production", True), ("legacy", False)):
        login: Json = {"kubernetes": {"mountPath": "kubernetes", **account}}
        if not ready:  # a token that somebody made by hand, and that ended
            login = {"tokenSecretRef": {"name": "vault-token", "key": "token"}}
        body = {
            "spec": {"provider": {"vault": {**vault, "auth": login}}},
            "status": _status(ready, "Valid" if ready else "InvalidProviderConfig"),
        }
        yield thing(f"{_API}/v1", "SecretStore", "vault-backend", name, body=body)
    key = {"name": "aws-key", "namespace": "external-secrets"}
    login = {
        "accessKeyIDSecretRef": {**key, "key": "id"},
        "secretAccessKeySecretRef": {**key, "key": "secret"},
    }
    aws = {"service": "SecretsManager", "region": "eu-central-1", "auth": {"secretRef": login}}
    body = {"spec": {"provider": {"aws": aws}}, "status": _status(True, "Valid")}
    yield thing(f"{_API}/v1", "ClusterSecretStore", "aws-secrets", body=body)


def _status(ready: bool, reason: str) -> Json:
    condition = {"type": "Ready", "status": str(ready), "reason": reason}
    return {"conditions": [condition], "capabilities": "ReadWrite"}


def _fetched() -> Iterator[Json]:
    for name, namespace, ready in (
        ("app-secrets", "production", "True"),
        ("erp", "legacy", "False"),
    ):
        body = {
            "spec": {
                "refreshInterval": "1h",
                "secretStoreRef": {"name": "vault-backend", "kind": "SecretStore"},
            },
            "status": {
                "conditions": [{"type": "Ready", "status": ready}],
                "refreshTime": "2026-05-31T18:00:00Z",
            },
        }
        yield thing(f"{_API}/v1", "ExternalSecret", name, namespace, body=body)
    spec = {
        "refreshInterval": "0",
        "secretStoreRef": {"name": "aws-secrets", "kind": "ClusterSecretStore"},
        "target": {"name": "postgres", "creationPolicy": "Orphan"},
        "data": [{"secretKey": "password", "remoteRef": {"key": "data/postgres"}}],
    }
    status = {
        "conditions": [{"type": "Ready", "status": "True", "reason": "SecretSynced"}],
        "refreshTime": "2025-11-03T10:00:00Z",
    }
    body = {"spec": spec, "status": status}
    yield thing(f"{_API}/v1", "ExternalSecret", "postgres", "data", body=body)


def _others() -> Iterator[Json]:
    spec: Json = {
        "secretStoreRefs": [{"name": "aws-secrets", "kind": "ClusterSecretStore"}],
        "selector": {"secret": {"name": "shop-tls"}},
        "data": [{"match": {"secretKey": "tls.crt", "remoteRef": {"remoteKey": "edge/shop"}}}],
    }
    status = {"conditions": [{"type": "Ready", "status": "True", "reason": "Synced"}]}
    body = {"spec": spec, "status": status}
    yield thing(f"{_API}/v1alpha1", "PushSecret", "shop-tls", "storefront", body=body)
    login: Json = {"jwt": {"serviceAccountRef": {"name": "deployer"}}}
    body = {"spec": {"region": "eu-central-1", "auth": login}}
    yield thing(_GENERATORS, "ECRAuthorizationToken", "registry", "ci", body=body)


def _drivers() -> Iterator[Json]:
    """Secrets that are mounted, and one that is sealed."""
    csi = "secrets-store.csi.x-k8s.io/v1"
    spec: Json = {"provider": "vault", "parameters": {"roleName": "tracking", "objects": "[]"}}
    yield thing(csi, "SecretProviderClass", "maps", "tracking", body={"spec": spec})
    mounted = [{"id": "tracking/maps", "version": "4"}]
    status: Json = {
        "podName": "tracking-api-0",
        "secretProviderClassName": "maps",
        "mounted": True,
        "objects": mounted,
    }
    name = "tracking-api-0-tracking-maps"
    body = {"status": status}
    yield thing(csi, "SecretProviderClassPodStatus", name, "tracking", body=body)
    spec = {"encryptedData": {"token": "AgBy3i4OJSWK"}, "template": {"type": "Opaque"}}
    status = {"conditions": [{"type": "Synced", "status": "True"}]}
    body = {"spec": spec, "status": status}
    yield thing("bitnami.com/v1alpha1", "SealedSecret", "chat-hook", "ci", body=body)
