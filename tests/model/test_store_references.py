"""What settings of stores point at is kept, and nothing else of them."""

import msgspec
import pytest
from msgspec import Raw

from kaudit.model.store_references import reduced, references


def found(settings: object) -> list[tuple[str, str, str]]:
    raw = reduced(Raw(msgspec.json.encode(settings)))
    assert reduced(raw) == raw
    return [(r.path, r.kind, f"{r.namespace}/{r.name}" if r.name else "") for r in references(raw)]


ROLE = {"auth": {"appRole": {"path": "approle", "secretRef": {"name": "role", "key": "id"}}}}
ACCOUNT = {"auth": {"jwt": {"serviceAccountRef": {"name": "reader", "namespace": "sso"}}}}
KUBECONFIG = {"authRef": {"name": "admin", "key": "config"}, "remoteNamespace": "default"}
OWN_KEY = {"auth": {"privateKey": {"name": "app", "key": "pem"}}, "appID": 7}
WRITTEN = {"clientId": {"value": "me"}, "clientSecret": {"value": "correct-horse"}}
HOOK = {"url": "https://a.example", "secrets": [{"name": "auth", "secretRef": {"name": "hook"}}]}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (ROLE, [("auth.appRole.secretRef", "Secret", "/role")]),
        (ACCOUNT, [("auth.jwt.serviceAccountRef", "ServiceAccount", "sso/reader")]),
        (KUBECONFIG, [("authRef", "Secret", "/admin")]),
        (OWN_KEY, [("auth.privateKey", "Secret", "/app")]),
        (WRITTEN, [("clientSecret", "literal", "")]),
        (HOOK, [("secrets.secretRef", "Secret", "/hook")]),
        ({"caProvider": {"type": "Secret", "name": "ca", "key": "crt"}}, []),
        ({"region": "eu-central-1", "service": "SecretsManager"}, []),
        ({"auth": {"serviceAccount": {"name": ""}}}, []),
        ({}, []),
    ],
    ids=lambda v: next(iter(v), "nothing") if isinstance(v, dict) else "",
)
def test_references(settings: object, expected: list[tuple[str, str, str]]) -> None:
    assert found(settings) == expected


def test_a_client_certificate_is_no_static_credential() -> None:
    raw = reduced(Raw(b'{"auth":{"cert":{"secretRef":{"name":"tls","key":"tls.key"}}}}'))
    (one,) = references(raw)
    assert (one.certificate, one.static) == (True, False)


def test_values_are_not_kept() -> None:
    settings = {"data": [{"key": "a", "value": "CANARY"}], **WRITTEN, "headers": {"x": "CANARY"}}
    kept = bytes(reduced(Raw(msgspec.json.encode(settings))))
    assert kept == b'{"keptReferences":[{"path":"clientSecret","kind":"literal"}]}'


def test_deep_settings_end() -> None:
    deep: object = {"name": "n", "key": "k"}
    for _ in range(200):
        deep = [{"a": deep}]
    assert found({"a": deep}) == []


@pytest.mark.parametrize("settings", [b"[]", b"7", b'"text"'])
def test_no_settings(settings: bytes) -> None:
    with pytest.raises(TypeError, match="expected an object"):
        reduced(Raw(settings))
