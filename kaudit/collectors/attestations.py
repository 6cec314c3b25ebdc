"""Attestations: envelopes, bundles, statements, and what verifying them printed.

Sources: secure-systems-lab/dsse, envelope.md; sigstore/protobuf-specs, sigstore_bundle.proto;
in-toto/attestation; Google's ``gcloud artifacts docker images describe --show-provenance``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import attestation, malware
from kaudit.model.cosign import signer
from kaudit.model.numbered import Numbered, elements, members
from kaudit.model.place import Place
from kaudit.model.sbom_parts import taken_apart
from kaudit.model.sigstore import certificate_names, decoded
from kaudit.model.taken import Content, Lost, Taken
from kaudit.model.verification import Said, printed
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.supply import ATTESTATIONS, AttestationRow

_PROVENANCE = re.compile(r"^https://slsa\.dev/provenance/(?P<version>v[0-9.]+)$")
_SAID = re.compile(
    rb"^(?:Error: |main\.go:\d+: error during command execution: )"
    rb"(?:no matching attestations|no attestations found|found no valid attestations)",
    re.MULTILINE,
)
_ENVELOPE = re.compile(rb"^\s*\[?\s*\{\s*\"payloadType\"\s*:", re.MULTILINE)
_envelope = msgspec.json.Decoder(attestation.Envelope).decode
_bundle = msgspec.json.Decoder(attestation.Bundle).decode
_occurrence = msgspec.json.Decoder(attestation.Occurrence).decode
_statement = msgspec.json.Decoder(attestation.Statement).decode
_subject = msgspec.json.Decoder(attestation.Subject).decode
#: Beginnings of the types of predicates that are bills of materials, and what is taken of them.
_BILLS = ("https://cyclonedx.org/", "https://spdx.dev/Document")
_OF_BILLS = ("Document", "Component")
#: Beginning of the type of predicates that hold what a scanner for malware printed.
_MALWARE = "https://scout.docker.com/virus/"
_encode = msgspec.json.Encoder().encode


def _recognise(content: Content) -> bool:
    if content.shape == "text":
        start = content.data[: 1 << 16]
        signed = b'"payloadType"' in start and _ENVELOPE.search(start)
        return bool(signed or (b" attestations" in start and _SAID.search(start)))
    keys = content.keys
    return (
        {"payloadType", "payload"} <= keys
        or "dsseEnvelope" in keys
        or {"_type", "predicateType"} <= keys
        or {"image_summary", "provenance_summary"} <= keys
    )


@tool(
    "attestation",
    title="attestation",
    help="Attestations: DSSE envelopes, Sigstore bundles, in-toto statements, JSON lines of them.",
    recognise=_recognise,
    files=("*.intoto", "*.att", "*.sigstore"),
)
def take_attestations(content: Content) -> Iterator[Taken | Lost]:
    """Take out each statement."""
    run = _Run(content.name, content.report)
    for found in printed(content.whole.decode("utf-8", "replace")):
        run.said.read(found.before)
        if found.fault:
            yield run.lost(found.fault)
        elif found.raw:
            yield from run.document(found.raw.encode())
    yield from run.failures()
    yield from run.bills()
    yield from run.malware()
    if not run.count:
        raise InputError("holds no attestation", hint="give an envelope, a bundle or a statement")


class _Run:
    """Numbers the attestations of one file."""

    def __init__(self, name: str, report: str) -> None:
        self.name, self.report, self.count = name, report, 0
        self.said = Said()
        self._bills: list[tuple[Content, list[Raw]]] = []
        self._malware: list[tuple[Content, list[Raw]]] = []

    def lost(self, why: str) -> Lost:
        """Tell of an attestation that cannot be read."""
        self.count += 1
        return Lost("Attestation", why, self.count)

    def document(self, raw: bytes) -> Iterator[Taken | Lost]:
        """Take one document apart: an attestation, a list of them, or Google's summary."""
        if raw.startswith(b"["):
            for one in elements(raw):
                yield from self._one(one)
            return
        yield from self._one(raw)

    def _one(self, raw: Raw | bytes) -> Iterator[Taken | Lost]:
        try:
            held = members(raw)
            if "provenance_summary" in held:
                summary = members(held["provenance_summary"])
                occurrences = elements(summary.get("provenance", Raw(b"[]")))
            elif "dsseEnvelope" in held:
                yield self._bundle(raw)
                return
            elif "payload" in held:
                yield self._signed("dsse", _envelope(raw), verified=self.said.verified or None)
                return
            else:
                yield self._record("statement", _statement(raw))
                return
        except (ValueError, RecursionError) as fault:
            yield self.lost(str(fault))
            return
        for one in occurrences:
            yield self._occurrence(one)

    def _occurrence(self, raw: Raw) -> Taken | Lost:
        try:
            found = _occurrence(raw)
            if found.envelope is not None:
                return self._signed("gcb", found.envelope)
            if found.build is None or found.build.intoto_statement is None:
                return self.lost("an occurrence without a statement")
            return self._record("gcb", found.build.intoto_statement)
        except (ValueError, RecursionError) as fault:
            return self.lost(str(fault))

    def _bundle(self, raw: Raw | bytes) -> Taken:
        found = _bundle(raw)
        names = certificate_names(found.certificate)
        entry = found.entry
        index = entry.log_index if entry else None
        return self._signed("bundle", found.dsse_envelope, names=names, log_index=index)

    def _signed(self, shape: str, envelope: attestation.Envelope, **parts: Any) -> Taken:
        statement = _statement(decoded(envelope.payload))
        return self._record(
            shape,
            statement,
            signatures=len(envelope.signatures or ()),
            image=self.said.image,
            **parts,
        )

    def _record(self, shape: str, statement: attestation.Statement, **parts: Any) -> Taken:
        known = _PROVENANCE.match(statement.predicate_type)
        empty = bytes(statement.predicate) == b"null"
        predicate = statement.slsa_provenance if empty else statement.predicate
        record = {
            "report": self.report,
            "position": self.count + 1,
            "envelope": shape,
            "predicate_type": statement.predicate_type,
            "subject": statement.subject or [],
            "provenance": predicate if known else None,
            **parts,
        }
        taken = Taken("Attestation", _encode(record), self.count + 1)
        self.count += 1
        inner = Content(self.name, bytes(predicate), f"{self.report}-{self.count}")
        if statement.predicate_type.startswith(_BILLS) and inner.shape == "object":
            self._bills.append((inner, statement.subject or []))
        elif statement.predicate_type.startswith(_MALWARE):
            self._malware.append((inner, statement.subject or []))
        return taken

    def bills(self) -> Iterator[Taken | Lost]:
        """Take the bills of materials apart that are the predicates of attestations."""
        for content, subjects in self._bills:
            try:
                named = _digests(subjects)
                yield from (p for p in taken_apart(content, named) if p.kind in _OF_BILLS)
            except (InputError, ValueError, RecursionError) as fault:
                yield Lost("Document", str(fault))

    def malware(self) -> Iterator[Taken | Lost]:
        """Take out the scans for malware that are the predicates of attestations."""
        for content, subjects in self._malware:
            numbered = Numbered(content.report)
            try:
                named = _digests(subjects)
                text = malware.attested(content.data).decode("utf-8", "replace")
                for run in malware.outputs(text):
                    scan = {"file": content.name, "digests": named, **run.members()}
                    yield numbered.take("Malware", **scan)
            except (ValueError, RecursionError) as fault:
                yield Lost("Malware", str(fault))
                continue
            if not numbered.count:
                yield Lost("Malware", "an output without a summary")

    def failures(self) -> Iterator[Taken | Lost]:
        """Take what was refused; that the tool could not look is lost."""
        for reason in self.said.refused:
            self.count += 1
            record = {
                "report": self.report,
                "position": self.count,
                "envelope": "failure",
                "image": self.said.image,
                "verified": False,
                "reason": reason,
            }
            yield Taken("Attestation", _encode(record), self.count)
        for fault in self.said.broken:
            yield self.lost(f"cosign says: {fault}")


def _digests(subjects: list[Raw]) -> list[str]:
    """Digests of images that an attestation is about."""
    found = [_subject(one).digest for one in subjects]
    return sorted({d.text for d in found if d and d.sha256 and d.text})


@collector(
    Read.of("attestation", "Attestation", "attestations", attestation.FoundAttestation),
    tables=(ATTESTATIONS,),
)
def attestations(found: attestation.FoundAttestation, at: Place) -> Iterator[Row]:
    """Yield a row for each subject; one that names none is a row all the same."""
    provenance = found.provenance or attestation.Provenance()
    facts, source = provenance.facts, provenance.source
    version = _PROVENANCE.match(found.predicate_type)
    signed = signer(found.names)
    nobody = attestation.Subject(found.image)
    for number, subject in enumerate(found.subject or [nobody], start=bool(found.subject)):
        yield AttestationRow(
            raw=at.raw,
            raw_line=at.line,
            report=found.report,
            position=found.position,
            subject_position=number,
            subject=subject.name or found.image,
            digest=subject.digest.text if subject.digest else None,
            predicate_type=found.predicate_type,
            builder_id=provenance.built_by,
            build_type=provenance.how,
            source_uri=source.uri,
            source_digest=source.digest.text if source.digest else None,
            slsa_version=version["version"] if version else None,
            invocation_id=facts.build_invocation_id
            or facts.older_invocation_id
            or facts.invocation_id,
            started_at=facts.build_started_on or facts.started_on,
            finished_at=facts.build_finished_on or facts.finished_on,
            envelope=found.envelope,
            signatures=found.signatures,
            issuer=signed.get("Issuer"),
            signer=signed.get("Subject"),
            log_index=found.log_index,
            verified=found.verified,
            reason=found.reason,
        )
