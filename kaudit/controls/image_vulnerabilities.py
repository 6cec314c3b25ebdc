"""Vulnerabilities of images: mended in time, and known alike to every scanner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import arrow, series
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-BLD-004",
    layer="build",
    severity="critical",
    applies="judged",
    null="no scan of it, or flaws whose age nobody tells",
    expected="none older than critical_fix_days",
    shows=("fixable_critical", "critical_flaws", "oldest_days", "workloads", "pods"),
)
def critical_overdue(image_remediation: pd.DataFrame) -> pd.Series[Any]:
    """Critical vulnerabilities that have a fix are gone within the time set.

    The limit is the parameter critical_fix_days, counted from the publication of the flaw.
    What an exception of the scan left out, or a VEX statement clears, is not counted.

    Remedy:
        Build the image on a base, and with packages, that hold the fix; roll it out.

        docker build --pull --no-cache --tag registry.example.com/app:v1.0.1 .

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian, Vulnerabilities: [
          {VulnerabilityID: CVE-2099-0001, PkgName: zlib, InstalledVersion: "1", FixedVersion: "2", Severity: CRITICAL, PublishedDate: "2025-01-01T00:00:00Z"}]}]}}
        # cluster: bad-old
        # cluster: bad-in-an-init-container
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {initContainers: [{name: i, image: "a/b:1"}], containers: [{name: c, image: "a/c:1"}]}}
        # cluster: ok-new-or-without-a-fix-or-high
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian, Vulnerabilities: [
          {VulnerabilityID: CVE-2099-0001, PkgName: zlib, InstalledVersion: "1", FixedVersion: "2", Severity: CRITICAL, PublishedDate: "2025-11-29T00:00:00Z"},
          {VulnerabilityID: CVE-2099-0002, PkgName: zlib, InstalledVersion: "1", Severity: CRITICAL, PublishedDate: "2025-01-01T00:00:00Z"},
          {VulnerabilityID: CVE-2099-0003, PkgName: zlib, InstalledVersion: "1", FixedVersion: "2", Severity: HIGH, PublishedDate: "2025-01-01T00:00:00Z"}]}]}}
        # cluster: ok-nobody-tells-its-age
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian, Vulnerabilities: [
          {VulnerabilityID: CVE-2099-0001, PkgName: zlib, InstalledVersion: "1", FixedVersion: "2", Severity: CRITICAL}]}]}}
        # cluster: bad-a-statement-on-another-image
        {kaudit-file: vex.json, content: {"@context": "https://openvex.dev/ns/v0.2.0", "@id": v, author: a, timestamp: "2025-11-01T00:00:00Z", version: 1, statements: [
          {vulnerability: {name: CVE-2099-0001}, products: [{"@id": "pkg:oci/other"}], status: not_affected, justification: component_not_present}]}}
        # cluster: ok-cleared-by-a-statement
        {kaudit-file: vex.json, content: {"@context": "https://openvex.dev/ns/v0.2.0", "@id": v, author: a, timestamp: "2025-11-01T00:00:00Z", version: 1, statements: [
          {vulnerability: {name: CVE-2099-0001}, products: [{"@id": "pkg:oci/b"}], status: not_affected, justification: vulnerable_code_not_in_execute_path}]}}
    """
    return image_remediation["critical_overdue"]


@control(
    "KA-BLD-004a",
    layer="build",
    severity="high",
    applies="judged",
    null="no scan of it, or flaws whose age nobody tells",
    expected="none older than high_fix_days",
    shows=("fixable_high", "high_flaws", "oldest_days", "workloads", "pods"),
)
def high_overdue(image_remediation: pd.DataFrame) -> pd.Series[Any]:
    """High vulnerabilities that have a fix are gone within the time set.

    The limit is the parameter high_fix_days, counted from the publication of the flaw.

    Remedy:
        Build the image on a base, and with packages, that hold the fix; roll it out.

        docker build --pull --no-cache --tag registry.example.com/app:v1.0.1 .

    Cases:
        # cluster: bad-old
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian, Vulnerabilities: [
          {VulnerabilityID: CVE-2099-0001, PkgName: zlib, InstalledVersion: "1", FixedVersion: "2", Severity: HIGH, PublishedDate: "2025-01-01T00:00:00Z"}]}]}}
        ---
        # cluster: ok-new
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian, Vulnerabilities: [
          {VulnerabilityID: CVE-2099-0001, PkgName: zlib, InstalledVersion: "1", FixedVersion: "2", Severity: HIGH, PublishedDate: "2025-11-20T00:00:00Z"}]}]}}
        ---
        # cluster: ok-left-out-by-an-exception
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian, ExperimentalModifiedFindings: [
          {Type: vulnerability, Status: ignored, Source: .trivyignore, Finding: {VulnerabilityID: CVE-2099-0001, PkgName: zlib, InstalledVersion: "1", FixedVersion: "2", Severity: HIGH, PublishedDate: "2025-01-01T00:00:00Z"}}]}]}}
    """
    return image_remediation["high_overdue"]


@control(
    "KA-BLD-005",
    layer="build",
    severity="critical",
    applies="judged",
    hides=("known_exploited",),
    null="no scan of it, or the evidence holds no catalogue of exploited flaws",
    expected="none that is known to be exploited",
    shows=("exploited", "ransomware", "due_at", "workloads", "pods"),
)
def exploited(image_exploitation: pd.DataFrame) -> pd.Series[Any]:
    """No image that runs has a vulnerability that is known to be exploited.

    What attackers use already comes first, whatever its severity and whether or not there is a
    fix. The catalogue of CISA is a file of the evidence, with its date.

    Remedy:
        Mend it, take the package out, or stop the workload.

        kaudit collect context:production --scan --kev known_exploited_vulnerabilities.json -o e.kaudit

    Cases:
        # cluster: bad-of-low-severity
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian, Vulnerabilities: [
          {VulnerabilityID: CVE-2099-0001, PkgName: zlib, InstalledVersion: "1", Severity: LOW}]}]}}
        ---
        {kaudit-file: known_exploited_vulnerabilities.json, content: {title: CISA Catalog of Known Exploited Vulnerabilities, catalogVersion: "2025.11.30", dateReleased: "2025-11-30T00:00:00Z", count: 1, vulnerabilities: [
          {cveID: CVE-2099-0001, vendorProject: v, product: p, vulnerabilityName: n, dateAdded: "2025-11-01", dueDate: "2025-11-22", knownRansomwareCampaignUse: Unknown}]}}
        ---
        # cluster: ok-another-flaw
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian, Vulnerabilities: [
          {VulnerabilityID: CVE-2099-0002, PkgName: zlib, InstalledVersion: "1", Severity: CRITICAL}]}]}}
        ---
        {kaudit-file: known_exploited_vulnerabilities.json, content: {title: CISA Catalog of Known Exploited Vulnerabilities, catalogVersion: "2025.11.30", dateReleased: "2025-11-30T00:00:00Z", count: 1, vulnerabilities: [
          {cveID: CVE-2099-0001, vendorProject: v, product: p, vulnerabilityName: n, dateAdded: "2025-11-01", dueDate: "2025-11-22", knownRansomwareCampaignUse: Unknown}]}}
        ---
        # cluster: ok-no-catalogue
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian, Vulnerabilities: [
          {VulnerabilityID: CVE-2099-0001, PkgName: zlib, InstalledVersion: "1", Severity: CRITICAL}]}]}}
    """
    return _flaws(image_exploitation, "exploited", "listed")


@control(
    "KA-BLD-005a",
    layer="build",
    severity="high",
    applies="judged",
    hides=("exploit_scores",),
    null="no scan of it, or no score of its flaws",
    expected="no EPSS of exploit_score or more",
    shows=("likely", "highest_epss", "workloads", "pods"),
)
def likely_exploited(image_exploitation: pd.DataFrame) -> pd.Series[Any]:
    """No image that runs has a vulnerability that is likely to be exploited soon.

    EPSS says how probable exploitation is within thirty days. The limit is the parameter
    exploit_score.

    Remedy:
        Mend it before what is graver but unlikely.

        kaudit collect context:production --scan --epss epss_scores-current.csv.gz -o e.kaudit

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian, Vulnerabilities: [
          {VulnerabilityID: CVE-2099-0001, PkgName: zlib, InstalledVersion: "1", Severity: LOW}]}]}}
        # cluster: bad-likely
        {kaudit-file: epss_scores-2025-11-30.csv, lines: ["#model_version:v2025.03.14,score_date:2025-11-30T00:00:00+0000", "cve,epss,percentile", "CVE-2099-0001,0.93,0.99"]}
        # cluster: ok-unlikely
        {kaudit-file: epss_scores-2025-11-30.csv, lines: ["#model_version:v2025.03.14,score_date:2025-11-30T00:00:00+0000", "cve,epss,percentile", "CVE-2099-0001,0.0003,0.1"]}
        # cluster: ok-nobody-scores
    """
    return _flaws(image_exploitation, "likely", "scored")


def _flaws(images: pd.DataFrame, flaws: str, told: str) -> pd.Series[Any]:
    """Whether images have any of the flaws; where nobody tells, null unless some do."""
    import pyarrow as pa
    import pyarrow.compute as pc

    some = pc.greater(pc.list_value_length(arrow(images[flaws])), 0)
    known = pc.or_(some, pc.and_(arrow(images["scanned"]), arrow(images[told])))
    return series(pc.if_else(known, some, pa.scalar(None, pa.bool_())), images)


@control(
    "KA-BLD-029",
    layer="build",
    severity="low",
    expected="named by every tool that scanned the image",
    shows=("advisory", "package", "version", "severities", "silent", "cause"),
    applies="grave",
)
def scanners_disagree(scanner_reconciliation: pd.DataFrame) -> pd.Series[Any]:
    """Scanners agree on critical and high vulnerabilities of the same image.

    What only one of two scanners names is either missed by the other or not there: it takes a
    look to know. The cause says where to begin: another id for the package, another version,
    or a package that the other does not see at all.

    Remedy:
        Look at the advisory and the package; note the verdict as VEX.

        vex create --product pkg:oci/app --vuln CVE-2099-0001 --status not_affected

    Cases:
        # cluster: bad-one-is-silent
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian, Vulnerabilities: [
          {VulnerabilityID: CVE-2099-0001, PkgName: zlib, InstalledVersion: "1", Severity: HIGH}]}]}}
        ---
        {kaudit-file: c.json, content: {matches: [], source: {type: image, target: {userInput: "a/b:1"}}, distro: {name: debian, version: "12"}}}
        ---
        # cluster: ok-both-name-it-by-different-ids
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: lang-pkgs, Type: npm, Vulnerabilities: [
          {VulnerabilityID: CVE-2099-0001, PkgName: ws, InstalledVersion: "1", Severity: HIGH}]}]}}
        ---
        {kaudit-file: c.json, content: {source: {type: image, target: {userInput: "a/b:1"}}, matches: [
          {vulnerability: {id: GHSA-aaaa-bbbb-cccc, severity: High}, relatedVulnerabilities: [{id: CVE-2099-0001}], artifact: {name: ws, version: "1", type: npm}}]}}
    """
    return series(arrow(scanner_reconciliation["verdict"] == "only one"), scanner_reconciliation)
