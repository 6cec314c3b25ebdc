"""Names in a signing certificate: its alternative names and its extensions, unverified.

Reads just so much of DER (X.690) and of X.509 (RFC 5280, section 4.1) as it takes to find
the extensions; nothing here says that a certificate is good.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime

_SEQUENCE, _OID, _OCTETS, _EXTENSIONS = 0x30, 0x06, 0x04, 0xA3
#: Signature, issuer and validity are the first sequences of what is signed.
_OF_VALIDITY, _UTC_TIME = 3, 0x17
#: Kinds of alternative names that are text: e-mail, DNS name, URI.
_TEXTS = (0x81, 0x82, 0x86)
ALTERNATIVE_NAMES = "2.5.29.17"
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)


def extensions(certificate: bytes) -> dict[str, bytes]:
    """Object identifiers and values of the extensions of a certificate in DER or PEM.

    Raises
    ------
    ValueError
        It is no certificate.
    """
    certificate = next(_each(certificate), certificate)
    outer = _only(certificate, _SEQUENCE)
    signed = next(_parts(outer), (0, b""))[1]
    found_extensions: dict[str, bytes] = {}
    for tag, block in _parts(signed):
        if tag != _EXTENSIONS:
            continue
        for _, extension in _parts(_only(block, _SEQUENCE)):
            parts = list(_parts(extension))
            oid = next((value for tag, value in parts if tag == _OID), b"")
            value = next((value for tag, value in parts if tag == _OCTETS), b"")
            found_extensions[_dotted(oid)] = value
    return found_extensions


def validities(certificates: bytes) -> list[tuple[datetime, datetime]]:
    """Begin and end of the validity of each certificate, in DER or PEM.

    Raises
    ------
    ValueError
        One of them is no certificate.
    """
    found = []
    for certificate in list(_each(certificates)) or [certificates]:
        signed = next(_parts(_only(certificate, _SEQUENCE)), (0, b""))[1]
        sequences = [content for tag, content in _parts(signed) if tag == _SEQUENCE]
        if len(sequences) < _OF_VALIDITY:
            raise ValueError("no certificate: it has no validity")
        times = [_time(tag, text) for tag, text in _parts(sequences[_OF_VALIDITY - 1])]
        if len(times) != 2:
            raise ValueError("no certificate: its validity has no begin and end")
        found.append((times[0], times[1]))
    return found


def _each(certificates: bytes) -> Iterator[bytes]:
    """DER of each certificate in PEM."""
    for found in _PEM.finditer(certificates):
        try:
            yield base64.b64decode(found[1])
        except binascii.Error as fault:
            raise ValueError(f"no certificate: {fault}") from None


def _time(tag: int, text: bytes) -> datetime:
    """UTCTime, whose years are of 1950 to 2049, or GeneralizedTime (RFC 5280, 4.1.2.5)."""
    digits = text.decode("ascii", "replace")
    if tag == _UTC_TIME:
        digits = ("19" if digits[:2] >= "50" else "20") + digits
    return datetime.strptime(digits, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def alternative_names(extensions: dict[str, bytes]) -> list[str]:
    """E-mail addresses, DNS names and URIs that a certificate is for."""
    value = extensions.get(ALTERNATIVE_NAMES)
    if value is None:
        return []
    names = _parts(_only(value, _SEQUENCE))
    return [text.decode("utf-8", "replace") for tag, text in names if tag in _TEXTS]


def text_of(value: bytes) -> str:
    """Text of an extension: DER text, or, as Fulcio's first ones, the bytes themselves."""
    try:
        tag, text = next(_parts(value), (0, b""))
        if tag in (0x0C, 0x13, 0x16) and value.endswith(text):
            return text.decode("utf-8", "replace")
    except ValueError:
        pass
    return value.decode("utf-8", "replace")


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element."""
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise ValueError("no certificate: cut off")
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            raise ValueError("no certificate: cut off")
        yield tag, data[at : at + length]
        at += length


def _only(data: bytes, tag: int) -> bytes:
    found, content = next(_parts(data), (0, b""))
    if found != tag:
        raise ValueError("no certificate")
    return content


def _dotted(data: bytes) -> str:
    numbers, value = [], 0
    for byte in data:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    if numbers:
        first = min(numbers[0] // 40, 2)
        numbers[:1] = [first, numbers[0] - 40 * first]
    return ".".join(map(str, numbers))
