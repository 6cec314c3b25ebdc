"""Attestations: in-toto statements and the provenance in them.

Sources: in-toto/attestation, spec v0.1 and v1; secure-systems-lab/dsse, envelope.md; SLSA
provenance v0.1, v0.2 and v1; BuildKit, attestations/slsa-definitions.md.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, field

from kaudit.model.meta import Int, Time
from kaudit.model.sigstore import SigstoreBundle


class Wire(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """Base: camelCase on the wire."""


class Digests(Wire):
    """A digest set: the algorithms that name images and commits."""

    sha256: str | None = None
    sha512: str | None = None
    sha1: str | None = None
    git_commit: str | None = None

    @property
    def text(self) -> str | None:
        """The best digest, with its algorithm unless it is a commit."""
        if self.sha256:
            return f"sha256:{self.sha256}"
        if self.sha512:
            return f"sha512:{self.sha512}"
        return self.git_commit or self.sha1


class Subject(Wire):
    """subject[]."""

    name: str | None = None
    digest: Digests | None = None


class Source(Wire):
    """Where something came from: a material, a dependency, a configuration."""

    uri: str | None = None
    digest: Digests | None = None


class Builder(Wire):
    """builder."""

    id: str | None = None


class Invocation(Wire):
    """invocation (v0.2)."""

    config_source: Source | None = None


class Recipe(Wire):
    """recipe (v0.1)."""

    type: str | None = None


class Vcs(Wire):
    """What BuildKit says of the repository."""

    source: str | None = None
    revision: str | None = None


class BuildKit(Wire):
    """BuildKit's own part of the metadata."""

    vcs: Vcs | None = None


class Metadata(Wire):
    """metadata, of all versions."""

    build_invocation_id: str | None = None
    older_invocation_id: str | None = field(default=None, name="buildInvocationID")
    invocation_id: str | None = None
    build_started_on: Time | None = None
    build_finished_on: Time | None = None
    started_on: Time | None = None
    finished_on: Time | None = None
    buildkit: BuildKit | None = field(
        default=None, name="https://mobyproject.org/buildkit@v1#metadata"
    )
    buildkit_v1: BuildKit | None = field(default=None, name="buildkit_metadata")


class Workflow(Wire):
    """externalParameters.workflow of GitHub's builders."""

    repository: str | None = None
    ref: str | None = None


class Parameters(Wire):
    """externalParameters (v1), as far as builders agree on them."""

    workflow: Workflow | None = None
    config_source: Source | None = None
    source: Source | str | None = None


class BuildDefinition(Wire):
    """buildDefinition (v1)."""

    build_type: str | None = None
    external_parameters: Parameters | None = None
    resolved_dependencies: list[Source] | None = None


class RunDetails(Wire):
    """runDetails (v1)."""

    builder: Builder | None = None
    metadata: Metadata | None = None


class Provenance(Wire):
    """A SLSA predicate, of any version."""

    builder: Builder | None = None
    build_type: str | None = None
    invocation: Invocation | None = None
    recipe: Recipe | None = None
    metadata: Metadata | None = None
    materials: list[Source] | None = None
    build_definition: BuildDefinition | None = None
    run_details: RunDetails | None = None

    @property
    def built_by(self) -> str | None:
        """Id of the builder."""
        details = self.run_details or RunDetails()
        found = self.builder or details.builder
        return found.id if found else None

    @property
    def how(self) -> str | None:
        """Type of the build."""
        definition = self.build_definition or BuildDefinition()
        recipe = self.recipe or Recipe()
        return self.build_type or definition.build_type or recipe.type

    @property
    def facts(self) -> Metadata:
        """Metadata, wherever they stand."""
        details = self.run_details or RunDetails()
        return self.metadata or details.metadata or Metadata()

    @property
    def source(self) -> Source:
        """Repository that was built: what the builder names as such, else a first material."""
        definition = self.build_definition or BuildDefinition()
        parameters = definition.external_parameters or Parameters()
        materials = self.materials or definition.resolved_dependencies or []
        named = self.invocation.config_source if self.invocation else None
        named = named or parameters.config_source
        if isinstance(parameters.source, Source):
            named = named or parameters.source
        vcs = (self.facts.buildkit or self.facts.buildkit_v1 or BuildKit()).vcs
        if vcs and vcs.source:
            return Source(vcs.source, Digests(git_commit=vcs.revision))
        if parameters.workflow and parameters.workflow.repository:
            ref = f"@{parameters.workflow.ref}" if parameters.workflow.ref else ""
            uri = f"{parameters.workflow.repository}{ref}"
            return Source(uri, materials[0].digest if materials else None)
        if named and named.uri:
            return named
        if isinstance(parameters.source, str):
            return Source(parameters.source, materials[0].digest if materials else None)
        return next((one for one in materials if not _is_image(one.uri)), Source())


def _is_image(uri: str | None) -> bool:
    return (uri or "").startswith(("pkg:docker/", "pkg:oci/", "oci://", "docker://"))


class Statement(msgspec.Struct, rename="camel"):
    """An in-toto statement, its predicate unread."""

    type: str = field(default="", name="_type")
    predicate_type: str = ""
    subject: list[Raw] | None = None
    predicate: Raw = Raw(b"null")
    slsa_provenance: Raw = Raw(b"null")


class Envelope(msgspec.Struct, rename="camel"):
    """A DSSE envelope."""

    payload: str
    payload_type: str = ""
    signatures: list[Any] | None = None


class Bundle(SigstoreBundle, kw_only=True):
    """A Sigstore bundle around an envelope."""

    dsse_envelope: Envelope


class CloudBuild(msgspec.Struct, rename="camel"):
    """build of an occurrence of Google's Container Analysis."""

    intoto_statement: Statement | None = None


class Occurrence(msgspec.Struct):
    """provenance_summary.provenance[] of ``gcloud artifacts docker images describe``."""

    envelope: Envelope | None = None
    build: CloudBuild | None = None


class FoundAttestation(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of one attestation, or of a verification that found none.

    Attributes
    ----------
    envelope
        ``dsse``, ``bundle``, ``statement``, ``gcb`` or ``failure``.
    names
        What the certificate says, by cosign's names.
    """

    report: str
    position: int
    envelope: str
    predicate_type: str = ""
    subject: list[Subject] = []
    provenance: Provenance | None = None
    signatures: int = 0
    names: dict[str, str] = {}
    log_index: Int | None = None
    verified: bool | None = None
    reason: str | None = None
    image: str = ""
