"""The manifest of a bundle: ``evidence.json``."""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from kaudit.model.words import Gap
from kaudit.source.events import Origin, ServerVersion

#: Family and version of the bundle format; a new number where the meaning changes.
FORMAT = "kaudit/evidence/1"


class PartInfo(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One file of the bundle.

    For raw records the hash is of the uncompressed bytes, and ``records`` a hash over the
    sorted hashes of the single records: it does not depend on the order they were read in.
    """

    sha256: str
    bytes: int
    rows: int
    records: str = ""


class Manifest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a bundle holds, where it came from and what is missing.

    ``id`` hashes raw records, gaps and what was asked, and nothing about time, place or order.
    ``seal`` hashes all that the manifest says, the hashes of the tables included; bundles of
    older versions have none.
    """

    format: str = FORMAT
    kaudit: str = ""
    id: str = ""
    seal: str = ""
    label: str = ""
    live: bool = False
    as_of: datetime | None = None
    server: ServerVersion | None = None
    kinds: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    origins: tuple[Origin, ...] = ()
    raw: dict[str, PartInfo] = {}
    tables: dict[str, PartInfo] = {}
    parts: int = 1


class _Content(msgspec.Struct):
    format: str
    raw: list[tuple[str, str, int]]
    gaps: list[Gap]
    kinds: tuple[str, ...]
    server: str


def content_id(manifest: Manifest) -> str:
    """SHA-256 over the content of the evidence, in hexadecimal."""
    content = _Content(
        format=manifest.format,
        raw=sorted((name, part.records, part.rows) for name, part in manifest.raw.items()),
        gaps=sorted(msgspec.structs.replace(gap, detail="") for gap in manifest.gaps),
        kinds=manifest.kinds,
        server=manifest.server.git_version if manifest.server else "",
    )
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


def seal_of(manifest: Manifest) -> str:
    """SHA-256 over all that a manifest says but for its seal, in hexadecimal."""
    said = msgspec.structs.replace(manifest, seal="")
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()
