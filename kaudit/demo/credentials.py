"""Secrets of the demo: who keeps them, how workloads reach them, and who can read them."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from kaudit.demo.objects import Json, thing, uid

_HASH = "reconcile.external-secrets.io/data-hash"
#: Namespace and name to type, creation, last change of the values, and who keeps it.
_SECRETS = (
    ("production", "app-secrets", "Opaque", "2026-04-01", "2026-05-28", "ExternalSecret"),
    ("legacy", "erp", "Opaque", "2024-01-15", "2024-01-15", ""),
    ("legacy", "vault-token", "Opaque", "2025-03-02", "2025-03-02", ""),
    ("data", "postgres", "Opaque", "2025-11-03", "2025-11-03", ""),
    ("payments", "payment-gateway", "Opaque", "2026-03-01", "2026-05-30", "ExternalSecret"),
    ("payments", "ledger-db", "Opaque", "2026-03-01", "2026-05-29", "ExternalSecret"),
    ("payments", "refunds-key", "Opaque", "2025-06-11", "2025-06-11", ""),
    ("tracking", "maps-key", "Opaque", "2026-05-02", "2026-05-02", "SealedSecret"),
    ("tracking", "sms", "Opaque", "2026-01-12", "2026-01-12", ""),
    ("storefront", "search-key", "Opaque", "2026-04-20", "2026-05-18", "ExternalSecret"),
    ("storefront", "shop-tls", "kubernetes.io/tls", "2026-05-01", "2026-05-01", "Certificate"),
    ("payments", "pay-tls", "kubernetes.io/tls", "2026-05-01", "2026-05-01", "Certificate"),
    ("external-secrets", "aws-key", "Opaque", "2025-02-20", "2025-02-20", ""),
    ("ci", "registry", "kubernetes.io/dockerconfigjson", "2025-02-01", "2025-02-01", ""),
    ("ci", "chat-hook", "Opaque", "2026-05-11", "2026-05-11", "SealedSecret"),
    (
        *("ci", "deployer-token", "kubernetes.io/service-account-token"),
        *("2024-06-01", "2024-06-01", ""),
    ),
    (
        *("ingress-nginx", "sh.helm.release.v1.ingress-nginx.v4", "helm.sh/release.v1"),
        *("2026-02-10", "2026-02-10", ""),
    ),
)
_APIS = {
    "ExternalSecret": "external-secrets.io/v1",
    "SealedSecret": "bitnami.com/v1alpha1",
    "Certificate": "cert-manager.io/v1",
}
#: Workload to how it holds which Secret.
_HELD = {
    "checkout": ("env", "payment-gateway"),
    "refunds": ("env", "refunds-key"),
    "ledger": ("file", "ledger-db"),
    "tracker": ("subPath", "maps-key"),
    "notify": ("envFrom", "sms"),
    "search": ("file", "search-key"),
    "postgres": ("env", "postgres"),
}


def credentials() -> Iterator[Json]:
    """Yield Secrets, certificates, and what is fetched for them."""
    for namespace, name, kind, made, changed, keeper in _SECRETS:
        notes = {}
        if name == "deployer-token":
            notes = {"kubernetes.io/service-account.name": "deployer"}
        if name == "erp":
            notes = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
        if name in ("ledger-db", "app-secrets"):  # both fetched the same
            notes = {_HASH: "5f7c0a3d1e"}
        api = _APIS.get(keeper, "")
        owners = [
            {"apiVersion": api, "kind": keeper, "name": name, "uid": uid(keeper, namespace, name)}
        ]
        value = base64.b64encode(b"redacted").decode()
        found = thing(
            "v1",
            "Secret",
            name,
            namespace,
            created=f"{made}T06:00:00Z",
            annotations=notes,
            ownerReferences=owners if keeper else None,
            body={"type": kind, "data": {"value": value}},
        )
        fields: Json = {"f:data": {}, "f:type": {}}
        found["metadata"]["managedFields"] = [
            {
                "manager": keeper or "kubectl",
                "operation": "Update",
                "time": f"{changed}T06:00:00Z",
                "fieldsV1": fields,
            }
        ]
        yield found
    yield from _certificates()
    yield from _asked()


def holding(spec: Json, name: str) -> Json:
    """Let the first container of a workload hold its Secret."""
    if name == "routes":  # reads the settings of its namespace by itself
        return {**spec, "automountServiceAccountToken": True}
    if name not in _HELD:
        return spec
    way, secret = _HELD[name]
    first, *others = spec["containers"]
    if way == "env":
        source = {"secretKeyRef": {"name": secret, "key": "value"}}
        first = {**first, "env": [{"name": "CREDENTIAL", "valueFrom": source}]}
    elif way == "envFrom":
        first = {**first, "envFrom": [{"secretRef": {"name": secret}}]}
    else:
        mount: Json = {"name": "credential", "mountPath": "/run/credential", "readOnly": True}
        if way == "subPath":
            mount |= {"mountPath": "/run/credential/value", "subPath": "value"}
        first = {**first, "volumeMounts": [*first.get("volumeMounts", ()), mount]}
        volume = {"name": "credential", "secret": {"secretName": secret}}
        spec = {**spec, "volumes": [*spec.get("volumes", ()), volume]}
    return {**spec, "containers": [first, *others]}


def _certificates() -> Iterator[Json]:
    api = "cert-manager.io/v1"
    for namespace, name, ready, ends, renews in (
        ("storefront", "shop-tls", "True", "2026-07-30", "2026-06-30"),
        ("payments", "pay-tls", "False", "2026-06-09", "2026-05-10"),
    ):
        host = f"{name.removesuffix('-tls')}.northwind.example"
        spec: Json = {
            "secretName": name,
            "dnsNames": [host],
            "issuerRef": {"name": "letsencrypt", "kind": "ClusterIssuer"},
        }
        condition = {
            "type": "Ready",
            "status": ready,
            "reason": "Issued" if ready == "True" else "Failed",
        }
        status = {
            "conditions": [condition],
            "notBefore": "2026-05-01T00:00:00Z",
            "notAfter": f"{ends}T00:00:00Z",
            "renewalTime": f"{renews}T00:00:00Z",
        }
        body = {"spec": spec, "status": status}
        yield thing(api, "Certificate", name, namespace, body=body)
    acme: Json = {
        "server": "https://acme.example/directory",
        "privateKeySecretRef": {"name": "letsencrypt-account"},
    }
    ready_ = {
        "conditions": [{"type": "Ready", "status": "True", "reason": "ACMEAccountRegistered"}]
    }
    body = {"spec": {"acme": acme}, "status": ready_}
    yield thing(api, "ClusterIssuer", "letsencrypt", body=body)
    body = {"spec": {"ca": {"secretName": "mesh-ca"}}, "status": ready_}
    yield thing(api, "Issuer", "mesh", "production", body=body)


def _asked() -> Iterator[Json]:
    """ExternalSecrets of the Secrets that stores fill: fresh, stale, and failing."""
    aws = {"name": "aws-secrets", "kind": "ClusterSecretStore"}
    for namespace, name, every, at, key in (
        ("payments", "payment-gateway", "1h", "2026-06-01T05:20:00Z", "payments/gateway"),
        ("payments", "ledger-db", "6h", "2026-05-29T06:00:00Z", "shared/database"),
        ("storefront", "search-key", "24h", "2026-05-31T22:00:00Z", "shared/database"),
    ):
        spec = {
            "refreshInterval": every,
            "secretStoreRef": aws,
            "data": [{"secretKey": "value", "remoteRef": {"key": key, "property": "password"}}],
        }
        condition = {"type": "Ready", "status": "True", "reason": "SecretSynced"}
        body = {"spec": spec, "status": {"conditions": [condition], "refreshTime": at}}
        yield thing("external-secrets.io/v1", "ExternalSecret", name, namespace, body=body)
