"""Pods and pod templates as they arrive on the wire (core v1, up to 1.37)."""

from __future__ import annotations

import msgspec
from msgspec import Raw, field

from kaudit.model.credential import masked, masked_arguments, verdict
from kaudit.model.meta import (
    Int,
    IntOrText,
    LabelSelector,
    Metadata,
    Opaque,
    Part,
    Quantity,
    Resource,
    Time,
)

_REDACTED = Raw(b'"[redacted]"')
_ABSENT = Raw(b"")


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
    value: Raw = _ABSENT
    value_from: EnvSource | None = None
    verdict: str = ""

    def __post_init__(self) -> None:
        if self.value is not _ABSENT and self.value != _REDACTED:
            text = msgspec.json.decode(self.value)
            self.verdict = verdict(self.name, text) if isinstance(text, str) else ""
            self.value = _REDACTED if text else _ABSENT


class NamedRef(Part):
    """A reference by name."""

    name: str | None = None
    optional: bool | None = None


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


class Capabilities(Part):
    """securityContext.capabilities."""

    add: list[str] | None = None
    drop: list[str] | None = None


class Profile(Part):
    """seccompProfile, appArmorProfile."""

    type: str | None = None
    localhost_profile: str | None = None


class SELinux(Part):
    """seLinuxOptions."""

    type: str | None = None
    user: str | None = None
    role: str | None = None
    level: str | None = None


class WindowsOptions(Part):
    """windowsOptions."""

    host_process: bool | None = None
    run_as_user_name: str | None = None


class SecurityContext(Part):
    """A container's securityContext."""

    privileged: bool | None = None
    allow_privilege_escalation: bool | None = None
    read_only_root_filesystem: bool | None = None
    run_as_non_root: bool | None = None
    run_as_user: Int | None = None
    run_as_group: Int | None = None
    proc_mount: str | None = None
    capabilities: Capabilities | None = None
    seccomp_profile: Profile | None = None
    app_armor_profile: Profile | None = None
    se_linux_options: SELinux | None = None
    windows_options: WindowsOptions | None = None


class Sysctl(Part):
    """securityContext.sysctls[]."""

    name: str = ""
    value: str | None = None


class PodSecurityContext(Part):
    """A pod's securityContext."""

    run_as_non_root: bool | None = None
    run_as_user: Int | None = None
    run_as_group: Int | None = None
    fs_group: Int | None = None
    supplemental_groups: list[int] | None = None
    supplemental_groups_policy: str | None = None
    sysctls: list[Sysctl] | None = None
    seccomp_profile: Profile | None = None
    app_armor_profile: Profile | None = None
    se_linux_options: SELinux | None = None
    windows_options: WindowsOptions | None = None


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


class Toleration(Part):
    """tolerations[]."""

    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None


class Spread(Part):
    """topologySpreadConstraints[]."""

    max_skew: Int | None = None
    topology_key: str | None = None
    when_unsatisfiable: str | None = None
    label_selector: LabelSelector | None = None


class Affinity(Part):
    """affinity, as far as it spreads pods."""

    pod_anti_affinity: Opaque | None = None
    node_affinity: Opaque | None = None


class PodOS(Part):
    """os."""

    name: str | None = None


class HostAlias(Part):
    """hostAliases[]."""

    ip: str | None = None
    hostnames: list[str] | None = None


class PodSpec(Part):
    """spec of a pod or of a template."""

    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    ephemeral_containers: list[Container] | None = None
    volumes: list[Volume] | None = None
    security_context: PodSecurityContext | None = None
    service_account_name: str | None = None
    service_account: str | None = None
    automount_service_account_token: bool | None = None
    host_network: bool | None = None
    host_pid: bool | None = field(default=None, name="hostPID")
    host_ipc: bool | None = field(default=None, name="hostIPC")
    host_users: bool | None = None
    share_process_namespace: bool | None = None
    node_name: str | None = None
    node_selector: dict[str, str | None] | None = None
    os: PodOS | None = None
    runtime_class_name: str | None = None
    priority_class_name: str | None = None
    restart_policy: str | None = None
    dns_policy: str | None = None
    enable_service_links: bool | None = None
    image_pull_secrets: list[NamedRef] | None = None
    resources: Resources | None = None
    tolerations: list[Toleration] | None = None
    topology_spread_constraints: list[Spread] | None = None
    affinity: Affinity | None = None
    host_aliases: list[HostAlias] | None = None
    termination_grace_period_seconds: Int | None = None

    @property
    def typed_containers(self) -> list[tuple[str, int, Container]]:
        """All containers with their type (init, sidecar, regular, ephemeral) and place."""
        found = [("regular", at, c) for at, c in enumerate(self.containers or ())]
        for at, c in enumerate(self.init_containers or ()):
            found.append(("sidecar" if c.restart_policy == "Always" else "init", at, c))
        if self.ephemeral_containers:
            found += [("ephemeral", at, c) for at, c in enumerate(self.ephemeral_containers)]
        return found


class Running(Part):
    """status.containerStatuses[].state.running."""

    started_at: Time | None = None


class Waiting(Part):
    """status.containerStatuses[].state.waiting or terminated."""

    reason: str | None = None


class ContainerState(Part):
    """status.containerStatuses[].state."""

    running: Running | None = None
    waiting: Waiting | None = None
    terminated: Waiting | None = None


class ContainerStatus(Part):
    """status.containerStatuses[]."""

    name: str = ""
    image: str | None = None
    image_id: str | None = field(default=None, name="imageID")
    container_id: str | None = field(default=None, name="containerID")
    ready: bool | None = None
    restart_count: Int | None = None
    state: ContainerState | None = None


class PodIP(Part):
    """status.podIPs[]."""

    ip: str | None = None


class PodStatus(Part):
    """status of a pod."""

    phase: str | None = None
    pod_ip: str | None = field(default=None, name="podIP")
    pod_ips: list[PodIP] | None = field(default=None, name="podIPs")
    host_ip: str | None = field(default=None, name="hostIP")
    start_time: Time | None = None
    qos_class: str | None = None
    container_statuses: list[ContainerStatus] | None = None
    init_container_statuses: list[ContainerStatus] | None = None
    ephemeral_container_statuses: list[ContainerStatus] | None = None


class Pod(Resource):
    """core v1 Pod."""

    spec: PodSpec = field(default_factory=PodSpec)
    status: PodStatus = field(default_factory=PodStatus)


class PodTemplate(Part):
    """A controller's template."""

    metadata: Metadata = field(default_factory=Metadata)
    spec: PodSpec = field(default_factory=PodSpec)
