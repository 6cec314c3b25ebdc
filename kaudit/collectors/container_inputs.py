"""What containers are given: mounts of volumes and environment variables.

Literals of variables were judged and dropped while they were decoded: a row holds the
verdict, never the value.
"""

from __future__ import annotations

from typing import Annotated

from kaudit.collectors.workloads import PODS_AND_CONTROLLERS
from kaudit.model.container import Container, EnvFrom, EnvVar, VolumeMount
from kaudit.model.pod import PodSpec
from kaudit.registry import collector
from kaudit.table import Row, Table, doc
from kaudit.tables.owned import CONTAINER_KEY, OfSpec


class MountRow(OfSpec, kw_only=True):
    container: Annotated[str, doc("name of the container")]
    container_type: Annotated[str, doc("init, sidecar, regular or ephemeral")]
    volume: Annotated[str, doc("name of the volume")]
    mount_path: Annotated[str, doc("path in the container, or device path")]
    sub_path: Annotated[str | None, doc("subPath or subPathExpr")] = None
    read_only: Annotated[bool | None, doc("readOnly as written")] = None
    recursive_read_only: Annotated[str | None, doc("recursiveReadOnly")] = None
    propagation: Annotated[str | None, doc("mountPropagation")] = None
    device: Annotated[bool, doc("a block device of volumeDevices")] = False


class EnvRow(OfSpec, kw_only=True):
    container: Annotated[str, doc("name of the container")]
    container_type: Annotated[str, doc("init, sidecar, regular or ephemeral")]
    position: Annotated[int, doc("place in env, then envFrom, from 0")]
    variable: Annotated[str, doc("name of the variable; for envFrom the prefix and *")]
    source: Annotated[str, doc("literal, secret, configMap, field, resource, file or none")]
    whole: Annotated[bool, doc("of envFrom: every key of the object")] = False
    reference: Annotated[str | None, doc("name of the Secret or ConfigMap")] = None
    key: Annotated[str | None, doc("key in it")] = None
    optional: Annotated[bool | None, doc("optional as written")] = None
    verdict: Annotated[str, doc("kind of credential that a literal looks like; empty: none")] = ""


MOUNTS = Table(
    "mounts",
    MountRow,
    grain="one mount of a volume in a container",
    key=(*CONTAINER_KEY, "mount_path"),
    pods=True,
)
ENV = Table(
    "env",
    EnvRow,
    grain="one environment variable or envFrom of a container; never its value",
    key=(*CONTAINER_KEY, "position"),
    pods=True,
)


@collector(*PODS_AND_CONTROLLERS, tables=(MOUNTS, ENV), of_spec=True)
def container_inputs(spec: PodSpec) -> list[Row]:
    """Rows of the mounts and variables of a pod's containers."""
    rows: list[Row] = []
    for kind, _, c in spec.typed_containers:
        rows += [_mount(mount, kind, c) for mount in c.volume_mounts or ()]
        for device in c.volume_devices or ():
            path = device.device_path or ""
            row = _mount(VolumeMount(name=device.name, mount_path=path), kind, c)
            row.device = True
            rows.append(row)
        variables = c.env or ()
        rows += [_variable(v, position, kind, c) for position, v in enumerate(variables)]
        for position, bulk in enumerate(c.env_from or (), start=len(variables)):
            rows.append(_bulk(bulk, position, kind, c))
    return rows


def _mount(mount: VolumeMount, kind: str, c: Container) -> MountRow:
    return MountRow(
        container=c.name or "",
        container_type=kind,
        volume=mount.name,
        mount_path=mount.mount_path or "",
        sub_path=mount.sub_path or mount.sub_path_expr,
        read_only=mount.read_only,
        recursive_read_only=mount.recursive_read_only,
        propagation=mount.mount_propagation,
    )


def _variable(variable: EnvVar, position: int, kind: str, c: Container) -> EnvRow:
    source, reference, key, optional = _env_source(variable)
    return EnvRow(
        container=c.name or "",
        container_type=kind,
        position=position,
        variable=variable.name,
        source=source,
        reference=reference,
        key=key,
        optional=optional,
        verdict=variable.verdict,
    )


def _bulk(bulk: EnvFrom, position: int, kind: str, c: Container) -> EnvRow:
    ref = bulk.secret_ref or bulk.config_map_ref
    return EnvRow(
        container=c.name or "",
        container_type=kind,
        position=position,
        variable=f"{bulk.prefix or ''}*",
        source="secret" if bulk.secret_ref else "configMap" if bulk.config_map_ref else "none",
        whole=True,
        reference=ref.name if ref else None,
        optional=ref.optional if ref else None,
    )


def _env_source(v: EnvVar) -> tuple[str, str | None, str | None, bool | None]:
    source = v.value_from
    if source is None:
        return ("literal" if v.value else "none"), None, None, None
    if ref := source.secret_key_ref:
        return "secret", ref.name, ref.key, ref.optional
    if ref := source.config_map_key_ref:
        return "configMap", ref.name, ref.key, ref.optional
    if source.field_ref is not None:
        return "field", source.field_ref.field_path, None, None
    if source.resource_field_ref is not None:
        return "resource", source.resource_field_ref.resource, None, None
    return ("file" if source.file_key_ref is not None else "none"), None, None, None
