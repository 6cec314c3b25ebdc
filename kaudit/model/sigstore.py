"""Sigstore bundles and Rekor's, as far as they say who signed what (sigstore/protobuf-specs).

Nothing here verifies: names come from certificates that anybody could have made.
"""

from __future__ import annotations

import base64
import binascii
from functools import cached_property
from typing import Any

import msgspec
from msgspec import field

from kaudit.model.cosign import FULCIO, LogEntry
from kaudit.model.x509 import alternative_names, extensions, text_of


def decoded(text: str) -> bytes:
    """Bytes of base64, of either alphabet, padded or not.

    Raises
    ------
    ValueError
        It is none.
    """
    plain = text.strip().replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as fault:
        raise ValueError(f"no base64: {fault}") from None


class RawBytes(msgspec.Struct, rename="camel"):
    """A certificate."""

    raw_bytes: str = ""


class Chain(msgspec.Struct):
    """x509CertificateChain."""

    certificates: list[RawBytes] | None = None


class TlogEntry(msgspec.Struct, rename="camel"):
    """tlogEntries[]: numbers are text in JSON made of protobuf."""

    log_index: str | int | None = None
    integrated_time: str | int | None = None


class Material(msgspec.Struct, rename="camel"):
    """verificationMaterial."""

    certificate: RawBytes | None = None
    x509_certificate_chain: Chain | None = field(default=None, name="x509CertificateChain")
    public_key: dict[str, Any] | None = None
    tlog_entries: list[TlogEntry] | None = None


class MessageDigest(msgspec.Struct):
    """messageDigest."""

    algorithm: str = ""
    digest: str = ""


class MessageSignature(msgspec.Struct, rename="camel"):
    """messageSignature."""

    message_digest: MessageDigest | None = None


class SigstoreBundle(msgspec.Struct, rename="camel", dict=True):
    """A bundle: signature, certificate and entry of the log."""

    verification_material: Material | None = None
    message_signature: MessageSignature | None = None

    @property
    def digest(self) -> str | None:
        """Digest that is signed."""
        of = self.message_signature and self.message_signature.message_digest
        return f"sha256:{decoded(of.digest).hex()}" if of and of.digest else None

    @property
    def certificate(self) -> bytes:
        """Certificate of the signer in DER, empty where there is none."""
        material = self.verification_material or Material()
        chain = material.x509_certificate_chain or Chain()
        first = material.certificate or next(iter(chain.certificates or ()), RawBytes())
        return decoded(first.raw_bytes)

    @property
    def public_key(self) -> bool:
        """Whether a key that is known elsewhere signed."""
        return bool(self.verification_material and self.verification_material.public_key)

    @property
    def entry(self) -> LogEntry | None:
        """Entry of the transparency log."""
        material = self.verification_material or Material()
        for one in material.tlog_entries or ():
            fields = {"logIndex": one.log_index, "integratedTime": one.integrated_time}
            return msgspec.convert(
                {name: value for name, value in fields.items() if value is not None},
                LogEntry,
                strict=False,
            )
        return None


class LogHash(msgspec.Struct):
    """spec.data.hash of an entry."""

    algorithm: str = ""
    value: str = ""


class LogData(msgspec.Struct):
    """spec.data of an entry."""

    hash: LogHash | None = None


class LogKey(msgspec.Struct):
    """spec.signature.publicKey of an entry: a certificate or a key, in PEM."""

    content: str = ""


class LogSignature(msgspec.Struct, rename="camel"):
    """spec.signature of an entry."""

    public_key: LogKey | None = None


class LogSpec(msgspec.Struct):
    """spec of an entry of kind hashedrekord."""

    data: LogData | None = None
    signature: LogSignature | None = None


class LogBody(msgspec.Struct):
    """Body of an entry."""

    kind: str = ""
    spec: LogSpec | None = None


class LogPayload(LogEntry, kw_only=True):
    """Payload of Rekor's bundle."""

    body: str = ""


class LogBundle(msgspec.Struct, dict=True):
    """Rekor's bundle of classic signatures."""

    payload: LogPayload = field(name="Payload")

    @cached_property
    def _body(self) -> LogBody:
        return msgspec.json.decode(decoded(self.payload.body), type=LogBody)

    @property
    def digest(self) -> None:
        """The log knows the digest of the payload, not that of the image."""
        return

    @property
    def _key(self) -> bytes:
        signature = self._body.spec and self._body.spec.signature
        return decoded(signature.public_key.content) if signature and signature.public_key else b""

    @property
    def certificate(self) -> bytes:
        """Certificate of the signer in PEM, empty where there is none."""
        return self._key if b"BEGIN CERTIFICATE" in self._key else b""

    @property
    def public_key(self) -> bool:
        """Whether a key signed."""
        return b"PUBLIC KEY" in self._key

    @property
    def entry(self) -> LogEntry:
        """Entry of the transparency log."""
        return LogEntry(self.payload.integrated_time, self.payload.log_index)


def certificate_names(certificate: bytes) -> dict[str, str]:
    """Subject and Fulcio's extensions of a certificate, by their identifiers.

    Raises
    ------
    ValueError
        It is no certificate.
    """
    if not certificate:
        return {}
    found = extensions(certificate)
    names = {oid: text_of(value) for oid, value in found.items() if oid.startswith(FULCIO)}
    if subjects := alternative_names(found):
        names["Subject"] = subjects[0]
    return names
