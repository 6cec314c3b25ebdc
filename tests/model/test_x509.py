"""Names are read of certificates, and what is none is told."""

import base64
import contextlib
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from kaudit.model.certificate_text import first_end, last_end
from kaudit.model.x509 import alternative_names, extensions, text_of, validities


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


def lasting(begin: bytes, end: bytes, tag: int = 0x17) -> bytes:
    """Certificate as DER, as far as its validity goes."""
    name, kind = der(0x30), der(0x30, der(0x06, b"\x2b"))
    times = der(0x30, der(tag, begin), der(tag, end))
    return der(
        0x30, der(0x30, der(0xA0, der(0x02, b"\x02")), der(0x02, b"\x01"), kind, name, times)
    )


def pem(*certificates: bytes) -> Raw:
    """Certificates one after the other in PEM, as an object holds them."""
    texts = (
        b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(c) + b"-----END CERTIFICATE-----\n"
        for c in certificates
    )
    return Raw(msgspec.json.encode(base64.b64encode(b"".join(texts)).decode()))


def test_validity_of_both_ways_to_write_a_time() -> None:
    short = lasting(b"491231235959Z", b"500101000000Z")
    assert validities(short) == [
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(1950, 1, 1, tzinfo=UTC))
    ]
    long = lasting(b"20490101000000Z", b"20600101000000Z", tag=0x18)
    assert validities(long)[0][1] == datetime(2060, 1, 1, tzinfo=UTC)


def test_the_servers_own_and_the_last_of_a_bundle() -> None:
    one, two = (lasting(b"250101000000Z", f"{year}0101000000Z".encode()) for year in (26, 30))
    assert first_end(pem(one, two)) == datetime(2026, 1, 1, tzinfo=UTC)
    assert last_end(pem(one, two)) == last_end(pem(two, one)) == datetime(2030, 1, 1, tzinfo=UTC)


@given(st.one_of(st.binary(max_size=300), st.integers(0, 90).map(lambda n: CERTIFICATE[:n])))
def test_what_is_no_certificate_has_no_end(data: bytes) -> None:
    whole = lasting(b"250101000000Z", b"260101000000Z")
    for text in (data, whole[: len(data) % len(whole)], whole[:20] + data):
        assert last_end(pem(text)) is None or text == whole
        with contextlib.suppress(ValueError):
            validities(text)
