"""Trivy: reports on images, file systems, repositories and clusters.

Sources: aquasecurity/trivy, ``pkg/types/report.go`` and ``pkg/k8s/report``; schema 1 (before
0.20) is a list of results.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import trivy
from kaudit.model.image_config import REVISION, SOURCE, ImageConfig, Settings
from kaudit.model.pieces import Piece
from kaudit.model.place import Place
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.scans import (
    IMAGE_SCANS,
    TOOL_REPORTS,
    ImageScanRow,
    ToolReportRow,
)

_LISTS = {
    "Vulnerabilities": "Vulnerability",
    "Misconfigurations": "Misconfiguration",
    "Secrets": "Secret",
    "Licenses": "License",
    "ExperimentalModifiedFindings": "Suppressed",
}
_TYPES = {
    "container_image": "image",
    "filesystem": "filesystem",
    "repository": "repository",
    "cyclonedx": "sbom",
    "spdx": "sbom",
}
_KNOWN = {"SchemaVersion", "Results", "ArtifactName", "ClusterName"}
_TARGET = re.compile(r"^(?P<artifact>.+?) \([^()]*\)$")
_members = msgspec.json.Decoder(dict[str, Raw]).decode
_results = msgspec.json.Decoder(list[Raw]).decode
_result = msgspec.json.Decoder(trivy.Result).decode
_encode = msgspec.json.Encoder().encode


def _recognise(content: Content) -> bool:
    keys = content.keys
    if content.shape == "list":
        return {"Target", "Vulnerabilities"} <= keys or {"Target", "Type", "Class"} <= keys
    if "ClusterName" in keys and {"Resources", "Vulnerabilities", "Misconfigurations"} & keys:
        return True
    return "SchemaVersion" in keys and bool({"ArtifactName", "Results", "ArtifactType"} & keys)


@tool(
    "trivy",
    title="Trivy",
    help="Trivy's JSON reports: image, filesystem, repository, config or k8s.",
    recognise=_recognise,
)
def take_trivy(content: Content) -> Iterator[Taken | Lost]:
    """Take a report apart: itself, and each of its findings."""
    run = _Run(content)
    lists = [f"Results[].{name}" for name in _LISTS]
    lists += [f"Resources[].{path}" for path in lists]
    parts, rest = content.parted(*lists)
    for part in parts:
        yield run.early(part)
    if content.shape == "null":
        yield run.report({}, [])
    elif content.shape == "list":
        yield from run.whole({}, _results(rest.data))
    else:
        members = _members(rest.data)
        if not _KNOWN & members.keys():
            raise InputError("is no report of Trivy", hint="run it with --format json")
        yield from run.document(members)


class _Run:
    """Numbers the findings of one file."""

    def __init__(self, content: Content) -> None:
        self.id = content.report
        self.count = 0
        self._early: dict[tuple[int, ...], list[int]] = {}

    def early(self, part: Piece) -> Taken:
        """Take a finding whose report is still being read."""
        self.count += 1
        kind = _LISTS[part.path.rpartition(".")[2]]
        counts = self._early.setdefault(part.places, [0, 0, 0])
        counts[0] += kind == "Vulnerability"
        counts[1] += kind == "Suppressed"
        counts[2] += kind == "Misconfiguration"
        report, resource = self.id, {}
        if part.path.startswith("Resources"):
            report, resource = f"{self.id}-{part.places[0] + 1}", part.around[-2]
        record = {**_place(report, part.around[-1], resource), "position": self.count}
        return Taken(kind, _encode({**record, "finding": Raw(part.raw)}), self.count)

    def document(self, members: dict[str, Raw]) -> Iterator[Taken | Lost]:
        """Take an object apart: a report, or one of many resources of a cluster."""
        if "ClusterName" not in members:
            yield from self.whole(members, _listed(members.pop("Results", None)))
            return
        number = 0
        for name in ("Resources", "Vulnerabilities", "Misconfigurations"):
            for raw in _listed(members.get(name)):
                number += 1
                try:
                    resource = _members(raw)
                    results = _listed(resource.pop("Results", None))
                    resource["CreatedAt"] = members.get("CreatedAt", Raw(b"null"))
                    found = list(self.whole(resource, results, f"{self.id}-{number}", number - 1))
                except msgspec.MsgspecError as fault:
                    yield Lost("Report", str(fault), number)
                else:
                    yield from found

    def whole(
        self, header: dict[str, Raw], results: list[Raw], report: str = "", place: int = -1
    ) -> Iterator[Taken | Lost]:
        """Take one report and its results apart."""
        heads: list[dict[str, Any]] = []
        found: list[Taken | Lost] = []
        counts = [0, 0, 0]
        for number, raw in enumerate(results):
            early = self._early.get((number,) if place < 0 else (place, number), [0, 0, 0])
            counts = [one + other for one, other in zip(counts, early, strict=True)]
            try:
                result = _result(raw)
            except msgspec.ValidationError as fault:
                found += [Lost(kind, f"result {number + 1}: {fault}") for kind in _LISTS.values()]
                continue
            head = {
                "Target": result.target or "",
                "Class": result.class_ or "",
                "Type": result.type or "",
            }
            heads.append(head)
            counts[0] += len(result.vulnerabilities or ())
            counts[1] += len(result.modified or ())
            counts[2] += len(result.misconfigurations or ())
            found += self._findings(result, head, header, report or self.id)
        yield self.report(header, heads, report, counts)
        yield from found

    def _findings(
        self, result: trivy.Result, head: dict[str, Any], header: dict[str, Raw], report: str
    ) -> Iterator[Taken]:
        place = _place(report, head, header)
        lists = (
            result.vulnerabilities,
            result.misconfigurations,
            result.secrets,
            result.licenses,
            result.modified,
        )
        for kind, raws in zip(_LISTS.values(), lists, strict=True):
            for raw in raws or ():
                self.count += 1
                record = {**place, "position": self.count, "finding": raw}
                yield Taken(kind, _encode(record), self.count)

    def report(
        self,
        header: dict[str, Raw],
        heads: list[dict[str, Any]],
        report: str = "",
        counts: list[int] | None = None,
    ) -> Taken:
        """Return the record of the report itself."""
        findings, suppressed, checks = counts or (0, 0, 0)
        record = {
            "report": report or self.id,
            "header": header,
            "results": heads,
            "findings": findings,
            "suppressed": suppressed,
            "checks": checks,
        }
        return Taken("Report", _encode(record))


def _place(report: str, result: dict[str, Any], resource: Mapping[str, Any]) -> dict[str, Any]:
    """Where a finding stands, in its own words."""
    return {
        "report": report,
        **{name.lower(): result.get(name) or "" for name in ("Target", "Class", "Type")},
        **{n.lower(): resource[n] for n in ("Namespace", "Kind", "Name") if n in resource},
    }


def _listed(raw: Raw | None) -> list[Raw]:
    return [] if raw is None or bytes(raw) == b"null" else _results(raw)


@collector(Read.of("trivy", "Report", "reports", trivy.Report), tables=(TOOL_REPORTS,))
def trivy_checks(found: trivy.Report, at: Place) -> Iterator[Row]:
    """Yield a report that looked at configuration, or at an object of a cluster."""
    header = found.header
    if not found.checks and not {"config", "custom"} & {head.class_ for head in found.results}:
        return
    of_object = "/".join(text for text in (header.namespace, header.kind, header.name) if text)
    yield ToolReportRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="trivy",
        tool_version=header.trivy.version if header.trivy else None,
        subject=header.artifact_name or of_object or None,
        findings=found.checks,
        ended_at=header.created_at,
    )


@collector(Read.of("trivy", "Report", "reports", trivy.Report), tables=(IMAGE_SCANS,))
def trivy_reports(found: trivy.Report, at: Place) -> Iterator[Row]:
    """Yield what was scanned; resources of a cluster whose images were not are left out."""
    header = found.header
    metadata = header.metadata
    if isinstance(metadata, list):
        metadata = metadata[0] if metadata else None
    metadata = metadata or trivy.Metadata()
    of_resource = header.kind is not None
    classes = [head.class_ for head in found.results if head.class_]
    if of_resource and set(classes) <= {"config", "custom"} and not found.findings:
        return
    first = next((head.target for head in found.results if head.class_ != "secret"), "")
    named = _TARGET.match(first)
    config = metadata.image_config or ImageConfig()
    settings = config.config or Settings()
    labels = settings.labels or {}
    tags = metadata.repo_tags or []
    kind = _TYPES.get(header.artifact_type or "", "")
    yield ImageScanRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="trivy",
        tool_version=header.trivy.version if header.trivy else None,
        scanned_at=header.created_at,
        artifact=header.artifact_name
        or metadata.reference
        or next(iter(tags), named["artifact"] if named else first),
        artifact_type=kind or ("image" if of_resource or named or metadata.image_id else "unknown"),
        registry_digests=sorted({d.rpartition("@")[2] for d in metadata.repo_digests or ()}),
        config_digest=metadata.image_id,
        tags=sorted(tags),
        os_family=metadata.os.family if metadata.os else None,
        os_version=metadata.os.name if metadata.os else None,
        os_end_of_life=_end_of_life(metadata.os),
        architecture=config.architecture,
        image_created_at=config.created,
        image_user=(settings.user or "") if metadata.image_config else None,
        image_source=labels.get(SOURCE),
        image_revision=labels.get(REVISION),
        size_bytes=metadata.size,
        env_credentials=config.credentials,
        history_credentials=config.telling_steps,
        covered=sorted(set(classes)),
        packages=bool(found.findings or found.suppressed)
        or any(_of_packages(head) for head in found.results),
        findings=found.findings,
        suppressed=found.suppressed,
        namespace=header.namespace,
        kind=header.kind,
        name=header.name,
    )


def _of_packages(head: trivy.ResultHead) -> bool:
    """Results of packages are told even where none has a flaw; before 0.21 without a class."""
    return head.class_ in ("os-pkgs", "lang-pkgs") or bool(head.type and not head.class_)


def _end_of_life(os: trivy.Os | None) -> bool | None:
    """Trivy leaves EOSL out where it is false; where it knows no system it says nothing."""
    return None if os is None or os.family is None else bool(os.eosl)
