"""One use of a security tool in a pipeline."""

from __future__ import annotations

import msgspec

#: Texts that switch something off, or are no exit code.
NO = ("", "0", "false", "no", "none")
#: Kinds of bills of materials that Trivy writes instead of findings.
BILLS = ("cyclonedx", "spdx", "spdx-json", "github")
#: What a verb of Trivy, or the scan-type of its action, looks at.
OF_TRIVY = {
    "image": "scan_image",
    "i": "scan_image",
    "sbom": "scan_image",
    "config": "scan_manifests",
    "conf": "scan_manifests",
    "k8s": "scan_manifests",
    "kubernetes": "scan_manifests",
    **dict.fromkeys(("fs", "filesystem", "repo", "repository", "rootfs"), "scan_files"),
}
#: Purposes whose findings should stop a pipeline; those of code scanning become alerts, and
#: rules of the repository, which no file tells, stop on them.
STOPPING = frozenset(
    ("scan_image", "scan_files", "scan_manifests", "scan_secrets", "lint_dockerfile", "verify")
)


class Gate(msgspec.Struct, kw_only=True):
    """One use of a tool.

    Attributes
    ----------
    tool
        ``trivy``, ``grype``, …
    purpose
        ``scan_image``, ``scan_files``, ``scan_code``, ``scan_manifests``, ``scan_secrets``,
        ``lint_dockerfile``, ``sign``, ``verify``, ``attest``, ``sbom``, ``build``, ``push``
        or ``upload_sarif``.
    why_not
        Why its findings do not stop the pipeline; empty where they do.
    threshold
        Severities, or the least one, that it is told to look at.
    sarif
        Writes SARIF.
    """

    tool: str
    purpose: str
    why_not: str = ""
    threshold: str | None = None
    sarif: bool = False
