"""Scans of images and what they found: one shape for every scanner."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from kaudit.table import Resource, Table, Trace, doc

#: Severities of vulnerabilities, worst first; kaudit's own words, whatever a tool calls them.
SEVERITIES = ("critical", "high", "medium", "low", "negligible", "unknown")
_WORDS = {
    "moderate": "medium",
    "important": "high",
    "minor": "low",
    "info": "negligible",
    "informational": "negligible",
    "none": "negligible",
    "defcon1": "critical",
}


def severity_of(text: str | None) -> str:
    """Return the severity that a tool's word stands for; ``unknown`` where it stands for none.

    >>> severity_of("CRITICAL"), severity_of("Moderate"), severity_of("purple")
    ('critical', 'medium', 'unknown')
    """
    word = (text or "").strip().lower()
    word = _WORDS.get(word, word)
    return word if word in SEVERITIES else "unknown"


class ImageScanRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the report in every table")]
    tool: Annotated[str, doc("trivy, grype, trivy-operator, …")]
    tool_version: Annotated[str | None, doc("version of the tool")] = None
    database_version: Annotated[str | None, doc("version of its database")] = None
    database_built_at: Annotated[datetime | None, doc("when its database was built")] = None
    scanned_at: Annotated[datetime | None, doc("when it looked; null: the report does not say")] = (
        None
    )
    artifact: Annotated[str, doc("what was scanned, as the report names it")]
    artifact_type: Annotated[str, doc("image, filesystem, repository, sbom, cluster or unknown")]
    registry_digests: Annotated[
        list[str], doc("digests by which the registry knows it: of the index or of a manifest")
    ]
    manifest_digest: Annotated[str | None, doc("digest of the manifest of one platform")] = None
    config_digest: Annotated[str | None, doc("digest of its configuration: the image id")] = None
    other_digest: Annotated[
        str | None, doc("digest of which the report does not say what it is of")
    ] = None
    tags: Annotated[list[str], doc("references with tags that the report names")]
    os_family: Annotated[str | None, doc("operating system: debian, alpine, …")] = None
    os_version: Annotated[str | None, doc("its version")] = None
    os_end_of_life: Annotated[bool | None, doc("the tool says that it is no longer supported")] = (
        None
    )
    architecture: Annotated[str | None, doc("processor architecture of the image")] = None
    image_created_at: Annotated[datetime | None, doc("when the image was built, as it says")] = None
    image_user: Annotated[
        str | None, doc("user in the image's configuration, empty where it names none")
    ] = None
    image_source: Annotated[
        str | None, doc("label org.opencontainers.image.source: its repository")
    ] = None
    image_revision: Annotated[str | None, doc("label org.opencontainers.image.revision")] = None
    size_bytes: Annotated[int | None, doc("size of the image")] = None
    env_credentials: Annotated[
        list[str], doc("variables of its configuration whose value looks like a credential")
    ]
    history_credentials: Annotated[
        int, doc("steps of its history that hold what looks like a credential")
    ] = 0
    covered: Annotated[
        list[str], doc("what was looked at: os-pkgs, lang-pkgs, secret, config, license, …")
    ]
    packages: Annotated[
        bool, doc("packages were found to look at: without any, no flaw says nothing")
    ]
    findings: Annotated[int, doc("vulnerabilities that the report holds")] = 0
    suppressed: Annotated[int, doc("vulnerabilities that an exception in the scan left out")] = 0
    namespace: Annotated[str | None, doc("namespace of the object it was scanned for")] = None
    kind: Annotated[str | None, doc("kind of the object it was scanned for")] = None
    name: Annotated[str | None, doc("name of the object it was scanned for")] = None


class VulnerabilityRow(Trace, kw_only=True):
    report: Annotated[str, doc("report that names it (image_scans)")]
    tool: Annotated[str, doc("tool of the report")]
    position: Annotated[int, doc("place in the report, from 1")]
    id: Annotated[str, doc("id as the tool gives it: CVE-…, GHSA-…, ALAS-…")]
    aliases: Annotated[list[str], doc("other ids of the same flaw, sorted")]
    package: Annotated[str, doc("package")]
    version: Annotated[str, doc("version of the package")]
    package_type: Annotated[str, doc("deb, apk, npm, …, as the tool calls it")]
    purl: Annotated[str | None, doc("package URL")] = None
    path: Annotated[str | None, doc("file of the package in the image")] = None
    target: Annotated[str, doc("part of the artifact, as the report names it")]
    severity: Annotated[str, doc("critical, high, medium, low, negligible or unknown")]
    severity_written: Annotated[str | None, doc("severity as the tool writes it")] = None
    severity_source: Annotated[str | None, doc("whose severity it is")] = None
    cvss_score: Annotated[float | None, doc("CVSS base score, of the newest version told")] = None
    cvss_vector: Annotated[str | None, doc("vector of the score")] = None
    fixed_versions: Annotated[list[str], doc("versions without the flaw")]
    fix: Annotated[str, doc("fixed, not_fixed, wont_fix or unknown")]
    epss: Annotated[float | None, doc("probability of exploitation within 30 days, by EPSS")] = None
    known_exploited: Annotated[
        bool | None, doc("the tool says that it is exploited; null: it does not say")
    ] = None
    suppressed: Annotated[bool, doc("an exception in the scan left it out")] = False
    suppressed_by: Annotated[str | None, doc("what left it out, and the reason it gives")] = None
    title: Annotated[str | None, doc("what it is, in a few words")] = None
    url: Annotated[str | None, doc("page about it")] = None
    published_at: Annotated[datetime | None, doc("when the flaw was published")] = None


class ImageSecretRow(Trace, kw_only=True):
    report: Annotated[str, doc("report that names it (image_scans)")]
    tool: Annotated[str, doc("tool of the report")]
    position: Annotated[int, doc("place in the report, from 1")]
    rule: Annotated[str, doc("rule of the tool that found it")]
    category: Annotated[str | None, doc("kind of credential")] = None
    title: Annotated[str | None, doc("what it is, in a few words; never the value")] = None
    severity: Annotated[str, doc("critical, high, medium, low, negligible or unknown")]
    file: Annotated[str, doc("file in the image")]
    line: Annotated[int | None, doc("line of the file")] = None


class LicenseRow(Trace, kw_only=True):
    report: Annotated[str, doc("report that names it (image_scans)")]
    tool: Annotated[str, doc("tool of the report")]
    position: Annotated[int, doc("place in the report, from 1")]
    package: Annotated[str, doc("package, or empty where a file has the licence")]
    file: Annotated[str | None, doc("file with the licence")] = None
    license: Annotated[str, doc("licence")]
    category: Annotated[str | None, doc("notice, reciprocal, restricted, …")] = None
    severity: Annotated[str, doc("severity that the tool gives it")]


class ToolFindingRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the report in every table")]
    tool: Annotated[str, doc("tool that says so")]
    position: Annotated[int, doc("place in the report, from 1")]
    rule: Annotated[str, doc("rule or check, as the tool numbers it")]
    title: Annotated[str | None, doc("what the rule asks for")] = None
    status: Annotated[str, doc("fail, pass, warn, skip, manual or unknown")]
    severity: Annotated[str, doc("critical, high, medium, low, negligible or unknown")]
    severity_written: Annotated[str | None, doc("severity as the tool writes it")] = None
    message: Annotated[str | None, doc("what was found")] = None
    file: Annotated[str | None, doc("file that it is about")] = None
    line: Annotated[int | None, doc("line of the file")] = None
    namespace: Annotated[str | None, doc("namespace of the object that it is about")] = None
    kind: Annotated[str | None, doc("kind of the object that it is about")] = None
    name: Annotated[str | None, doc("name of the object that it is about")] = None
    url: Annotated[str | None, doc("page about the rule")] = None


class ToolReportRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the report in every table")]
    tool: Annotated[str, doc("tool that wrote it")]
    tool_version: Annotated[str | None, doc("version of the tool")] = None
    subject: Annotated[str | None, doc("what was looked at, as the report names it")] = None
    standard: Annotated[str | None, doc("benchmark or framework that was followed")] = None
    findings: Annotated[int, doc("rows that it has in tool_findings, whatever their status")]
    rules: Annotated[int | None, doc("rules that it describes; null: it describes none")] = None
    complete: Annotated[
        bool | None, doc("the tool says whether it ran to its end; null: it does not say")
    ] = None
    score: Annotated[float | None, doc("score that the tool gives, in its own measure")] = None
    started_at: Annotated[datetime | None, doc("when it began")] = None
    ended_at: Annotated[datetime | None, doc("when it ended, or wrote the report")] = None


class KubesecScoreRow(Trace, kw_only=True):
    report: Annotated[str, doc("report that names it (tool_reports)")]
    position: Annotated[int, doc("place in the report, from 1")]
    kind: Annotated[str, doc("kind of the object; empty where kubesec could not tell")]
    namespace: Annotated[str, doc("namespace that kubesec takes it to be in")]
    name: Annotated[str, doc("name of the object")]
    file: Annotated[str | None, doc("file of the object")] = None
    valid: Annotated[bool, doc("kubesec could read the object")]
    judged: Annotated[bool, doc("kubesec has rules for objects of its kind")]
    score: Annotated[int, doc("points: those passed, less those of critical findings")]
    message: Annotated[str | None, doc("what kubesec says of the whole")] = None


_BY_REPORT = ("tool", "report", "position")
_FILE = Resource("=File", namespace="", name="file")

IMAGE_SCANS = Table(
    "image_scans",
    ImageScanRow,
    grain="one report of one scanner on one artifact",
    key=("tool", "artifact", "report"),
    resource=Resource("=Image", namespace="", name="artifact"),
)
VULNERABILITIES = Table(
    "vulnerabilities",
    VulnerabilityRow,
    grain="one advisory for one package in one report",
    key=_BY_REPORT,
)
IMAGE_SECRETS = Table(
    "image_secrets",
    ImageSecretRow,
    grain="one credential that a scanner found in one report",
    key=_BY_REPORT,
)
LICENSES = Table(
    "licenses",
    LicenseRow,
    grain="one licence of one package or file in one report",
    key=_BY_REPORT,
)
TOOL_FINDINGS = Table(
    "tool_findings",
    ToolFindingRow,
    grain="one finding of another tool",
    key=_BY_REPORT,
    resource=_FILE,
)
TOOL_REPORTS = Table(
    "tool_reports",
    ToolReportRow,
    grain="one report of another tool on configuration, code or a cluster",
    key=("tool", "report"),
)
KUBESEC_SCORES = Table(
    "kubesec_scores",
    KubesecScoreRow,
    grain="one object that kubesec scored",
    key=("report", "position"),
    resource=Resource("kind"),
)
