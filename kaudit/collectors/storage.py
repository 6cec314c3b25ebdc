"""Persistent volumes, claims and storage classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from kaudit.model.place import Place
from kaudit.model.quantity import whole
from kaudit.model.storage import (
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeSpec,
    encrypted,
)
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class PersistentVolumeRow(Trace, kw_only=True):
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always PersistentVolume")] = "PersistentVolume"
    source: Annotated[str, doc("hostPath, local, csi, nfs or other")]
    host_path: Annotated[str | None, doc("hostPath.path or local.path")] = None
    driver: Annotated[str | None, doc("csi.driver")] = None
    secrets: Annotated[list[str], doc("namespace/name of Secrets its driver logs in with, sorted")]
    encrypted: Annotated[bool | None, doc("its attributes ask for it; null: they do not tell")] = (
        None
    )
    claim: Annotated[str | None, doc("namespace/name of the claim bound")] = None
    storage_class: Annotated[str | None, doc("storageClassName")] = None
    reclaim_policy: Annotated[str | None, doc("persistentVolumeReclaimPolicy")] = None
    phase: Annotated[str | None, doc("status.phase")] = None
    capacity_bytes: Annotated[int | None, doc("spec.capacity.storage")] = None
    access_modes: Annotated[list[str], doc("accessModes")]


class ClaimRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always PersistentVolumeClaim")] = "PersistentVolumeClaim"
    volume: Annotated[str | None, doc("name of the volume bound")] = None
    storage_class: Annotated[str | None, doc("storageClassName")] = None
    phase: Annotated[str | None, doc("status.phase")] = None
    requested_bytes: Annotated[int | None, doc("resources.requests.storage")] = None
    access_modes: Annotated[list[str], doc("accessModes")]


class StorageClassRow(Trace, kw_only=True):
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always StorageClass")] = "StorageClass"
    provisioner: Annotated[str | None, doc("provisioner")] = None
    reclaim_policy: Annotated[str | None, doc("reclaimPolicy")] = None
    default: Annotated[bool, doc("annotated as the default class")] = False
    parameters: Annotated[list[str], doc("keys of its parameters, sorted")]
    secrets: Annotated[list[str], doc("namespace/name of Secrets its driver logs in with, sorted")]
    encrypted: Annotated[bool | None, doc("its parameters ask for it; null: they do not tell")] = (
        None
    )
    encryption: Annotated[str | None, doc("value of a parameter that speaks of encryption")] = None


_NAMELESS = Resource("kind", namespace="")
PERSISTENT_VOLUMES = Table(
    "persistent_volumes",
    PersistentVolumeRow,
    grain="one PersistentVolume",
    key=("name",),
    resource=_NAMELESS,
)
CLAIMS = Table(
    "persistent_volume_claims",
    ClaimRow,
    grain="one PersistentVolumeClaim",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
STORAGE_CLASSES = Table(
    "storage_classes",
    StorageClassRow,
    grain="one StorageClass",
    key=("name",),
    resource=_NAMELESS,
)
_DEFAULT = "storageclass.kubernetes.io/is-default-class"


@collector(
    Read("", "PersistentVolume", "persistentvolumes", PersistentVolume, namespaced=False),
    tables=(PERSISTENT_VOLUMES,),
)
def persistent_volumes(found: PersistentVolume, at: Place) -> Iterator[Row]:
    """Yield one row a volume."""
    spec = found.spec
    on_host = spec.host_path or spec.local
    claim = spec.claim_ref
    yield PersistentVolumeRow(
        raw=at.raw,
        raw_line=at.line,
        name=at.name,
        source=_source(spec),
        host_path=on_host.path if on_host else None,
        driver=spec.csi.driver if spec.csi else None,
        secrets=spec.csi.secrets if spec.csi else [],
        encrypted=encrypted(spec.csi.volume_attributes) if spec.csi else None,
        claim=f"{claim.namespace}/{claim.name}" if claim else None,
        storage_class=spec.storage_class_name,
        phase=found.status.phase,
        capacity_bytes=whole((spec.capacity or {}).get("storage")),
        reclaim_policy=spec.persistent_volume_reclaim_policy,
        access_modes=spec.access_modes or [],
    )


def _source(spec: VolumeSpec) -> str:
    for name in ("host_path", "local", "csi", "nfs"):
        if getattr(spec, name) is not None:
            return "hostPath" if name == "host_path" else name
    return "other"


@collector(
    Read("", "PersistentVolumeClaim", "persistentvolumeclaims", PersistentVolumeClaim),
    tables=(CLAIMS,),
)
def persistent_volume_claims(found: PersistentVolumeClaim, at: Place) -> Iterator[Row]:
    """Yield one row a claim."""
    spec = found.spec
    requests = (spec.resources.requests if spec.resources else None) or {}
    yield ClaimRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        volume=spec.volume_name,
        storage_class=spec.storage_class_name,
        phase=found.status.phase,
        requested_bytes=whole(requests.get("storage")),
        access_modes=spec.access_modes or [],
    )


@collector(
    Read("storage.k8s.io", "StorageClass", "storageclasses", StorageClass, namespaced=False),
    tables=(STORAGE_CLASSES,),
)
def storage_classes(found: StorageClass, at: Place) -> Iterator[Row]:
    """Yield one row a class."""
    parameters = found.parameters or {}
    yield StorageClassRow(
        raw=at.raw,
        raw_line=at.line,
        name=at.name,
        provisioner=found.provisioner,
        reclaim_policy=found.reclaim_policy,
        default=found.metadata.annotation(_DEFAULT) == "true",
        parameters=sorted(parameters),
        secrets=found.secrets,
        encrypted=encrypted(parameters),
        encryption=next(
            (v for k, v in sorted(parameters.items()) if v and "encrypt" in k.lower()), None
        ),
    )
