"""Exceptions from scanning: OpenVEX, Trivy's ignore files, Grype's ignore rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import exceptions
from kaudit.model.credential import masked
from kaudit.model.numbered import elements, members
from kaudit.model.place import Place
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.supply import SCAN_EXCEPTIONS, ScanExceptionRow

_SECTIONS = {
    "vulnerabilities": "vulnerability",
    "misconfigurations": "misconfiguration",
    "secrets": "secret",
    "licenses": "license",
}
_STATUSES = ("not_affected", "affected", "fixed", "under_investigation")
_TOP = re.compile(rb"^(?P<key>[A-Za-z][\w-]*)[ \t]*:", re.MULTILINE)
_RULE = re.compile(
    rb"^[ \t]*-?[ \t]*\{?(?:vulnerability|fix-state|vex-status|package)[ \t]*:", re.M
)
_ENTRY = re.compile(rb"^[ \t]*-[ \t]*\{?[ \t]*id[ \t]*:", re.MULTILINE)
_LINE = re.compile(r"^(?:CVE|GHSA|AVD|KSV|DS|DSA|DLA|ELSA|RHSA|ALAS|GO|RUSTSEC|PYSEC)-?[\w.:-]+")
_EXPIRES = re.compile(r"\bexp:(?P<day>\S+)")
_encode = msgspec.json.Encoder().encode


def _recognise(content: Content) -> bool:
    if content.shape == "object":
        return {"@context", "statements"} <= content.keys
    if content.shape != "text" or content.large:
        return False
    base = content.name.rpartition("/")[2]
    keys = {found["key"].decode() for found in _TOP.finditer(content.data[: 1 << 16])}
    if keys:
        rules = "ignore" in keys and "apiVersion" not in keys
        entries = keys <= _SECTIONS.keys() and (
            "trivyignore" in base or _ENTRY.search(content.data)
        )
        return bool(entries or (rules and _RULE.search(content.data)))
    return base.endswith("trivyignore") or _only_ids(content)


def _only_ids(content: Content) -> bool:
    """Tell whether every line that says anything begins with an id."""
    if content.data[: 1 << 12].count(b"CVE-") + content.data[: 1 << 12].count(b"AVD-") == 0:
        return False
    lines = [line for line in content.text.splitlines() if line.strip()]
    said = [line for line in lines if not line.lstrip().startswith("#")]
    return bool(said) and all(_LINE.match(line) for line in said)


@tool(
    "exceptions",
    title="exceptions",
    help="OpenVEX documents, .trivyignore, .trivyignore.yaml and the ignore rules of .grype.yaml.",
    recognise=_recognise,
    files=(".trivyignore", "*.trivyignore", ".trivyignore.y*ml", ".grype.y*ml"),
)
def take_exceptions(content: Content) -> Iterator[Taken | Lost]:
    """Take out each exception."""
    if content.shape in ("object", "list"):
        yield from _of_openvex(content)
        return
    keys = _TOP.search(content.data)
    yield from _of_yaml(content) if keys else _of_lines(content)


def _of_openvex(content: Content) -> Iterator[Taken | Lost]:
    parts, rest = content.parted("statements[]")
    long = [Raw(part.raw) for part in parts]
    held = members(rest.data)
    if "statements" not in held or "@context" not in held:
        raise InputError("is no OpenVEX document")
    statements = long or elements(held["statements"])
    about: dict[str, Any] = {"report": content.report, "file": content.name}
    about |= {name: held[name] for name in ("author", "timestamp") if name in held}
    for number, statement in enumerate(statements, start=1):
        record = {**about, "position": number, "statement": statement}
        yield Taken("Statement", _encode(record), number)


def _of_yaml(content: Content) -> Iterator[Taken | Lost]:
    from kaudit.model.yaml_stream import one  # YAML is slow to import

    found = one(content.data, content.name)
    if not isinstance(found, dict) or not {"ignore", *_SECTIONS} & found.keys():
        raise InputError("is no file of exceptions")
    about: dict[str, Any] = {"report": content.report, "file": content.name}
    number = 0
    for entry in _listed(found, "ignore"):
        number += 1
        yield Taken("Rule", _encode({**about, "position": number, "rule": entry}), number)
    for section in _SECTIONS:
        for entry in _listed(found, section):
            number += 1
            if not isinstance(entry, dict):
                yield Lost("Ignored", f"{section}: an entry that is no mapping", number)
                continue
            kept = {k: entry[k] for k in ("id", "paths", "purls", "statement") if k in entry}
            record = {**about, "position": number, "section": section, **kept}
            if entry.get("expired_at"):
                record["expired_at"] = entry["expired_at"]
            yield Taken("Ignored", _encode(record), number)


def _listed(found: dict[str, Any], name: str) -> list[Any]:
    entries = found.get(name) or []
    if not isinstance(entries, list):
        raise InputError(f"{name} is no list")
    return entries


def _of_lines(content: Content) -> Iterator[Taken | Lost]:
    """Read a text of ids; comments above an id, without a blank line between, are its own."""
    start = content.data.lstrip()[:1]
    if start == b"<" or (not start and not content.name.endswith("trivyignore")):
        raise InputError("is no file of exceptions")
    comments: list[str] = []
    for number, line in enumerate(content.whole.decode("utf-8", "replace").splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            comments = [*comments, text.lstrip("# ")] if text else []
            continue
        said, _, behind = text.partition("#")
        words = said.split()
        if not words or "\x00" in text:
            yield Lost("Ignored", f"line {number}: no id", number)
            continue
        comment = masked(" ".join([*comments, behind.strip()]).strip())
        expires = _EXPIRES.search(said)
        record = {
            "report": content.report,
            "file": content.name,
            "position": number,
            "id": words[0],
            "comment": comment or None,
            "expired_at": expires["day"] if expires else None,
        }
        yield Taken("Ignored", _encode(record), number)


@collector(
    Read.of("exceptions", "Statement", "statements", exceptions.FoundStatement),
    tables=(SCAN_EXCEPTIONS,),
)
def openvex_statements(found: exceptions.FoundStatement, at: Place) -> Iterator[Row]:
    """Yield one statement."""
    it, flaw = found.statement, found.statement.flaw
    texts = (it.impact_statement, it.action_statement, it.status_notes)
    id = flaw.name or flaw.id or "*"
    yield ScanExceptionRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        file=found.file,
        position=found.position,
        place=f"{found.position} {id}",
        format="openvex",
        section="vulnerability",
        id=id,
        aliases=sorted(flaw.aliases or ()),
        status=it.status if it.status in _STATUSES else "unknown",
        justification=it.justification,
        reason=" ".join(text for text in texts if text) or None,
        scope=it.scope,
        owner=it.supplier or found.author,
        created_at=it.last_updated or it.timestamp or found.timestamp,
    )


@collector(
    Read.of("exceptions", "Ignored", "ignored", exceptions.Ignored), tables=(SCAN_EXCEPTIONS,)
)
def trivy_ignored(found: exceptions.Ignored, at: Place) -> Iterator[Row]:
    """Yield one entry of an ignore file of Trivy."""
    reason = found.statement or found.comment
    yield ScanExceptionRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        file=found.file,
        position=found.position,
        place=f"{found.position} {found.id}",
        format="trivyignore.yaml" if found.section else "trivyignore",
        section=_SECTIONS.get(found.section, "any"),
        id=found.id,
        aliases=[],
        status="ignored",
        reason=reason,
        scope=[*(found.paths or ()), *(found.purls or ())],
        owner=exceptions.owner_in(reason),
        expires_at=found.expires_at,
    )


@collector(Read.of("exceptions", "Rule", "rules", exceptions.FoundRule), tables=(SCAN_EXCEPTIONS,))
def grype_rules(found: exceptions.FoundRule, at: Place) -> Iterator[Row]:
    """Yield one ignore rule of Grype."""
    rule = found.rule
    id = rule.vulnerability or "*"
    yield ScanExceptionRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        file=found.file,
        position=found.position,
        place=f"{found.position} {id}",
        format="grype",
        section="vulnerability",
        id=id,
        aliases=[],
        status="ignored",
        justification=rule.vex_justification,
        reason=rule.reason,
        scope=rule.scope,
        owner=exceptions.owner_in(rule.reason),
    )
