"""trivy-operator: what it found in images, as objects of the cluster that it runs in.

Source: aquasecurity/trivy-operator, ``docs/docs/crds``. Starboard, which came before it, has
the same group. The format is for dumps that are no manifests: lists without a kind, and an
object with a list for each kind.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import trivy_operator as model
from kaudit.model.moment import moment
from kaudit.model.numbered import listed, members, streamed
from kaudit.model.place import Place
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.scans import (
    IMAGE_SCANS,
    IMAGE_SECRETS,
    VULNERABILITIES,
    ImageScanRow,
    ImageSecretRow,
    VulnerabilityRow,
    severity_of,
)

_GROUP, _VERSION = "aquasecurity.github.io", "v1alpha1"
_KINDS = {
    "VulnerabilityReport",
    "ClusterVulnerabilityReport",
    "ExposedSecretReport",
    "ConfigAuditReport",
    "ClusterConfigAuditReport",
    "RbacAssessmentReport",
    "ClusterRbacAssessmentReport",
    "InfraAssessmentReport",
    "ClusterInfraAssessmentReport",
    "ClusterComplianceReport",
    "SbomReport",
    "ClusterSbomReport",
}
_PARTS = (*(f"{kind.lower()}s.{_GROUP}" for kind in sorted(_KINDS)), "items")


class _Item(msgspec.Struct, gc=False, rename="camel"):
    api_version: str = ""
    kind: str = ""


_item = msgspec.json.Decoder(_Item).decode


def _recognise(content: Content) -> bool:
    if content.shape == "object":
        return bool(content.keys) and all(name.endswith(f".{_GROUP}") for name in content.keys)
    if content.shape == "list" and {"apiVersion", "kind", "metadata"} <= content.keys:
        return f'"{_GROUP}/'.encode() in content.data[: 1 << 16]
    return False


@tool(
    "trivy-operator",
    title="trivy-operator",
    help="Reports of trivy-operator or Starboard in JSON: one, a list, or a list for each kind.",
    recognise=_recognise,
    group=_GROUP,
)
def take_trivy_operator(content: Content) -> Iterator[Taken | Lost]:
    """Take a dump apart into objects; kinds that nothing reads are left out."""
    for number, raw in enumerate(_objects(content), start=1):
        yield from _taken(raw, number)


def _objects(content: Content) -> Iterator[Raw | bytes]:
    """Yield the objects of a dump, in whichever form it has."""
    if content.shape == "list":
        yield from streamed(content)
        return
    if content.shape != "object":
        raise InputError("is no JSON", hint="give YAML as a source of its own, like manifests")
    parts, rest = content.parted(*_PARTS)
    for part in parts:
        yield part.raw
    body = members(rest.data)
    if "items" in body:
        yield from listed(body["items"])
    elif "kind" in body:
        yield Raw(rest.data)
    elif all(name.endswith(f".{_GROUP}") for name in body):
        for raw in body.values():
            yield from listed(raw)
    else:
        raise InputError("is no dump of reports", hint="kubectl get vulnerabilityreports -A")


def _taken(raw: Raw | bytes, number: int) -> Iterator[Taken | Lost]:
    try:
        item = _item(raw)
    except msgspec.MsgspecError as fault:
        yield Lost("VulnerabilityReport", str(fault), number)
        return
    group, _, version = item.api_version.partition("/")
    if group != _GROUP or not item.kind:
        what = f"{item.api_version or 'no apiVersion'}, {item.kind or 'no kind'}"
        yield Lost("VulnerabilityReport", f"{what}: expected a report of {_GROUP}", number)
    elif item.kind in _KINDS:
        yield Taken(item.kind, raw, number, group, version)


@collector(
    Read(
        _GROUP,
        "VulnerabilityReport",
        "vulnerabilityreports",
        model.VulnerabilityReport,
        (_VERSION,),
        silent=True,
    ),
    Read(
        _GROUP,
        "ClusterVulnerabilityReport",
        "clustervulnerabilityreports",
        model.VulnerabilityReport,
        (_VERSION,),
        namespaced=False,
        silent=True,
    ),
    tables=(IMAGE_SCANS, VULNERABILITIES),
)
def vulnerability_reports(found: model.VulnerabilityReport, at: Place) -> Iterator[Row]:
    """Yield the scan of one container's image, and its vulnerabilities."""
    flaws = found.report.vulnerabilities or []
    classes = {flaw.class_ for flaw in flaws if flaw.class_}
    yield _scan(found, found.report, at, sorted(classes), len(flaws))
    for position, it in enumerate(flaws, start=1):
        fixed = [part.strip() for part in (it.fixed_version or "").split(",") if part.strip()]
        yield VulnerabilityRow(
            raw=at.raw,
            raw_line=at.line,
            report=at.uid,
            tool="trivy-operator",
            position=position,
            id=it.vulnerability_id,
            aliases=[],
            package=it.resource or "",
            version=it.installed_version or "",
            package_type=it.package_type or "",
            purl=it.package_purl or None,
            path=it.package_path or None,
            target=it.target or "",
            severity=severity_of(it.severity),
            severity_written=it.severity,
            severity_source=it.cvsssource or None,
            cvss_score=it.score,
            cvss_vector=it.vector,
            fixed_versions=fixed,
            fix="fixed" if fixed else "unknown",
            title=it.title or None,
            url=it.primary_link or None,
            published_at=moment(it.published_date),
        )


@collector(
    Read(
        _GROUP,
        "ExposedSecretReport",
        "exposedsecretreports",
        model.ExposedSecretReport,
        (_VERSION,),
        silent=True,
    ),
    tables=(IMAGE_SCANS, IMAGE_SECRETS),
)
def exposed_secret_reports(found: model.ExposedSecretReport, at: Place) -> Iterator[Row]:
    """Yield the scan of one container's image for credentials, and those found in it."""
    yield _scan(found, found.report, at, ["secret"], 0)
    for position, it in enumerate(found.report.secrets or (), start=1):
        yield ImageSecretRow(
            raw=at.raw,
            raw_line=at.line,
            report=at.uid,
            tool="trivy-operator",
            position=position,
            rule=it.rule_id,
            category=it.category,
            title=it.title,
            severity=severity_of(it.severity),
            file=it.target or "",
        )


def _scan(
    found: model.Report, it: model.OfImage, at: Place, covered: list[str], findings: int
) -> ImageScanRow:
    """Scan of an image; whether the digest is that of an index or a manifest is not said."""
    namespace, kind, name = found.subject
    return ImageScanRow(
        raw=at.raw,
        raw_line=at.line,
        report=at.uid,
        tool="trivy-operator",
        tool_version=it.scanner.version,
        scanned_at=moment(it.update_timestamp),
        artifact=it.reference,
        artifact_type="image",
        registry_digests=[],
        other_digest=it.artifact.digest or None,
        tags=[it.reference] if it.artifact.tag else [],
        os_family=it.os.family or None,
        os_version=it.os.name or None,
        os_end_of_life=it.os.eosl,
        env_credentials=[],
        covered=covered,
        # Packages are not listed; a system that the report names has some.
        packages=findings > 0 or (covered != ["secret"] and bool(it.os.family)),
        findings=findings,
        namespace=namespace,
        kind=kind,
        name=name,
    )
