"""Every form of every shape is known: in text, in bytes, and to the engine that searches tables."""

import base64
import time

import pyarrow as pa
import pytest

from kaudit.evidence.seal import masked_table
from kaudit.model.credential import (
    SHAPE_BYTES,
    SHAPES,
    by_shape,
    by_shape_of_bytes,
    hinted,
    masked,
)

X = "Ab1" * 30
BODY = f"{X}\n{X}\nAb1="
PEM = [
    f"-----BEGIN PRIVATE KEY-----\n{BODY}\n-----END PRIVATE KEY-----",
    f"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,01AB\n\n{BODY}\n"
    "-----END RSA PRIVATE KEY-----",
    f"-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2 (GNU/Linux)\n\n{BODY}\n=Ab1d\n"
    "-----END PGP PRIVATE KEY BLOCK-----",
]
KINDS = ("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "DSA ")
ENCODED = [
    base64.b64encode(text.encode()).decode()
    for text in (*(f"-----BEGIN {kind}PRIVATE KEY-----\n{BODY}" for kind in KINDS), PEM[2])
]
FORMS = {
    "private key": [
        *("-----BEGIN PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----"),
        *("-----BEGIN PGP PRIVATE KEY BLOCK-----", "-----BEGIN ENCRYPTED PRIVATE KEY-----"),
        *(*PEM, *ENCODED),
    ],
    "AWS access key": [f"{start}{X[:16].upper()}" for start in ("AKIA", "ASIA")],
    "GitHub token": [*(f"gh{kind}_{X[:36]}" for kind in "pousr"), f"github_pat_{X[:50]}"],
    "GitLab token": [f"glpat-{X[:20]}"],
    "Slack token": [f"xox{kind}-{X[:10]}" for kind in "abeprs"],
    "Google API key": [f"AIza{X[:35]}"],
    "Stripe key": [f"{kind}k_live_{X[:16]}" for kind in "sr"],
    "JSON web token": [f"eyJ{X[:8]}.eyJ{X[:8]}.{X[:1]}"],
    "Vault token": [f"hv{kind}.{X[:20]}" for kind in "sbr"],
    "URL with password": ["https://u:p@h", "redis://:p@h", "a+b://u:p@h"],
    "bearer token": [f"Bearer {X[:8]}", "bearer abcdefghijklmnop", "Bearer 12345678"],
}
CASES = [(kind, text) for kind, texts in FORMS.items() for text in texts]


def test_every_shape_has_an_example() -> None:
    assert list(FORMS) == list(SHAPES)


@pytest.mark.parametrize(("kind", "text"), CASES)
def test_a_form_is_known_everywhere(kind: str, text: str) -> None:
    inside = f"say {text} now"
    assert by_shape(inside) == kind
    assert hinted(inside.encode())
    assert by_shape_of_bytes(inside.encode()) == kind
    assert f"[masked: {kind}]" in masked(inside)
    assert masked_table(pa.table({"said": [inside]}))[1] == 1


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PUBLIC KEY-----",
        f"AKIA{X[:15].upper()}",
        f"ghx_{X[:36]}",
        f"ghp_{X[:35]}",
        f"xoxz-{X[:10]}",
        f"glpat-{X[:19]}",
        f"sk_test_{X[:16]}",
        f"eyJ{X[:8]}.{X[:8]}.{X[:8]}",
        f"hvx.{X[:20]}",
        "https://h:8080/a@b",
        "Bearer token",
    ],
)
def test_what_is_nearly_one_is_none(text: str) -> None:
    assert by_shape(text) == by_shape_of_bytes(text.encode()) == ""
    assert masked_table(pa.table({"said": [text]}))[1] == 0


@pytest.mark.parametrize("key", [*PEM, f"-----BEGIN PRIVATE KEY-----\n{X}\n{X}", *ENCODED])
@pytest.mark.parametrize("form", ["say {} now", "echo '{}' > /k"])
def test_nothing_is_left_of_a_private_key(key: str, form: str) -> None:
    before, after = form.split("{}")
    for text in (key, key.replace("\n", "\\n")):
        said = form.format(text)
        assert masked(said) == f"{before}[masked: private key]{after}"
        (kept,) = masked_table(pa.table({"said": [said]}))[0]["said"].to_pylist()
        assert kept == f"{before}[masked]{after}"
        assert SHAPE_BYTES.sub(b"[masked]", said.encode()).decode() == kept


@pytest.mark.parametrize(
    "more", ["a-", "-----BEGIN PRIVATE KEY-----", "A ", "Ab1Ab1Ab1Ab1Ab1A ", "a"]
)
def test_hostile_text_is_masked_in_time(more: str) -> None:
    text = "x: -----BEGIN PRIVATE KEY-----" + more * (200_000 // len(more))
    started = time.monotonic()
    masked(text)
    SHAPE_BYTES.sub(b"", text.encode())
    assert time.monotonic() - started < 5
