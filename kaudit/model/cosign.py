"""What cosign prints of a signature (sigstore/cosign, ``pkg/oci/static`` and signature spec).

``optional`` holds what the signer wrote beside: kept as ``key=value``, masked where it looks
like a credential. Certificates and signatures are read for names and are not kept.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Raw, field

from kaudit.model.credential import masked, verdict

#: Seconds since 1970 that a time can hold.
Seconds = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
Index = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_text = msgspec.json.Decoder(str | int | float | bool | None).decode
#: Object identifiers that Fulcio puts into certificates, and how cosign calls what they say.
FULCIO = "1.3.6.1.4.1.57264.1."
_NAMES = {
    "1": "Issuer",
    "2": "githubWorkflowTrigger",
    "3": "githubWorkflowSha",
    "4": "githubWorkflowName",
    "5": "githubWorkflowRepository",
    "6": "githubWorkflowRef",
    "8": "Issuer",
    "12": "sourceRepository",
    "13": "sourceDigest",
    "14": "sourceRef",
}


class Identity(msgspec.Struct, gc=False, omit_defaults=True):
    """critical.identity."""

    reference: str | None = field(default=None, name="docker-reference")


class Image(msgspec.Struct, gc=False, omit_defaults=True):
    """critical.image; older descriptions of the format write a capital."""

    digest: str | None = field(default=None, name="docker-manifest-digest")
    older: str | None = field(default=None, name="Docker-manifest-digest")


class Critical(msgspec.Struct, gc=False, omit_defaults=True):
    """critical: what is signed."""

    identity: Identity | None = None
    image: Image | None = None
    type: str | None = None


class LogEntry(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """Entry of the transparency log."""

    integrated_time: Seconds | None = None
    log_index: Index | None = None


class Bundle(msgspec.Struct, gc=False, omit_defaults=True):
    """optional.Bundle."""

    payload: LogEntry | None = field(default=None, name="Payload")


_bundle = msgspec.json.Decoder(Bundle | None).decode


class Signature(msgspec.Struct, gc=False, omit_defaults=True):
    """One signature: the payload that is signed, and what was found beside it."""

    critical: Critical
    optional: dict[str, Raw] | None = None

    def __post_init__(self) -> None:
        kept = {}
        for name, raw in (self.optional or {}).items():
            if name == "Bundle":
                kept[name] = msgspec.json.encode(_bundle(raw))
            elif bytes(raw)[:1] not in (b"{", b"["):
                kept[name] = msgspec.json.encode(_safe(name, _text(raw)))
        self.optional = {name: Raw(raw) for name, raw in kept.items()} or None

    @property
    def entry(self) -> LogEntry:
        """Entry of the transparency log."""
        found = _bundle((self.optional or {}).get("Bundle", Raw(b"null")))
        return found.payload or LogEntry() if found else LogEntry()

    @property
    def texts(self) -> dict[str, str]:
        """What is said beside the payload, without the log's bundle."""
        pairs = {n: _text(raw) for n, raw in (self.optional or {}).items() if n != "Bundle"}
        return {name: "" if text is None else str(text) for name, text in pairs.items()}


def _safe(name: str, text: str | float | bool | None) -> str | float | bool | None:
    if not isinstance(text, str):
        return text
    kind = verdict(name, text)
    return f"[masked: {kind}]" if kind else masked(text)


def signer(texts: dict[str, str]) -> dict[str, str]:
    """What certificates say of the signer, by cosign's names: ``Issuer``, ``Subject``."""
    found = {_NAMES.get(name.removeprefix(FULCIO), name): text for name, text in texts.items()}
    return {**found, **{name: text for name, text in texts.items() if text}}


class FoundSignature(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of one signature, of one that is missing or refused, or of one that is attached.

    Attributes
    ----------
    shape
        ``verify``, ``payload``, ``failure``, ``tree``, ``log`` or ``bundle``.
    image, digest, key
        As the text beside it says.
    method
        ``key``, ``kms``, ``keyless`` or ``unknown``; empty where only the signature tells.
    names
        What the certificate says, by cosign's names.
    """

    report: str
    position: int
    shape: str
    image: str = ""
    digest: str | None = None
    method: str = ""
    key: str = ""
    verified: bool | None = None
    reason: str | None = None
    signature: Signature | None = None
    names: dict[str, str] = {}
    entry: LogEntry | None = None
