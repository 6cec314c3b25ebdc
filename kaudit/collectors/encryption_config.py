"""EncryptionConfiguration of an API server, which it reads from a file and shows nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

import msgspec

from kaudit.errors import InputError
from kaudit.model import encryption_config as config
from kaudit.model.place import Place
from kaudit.model.taken import Content, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Resource, Row, Table, Trace, doc


class EncryptionConfigRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the file in every table")]
    file: Annotated[str, doc("file")]
    resources: Annotated[list[str], doc("resources that it speaks of, sorted")]
    matched: Annotated[bool, doc("an entry speaks of Secrets, by name or by *.")]
    providers: Annotated[list[str], doc("providers of the first such entry, in their order")]
    provider: Annotated[str, doc("the first of them, which encrypts; empty: none")]
    kms_version: Annotated[str, doc("API of that provider where it is kms; v1 where unset")]
    encrypts: Annotated[
        bool | None,
        doc("Secrets are written encrypted, soundly; null: by aesgcm, whose keys must be rotated"),
    ]


ENCRYPTION_CONFIG = Table(
    "encryption_config",
    EncryptionConfigRow,
    grain="one EncryptionConfiguration",
    key=("report",),
    resource=Resource("=EncryptionConfiguration", namespace="", name="file"),
)
_KIND = re.compile(
    rb"""(?:^|[\s{,])["']?kind["']?[ \t]*:[ \t]*["']?EncryptionConfiguration\b""", re.MULTILINE
)
_EDGE = 1 << 16


def _recognise(content: Content) -> bool:
    start = content.data[:_EDGE]
    known = b"apiserver.config.k8s.io/" in start and bool(_KIND.search(start))
    return content.shape in ("object", "text") and known


@tool(
    "encryption",
    title="Encryption at rest",
    help="EncryptionConfiguration of an API server; its keys are not kept.",
    recognise=_recognise,
    kinds=("EncryptionConfiguration",),
)
def take_encryption(content: Content) -> Iterator[Taken]:
    """Take out the order of providers."""
    try:
        kept = config.reduced(content.document())
    except TypeError as fault:
        raise InputError(f"is no EncryptionConfiguration: {fault}") from None
    record = {"report": content.report, "file": content.name, **kept}
    yield Taken("EncryptionConfiguration", msgspec.json.encode(record), 1)


@collector(
    Read.of("encryption", "EncryptionConfiguration", "encryptionconfigurations", config.Found),
    tables=(ENCRYPTION_CONFIG,),
)
def encryption_config(found: config.Found, at: Place) -> Iterator[Row]:
    """Yield what encrypts Secrets."""
    first = found.secrets[0] if found.secrets else ""
    sound = first in ("aescbc", "secretbox") or (first == "kms" and found.kms_version == "v2")
    yield EncryptionConfigRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        file=found.file,
        resources=sorted(set(found.resources)),
        matched=found.matched,
        providers=found.secrets,
        provider=first,
        kms_version=found.kms_version,
        encrypts=None if first == "aesgcm" else sound,
    )
