"""Names in a signing certificate: its alternative names and its extensions, unverified.

Reads just so much of DER (X.690) and of X.509 (RFC 5280, section 4.1) as it takes to find
the extensions; nothing here says that a certificate is good.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

_SEQUENCE, _OID, _OCTETS, _EXTENSIONS = 0x30, 0x06, 0x04, 0xA3
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
    if found := _PEM.search(certificate):
        try:
            certificate = base64.b64decode(found[1])
        except binascii.Error as fault:
            raise ValueError(f"no certificate: {fault}") from None
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
