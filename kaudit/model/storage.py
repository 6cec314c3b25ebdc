"""Volumes, claims and storage classes on the wire."""

from __future__ import annotations

from msgspec import field

from kaudit.model.credential import by_name, by_shape
from kaudit.model.meta import Opaque, Part, Quantity, Resource


class LocalPath(Part):
    """hostPath or local of a PersistentVolume."""

    path: str | None = None


class DriverRef(Part):
    """csi of a PersistentVolume."""

    driver: str | None = None


class ClaimRef(Part):
    """claimRef of a PersistentVolume."""

    namespace: str | None = None
    name: str | None = None


class VolumeStatus(Part):
    """status of a volume or claim."""

    phase: str | None = None


class VolumeSpec(Part):
    """spec of a PersistentVolume."""

    host_path: LocalPath | None = None
    local: LocalPath | None = None
    csi: DriverRef | None = None
    nfs: Opaque | None = None
    capacity: dict[str, Quantity | None] | None = None
    claim_ref: ClaimRef | None = None
    storage_class_name: str | None = None
    persistent_volume_reclaim_policy: str | None = None
    access_modes: list[str] | None = None


class PersistentVolume(Resource):
    """core v1 PersistentVolume."""

    spec: VolumeSpec = field(default_factory=VolumeSpec)
    status: VolumeStatus = field(default_factory=VolumeStatus)


class Requested(Part):
    """spec.resources of a claim."""

    requests: dict[str, Quantity | None] | None = None


class ClaimSpec(Part):
    """spec of a PersistentVolumeClaim."""

    volume_name: str | None = None
    storage_class_name: str | None = None
    access_modes: list[str] | None = None
    resources: Requested | None = None


class PersistentVolumeClaim(Resource):
    """core v1 PersistentVolumeClaim."""

    spec: ClaimSpec = field(default_factory=ClaimSpec)
    status: VolumeStatus = field(default_factory=VolumeStatus)


class StorageClass(Resource):
    """storage.k8s.io StorageClass; of the parameters only what tells encryption."""

    provisioner: str | None = None
    reclaim_policy: str | None = None
    parameters: dict[str, str | None] | None = None

    def __post_init__(self) -> None:
        if self.parameters:
            self.parameters = {
                k: v if v and "encrypt" in k.lower() and not (by_name(k) or by_shape(v)) else None
                for k, v in self.parameters.items()
            }
