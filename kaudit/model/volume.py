"""Volumes as they arrive on the wire (core v1, up to 1.37)."""

from __future__ import annotations

import msgspec
from msgspec import Raw, field

from kaudit.model.meta import Int, NamedRef, Opaque, Part, Quantity


class HostPath(Part):
    """hostPath volume."""

    path: str | None = None
    type: str | None = None


class EmptyDir(Part):
    """emptyDir volume."""

    medium: str | None = None
    size_limit: Quantity | None = None


class SecretVolume(Part):
    """secret volume."""

    secret_name: str | None = None
    default_mode: Int | None = None
    optional: bool | None = None


class ClaimVolume(Part):
    """persistentVolumeClaim volume."""

    claim_name: str | None = None
    read_only: bool | None = None


class CsiVolume(Part):
    """Inline csi volume."""

    driver: str | None = None
    read_only: bool | None = None
    volume_attributes: dict[str, Raw] | None = None
    node_publish_secret_ref: NamedRef | None = None

    def __post_init__(self) -> None:
        kept = {"secretProviderClass"}
        if self.volume_attributes:
            self.volume_attributes = {
                k: v if k in kept else Raw(b"null") for k, v in self.volume_attributes.items()
            }

    @property
    def provider_class(self) -> str | None:
        """SecretProviderClass whose objects it shows."""
        raw = (self.volume_attributes or {}).get("secretProviderClass")
        return None if raw is None else msgspec.json.decode(raw, type=str | None)


class LoggedIn(Part):
    """A volume whose driver logs in with a Secret."""

    secret_ref: NamedRef | None = None
    secret_name: str | None = None


class ImageVolume(Part):
    """image volume."""

    reference: str | None = None
    pull_policy: str | None = None


class TokenProjection(Part):
    """projected serviceAccountToken."""

    audience: str | None = None
    expiration_seconds: Int | None = None
    path: str | None = None


class Projection(Part):
    """projected.sources[]."""

    secret: NamedRef | None = None
    config_map: NamedRef | None = None
    service_account_token: TokenProjection | None = None
    cluster_trust_bundle: NamedRef | None = None
    downward_api: Opaque | None = field(default=None, name="downwardAPI")
    pod_certificate: Opaque | None = None


class ProjectedVolume(Part):
    """projected volume."""

    sources: list[Projection] | None = None


class Volume(Part):
    """volumes[]; without a source it is an emptyDir."""

    name: str = ""
    host_path: HostPath | None = None
    empty_dir: EmptyDir | None = None
    secret: SecretVolume | None = None
    config_map: NamedRef | None = None
    persistent_volume_claim: ClaimVolume | None = None
    projected: ProjectedVolume | None = None
    downward_api: Opaque | None = field(default=None, name="downwardAPI")
    csi: CsiVolume | None = None
    ephemeral: Opaque | None = None
    image: ImageVolume | None = None
    nfs: Opaque | None = None
    iscsi: LoggedIn | None = None
    glusterfs: Opaque | None = None
    rbd: LoggedIn | None = None
    cephfs: LoggedIn | None = None
    cinder: LoggedIn | None = None
    fc: Opaque | None = None
    flocker: Opaque | None = None
    flex_volume: LoggedIn | None = None
    azure_file: LoggedIn | None = None
    azure_disk: Opaque | None = None
    vsphere_volume: Opaque | None = None
    quobyte: Opaque | None = None
    portworx_volume: Opaque | None = None
    scale_io: LoggedIn | None = field(default=None, name="scaleIO")
    storageos: LoggedIn | None = None
    photon_persistent_disk: Opaque | None = None
    gce_persistent_disk: Opaque | None = None
    aws_elastic_block_store: Opaque | None = field(default=None, name="awsElasticBlockStore")
    git_repo: Opaque | None = None

    @property
    def source(self) -> str:
        """Name of the source as the API spells it, such as ``hostPath``."""
        for field_name, wire_name in _VOLUME_SOURCES:
            if getattr(self, field_name) is not None:
                return wire_name
        return "emptyDir"

    def login_secret(self, source: str) -> str | None:
        """Name of the Secret that the driver of its source logs in with."""
        if self.csi is not None:
            ref = self.csi.node_publish_secret_ref
            return ref.name if ref else None
        found = getattr(self, _FIELDS[source])
        if not isinstance(found, LoggedIn):
            return None
        return found.secret_name or (found.secret_ref.name if found.secret_ref else None)


_VOLUME_SOURCES = [
    (f.name, f.encode_name) for f in msgspec.structs.fields(Volume) if f.name != "name"
]


_FIELDS = {wire: field_name for field_name, wire in _VOLUME_SOURCES}
