"""Volumes of pods and templates, and what projected ones are made of."""

from __future__ import annotations

from typing import Annotated

from kaudit.collectors.workloads import PODS_AND_CONTROLLERS
from kaudit.model.pod import PodSpec
from kaudit.model.quantity import whole
from kaudit.model.volume import Projection, Volume
from kaudit.registry import collector
from kaudit.table import Row, Table, doc
from kaudit.tables.owned import POD_KEY, OfSpec


class VolumeRow(OfSpec, kw_only=True):
    volume: Annotated[str, doc("name of the volume")]
    source: Annotated[str, doc("source as in the API: hostPath, emptyDir, secret, …")]
    reference: Annotated[
        str | None, doc("name of the Secret, ConfigMap, claim, driver or image that it shows")
    ] = None
    login_secret: Annotated[str | None, doc("Secret that its driver logs in with")] = None
    provider_class: Annotated[str | None, doc("SecretProviderClass whose objects it shows")] = None
    path: Annotated[str | None, doc("hostPath.path as written")] = None
    path_type: Annotated[str | None, doc("hostPath.type")] = None
    medium: Annotated[str | None, doc("emptyDir.medium")] = None
    size_limit_bytes: Annotated[int | None, doc("emptyDir.sizeLimit")] = None


class ProjectionRow(OfSpec, kw_only=True):
    volume: Annotated[str, doc("name of the projected volume")]
    position: Annotated[int, doc("place among the sources, from 0")]
    source: Annotated[str, doc("serviceAccountToken, secret, configMap, downwardAPI, …")]
    reference: Annotated[str | None, doc("name of the Secret or ConfigMap")] = None
    audience: Annotated[str | None, doc("audience of a token; null: the API server")] = None
    expiration_seconds: Annotated[int | None, doc("expirationSeconds of a token")] = None


VOLUMES = Table(
    "volumes", VolumeRow, grain="one volume of a pod", key=(*POD_KEY, "volume"), pods=True
)
PROJECTIONS = Table(
    "projections",
    ProjectionRow,
    grain="one source of a projected volume",
    key=(*POD_KEY, "volume", "position"),
    pods=True,
)


@collector(*PODS_AND_CONTROLLERS, tables=(VOLUMES, PROJECTIONS), of_spec=True)
def volumes(spec: PodSpec) -> list[Row]:
    """Rows of the volumes of a pod."""
    rows: list[Row] = []
    for volume in spec.volumes or ():
        rows.append(_volume(volume))
        if volume.projected is not None:
            for position, part in enumerate(volume.projected.sources or ()):
                rows.append(_projection(part, position, volume.name))
    return rows


def _volume(v: Volume) -> VolumeRow:
    source = v.source
    return VolumeRow(
        volume=v.name,
        source=source,
        reference=_reference(v, source) or None,
        login_secret=v.login_secret(source),
        provider_class=v.csi.provider_class if v.csi else None,
        path=v.host_path.path if v.host_path else None,
        path_type=(v.host_path.type or None) if v.host_path else None,
        medium=(v.empty_dir.medium or None) if v.empty_dir else None,
        size_limit_bytes=whole(v.empty_dir.size_limit) if v.empty_dir else None,
    )


def _reference(v: Volume, source: str) -> str | None:
    """Name of what a volume shows."""
    if source == "secret" and v.secret:
        return v.secret.secret_name
    if source == "configMap" and v.config_map:
        return v.config_map.name
    if source == "persistentVolumeClaim" and v.persistent_volume_claim:
        return v.persistent_volume_claim.claim_name
    if source == "csi" and v.csi:
        return v.csi.driver
    return v.image.reference if source == "image" and v.image else None


def _projection(part: Projection, position: int, volume: str) -> ProjectionRow:
    token, named = part.service_account_token, part.secret or part.config_map
    return ProjectionRow(
        volume=volume,
        position=position,
        source=_projection_source(part),
        reference=named.name if named else None,
        audience=(token.audience or None) if token else None,
        expiration_seconds=token.expiration_seconds if token else None,
    )


def _projection_source(part: Projection) -> str:
    sources = (
        ("serviceAccountToken", part.service_account_token),
        ("secret", part.secret),
        ("configMap", part.config_map),
        ("downwardAPI", part.downward_api),
        ("clusterTrustBundle", part.cluster_trust_bundle),
        ("podCertificate", part.pod_certificate),
    )
    return next((name for name, value in sources if value is not None), "none")
