"""Where images come from: signatures and attestations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from kaudit.table import Resource, Table, Trace, doc


class SignatureRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the output in every table")]
    position: Annotated[int, doc("place in the output, from 1")]
    shape: Annotated[
        str, doc("verify, failure, payload, tree, log or bundle: what the output says of it")
    ]
    image: Annotated[str, doc("image as the signature or the text beside it names it")]
    digest: Annotated[str | None, doc("digest that is signed")] = None
    method: Annotated[str, doc("key, kms, keyless or unknown")]
    subject: Annotated[str | None, doc("who signed, as the certificate says")] = None
    issuer: Annotated[str | None, doc("who vouches for the subject")] = None
    workflow_repository: Annotated[
        str | None, doc("repository whose workflow signed, as the certificate says")
    ] = None
    workflow_ref: Annotated[str | None, doc("branch or tag that the workflow ran for")] = None
    workflow_commit: Annotated[str | None, doc("commit that the workflow ran for")] = None
    workflow_trigger: Annotated[str | None, doc("event that started the workflow")] = None
    key: Annotated[str | None, doc("key of the command, where the output shows the command")] = None
    log_index: Annotated[int | None, doc("place in the transparency log")] = None
    integrated_at: Annotated[datetime | None, doc("when the transparency log took it")] = None
    verified: Annotated[
        bool | None, doc("verified by the tool; null: the output shows it and verifies nothing")
    ] = None
    reason: Annotated[str | None, doc("why the verification failed")] = None
    annotations: Annotated[list[str], doc("what the signer wrote beside, as key=value, sorted")]


class AttestationRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the file in every table")]
    position: Annotated[int, doc("place in the file, from 1")]
    subject_position: Annotated[int, doc("place among its subjects, from 1; 0: it names none")]
    subject: Annotated[str, doc("name of what it is about")]
    digest: Annotated[str | None, doc("digest of what it is about")] = None
    predicate_type: Annotated[str, doc("what it states, as a URI; empty where that is not told")]
    builder_id: Annotated[str | None, doc("who built it")] = None
    build_type: Annotated[str | None, doc("how it was built")] = None
    source_uri: Annotated[str | None, doc("where the source came from")] = None
    source_digest: Annotated[str | None, doc("commit or digest of the source")] = None
    slsa_version: Annotated[str | None, doc("version of the provenance: v0.1, v0.2 or v1")] = None
    invocation_id: Annotated[str | None, doc("run of the builder")] = None
    started_at: Annotated[datetime | None, doc("when the build began")] = None
    finished_at: Annotated[datetime | None, doc("when the build ended")] = None
    envelope: Annotated[
        str, doc("dsse, bundle, statement or gcb: how it is wrapped; failure: there was none")
    ]
    signatures: Annotated[int, doc("signatures of the envelope")] = 0
    issuer: Annotated[str | None, doc("who vouches for the signer, as the certificate says")] = None
    signer: Annotated[str | None, doc("who signed, as the certificate says")] = None
    log_index: Annotated[int | None, doc("place in the transparency log")] = None
    verified: Annotated[
        bool | None, doc("verified by the tool; null: the output shows it and verifies nothing")
    ] = None
    reason: Annotated[str | None, doc("why the verification failed")] = None


SIGNATURES = Table(
    "signatures",
    SignatureRow,
    grain="one signature, or one verification that found none",
    key=("report", "position"),
    resource=Resource("=Image", namespace="", name="image"),
)
ATTESTATIONS = Table(
    "attestations",
    AttestationRow,
    grain="one subject of one attestation",
    key=("report", "position", "subject_position"),
    resource=Resource("=Image", namespace="", name="subject"),
)


class ScanExceptionRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the file in every table")]
    file: Annotated[str, doc("file")]
    position: Annotated[int, doc("place in the file, from 1")]
    place: Annotated[str, doc("place and id, as number id")]
    format: Annotated[str, doc("openvex, cyclonedx, trivyignore, trivyignore.yaml or grype")]
    section: Annotated[str, doc("vulnerability, misconfiguration, secret, license or any")]
    id: Annotated[str, doc("id of what is let pass; * is everything in the scope")]
    aliases: Annotated[list[str], doc("other ids of the same flaw")]
    status: Annotated[
        str, doc("not_affected, affected, fixed, under_investigation, ignored or unknown")
    ]
    justification: Annotated[str | None, doc("justification in the words of VEX")] = None
    reason: Annotated[str | None, doc("reason in free text")] = None
    scope: Annotated[list[str], doc("products, paths or packages; empty: everywhere")]
    owner: Annotated[str | None, doc("who answers for it, as the file says")] = None
    created_at: Annotated[datetime | None, doc("when it was made or last changed")] = None
    expires_at: Annotated[datetime | None, doc("when it ends; null: it does not")] = None


SCAN_EXCEPTIONS = Table(
    "scan_exceptions",
    ScanExceptionRow,
    grain="one thing that scanners are told to let pass, or what a VEX document says of a flaw",
    key=("file", "report", "position"),
    resource=Resource("=File", namespace="", name="file", container="place"),
)


class KnownExploitedRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the catalogue in every table")]
    cve: Annotated[str, doc("id of the flaw")]
    vendor: Annotated[str | None, doc("vendor or project")] = None
    product: Annotated[str | None, doc("product")] = None
    added_at: Annotated[datetime | None, doc("day when it was added, in UTC")] = None
    due_at: Annotated[datetime | None, doc("day by which agencies must act, in UTC")] = None
    ransomware: Annotated[bool | None, doc("known from campaigns of ransomware; null: unknown")] = (
        None
    )
    catalog_version: Annotated[str | None, doc("version of the catalogue")] = None
    released_at: Annotated[datetime | None, doc("when the catalogue was released")] = None


class ExploitScoreRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the file in every table")]
    cve: Annotated[str, doc("id of the flaw")]
    score: Annotated[float, doc("probability of exploitation within 30 days, by EPSS")]
    percentile: Annotated[float, doc("share of all flaws with this score or a lower one")]
    scored_at: Annotated[datetime | None, doc("day that the score is of, in UTC")] = None
    model: Annotated[str | None, doc("version of the model")] = None


KNOWN_EXPLOITED = Table(
    "known_exploited",
    KnownExploitedRow,
    grain="one flaw in one catalogue of known exploited ones",
    key=("cve", "report"),
)
EXPLOIT_SCORES = Table(
    "exploit_scores",
    ExploitScoreRow,
    grain="one flaw in one file of EPSS scores",
    key=("cve", "report"),
)


class SbomRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the document in every table")]
    file: Annotated[str, doc("file")]
    format: Annotated[str, doc("cyclonedx or spdx")]
    spec_version: Annotated[str | None, doc("version of the format")] = None
    name: Annotated[str, doc("what it describes, as it names it")]
    kind: Annotated[str | None, doc("what that is: container, file, platform, …")] = None
    digests: Annotated[list[str], doc("digests of what it describes, of its attestation too")]
    config_digest: Annotated[str | None, doc("digest of the image's configuration")] = None
    tags: Annotated[list[str], doc("references with tags of what it describes")]
    created_at: Annotated[datetime | None, doc("when it was made")] = None
    tools: Annotated[list[str], doc("what made it, with version")]
    components: Annotated[int, doc("components that it lists")]
    attested: Annotated[bool, doc("it was inside an attestation")]


class SbomComponentRow(Trace, kw_only=True):
    report: Annotated[str, doc("document that lists it (sboms)")]
    position: Annotated[int, doc("place in the document, from 1")]
    name: Annotated[str, doc("name, behind its group")]
    version: Annotated[str | None, doc("version")] = None
    type: Annotated[str | None, doc("library, operating-system, application, …")] = None
    purl: Annotated[str | None, doc("package URL")] = None
    licenses: Annotated[list[str], doc("licences, as ids, names or expressions")]


SBOMS = Table(
    "sboms",
    SbomRow,
    grain="one bill of materials",
    key=("name", "report"),
    resource=Resource("=Image", namespace="", name="name"),
)
SBOM_COMPONENTS = Table(
    "sbom_components",
    SbomComponentRow,
    grain="one component of one bill of materials",
    key=("report", "position"),
)
