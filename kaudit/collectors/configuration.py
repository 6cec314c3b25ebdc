"""Secrets and ConfigMaps: names, keys, types and ages; never a value."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Annotated

from kaudit.model.configuration import ConfigMap, Secret
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class SecretRow(Trace, kw_only=True):
    uid: Annotated[str, doc("uid")]
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always Secret")] = "Secret"
    type: Annotated[str | None, doc("type; null where only metadata was read")] = None
    keys: Annotated[list[str], doc("names of its keys, where the source has them")]
    immutable: Annotated[bool | None, doc("immutable")] = None
    owner_kind: Annotated[str | None, doc("kind of its controller, else of its first owner")] = None
    owner_name: Annotated[str | None, doc("name of that owner")] = None
    owners: Annotated[list[str], doc("Kind/name of all its owners")]
    service_account: Annotated[str | None, doc("service account that a token stands for")] = None
    labels: Annotated[list[str], doc("labels as sorted key=value")]
    annotation_keys: Annotated[list[str], doc("keys of its annotations, sorted")]
    data_hash: Annotated[
        str | None, doc("hash of its values that the External Secrets Operator notes, hashed again")
    ] = None
    last_applied: Annotated[bool, doc("carries its values in an annotation, which was not read")]
    created_at: Annotated[datetime | None, doc("creation time")] = None
    changed_at: Annotated[datetime | None, doc("last change of its values, of managedFields")] = (
        None
    )
    expires_at: Annotated[
        datetime | None, doc("end of the certificate tls.crt, where the source has it")
    ] = None


class ConfigMapRow(Trace, kw_only=True):
    uid: Annotated[str, doc("uid")]
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always ConfigMap")] = "ConfigMap"
    keys: Annotated[list[str], doc("names of its keys, sorted")]
    bytes: Annotated[int, doc("size of all its values, in bytes")] = 0
    suspects: Annotated[list[str], doc("key: kind of credential that its value looks like")]
    immutable: Annotated[bool | None, doc("immutable")] = None
    labels: Annotated[list[str], doc("labels as sorted key=value")]
    created_at: Annotated[datetime | None, doc("creation time")] = None


class ConfigMapKeyRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name of the ConfigMap")]
    kind: Annotated[str, doc("always ConfigMap")] = "ConfigMap"
    key: Annotated[str, doc("key")]
    binary: Annotated[bool, doc("of binaryData")]
    bytes: Annotated[int, doc("size of its value, in bytes")]
    verdict: Annotated[str, doc("kind of credential that its value looks like; empty: none")]


SECRETS = Table(
    "secrets",
    SecretRow,
    grain="one Secret; its metadata",
    key=("namespace", "name", "uid"),
    resource=Resource("kind"),
)
CONFIG_MAPS = Table(
    "config_maps",
    ConfigMapRow,
    grain="one ConfigMap; its keys",
    key=("namespace", "name", "uid"),
    resource=Resource("kind"),
)
CONFIG_MAP_KEYS = Table(
    "config_map_keys",
    ConfigMapKeyRow,
    grain="one key of a ConfigMap; never its value",
    key=("namespace", "name", "key", "binary"),
    resource=Resource("kind"),
)


_DATA_HASH = "reconcile.external-secrets.io/data-hash"


@collector(Read("", "Secret", "secrets", Secret, metadata=True), tables=(SECRETS,))
def secrets(found: Secret, at: Place) -> Iterator[Row]:
    """Yield one row a Secret; its values were dropped while it was decoded."""
    meta = found.metadata
    owner = meta.controller or next(iter(meta.owner_references or ()), None)
    times = [f.time for f in meta.managed_fields or () if f.time is not None and f.of_data]
    noted = meta.annotation(_DATA_HASH)
    yield SecretRow(
        raw=at.raw,
        raw_line=at.line,
        uid=at.uid,
        namespace=at.namespace,
        name=at.name,
        type=found.type,
        keys=sorted({*(found.data or ()), *(found.string_data or ())}),
        immutable=found.immutable,
        owner_kind=owner.kind if owner else None,
        owner_name=owner.name if owner else None,
        owners=[f"{o.kind}/{o.name}" for o in meta.owner_references or ()],
        service_account=meta.annotation("kubernetes.io/service-account.name"),
        labels=meta.label_texts,
        annotation_keys=meta.annotation_keys,
        data_hash=sha256(noted.encode()).hexdigest()[:16] if noted else None,
        last_applied=bool(meta.last_applied),
        created_at=meta.creation_timestamp,
        changed_at=max(times) if times else None,
        expires_at=found.certificate_expires_at,
    )


@collector(Read("", "ConfigMap", "configmaps", ConfigMap), tables=(CONFIG_MAPS, CONFIG_MAP_KEYS))
def config_maps(found: ConfigMap, at: Place) -> Iterator[Row]:
    """Yield a ConfigMap and its keys; their values were judged and dropped."""
    judged = found.judged
    yield ConfigMapRow(
        raw=at.raw,
        raw_line=at.line,
        uid=at.uid,
        namespace=at.namespace,
        name=at.name,
        keys=sorted({key for key, _, _ in judged}),
        bytes=sum(value.redacted_bytes for _, _, value in judged),
        suspects=[f"{key}: {value.verdict}" for key, _, value in judged if value.verdict],
        immutable=found.immutable,
        labels=found.metadata.label_texts,
        created_at=found.metadata.creation_timestamp,
    )
    for key, binary, value in judged:
        yield ConfigMapKeyRow(
            raw=at.raw,
            raw_line=at.line,
            namespace=at.namespace,
            name=at.name,
            key=key,
            binary=binary,
            bytes=value.redacted_bytes,
            verdict=value.verdict,
        )
