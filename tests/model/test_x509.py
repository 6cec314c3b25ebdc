"""Names are read of certificates, and what is none is told."""

import base64

import pytest

from kaudit.model.x509 import alternative_names, extensions, text_of


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82, size >> 8, size & 255])
    return bytes([tag]) + length + content


NAMES = der(0x30, der(0x81, b"ann@example.com"), der(0x86, b"https://example.com/w"))
#: 1.3.6.1.4.1.57264.1.8, an issuer as DER text, and 2.5.29.17, the alternative names.
ISSUER = bytes([0x2B, 6, 1, 4, 1, 0x83, 0xBF, 0x30, 1, 8])
CERTIFICATE = der(
    0x30,
    der(
        0x30,
        der(0x02, b"\x01"),
        der(
            0xA3,
            der(
                0x30,
                der(0x30, der(0x06, ISSUER), der(0x04, der(0x0C, b"https://issuer.example.com"))),
                der(0x30, der(0x06, b"\x55\x1d\x11"), der(0x01, b"\xff"), der(0x04, NAMES)),
            ),
        ),
    ),
)


@pytest.mark.parametrize("packed", [False, True])
def test_names_and_extensions(packed: bool) -> None:
    text = base64.encodebytes(CERTIFICATE)
    pem = b"-----BEGIN CERTIFICATE-----\n" + text + b"-----END CERTIFICATE-----\n"
    found = extensions(pem if packed else CERTIFICATE)
    assert alternative_names(found) == ["ann@example.com", "https://example.com/w"]
    assert text_of(found["1.3.6.1.4.1.57264.1.8"]) == "https://issuer.example.com"


def test_the_first_extensions_of_fulcio_are_plain_bytes() -> None:
    assert text_of(b"https://issuer.example.com") == "https://issuer.example.com"


@pytest.mark.parametrize("data", [b"\x30", b"\x02\x01\x01", CERTIFICATE[:-1], b"\x30\x84\xff\xff"])
def test_what_is_no_certificate(data: bytes) -> None:
    with pytest.raises(ValueError, match="no certificate"):
        extensions(data)
