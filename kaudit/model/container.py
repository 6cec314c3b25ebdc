"""Containers as they arrive on the wire (core v1, up to 1.37)."""

from __future__ import annotations

import msgspec
from msgspec import Raw, field

from kaudit.model.credential import masked, masked_arguments, verdict
from kaudit.model.meta import ABSENT, REDACTED, Int, IntOrText, NamedRef, Opaque, Part, Quantity
from kaudit.model.security_context import SecurityContext

#: Hashes of variables that were looked at and are no credential: many pods have the same.
_harmless: set[int] = set()
_MOST = 65536


class KeySelector(Part):
    """secretKeyRef, configMapKeyRef."""

    name: str | None = None
    key: str = ""
    optional: bool | None = None


class FieldSelector(Part):
    """fieldRef, resourceFieldRef: only that it is used and of what."""

    field_path: str | None = None
    resource: str | None = None


class EnvSource(Part):
    """env[].valueFrom."""

    secret_key_ref: KeySelector | None = None
    config_map_key_ref: KeySelector | None = None
    field_ref: FieldSelector | None = None
    resource_field_ref: FieldSelector | None = None
    file_key_ref: Opaque | None = None


class EnvVar(Part):
    """env[]; the literal is judged while decoding and never kept."""

    name: str = ""
    value: Raw = ABSENT
    value_from: EnvSource | None = None
    verdict: str = ""

    def __post_init__(self) -> None:
        if self.value is ABSENT or self.value == REDACTED:
            return
        seen = hash((self.name, bytes(self.value)))
        if seen in _harmless:
            self.value = REDACTED
            return
        text = msgspec.json.decode(self.value)
        self.verdict = verdict(self.name, text) if isinstance(text, str) else ""
        self.value = REDACTED if text else ABSENT
        if text and not self.verdict and len(_harmless) < _MOST:
            _harmless.add(seen)


class EnvFrom(Part):
    """envFrom[]."""

    prefix: str | None = None
    secret_ref: NamedRef | None = None
    config_map_ref: NamedRef | None = None


class ContainerPort(Part):
    """ports[]."""

    name: str | None = None
    container_port: Int | None = None
    host_port: Int | None = None
    host_ip: str | None = field(default=None, name="hostIP")
    protocol: str | None = None


class Resources(Part):
    """resources of a container or pod."""

    requests: dict[str, Quantity | None] | None = None
    limits: dict[str, Quantity | None] | None = None


class Exec(Part):
    """exec handler."""

    command: list[str] | None = None

    def __post_init__(self) -> None:
        if self.command:
            self.command = masked_arguments(self.command)


class HttpGet(Part):
    """httpGet handler."""

    host: str | None = None
    path: str | None = None
    port: IntOrText | None = None
    scheme: str | None = None

    def __post_init__(self) -> None:
        if self.path and "=" in self.path:
            self.path = masked(self.path)


class TcpSocket(Part):
    """tcpSocket handler."""

    host: str | None = None
    port: IntOrText | None = None


class Grpc(Part):
    """grpc handler."""

    port: Int | None = None
    service: str | None = None


class Probe(Part):
    """A probe, or a lifecycle handler."""

    exec: Exec | None = None
    http_get: HttpGet | None = None
    tcp_socket: TcpSocket | None = None
    grpc: Grpc | None = None
    initial_delay_seconds: Int | None = None
    period_seconds: Int | None = None
    timeout_seconds: Int | None = None
    failure_threshold: Int | None = None


class Lifecycle(Part):
    """lifecycle hooks."""

    post_start: Probe | None = None
    pre_stop: Probe | None = None


class VolumeMount(Part):
    """volumeMounts[]."""

    name: str = ""
    mount_path: str | None = None
    sub_path: str | None = None
    sub_path_expr: str | None = None
    read_only: bool | None = None
    recursive_read_only: str | None = None
    mount_propagation: str | None = None


class VolumeDevice(Part):
    """volumeDevices[]."""

    name: str = ""
    device_path: str | None = None


class Container(Part):
    """A container of any type."""

    name: str | None = None
    image: str | None = None
    image_pull_policy: str | None = None
    command: list[str] | None = None
    args: list[str] | None = None
    env: list[EnvVar] | None = None
    env_from: list[EnvFrom] | None = None
    ports: list[ContainerPort] | None = None
    resources: Resources | None = None
    security_context: SecurityContext | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None
    lifecycle: Lifecycle | None = None
    volume_mounts: list[VolumeMount] | None = None
    volume_devices: list[VolumeDevice] | None = None
    restart_policy: str | None = None
    target_container_name: str | None = None
    stdin: bool | None = None
    tty: bool | None = None

    def __post_init__(self) -> None:
        if self.command:
            self.command = masked_arguments(self.command)
        if self.args:
            self.args = masked_arguments(self.args)
