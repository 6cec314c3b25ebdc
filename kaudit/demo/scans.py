"""What scanners wrote of the demo's images: Trivy and Grype, in their own formats.

The flaws are real ones of old package versions, with the figures of their advisories; which
image holds which is made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kaudit.demo.objects import Json, digest

_SCANNED = "2026-05-31T02:00:00Z"
_OLD = "2026-04-11T02:00:00Z"
_BUILT = "2026-05-30T18:20:00Z"


class Flaw(NamedTuple):
    """One flaw of one package: ids, severity, score, fix and time."""

    cve: str
    alias: str
    kind: str
    package: str
    version: str
    fixed: str
    severity: str
    score: float
    published: str
    title: str


FLAWS = {
    "log4j": Flaw(
        *("CVE-2021-44228", "GHSA-jfh8-c2jp-5v3q", "jar", "org.apache.logging.log4j:log4j-core"),
        *("2.14.1", "2.15.0", "CRITICAL"),
        10.0,
        *("2021-12-10", "log4j-core: code execution by looked-up names"),
    ),
    "spring": Flaw(
        *("CVE-2022-22965", "GHSA-36p3-wjmg-h94x", "jar", "org.springframework:spring-beans"),
        *("5.3.17", "5.3.18", "CRITICAL"),
        9.8,
        *("2022-04-01", "spring-beans: code execution by data binding"),
    ),
    "zlib": Flaw(
        *("CVE-2022-37434", "", "debian", "zlib1g", "1:1.2.11.dfsg-2", "1:1.2.11.dfsg-2+deb11u2"),
        "CRITICAL",
        9.8,
        *("2022-08-05", "zlib: buffer overflow in inflate"),
    ),
    "curl": Flaw(
        *("CVE-2023-38545", "", "debian", "libcurl4", "7.88.1-10", "7.88.1-10+deb12u4"),
        "CRITICAL",
        9.8,
        *("2023-10-18", "curl: heap overflow in the SOCKS5 handshake"),
    ),
    "glibc": Flaw(
        *("CVE-2023-4911", "", "debian", "libc6", "2.36-9", "2.36-9+deb12u3"),
        "HIGH",
        7.8,
        *("2023-10-03", "glibc: buffer overflow in ld.so"),
    ),
    "minimist": Flaw(
        *("CVE-2021-44906", "GHSA-xvch-5gv4-984h", "npm", "minimist", "1.2.5", "1.2.6"),
        "CRITICAL",
        9.8,
        *("2022-03-17", "minimist: prototype pollution"),
    ),
    "qs": Flaw(
        *("CVE-2022-24999", "GHSA-hrpp-h998-j3pp", "npm", "qs", "6.7.0", "6.7.3"),
        "HIGH",
        7.5,
        *("2022-11-26", "qs: prototype poisoning"),
    ),
    "lodash": Flaw(
        *("CVE-2021-23337", "GHSA-35jh-r3h4-6jhm", "npm", "lodash", "4.17.15", "4.17.21"),
        "HIGH",
        7.2,
        *("2021-02-15", "lodash: command injection by template"),
    ),
    "requests": Flaw(
        *("CVE-2023-32681", "GHSA-j8r2-6x86-q33q", "pypi", "requests", "2.28.1", "2.31.0"),
        "MEDIUM",
        6.1,
        *("2023-05-26", "requests: proxy credentials leak on redirect"),
    ),
    "net": Flaw(
        *("CVE-2023-39325", "GHSA-4374-p667-p6c8", "golang", "golang.org/x/net", "v0.10.0"),
        *("0.17.0", "HIGH"),
        7.5,
        *("2023-10-11", "golang.org/x/net: rapid stream resets"),
    ),
    "tar": Flaw(
        *("CVE-2005-2541", "", "debian", "tar", "1.34+dfsg-1.2", "", "LOW"),
        7.0,
        *("2005-08-10", "tar: keeps setuid bits without a warning"),
    ),
}
_PURLS = {"jar": "maven", "debian": "deb/debian"}
_TRIVY = {"jar": "jar", "npm": "node-pkg", "pypi": "python-pkg", "golang": "gobinary"}
_GRYPE = {"jar": "java-archive", "npm": "npm", "pypi": "python", "golang": "go-module"}


class Scanned(NamedTuple):
    """One image, and what scanners see in it."""

    name: str
    tag: str
    flaws: tuple[str, ...]
    user: str = "10001"
    system: tuple[str, str] = ("debian", "12.11")
    tools: tuple[str, ...] = ("trivy", "grype")
    created: str = "2026-03-01T08:00:00Z"
    at: str = _SCANNED
    build: str = ""
    only_trivy: tuple[str, ...] = ()
    end_of_life: bool = False
    secrets: tuple[tuple[str, str], ...] = ()
    licenses: tuple[tuple[str, str], ...] = ()
    env: tuple[str, ...] = ("PATH=/usr/local/bin:/usr/bin",)
    written: str = ""


_OWN = "registry.northwind.example"
IMAGES = (
    Scanned(f"{_OWN}/cart", "2.4.1", ("net", "tar")),
    Scanned(f"{_OWN}/catalog", "2.4.1", ("tar",)),
    Scanned(f"{_OWN}/checkout", "2.4.1", ("curl", "glibc", "tar"), only_trivy=("curl",)),
    Scanned(f"{_OWN}/importer", "2.4.1", ("requests", "tar"), user=""),
    Scanned(f"{_OWN}/labels", "2.4.1", ("requests", "tar")),
    Scanned(f"{_OWN}/ledger", "2.4.1", ("log4j", "spring", "glibc", "tar")),
    Scanned(
        *(f"{_OWN}/notify", "2.4.1", ("minimist", "qs", "lodash", "tar")),
        secrets=(("/app/.npmrc", "npm-access-token"),),
        licenses=(("qs", "BSD-3-Clause"), ("ghostscript4js", "AGPL-3.0-only")),
        env=("PATH=/usr/bin", "SMTP_PASSWORD=kept-by-no-one-7"),
    ),
    Scanned(f"{_OWN}/refunds", "2.4.1", ("qs", "tar"), at=_OLD),
    Scanned(f"{_OWN}/report", "latest", ("minimist", "tar"), build="of last week"),
    Scanned(f"{_OWN}/routes", "2.4.1", ("tar",)),
    Scanned(f"{_OWN}/sandboxed", "2.4.1", ("tar",)),
    Scanned(f"{_OWN}/search", "2.4.1", ("log4j", "tar"), only_trivy=("log4j",)),
    Scanned(f"{_OWN}/tracker", "2.4.1", ("net",), user="65532"),
    Scanned(f"{_OWN}/web", "2.4.1", ("qs", "tar"), user="node"),
    Scanned(
        *("legacy.northwind.example:5000/erp", "", ("log4j", "zlib")),
        user="root",
        system=("alpine", "3.12.1"),
        end_of_life=True,
        created="2020-11-02T08:00:00Z",
    ),
    Scanned("docker.io/library/postgres", "17.5", ("tar",), user="", tools=("trivy",)),
    Scanned("docker.io/calico/node", "v3.30.2", (), user="", tools=("trivy",)),
    Scanned("docker.io/envoyproxy/envoy", "v1.34.1", ("tar",), tools=("trivy",)),
    Scanned("docker.io/falcosecurity/falco", "0.42.0", (), user="", tools=("trivy",)),
    Scanned("docker.io/grafana/grafana", "12.1.0", ("net",), user="472"),
    Scanned("registry.example.com/myapp", "v1.0.0", (), user="1001", written="myapp"),
    Scanned("docker.io/library/nginx", "1.27.0", ("curl", "zlib", "tar"), user=""),
)


def reports() -> Iterator[tuple[str, Json]]:
    """Yield each report with the name of its file."""
    for image in IMAGES:
        name = image.name.rpartition("/")[2]
        if "trivy" in image.tools:
            yield f"scans/trivy/{name}.json", _trivy(image)
        if "grype" in image.tools:
            yield f"scans/grype/{name}.json", _grype(image)


def _reference(image: Scanned) -> str:
    return f"{image.name}:{image.tag}" if image.tag else image.name


def _digest(image: Scanned) -> str:
    return digest(image.written or _reference(image) + image.build)


def _purl(flaw: Flaw) -> str:
    path = flaw.package.replace(":", "/")
    return f"pkg:{_PURLS.get(flaw.kind, flaw.kind)}/{path}@{flaw.version}"


def _trivy(image: Scanned) -> Json:
    family, version = image.system
    reference = _reference(image)
    results: list[Json] = [
        {"Target": f"{reference} ({family} {version})", "Class": "os-pkgs", "Type": family}
    ]
    by_kind: dict[str, list[Flaw]] = {}
    for key in image.flaws:
        by_kind.setdefault(FLAWS[key].kind, []).append(FLAWS[key])
    results[0]["Vulnerabilities"] = [_of_trivy(flaw) for flaw in by_kind.pop("debian", [])]
    for kind, flaws in by_kind.items():
        found = [_of_trivy(flaw) for flaw in flaws]
        target = {"jar": "Java", "npm": "Node.js", "pypi": "Python"}.get(kind, "app/server")
        results.append(
            {
                "Target": target,
                "Class": "lang-pkgs",
                "Type": _TRIVY[kind],
                "Vulnerabilities": found,
            }
        )
    secrets: Sequence[tuple[str, str]] = image.secrets or (("", ""),)
    for file, rule in secrets:
        found = [_secret(rule)] if rule else []
        results.append({"Target": file or reference, "Class": "secret", "Secrets": found})
    if image.licenses:
        found = [_license(package, name) for package, name in image.licenses]
        results.append({"Target": "Node.js", "Class": "license", "Licenses": found})
    return {
        "SchemaVersion": 2,
        "Trivy": {"Version": "0.69.1"},
        "CreatedAt": image.at,
        "ArtifactName": f"{image.name}@{_digest(image)}",
        "ArtifactType": "container_image",
        "Metadata": {
            "Size": 93_000_000 + 1_000 * len(reference),
            "OS": {"Family": family, "Name": version, "EOSL": image.end_of_life},
            "ImageID": digest(f"config of {reference}{image.build}"),
            "RepoTags": [reference] if image.tag else [],
            "RepoDigests": [f"{image.name}@{_digest(image)}"],
            "ImageConfig": {
                "architecture": "amd64",
                "created": image.created,
                "os": "linux",
                "config": {"User": image.user, "Env": list(image.env)},
                "history": [{"created": image.created, "created_by": "COPY . /app"}],
            },
        },
        "Results": results,
    }


def _of_trivy(flaw: Flaw) -> Json:
    found: Json = {
        "VulnerabilityID": flaw.cve,
        "PkgName": flaw.package,
        "PkgIdentifier": {"PURL": _purl(flaw)},
        "InstalledVersion": flaw.version,
        "FixedVersion": flaw.fixed,
        "Status": "fixed" if flaw.fixed else "affected",
        "SeveritySource": "debian" if flaw.kind == "debian" else "ghsa",
        "PrimaryURL": f"https://avd.aquasec.com/nvd/{flaw.cve.lower()}",
        "Title": flaw.title,
        "Severity": flaw.severity,
        "CVSS": {"nvd": {"V3Score": flaw.score}},
        "PublishedDate": f"{flaw.published}T00:00:00Z",
    }
    return found if flaw.fixed else {k: v for k, v in found.items() if k != "FixedVersion"}


def _license(package: str, name: str) -> Json:
    strict = name.startswith("AGPL")
    return {
        "PkgName": package,
        "Name": name,
        "Category": "forbidden" if strict else "notice",
        "Severity": "CRITICAL" if strict else "LOW",
        "Confidence": 1,
        "FilePath": "",
        "Link": "",
    }


def _secret(rule: str) -> Json:
    return {
        "RuleID": rule,
        "Category": "npm",
        "Severity": "CRITICAL",
        "Title": "npm access token",
        "StartLine": 1,
        "EndLine": 1,
        "Match": "//registry.npmjs.org/:_authToken=****",
    }


def _grype(image: Scanned) -> Json:
    reference, family = _reference(image), image.system[0]
    seen = [FLAWS[key] for key in image.flaws if key not in image.only_trivy]
    return {
        "matches": [_of_grype(flaw) for flaw in seen],
        "source": {
            "type": "image",
            "target": {
                "userInput": f"{image.name}@{_digest(image)}",
                "imageID": digest(f"config of {reference}{image.build}"),
                "manifestDigest": digest(f"manifest of {reference}{image.build}"),
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "tags": [],
                "repoDigests": [f"{image.name}@{_digest(image)}"],
                "architecture": "amd64",
                "os": "linux",
            },
        },
        "distro": {"name": family, "version": image.system[1], "idLike": []},
        "descriptor": {
            "name": "grype",
            "version": "0.104.0",
            "timestamp": image.at,
            "db": {"status": {"schemaVersion": "v6.1.2", "built": _BUILT, "valid": True}},
        },
    }


def _of_grype(flaw: Flaw) -> Json:
    severity = "Negligible" if flaw.severity == "LOW" else flaw.severity.title()
    related = [{"id": flaw.cve, "namespace": "nvd:cpe", "severity": severity}]
    return {
        "vulnerability": {
            "id": flaw.alias or flaw.cve,
            "namespace": "github:language" if flaw.alias else "debian:distro:debian:12",
            "severity": severity,
            "cvss": [{"version": "3.1", "metrics": {"baseScore": flaw.score}}],
            "fix": {
                "versions": [flaw.fixed] if flaw.fixed else [],
                "state": "fixed" if flaw.fixed else "not-fixed",
            },
        },
        "relatedVulnerabilities": related,
        "matchDetails": [{"type": "exact-direct-match", "matcher": "stock-matcher"}],
        "artifact": {
            "name": flaw.package.rpartition(":")[2],
            "version": flaw.version,
            "type": _GRYPE.get(flaw.kind, "deb"),
            "purl": _purl(flaw),
        },
    }
