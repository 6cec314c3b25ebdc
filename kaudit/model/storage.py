"""Volumes, claims and storage classes on the wire."""

from __future__ import annotations

import re

from msgspec import field

from kaudit.model.credential import by_name, by_shape
from kaudit.model.meta import Opaque, Part, Quantity, Resource


class LocalPath(Part):
    """hostPath or local of a PersistentVolume."""

    path: str | None = None


class SecretAt(Part):
    """Name and namespace of a Secret."""

    name: str | None = None
    namespace: str | None = None


class DriverRef(Part):
    """csi of a PersistentVolume; of its attributes only what tells encryption."""

    driver: str | None = None
    volume_attributes: dict[str, str | None] | None = None
    controller_publish_secret_ref: SecretAt | None = None
    controller_expand_secret_ref: SecretAt | None = None
    node_stage_secret_ref: SecretAt | None = None
    node_publish_secret_ref: SecretAt | None = None
    node_expand_secret_ref: SecretAt | None = None

    def __post_init__(self) -> None:
        self.volume_attributes = _told(self.volume_attributes)

    @property
    def secrets(self) -> list[str]:
        """Secrets that the driver logs in with, as sorted ``namespace/name``."""
        refs = (
            *(self.controller_publish_secret_ref, self.controller_expand_secret_ref),
            *(self.node_stage_secret_ref, self.node_publish_secret_ref),
            self.node_expand_secret_ref,
        )
        return sorted({f"{r.namespace or ''}/{r.name}" for r in refs if r and r.name})


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
        self.parameters = _told(self.parameters)

    @property
    def secrets(self) -> list[str]:
        """Secrets that the driver logs in with, as sorted ``namespace/name``; no templates."""
        given = self.parameters or {}
        names = {k: v for k, v in given.items() if k.endswith("-secret-name")}
        pairs = ((given.get(f"{k[:-5]}-namespace"), v) for k, v in names.items())
        return sorted({f"{home}/{name}" for home, name in pairs if home and name})


def _told(settings: dict[str, str | None] | None) -> dict[str, str | None] | None:
    """Settings of a driver by name; values of those on encryption, and names of Secrets."""
    if not settings:
        return settings
    return {k: v if v and _kept(k, v) else None for k, v in settings.items()}


def _kept(key: str, value: str) -> bool:
    if _SECRET.search(key):
        return "$" not in value and not by_shape(value)
    about = "encrypt" in key.lower() or key in _KEYS
    return about and not (by_name(key) or by_shape(value))


#: Settings that name the key which a volume is encrypted with.
_KEYS = ("kmsKeyId", "diskEncryptionSetID")
_SECRET = re.compile(r"-secret-(name|namespace)$")


def encrypted(settings: dict[str, str | None] | None) -> bool | None:
    """Whether settings of a driver ask for encryption; None where they do not speak of it.

    Sources: README files of the CSI drivers of AWS EBS, Azure Disk, Google PD, Ceph and Longhorn.

    >>> encrypted({"encrypted": "true"}), encrypted({"encrypted": "false"}), encrypted({"a": "b"})
    (True, False, None)
    >>> encrypted({"disk-encryption-kms-key": "projects/p/keys/k"})
    True
    """
    said = {k.lower(): (v or "").lower() for k, v in (settings or {}).items()}
    switch = said.get("encrypted")
    if switch in ("true", "false"):
        return switch == "true"
    keys = (*(k.lower() for k in _KEYS), "disk-encryption-kms-key", "encryptionkmsid")
    return True if any(said.get(k) for k in keys) else None
