"""Where images come from: signed, by whom, and built by what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import flags, where_known
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-BLD-011",
    layer="build",
    severity="high",
    applies="judged",
    null="nobody has tried to verify a signature of its digest",
    expected="a signature that was verified",
    shows=("signed", "failures", "workloads", "pods"),
)
def unsigned(image_trust: pd.DataFrame) -> pd.Series[Any]:
    """Every image that runs is signed.

    A signature shows that the image is the one that was built, whoever holds the registry.
    What counts is a verification of the very digest that runs; a signature of another digest
    under the same tag is none of this image.

    Remedy:
        Sign the digest where it is built, and verify it at admission.

        cosign sign --key cosign.key registry.example.com/app@sha256:<digest>

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a.example/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        # cluster: bad-verification-failed
        {kaudit-file: verify.txt, lines: ["Verification for a.example/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef --", "Error: no matching signatures: none"]}
        # cluster: ok-verified
        {kaudit-file: verify.json, content: [{critical: {identity: {docker-reference: a.example/b}, image: {docker-manifest-digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}, type: cosign container image signature}, optional: null}]}
        # cluster: ok-nobody-tried
        {kaudit-file: verify.json, content: [{critical: {identity: {docker-reference: a.example/b}, image: {docker-manifest-digest: "sha256:ffffffffffffffff0123456789abcdef0123456789abcdef0123456789abcdef"}, type: cosign container image signature}, optional: null}]}
    """
    return ~image_trust["signed"]


@control(
    "KA-BLD-012",
    layer="build",
    severity="high",
    applies="judged",
    null="no verified signature, or nobody is accepted (parameter accepted_signers)",
    expected="a signer among accepted_signers",
    shows=("signers", "logged"),
)
def foreign_signer(image_trust: pd.DataFrame) -> pd.Series[Any]:
    """Images are signed by those whose signatures are accepted.

    Anybody can sign anything, and a keyless signature of a stranger verifies too: who signed
    is what matters. Identities and keys are named by the parameter accepted_signers.

    Remedy:
        Verify with the identity that builds, not with any.

        cosign verify --certificate-identity <workflow> --certificate-oidc-issuer <issuer> <image>

    Cases:
        # cluster: bad-a-stranger
        # parameters: {accepted_signers: ["*@example.com"]}
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a.example/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {kaudit-file: verify.json, content: [{critical: {identity: {docker-reference: a.example/b}, image: {docker-manifest-digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}, type: cosign container image signature}, optional: {Issuer: "https://accounts.example", Subject: stranger@example.org}}]}
        ---
        # cluster: ok-accepted
        # parameters: {accepted_signers: ["*@example.com"]}
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a.example/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {kaudit-file: verify.json, content: [{critical: {identity: {docker-reference: a.example/b}, image: {docker-manifest-digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}, type: cosign container image signature}, optional: {Issuer: "https://accounts.example", Subject: release@example.com}}]}
    """
    return ~image_trust["accepted"]


@control(
    "KA-BLD-013",
    layer="build",
    severity="medium",
    applies="judged",
    weak=("attestations",),
    null="the evidence holds no attestation of any image",
    expected="provenance, by a builder among accepted_builders where any are named",
    shows=("provenance", "builders", "sources", "workloads"),
)
def no_provenance(image_trust: pd.DataFrame) -> pd.Series[Any]:
    """The digest of every image that runs has provenance of its build.

    Provenance says which builder made it of which source: without it, nobody can tell whether
    the reviewed source is what runs.

    Remedy:
        Let the builder attest, and keep the attestation beside the image.

        cosign attest --predicate provenance.json --type slsaprovenance1 <image>@sha256:<digest>

    Cases:
        # cluster: bad-another-digest
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a.example/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {kaudit-file: b.json, content: {_type: "https://in-toto.io/Statement/v1", predicateType: "https://slsa.dev/provenance/v1", subject: [{name: a.example/b, digest: {sha256: ffffffffffffffff0123456789abcdef0123456789abcdef0123456789abcdef}}], predicate: {runDetails: {builder: {id: "https://builder.example"}}}}}
        ---
        # cluster: ok-there-is
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a.example/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {kaudit-file: b.json, content: {_type: "https://in-toto.io/Statement/v1", predicateType: "https://slsa.dev/provenance/v1", subject: [{name: a.example/b, digest: {sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}}], predicate: {runDetails: {builder: {id: "https://builder.example"}}}}}
        ---
        # cluster: ok-nobody-was-asked
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a.example/b:1"}]}}
    """
    return where_known(~flags(image_trust["built_by_accepted"]), image_trust["attested"])
