"""CISA's catalogue of known exploited vulnerabilities, as JSON or CSV.

Source: cisa.gov/known-exploited-vulnerabilities-catalog. The CSV says neither its version nor
when it was released.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import exploits
from kaudit.model.numbered import elements, members
from kaudit.model.place import Place
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.supply import KNOWN_EXPLOITED, KnownExploitedRow

_MARK = {"catalogVersion", "vulnerabilities"}
_encode = msgspec.json.Encoder().encode


def _recognise(content: Content) -> bool:
    if content.shape == "object":
        return content.keys >= _MARK
    head = content.data[:400].partition(b"\n")[0]
    return content.shape == "text" and b"cveID" in head and b"dateAdded" in head


@tool(
    "kev",
    title="KEV",
    help="CISA's catalogue of known exploited vulnerabilities (JSON or CSV).",
    recognise=_recognise,
    files=("known_exploited_vulnerabilities*.csv*", "kev*.csv*"),
)
def take_kev(content: Content) -> Iterator[Taken | Lost]:
    """Take out each entry."""
    if content.shape == "object":
        yield from _of_json(content)
        return
    text = io.StringIO(content.whole.decode("utf-8", "replace"), newline="")
    rows = csv.DictReader(text, strict=True)
    try:
        if not {"cveID", "dateAdded"} <= {*(rows.fieldnames or ())}:
            raise InputError("is no catalogue of known exploited vulnerabilities")
        for number, row in enumerate(rows, start=1):
            entry = {name: text for name, text in row.items() if name and text}
            yield _taken(content, number, entry)
    except csv.Error as fault:
        raise InputError(f"line {rows.line_num}: {fault}") from None


def _of_json(content: Content) -> Iterator[Taken | Lost]:
    parts, rest = content.parted("vulnerabilities[]")
    long = [Raw(part.raw) for part in parts]
    held = members(rest.data)
    if not held.keys() >= _MARK:
        raise InputError("is no catalogue of known exploited vulnerabilities")
    about = {
        ours: held[theirs]
        for ours, theirs in (("version", "catalogVersion"), ("released", "dateReleased"))
        if theirs in held
    }
    for number, entry in enumerate(long or elements(held["vulnerabilities"]), start=1):
        yield _taken(content, number, entry, about)


def _taken(
    content: Content,
    number: int,
    entry: Raw | dict[str, str],
    about: dict[str, Raw] | None = None,
) -> Taken:
    record = {"report": content.report, "position": number, **(about or {}), "entry": entry}
    return Taken("Entry", _encode(record), number)


@collector(Read.of("kev", "Entry", "entries", exploits.FoundKnown), tables=(KNOWN_EXPLOITED,))
def known_exploited(found: exploits.FoundKnown, at: Place) -> Iterator[Row]:
    """Yield one flaw."""
    it = found.entry
    said = (it.known_ransomware_campaign_use or "").lower()
    yield KnownExploitedRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        cve=it.cve,
        vendor=it.vendor_project,
        product=it.product,
        added_at=exploits.moment(it.date_added),
        due_at=exploits.moment(it.due_date),
        ransomware=True if said == "known" else None,
        catalog_version=found.version,
        released_at=found.released,
    )
