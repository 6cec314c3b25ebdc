"""Bills of materials taken apart, whether they stand alone or inside an attestation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import sbom
from kaudit.model.numbered import listed, members
from kaudit.model.taken import Content, Lost, Taken

_LISTS = ("components", "vulnerabilities", "dependencies", "packages", "files", "relationships")
_DEEPEST = 50
_encode = msgspec.json.Encoder().encode
_inner = msgspec.json.Decoder(sbom.Inner).decode
_component = msgspec.json.Decoder(sbom.Component).decode
_vulnerability = msgspec.json.Decoder(sbom.Vulnerability).decode
_package = msgspec.json.Decoder(sbom.Package).decode
_related = msgspec.json.Decoder(sbom.Related).decode
_metadata = msgspec.json.Decoder(sbom.Metadata | None).decode


def taken_apart(content: Content, subjects: list[str]) -> Iterator[Taken | Lost]:
    """Take out the document, its components, and what is said of vulnerabilities.

    Raises
    ------
    InputError
        It is neither CycloneDX nor SPDX.
    """
    parts, rest = content.parted(*(f"{name}[]" for name in _LISTS))
    run = _Run(content, subjects)
    for part in parts:
        yield from run.element(part.path.removesuffix("[]"), Raw(part.raw))
    held = members(rest.data)
    if not {"bomFormat", "spdxVersion"} & held.keys():
        raise InputError("is no bill of materials", hint="give CycloneDX or SPDX in JSON")
    for raw in listed(held.pop("documentDescribes", None)):
        run.describe(raw)
    for name in _LISTS:
        for raw in listed(held.pop(name, None)):
            yield from run.element(name, raw)
    yield from run.findings(held)
    yield from run.scan(held)
    yield run.document(held)


class _Run:
    """Numbers what one document holds."""

    def __init__(self, content: Content, subjects: list[str]) -> None:
        self.report, self.file, self.subjects = content.report, content.name, subjects
        self.components = self.found = 0
        self.flaws: list[Raw] = []
        self._described: set[str] = set()
        self._by_ref: dict[str, sbom.Component] = {}
        self._roots: dict[str, Raw] = {}

    def element(self, name: str, raw: Raw, depth: int = 0) -> Iterator[Taken | Lost]:
        """Take one element of a long list."""
        if name == "components":
            yield self._component(raw)
            if depth < _DEEPEST:
                yield from self._inside(raw, depth)
        elif name == "vulnerabilities":
            self.flaws.append(raw)
        elif name == "packages":
            yield self._package(raw)
        elif name == "relationships":
            self._relate(raw)

    def _inside(self, raw: Raw, depth: int) -> Iterator[Taken | Lost]:
        try:
            inner = _inner(raw).components or []
        except msgspec.MsgspecError:
            return  # the component itself is told to be broken, or its list is
        for one in inner:
            yield from self.element("components", one, depth + 1)

    def _component(self, raw: Raw) -> Taken | Lost:
        self.components += 1
        try:
            found = _component(raw)
            _inner(raw)
        except (ValueError, RecursionError) as fault:
            return Lost("Component", str(fault), self.components)
        if found.bom_ref:
            slim = sbom.Component(found.bom_ref, found.type, found.group, found.name)
            slim.version, slim.purl = found.version, found.purl
            self._by_ref[found.bom_ref] = slim
        return self._numbered("Component", self.components, component=found)

    def _package(self, raw: Raw) -> Taken | Lost:
        self.components += 1
        try:
            found = _package(raw)
        except (ValueError, RecursionError) as fault:
            return Lost("Component", str(fault), self.components)
        if found.id and (found.digests or found.primary_package_purpose == "CONTAINER"):
            self._roots[found.id] = Raw(_encode(found))
        return self._numbered("Component", self.components, package=found)

    def _relate(self, raw: Raw) -> None:
        try:
            found = _related(raw)
        except msgspec.MsgspecError:
            return  # relations are no evidence of their own
        if found.relationship_type == "DESCRIBES" and found.related_spdx_element:
            self._described.add(found.related_spdx_element)

    def describe(self, raw: Raw) -> None:
        """Take the id of what the document describes, as SPDX 2.2 lists it."""
        self._described.add(bytes(raw).decode("utf-8", "replace").strip('"'))

    def _numbered(self, kind: str, number: int, **parts: Any) -> Taken:
        return Taken(kind, _encode({"report": self.report, "position": number, **parts}), number)

    def findings(self, held: dict[str, Raw]) -> Iterator[Taken | Lost]:
        """Take the vulnerabilities: of each component, and what VEX says of them."""
        try:
            metadata = _metadata(held.get("metadata", Raw(b"null"))) or sbom.Metadata()
        except msgspec.ValidationError:
            metadata = sbom.Metadata()  # the document is told to be broken
        tool = sbom.scanner(metadata.used)
        for number, raw in enumerate(self.flaws, start=1):
            try:
                flaw = _vulnerability(raw)
            except (ValueError, RecursionError) as fault:
                yield Lost("Vulnerability", str(fault), number)
                continue
            if flaw.analysis is not None:
                made = {"supplier": metadata.by, "timestamp": metadata.timestamp}
                yield self._numbered("Analysis", number, file=self.file, finding=flaw, **made)
            if not self.components:
                continue  # a VEX document is no scan
            for one in flaw.affects or [sbom.Affected()]:
                self.found += 1
                component = self._by_ref.get(one.ref or "") or sbom.Component(name=one.ref)
                parts = {"tool": tool, "finding": flaw, "component": component}
                yield self._numbered("Vulnerability", self.found, **parts)

    def document(self, held: dict[str, Raw]) -> Taken:
        """Return the record of the document itself."""
        spdx = "spdxVersion" in held
        roots = [self._roots[one] for one in sorted(self._described) if one in self._roots]
        record: dict[str, Any] = {
            "report": self.report,
            "file": self.file,
            "spdx" if spdx else "cyclonedx": held,
            "described": next(iter(roots), None),
            "components": self.components,
            "vulnerabilities": len(self.flaws),
            "subjects": self.subjects,
        }
        return Taken("Document", _encode(record))

    def scan(self, held: dict[str, Raw]) -> Iterator[Taken]:
        """Take the scan whose findings are in it; without any nobody says that it was one."""
        if self.found:
            record = {"report": self.report, "file": self.file, "findings": self.found}
            yield Taken("Scan", _encode({**record, "metadata": held.get("metadata")}))
