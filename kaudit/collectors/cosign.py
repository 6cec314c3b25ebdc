"""Cosign: what verifying a signature printed, and signatures as they are stored.

Sources: sigstore/cosign, ``cmd/cosign/cli/verify/verify.go`` (text and JSON), ``tree.go``,
specs/SIGNATURE_SPEC.md; sigstore/fulcio, docs/oid-info.md; sigstore/protobuf-specs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import cosign
from kaudit.model.numbered import elements, members
from kaudit.model.place import Place
from kaudit.model.sigstore import LogBundle, SigstoreBundle, certificate_names
from kaudit.model.taken import Content, Lost, Taken
from kaudit.model.verification import Said, printed
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.supply import SIGNATURES, SignatureRow

_SAID = re.compile(
    rb"^(?:Verification for .+ --\s*$|.*Supply Chain Security Related artifacts for an image: "
    rb"|(?:Error: |main\.go:\d+: error during command execution: )"
    rb"(?:no matching signatures|no signatures found|none of the expected identities)"
    rb"|\s*\[?\s*\{\s*\"critical\"\s*:)",
    re.MULTILINE,
)
#: One of these is in whatever matches that: quicker to look for.
_WORDS = (b"Verification for ", b"Supply Chain", b" signatures", b" identities", b'"critical"')
_TREE_IMAGE = re.compile(r"Related artifacts for an image: (?P<image>\S+)")
_TREE_PART = re.compile(r"(?P<what>Signatures|Attestations|SBOMs) for an image tag: (?P<tag>\S+)")
_TREE_LEAF = re.compile(r"^\s*[└├]── \S+ (?P<digest>sha256:[0-9a-f]{64})\s*$")
_TAG = re.compile(r":sha256-(?P<hex>[0-9a-f]{64})(?:\.\w+)?$")
_encode = msgspec.json.Encoder().encode


def _recognise(content: Content) -> bool:
    if content.shape == "text":
        start = content.data[: 1 << 16]
        told = any(word in start for word in _WORDS) and _SAID.search(start)
        return bool(told) and b'"payloadType"' not in content.data
    keys = content.keys
    return (
        "critical" in keys
        or {"SignedEntryTimestamp", "Payload"} <= keys
        or {"messageSignature", "verificationMaterial"} <= keys
    )


@tool(
    "cosign",
    title="cosign",
    help="Outputs of cosign verify (JSON, text or both), signature payloads and bundles.",
    recognise=_recognise,
    files=("cosign*.txt", "cosign*.log", "*.sigstore", "*.sig.json"),
)
def take_cosign(content: Content) -> Iterator[Taken | Lost]:
    """Take out each signature, and each verification that failed."""
    run = _Run(content.report)
    for found in printed(content.whole.decode("utf-8", "replace")):
        run.said.read(found.before)
        yield from run.tree(found.before)
        if found.fault:
            run.some = True
            yield Lost("Signature", found.fault, run.count + 1)
        elif found.raw:
            yield from run.document(found.raw)
    yield from run.failures()
    if not run.some:
        raise InputError("is no output of cosign", hint="keep what cosign verify prints")


class _Run:
    """Numbers the signatures of one output."""

    def __init__(self, report: str) -> None:
        self.report, self.count, self.some = report, 0, False
        self.said = Said()

    def document(self, text: str) -> Iterator[Taken | Lost]:
        """Take a list of signatures, one payload, or a bundle apart."""
        raw = text.encode()
        if raw.startswith(b"["):
            for one in elements(raw):
                yield self._signature(one, verified=True)
            return
        held = members(raw)
        if "critical" in held:
            yield self._signature(Raw(raw), verified=self.said.verified or None)
        elif "SignedEntryTimestamp" in held:
            yield self._stored("log", LogBundle, raw)
        elif "messageSignature" in held:
            yield self._stored("bundle", SigstoreBundle, raw)
        else:
            self.count += 1
            yield Lost("Signature", "an object that is no signature", self.count)

    def _record(self, shape: str, **parts: Any) -> Taken:
        self.count += 1
        self.some = True
        record = {"report": self.report, "position": self.count, "shape": shape, **parts}
        return Taken("Signature", _encode(record), self.count)

    def _signature(self, raw: Raw, verified: bool | None) -> Taken:
        said = self.said
        return self._record(
            "verify" if verified else "payload",
            image=said.image,
            method=said.method(keyless=False),
            key=said.key,
            verified=verified,
            signature=raw,
        )

    def _stored(
        self, shape: str, model: type[LogBundle] | type[SigstoreBundle], raw: bytes
    ) -> Taken | Lost:
        try:
            bundle = msgspec.json.decode(raw, type=model)
            names = certificate_names(bundle.certificate)
            known = "keyless" if names else "key" if bundle.public_key else "unknown"
            parts = {"digest": bundle.digest, "method": known, "entry": bundle.entry}
        except ValueError as fault:
            self.count += 1
            return Lost("Signature", str(fault), self.count)
        return self._record(shape, names=names, **parts)

    def tree(self, text: str) -> Iterator[Taken]:
        """Take the signatures out of what ``cosign tree`` prints."""
        image, digest, signatures = "", "", False
        for line in text.splitlines():
            if found := _TREE_IMAGE.search(line):
                image, self.some = found["image"], True
            elif found := _TREE_PART.search(line):
                tag = _TAG.search(found["tag"])
                digest = f"sha256:{tag['hex']}" if tag else ""
                signatures = found["what"] == "Signatures"
            elif signatures and _TREE_LEAF.match(line):
                yield self._record("tree", image=image, digest=digest or None, method="unknown")

    def failures(self) -> Iterator[Taken | Lost]:
        """Take what was refused; that the tool could not look is lost."""
        said = self.said
        for reason in said.refused:
            yield self._record(
                "failure",
                image=said.image,
                method=said.method(keyless="identities" in reason),
                key=said.key,
                verified=False,
                reason=reason,
            )
        for fault in said.broken:
            self.some = True
            self.count += 1
            yield Lost("Signature", f"cosign says: {fault}", self.count)


@collector(
    Read.of("cosign", "Signature", "signatures", cosign.FoundSignature), tables=(SIGNATURES,)
)
def cosign_signatures(found: cosign.FoundSignature, at: Place) -> Iterator[Row]:
    """Yield one signature."""
    image, digest, texts, entry = found.image, found.digest, {}, found.entry
    if found.signature is not None:
        critical = found.signature.critical
        identity, signed = critical.identity or cosign.Identity(), critical.image or cosign.Image()
        image, digest = identity.reference or image, signed.digest or signed.older
        texts, entry = found.signature.texts, found.signature.entry
    signer = {**cosign.signer(texts), **cosign.signer(found.names)}
    keyless = bool(signer.get("Subject") or signer.get("Issuer"))
    seconds = entry.integrated_time if entry else None
    yield SignatureRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        position=found.position,
        shape=found.shape,
        image=image,
        digest=digest or None,
        method="keyless" if keyless and found.method in ("", "unknown") else found.method,
        subject=signer.get("Subject"),
        issuer=signer.get("Issuer"),
        workflow_repository=signer.get("githubWorkflowRepository", signer.get("sourceRepository")),
        workflow_ref=signer.get("githubWorkflowRef", signer.get("sourceRef")),
        workflow_commit=signer.get("githubWorkflowSha", signer.get("sourceDigest")),
        workflow_trigger=signer.get("githubWorkflowTrigger"),
        key=found.key or None,
        log_index=entry.log_index if entry else None,
        integrated_at=datetime.fromtimestamp(seconds, UTC) if seconds is not None else None,
        verified=found.verified,
        reason=found.reason,
        annotations=sorted(f"{name}={text}" for name, text in texts.items()),
    )
