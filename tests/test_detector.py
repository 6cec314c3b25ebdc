"""The detector's rules as verdicts on literals: what they find, and what they leave alone."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaudit.detector import Detector
from kaudit.model.credential import (
    SHAPE_BYTES,
    SHAPES,
    by_shape,
    by_shape_of_bytes,
    hinted,
    inside,
)

#: Made up, in the form that each issuer publishes.
FOUND = {
    "SENDGRID": (
        "SG." + "a1B2c3D4e5" * 2 + "Zz" + "." + "a1B2c3D4e5" * 4 + "xyz",
        "SendGrid API Key",
    ),
    "PYPI": ("pypi-AgEIcHlwaS5vcmc" + "A1b2C3d4" * 10, "PyPI Token"),
    "NPMRC": ("//registry.npmjs.org/:_authToken=npm_" + "A1b2" * 9, "NPM tokens"),
    "STORAGE": ("AccountKey=" + "A1b2C3d4" * 10 + "abcdef==", "Azure Storage Account access key"),
    "SETTING": ("q7Zt1Xb9Lw4Rk8Vn2Ym6Pc3Hd5Jf0Gs", "random text"),
}
CLEAN = {
    "IMAGE": "registry.example.com/team/application-server:v1.2.3",
    "IMAGE_DIGEST": "q7Zt1Xb9Lw4Rk8Vn2Ym6Pc3Hd5Jf0Gs",
    "COMMIT": "9f8c1d2e3b4a5968778695a4b3c2d1e0f9e8d7c6",
    "UUID": "6f1c2b9a-0d3e-4c5b-8a7f-1e2d3c4b5a69",
    "JAVA_OPTS": "-Xmx512m -XX:+UseG1GC -Dspring.profiles.active=production1",
    "URL": "https://service.namespace.svc.cluster.local:8443/api/v1/items",
    "PATH_LIST": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "CLASS": "org.springframework.boot.autoconfigure.security.Servlet3",
    "SRI": "sha256-q7Zt1Xb9Lw4Rk8Vn2Ym6Pc3Hd5Jf0Gsq7Zt1Xb9Lw=",
}


@pytest.mark.parametrize("name", FOUND)
def test_what_it_finds(name: str) -> None:
    value, kind = FOUND[name]
    assert Detector()(name, value) == kind


@pytest.mark.parametrize("name", CLEAN)
def test_what_it_leaves_alone(name: str) -> None:
    assert Detector()(name, CLEAN[name]) == ""


def test_it_looks_once_and_keeps_no_text() -> None:
    detector = Detector()
    value = FOUND["SENDGRID"][0]
    assert [detector("A", value) for _ in range(3)] == ["SendGrid API Key"] * 3
    assert len(detector._said) == 1
    assert value not in repr(detector._said)


def test_it_is_not_imported_for_short_texts() -> None:
    before = set(sys.modules)
    assert Detector()("LOG_LEVEL", "debug") == ""
    assert set(sys.modules) == before


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("users:\n- user:\n    client-key-data: LS0tLS1CRUdJTiBSU0EgUFJJVkFURQ==\n", True),
        ("spring:\n  datasource:\n    password: hunter22\n", True),
        ('{"user": "ann",\n "api_key": "0123456789abcdef"\n}', True),
        ("export DB_PASSWORD=hunter22\nexport HOST=db\n", True),
        ("server-tokens: enabled\nadmin_email: ann@example.org\nPROJECT_KEY: WEBSHOP\n", False),
        ("password: ${DB_PASSWORD}\ntoken: $oidc.github.secret\n", False),
        ("const secretKey = process.env.SECRET\nlet apiKey = load('key')\n", False),
        ("tokenTTL: 3600s\npasswordFile: /run/secrets/p\nsecretName: database\n", False),
        ("clusters:\n- cluster:\n    certificate-authority-data: LS0tLS1CRUdJTiBDRVJU\n", False),
        ("password", False),
    ],
)
def test_files_inside_of_values(text: str, found: bool) -> None:
    assert bool(inside(text)) == found


@pytest.mark.parametrize("kind", SHAPES)
@given(data=st.data())
def test_every_shape_holds_a_hint(kind: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(re.compile(SHAPES[kind], re.ASCII)))
    raw = text.encode("utf-8", "surrogatepass")
    assert hinted(raw)
    assert SHAPE_BYTES.search(raw)


@pytest.mark.parametrize(
    ("user", "password"), [("ü" * 40, "p"), ("u", "密" * 100), ("", "🔑" * 256)]
)
def test_credentials_may_be_of_any_script(user: str, password: str) -> None:
    raw = f'{{"args":["--dsn=postgres://{user}:{password}@db/x"]}}'.encode()
    assert by_shape(raw.decode()) == by_shape_of_bytes(raw) == "URL with password"
    assert hinted(raw)
    assert SHAPE_BYTES.sub(b"[masked]", raw) == b'{"args":["--dsn=[masked]db/x"]}'
