"""Pods, and the pods that workload templates would make, with their containers and parts.

Nothing is inferred: what an object leaves unset is null. Defaults, inheritance and owners
are the business of views.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from kaudit.model import pod as wire
from kaudit.model.meta import Metadata, OwnerReference
from kaudit.model.place import Place
from kaudit.model.quantity import number, whole
from kaudit.model.workload import BareTemplate, CronJob, LooseWorkload, Workload
from kaudit.registry import Read, collector
from kaudit.table import Row, Table, Trace, doc


class PodRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of the pod; for a template a stable stand-in")]
    namespace: Annotated[str, doc("namespace; default where a manifest names none")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    origin: Annotated[str, doc("object: a Pod object; template: what a controller would make")]
    kind: Annotated[str, doc("kind of the object read: Pod, Deployment, CronJob, …")]
    controller_kind: Annotated[str | None, doc("kind of the controlling owner; null: none")] = None
    controller_name: Annotated[str | None, doc("name of the controlling owner")] = None
    controller_uid: Annotated[str | None, doc("uid of the controlling owner")] = None
    mirror: Annotated[bool, doc("mirror of a static pod that a kubelet runs from a file")] = False
    labels: Annotated[list[str], doc("labels of the pod as sorted key=value")]
    annotation_keys: Annotated[list[str], doc("keys of its annotations, sorted")]
    created_at: Annotated[datetime | None, doc("creation time")] = None
    deleting: Annotated[bool, doc("deletion has been asked for")] = False
    phase: Annotated[str | None, doc("status.phase")] = None
    node: Annotated[str | None, doc("spec.nodeName")] = None
    pod_ips: Annotated[list[str], doc("status.podIPs")]
    started_at: Annotated[datetime | None, doc("status.startTime")] = None
    service_account: Annotated[str | None, doc("spec.serviceAccountName as written")] = None
    automount_token: Annotated[bool | None, doc("spec.automountServiceAccountToken as written")] = (
        None
    )
    host_network: Annotated[bool | None, doc("spec.hostNetwork")] = None
    host_pid: Annotated[bool | None, doc("spec.hostPID")] = None
    host_ipc: Annotated[bool | None, doc("spec.hostIPC")] = None
    host_users: Annotated[bool | None, doc("spec.hostUsers; false: own user namespace")] = None
    share_process_namespace: Annotated[bool | None, doc("spec.shareProcessNamespace")] = None
    os: Annotated[str | None, doc("spec.os.name")] = None
    runtime_class: Annotated[str | None, doc("spec.runtimeClassName")] = None
    priority_class: Annotated[str | None, doc("spec.priorityClassName")] = None
    restart_policy: Annotated[str | None, doc("spec.restartPolicy")] = None
    dns_policy: Annotated[str | None, doc("spec.dnsPolicy")] = None
    enable_service_links: Annotated[bool | None, doc("spec.enableServiceLinks")] = None
    run_as_non_root: Annotated[bool | None, doc("pod securityContext.runAsNonRoot")] = None
    run_as_user: Annotated[int | None, doc("pod securityContext.runAsUser")] = None
    run_as_group: Annotated[int | None, doc("pod securityContext.runAsGroup")] = None
    fs_group: Annotated[int | None, doc("pod securityContext.fsGroup")] = None
    supplemental_groups: Annotated[list[str], doc("pod securityContext.supplementalGroups")]
    supplemental_groups_policy: Annotated[str | None, doc("Merge or Strict")] = None
    sysctls: Annotated[list[str], doc("names of pod securityContext.sysctls, sorted")]
    seccomp_type: Annotated[str | None, doc("pod seccompProfile.type")] = None
    seccomp_profile: Annotated[str | None, doc("pod seccompProfile.localhostProfile")] = None
    seccomp_annotation: Annotated[
        str | None, doc("annotation seccomp.security.alpha.kubernetes.io/pod")
    ] = None
    apparmor_type: Annotated[str | None, doc("pod appArmorProfile.type")] = None
    apparmor_annotations: Annotated[
        list[str], doc("annotations container.apparmor.security.beta.kubernetes.io/* as name=value")
    ]
    selinux_type: Annotated[str | None, doc("pod seLinuxOptions.type")] = None
    selinux_user: Annotated[str | None, doc("pod seLinuxOptions.user")] = None
    selinux_role: Annotated[str | None, doc("pod seLinuxOptions.role")] = None
    windows_host_process: Annotated[bool | None, doc("pod windowsOptions.hostProcess")] = None
    cpu_request_cores: Annotated[float | None, doc("pod-level resources.requests.cpu")] = None
    cpu_limit_cores: Annotated[float | None, doc("pod-level resources.limits.cpu")] = None
    memory_request_bytes: Annotated[int | None, doc("pod-level resources.requests.memory")] = None
    memory_limit_bytes: Annotated[int | None, doc("pod-level resources.limits.memory")] = None
    node_selector: Annotated[list[str], doc("spec.nodeSelector as sorted key=value")]
    tolerations: Annotated[list[str], doc("key=value:effect; key is * for any")]
    topology_spread: Annotated[list[str], doc("topology keys of topologySpreadConstraints")]
    anti_affinity: Annotated[bool, doc("has affinity.podAntiAffinity")] = False
    host_aliases: Annotated[list[str], doc("names of spec.hostAliases")]
    image_pull_secrets: Annotated[list[str], doc("names of spec.imagePullSecrets")]
    last_applied: Annotated[
        bool, doc("carried the annotation last-applied-configuration, which was not read")
    ] = False


class ContainerRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of its pod")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    container: Annotated[str, doc("name of the container")]
    container_type: Annotated[str, doc("init, sidecar, regular or ephemeral")]
    position: Annotated[int, doc("place in its list, from 0")]
    image: Annotated[str | None, doc("image reference as written")] = None
    image_id: Annotated[str | None, doc("status imageID: what really runs")] = None
    image_pull_policy: Annotated[str | None, doc("imagePullPolicy as written")] = None
    command: Annotated[list[str], doc("command, credentials masked")]
    args: Annotated[list[str], doc("args, credentials masked")]
    privileged: Annotated[bool | None, doc("securityContext.privileged")] = None
    allow_privilege_escalation: Annotated[
        bool | None, doc("securityContext.allowPrivilegeEscalation")
    ] = None
    read_only_root_filesystem: Annotated[
        bool | None, doc("securityContext.readOnlyRootFilesystem")
    ] = None
    run_as_non_root: Annotated[bool | None, doc("securityContext.runAsNonRoot")] = None
    run_as_user: Annotated[int | None, doc("securityContext.runAsUser")] = None
    run_as_group: Annotated[int | None, doc("securityContext.runAsGroup")] = None
    capabilities_add: Annotated[list[str], doc("capabilities.add as written")]
    capabilities_drop: Annotated[list[str], doc("capabilities.drop as written")]
    proc_mount: Annotated[str | None, doc("securityContext.procMount")] = None
    seccomp_type: Annotated[str | None, doc("seccompProfile.type")] = None
    seccomp_profile: Annotated[str | None, doc("seccompProfile.localhostProfile")] = None
    seccomp_annotation: Annotated[
        str | None, doc("annotation container.seccomp.security.alpha.kubernetes.io/NAME")
    ] = None
    apparmor_type: Annotated[str | None, doc("appArmorProfile.type")] = None
    apparmor_annotation: Annotated[
        str | None, doc("annotation container.apparmor.security.beta.kubernetes.io/NAME")
    ] = None
    selinux_type: Annotated[str | None, doc("seLinuxOptions.type")] = None
    selinux_user: Annotated[str | None, doc("seLinuxOptions.user")] = None
    selinux_role: Annotated[str | None, doc("seLinuxOptions.role")] = None
    windows_host_process: Annotated[bool | None, doc("windowsOptions.hostProcess")] = None
    cpu_request_cores: Annotated[float | None, doc("resources.requests.cpu")] = None
    cpu_limit_cores: Annotated[float | None, doc("resources.limits.cpu")] = None
    memory_request_bytes: Annotated[int | None, doc("resources.requests.memory")] = None
    memory_limit_bytes: Annotated[int | None, doc("resources.limits.memory")] = None
    storage_request_bytes: Annotated[int | None, doc("resources.requests.ephemeral-storage")] = None
    storage_limit_bytes: Annotated[int | None, doc("resources.limits.ephemeral-storage")] = None
    liveness_probe: Annotated[bool, doc("has a livenessProbe")] = False
    readiness_probe: Annotated[bool, doc("has a readinessProbe")] = False
    startup_probe: Annotated[bool, doc("has a startupProbe")] = False
    host_ports: Annotated[list[str], doc("host ports above 0 as written")]
    target_container: Annotated[str | None, doc("targetContainerName of an ephemeral one")] = None
    stdin: Annotated[bool | None, doc("stdin")] = None
    tty: Annotated[bool | None, doc("tty")] = None
    ready: Annotated[bool | None, doc("status ready")] = None
    restarts: Annotated[int | None, doc("status restartCount")] = None
    container_id: Annotated[str | None, doc("status containerID")] = None
    started_at: Annotated[datetime | None, doc("status state.running.startedAt")] = None
    state: Annotated[str | None, doc("running, or the reason of waiting or terminated")] = None


class VolumeRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of its pod")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    volume: Annotated[str, doc("name of the volume")]
    source: Annotated[str, doc("source as in the API: hostPath, emptyDir, secret, …")]
    reference: Annotated[
        str | None, doc("name of the Secret, ConfigMap, claim, driver or image that it shows")
    ] = None
    path: Annotated[str | None, doc("hostPath.path as written")] = None
    path_type: Annotated[str | None, doc("hostPath.type")] = None
    medium: Annotated[str | None, doc("emptyDir.medium")] = None
    size_limit_bytes: Annotated[int | None, doc("emptyDir.sizeLimit")] = None


class ProjectionRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of its pod")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    volume: Annotated[str, doc("name of the projected volume")]
    position: Annotated[int, doc("place among the sources, from 0")]
    source: Annotated[str, doc("serviceAccountToken, secret, configMap, downwardAPI, …")]
    reference: Annotated[str | None, doc("name of the Secret or ConfigMap")] = None
    audience: Annotated[str | None, doc("audience of a token; null: the API server")] = None
    expiration_seconds: Annotated[int | None, doc("expirationSeconds of a token")] = None


class MountRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of its pod")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    container: Annotated[str, doc("name of the container")]
    container_type: Annotated[str, doc("init, sidecar, regular or ephemeral")]
    volume: Annotated[str, doc("name of the volume")]
    mount_path: Annotated[str, doc("path in the container, or device path")]
    sub_path: Annotated[str | None, doc("subPath or subPathExpr")] = None
    read_only: Annotated[bool | None, doc("readOnly as written")] = None
    recursive_read_only: Annotated[str | None, doc("recursiveReadOnly")] = None
    propagation: Annotated[str | None, doc("mountPropagation")] = None
    device: Annotated[bool, doc("a block device of volumeDevices")] = False


class EnvRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of its pod")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
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


class PortRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of its pod")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    container: Annotated[str, doc("name of the container")]
    container_type: Annotated[str, doc("init, sidecar, regular or ephemeral")]
    position: Annotated[int, doc("place in ports, from 0")]
    port: Annotated[int | None, doc("containerPort")] = None
    port_name: Annotated[str | None, doc("name of the port")] = None
    protocol: Annotated[str, doc("TCP, UDP or SCTP; TCP where unset")] = "TCP"
    host_port: Annotated[int | None, doc("hostPort")] = None
    host_ip: Annotated[str | None, doc("hostIP")] = None


class ProbeRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of its pod")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    container: Annotated[str, doc("name of the container")]
    container_type: Annotated[str, doc("init, sidecar, regular or ephemeral")]
    probe: Annotated[str, doc("liveness, readiness, startup, postStart or preStop")]
    handler: Annotated[str, doc("exec, httpGet, tcpSocket, grpc or none")]
    host: Annotated[str | None, doc("host of httpGet or tcpSocket as written")] = None
    port: Annotated[str | None, doc("port as written")] = None
    path: Annotated[str | None, doc("path of httpGet")] = None
    scheme: Annotated[str | None, doc("scheme of httpGet")] = None
    command: Annotated[list[str], doc("command of exec, credentials masked")]


_OF_POD = ("namespace", "pod", "pod_uid")
_OF_CONTAINER = (*_OF_POD, "container_type", "container")

PODS = Table("pods", PodRow, grain="one pod or pod template", key=_OF_POD, pods=True)
CONTAINERS = Table(
    "containers", ContainerRow, grain="one container of any type", key=_OF_CONTAINER, pods=True
)
VOLUMES = Table(
    "volumes", VolumeRow, grain="one volume of a pod", key=(*_OF_POD, "volume"), pods=True
)
PROJECTIONS = Table(
    "projections",
    ProjectionRow,
    grain="one source of a projected volume",
    key=(*_OF_POD, "volume", "position"),
    pods=True,
)
MOUNTS = Table(
    "mounts",
    MountRow,
    grain="one mount of a volume in a container",
    key=(*_OF_CONTAINER, "mount_path"),
    pods=True,
)
ENV = Table(
    "env",
    EnvRow,
    grain="one environment variable or envFrom of a container; never its value",
    key=(*_OF_CONTAINER, "position"),
    pods=True,
)
PORTS = Table(
    "ports", PortRow, grain="one port of a container", key=(*_OF_CONTAINER, "position"), pods=True
)
PROBES = Table(
    "probes",
    ProbeRow,
    grain="one probe or lifecycle handler of a container",
    key=(*_OF_CONTAINER, "probe"),
    pods=True,
)

#: Controllers whose template stands for the pods of what they own in turn.
_EXPANDED_OWNERS = {"Deployment", "DeploymentConfig", "CronJob"}


@collector(
    Read("", "Pod", "pods", wire.Pod),
    Read("apps", "Deployment", "deployments", Workload, ("v1", "v1beta2", "v1beta1")),
    Read("apps", "ReplicaSet", "replicasets", Workload, ("v1", "v1beta2")),
    Read("apps", "StatefulSet", "statefulsets", Workload, ("v1", "v1beta2", "v1beta1")),
    Read("apps", "DaemonSet", "daemonsets", Workload, ("v1", "v1beta2")),
    Read("batch", "Job", "jobs", Workload),
    Read("batch", "CronJob", "cronjobs", CronJob, ("v1", "v1beta1")),
    Read("", "ReplicationController", "replicationcontrollers", LooseWorkload),
    Read("", "PodTemplate", "podtemplates", BareTemplate),
    Read("apps.openshift.io", "DeploymentConfig", "deploymentconfigs", LooseWorkload),
    tables=(PODS, CONTAINERS, VOLUMES, PROJECTIONS, MOUNTS, ENV, PORTS, PROBES),
)
def pods(
    found: wire.Pod | Workload | CronJob | LooseWorkload | BareTemplate, at: Place
) -> Iterator[Row]:
    """Yield a pod and its parts; controllers give the pod of their template."""
    if isinstance(found, wire.Pod):
        yield from _pod(found.metadata, found.spec, found.status, at, found.metadata.controller)
        return
    owner = found.metadata.controller
    if owner is not None and owner.kind in _EXPANDED_OWNERS:
        return
    if isinstance(found, CronJob):
        template = found.spec.job_template.spec.template
    elif isinstance(found, BareTemplate):
        template = found.template
    else:
        template = found.spec.template
    if template is not None:
        yield from _pod(template.metadata, template.spec, wire.PodStatus(), at, owner)


def _pod(
    metadata: Metadata,
    spec: wire.PodSpec,
    status: wire.PodStatus,
    at: Place,
    owner: OwnerReference | None,
) -> Iterator[Row]:
    context = spec.security_context or _NO_POD_CONTEXT
    limits, requests = _amounts(spec.resources)
    selinux = context.se_linux_options
    seccomp, apparmor = context.seccomp_profile, context.app_armor_profile
    template = at.kind != "Pod"
    yield PodRow(
        raw=at.raw,
        raw_line=at.line,
        pod_uid=at.uid,
        namespace=at.namespace,
        pod=at.name,
        origin="template" if template else "object",
        kind=at.kind,
        controller_kind=owner.kind if owner else None,
        controller_name=owner.name if owner else None,
        controller_uid=owner.uid if owner else None,
        mirror=not template and metadata.annotation("kubernetes.io/config.mirror") is not None,
        labels=metadata.label_texts,
        annotation_keys=metadata.annotation_keys,
        created_at=metadata.creation_timestamp,
        deleting=metadata.deletion_timestamp is not None,
        phase=status.phase,
        node=spec.node_name,
        pod_ips=[ip.ip for ip in status.pod_ips or () if ip.ip]
        or ([status.pod_ip] if status.pod_ip else []),
        started_at=status.start_time,
        service_account=spec.service_account_name or spec.service_account,
        automount_token=spec.automount_service_account_token,
        host_network=spec.host_network,
        host_pid=spec.host_pid,
        host_ipc=spec.host_ipc,
        host_users=spec.host_users,
        share_process_namespace=spec.share_process_namespace,
        os=spec.os.name if spec.os else None,
        runtime_class=spec.runtime_class_name,
        priority_class=spec.priority_class_name,
        restart_policy=spec.restart_policy,
        dns_policy=spec.dns_policy,
        enable_service_links=spec.enable_service_links,
        run_as_non_root=context.run_as_non_root,
        run_as_user=context.run_as_user,
        run_as_group=context.run_as_group,
        fs_group=context.fs_group,
        supplemental_groups=[str(g) for g in context.supplemental_groups or ()],
        supplemental_groups_policy=context.supplemental_groups_policy,
        sysctls=sorted(s.name for s in context.sysctls or ()),
        seccomp_type=seccomp.type if seccomp else None,
        seccomp_profile=seccomp.localhost_profile if seccomp else None,
        seccomp_annotation=metadata.annotation("seccomp.security.alpha.kubernetes.io/pod"),
        apparmor_type=apparmor.type if apparmor else None,
        apparmor_annotations=_apparmor(metadata) if metadata.annotations else [],
        selinux_type=selinux.type if selinux else None,
        selinux_user=selinux.user if selinux else None,
        selinux_role=selinux.role if selinux else None,
        windows_host_process=context.windows_options.host_process
        if context.windows_options
        else None,
        cpu_request_cores=number(requests.get("cpu")),
        cpu_limit_cores=number(limits.get("cpu")),
        memory_request_bytes=whole(requests.get("memory")),
        memory_limit_bytes=whole(limits.get("memory")),
        node_selector=sorted(f"{k}={v or ''}" for k, v in (spec.node_selector or {}).items()),
        tolerations=[
            f"{t.key or '*'}={t.value or ''}:{t.effect or '*'}" for t in spec.tolerations or ()
        ],
        topology_spread=[s.topology_key or "" for s in spec.topology_spread_constraints or ()],
        anti_affinity=bool(spec.affinity and spec.affinity.pod_anti_affinity is not None),
        host_aliases=[n for a in spec.host_aliases or () for n in a.hostnames or ()],
        image_pull_secrets=[s.name or "" for s in spec.image_pull_secrets or ()],
        last_applied=bool(metadata.last_applied),
    )
    for volume in spec.volumes or ():
        yield from _volume(volume, at)
    for containers, statuses, fallback in (
        (spec.init_containers, status.init_container_statuses, "init"),
        (spec.containers, status.container_statuses, "regular"),
        (spec.ephemeral_containers, status.ephemeral_container_statuses, "ephemeral"),
    ):
        if containers:
            state = {s.name: s for s in statuses or ()}
            for position, container in enumerate(containers):
                sidecar = fallback == "init" and container.restart_policy == "Always"
                yield from _container(
                    container,
                    "sidecar" if sidecar else fallback,
                    position,
                    state.get(container.name or ""),
                    metadata,
                    at,
                )


_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def _apparmor(metadata: Metadata) -> list[str]:
    keys = (key for key in metadata.annotation_keys if key.startswith(_APPARMOR))
    return [f"{key[len(_APPARMOR) :]}={metadata.annotation(key) or ''}" for key in keys]


_NO_POD_CONTEXT = wire.PodSecurityContext()
_NO_CONTEXT = wire.SecurityContext()
_NOTHING: dict[str, wire.Quantity | None] = {}


def _amounts(
    resources: wire.Resources | None,
) -> tuple[dict[str, wire.Quantity | None], dict[str, wire.Quantity | None]]:
    if resources is None:
        return _NOTHING, _NOTHING
    return resources.limits or _NOTHING, resources.requests or _NOTHING


def _container(
    c: wire.Container,
    kind: str,
    position: int,
    status: wire.ContainerStatus | None,
    metadata: Metadata,
    at: Place,
) -> Iterator[Row]:
    context = c.security_context or _NO_CONTEXT
    limits, requests = _amounts(c.resources)
    selinux, capabilities = context.se_linux_options, context.capabilities
    seccomp, apparmor = context.seccomp_profile, context.app_armor_profile
    name = c.name or ""
    noted = bool(metadata.annotations)
    state = status.state if status else None
    other = (state.waiting or state.terminated) if state else None
    yield ContainerRow(
        raw=at.raw,
        raw_line=at.line,
        pod_uid=at.uid,
        namespace=at.namespace,
        pod=at.name,
        container=name,
        container_type=kind,
        position=position,
        image=c.image,
        image_id=(status.image_id or None) if status else None,
        image_pull_policy=c.image_pull_policy,
        command=c.command or [],
        args=c.args or [],
        privileged=context.privileged,
        allow_privilege_escalation=context.allow_privilege_escalation,
        read_only_root_filesystem=context.read_only_root_filesystem,
        run_as_non_root=context.run_as_non_root,
        run_as_user=context.run_as_user,
        run_as_group=context.run_as_group,
        capabilities_add=(capabilities.add or []) if capabilities else [],
        capabilities_drop=(capabilities.drop or []) if capabilities else [],
        proc_mount=context.proc_mount,
        seccomp_type=seccomp.type if seccomp else None,
        seccomp_profile=seccomp.localhost_profile if seccomp else None,
        seccomp_annotation=metadata.annotation(
            f"container.seccomp.security.alpha.kubernetes.io/{name}"
        )
        if noted
        else None,
        apparmor_type=apparmor.type if apparmor else None,
        apparmor_annotation=metadata.annotation(
            f"container.apparmor.security.beta.kubernetes.io/{name}"
        )
        if noted
        else None,
        selinux_type=selinux.type if selinux else None,
        selinux_user=selinux.user if selinux else None,
        selinux_role=selinux.role if selinux else None,
        windows_host_process=context.windows_options.host_process
        if context.windows_options
        else None,
        cpu_request_cores=number(requests.get("cpu")),
        cpu_limit_cores=number(limits.get("cpu")),
        memory_request_bytes=whole(requests.get("memory")),
        memory_limit_bytes=whole(limits.get("memory")),
        storage_request_bytes=whole(requests.get("ephemeral-storage")),
        storage_limit_bytes=whole(limits.get("ephemeral-storage")),
        liveness_probe=c.liveness_probe is not None,
        readiness_probe=c.readiness_probe is not None,
        startup_probe=c.startup_probe is not None,
        host_ports=[str(p.host_port) for p in c.ports or () if p.host_port],
        target_container=c.target_container_name,
        stdin=c.stdin,
        tty=c.tty,
        ready=status.ready if status else None,
        restarts=status.restart_count if status else None,
        container_id=(status.container_id or None) if status else None,
        started_at=state.running.started_at if state and state.running else None,
        state="running" if state and state.running else (other.reason if other else None),
    )
    yield from _parts(c, kind, name, at)


def _parts(c: wire.Container, kind: str, name: str, at: Place) -> Iterator[Row]:
    base = {
        "raw": at.raw,
        "raw_line": at.line,
        "pod_uid": at.uid,
        "namespace": at.namespace,
        "pod": at.name,
        "container": name,
        "container_type": kind,
    }
    for mount in c.volume_mounts or ():
        yield MountRow(
            raw=at.raw,
            raw_line=at.line,
            pod_uid=at.uid,
            namespace=at.namespace,
            pod=at.name,
            container=name,
            container_type=kind,
            volume=mount.name,
            mount_path=mount.mount_path or "",
            sub_path=mount.sub_path or mount.sub_path_expr,
            read_only=mount.read_only,
            recursive_read_only=mount.recursive_read_only,
            propagation=mount.mount_propagation,
        )
    for device in c.volume_devices or ():
        path = device.device_path or ""
        yield MountRow(**base, volume=device.name, mount_path=path, device=True)
    for position, port in enumerate(c.ports or ()):
        yield PortRow(
            **base,
            position=position,
            port=port.container_port,
            port_name=port.name,
            protocol=port.protocol or "TCP",
            host_port=port.host_port,
            host_ip=port.host_ip,
        )
    for position, variable in enumerate(c.env or ()):
        source, reference, key, optional = _env_source(variable)
        yield EnvRow(
            raw=at.raw,
            raw_line=at.line,
            pod_uid=at.uid,
            namespace=at.namespace,
            pod=at.name,
            container=name,
            container_type=kind,
            position=position,
            variable=variable.name,
            source=source,
            reference=reference,
            key=key,
            optional=optional,
            verdict=variable.verdict,
        )
    for position, bulk in enumerate(c.env_from or (), start=len(c.env or ())):
        ref = bulk.secret_ref or bulk.config_map_ref
        yield EnvRow(
            **base,
            position=position,
            variable=f"{bulk.prefix or ''}*",
            source="secret" if bulk.secret_ref else "configMap" if bulk.config_map_ref else "none",
            whole=True,
            reference=ref.name if ref else None,
            optional=ref.optional if ref else None,
        )
    hooks = c.lifecycle
    for label, probe in (
        ("liveness", c.liveness_probe),
        ("readiness", c.readiness_probe),
        ("startup", c.startup_probe),
        ("postStart", hooks.post_start if hooks else None),
        ("preStop", hooks.pre_stop if hooks else None),
    ):
        if probe is not None:
            yield _probe(label, probe, base)


def _probe(label: str, probe: wire.Probe, base: dict[str, str | int]) -> ProbeRow:
    handlers = (
        ("exec", probe.exec),
        ("httpGet", probe.http_get),
        ("tcpSocket", probe.tcp_socket),
        ("grpc", probe.grpc),
    )
    handler = next((n for n, h in handlers if h is not None), "none")
    http, tcp, grpc = probe.http_get, probe.tcp_socket, probe.grpc
    port = http.port if http else tcp.port if tcp else grpc.port if grpc else None
    return ProbeRow(
        **base,  # type: ignore[arg-type]  # the same seven columns for every part
        probe=label,
        handler=handler,
        host=(http.host if http else tcp.host if tcp else None) or None,
        port=None if port is None else str(port),
        path=http.path if http else None,
        scheme=http.scheme if http else None,
        command=(probe.exec.command or []) if probe.exec else [],
    )


def _env_source(v: wire.EnvVar) -> tuple[str, str | None, str | None, bool | None]:
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


def _volume(v: wire.Volume, at: Place) -> Iterator[Row]:
    source = v.source
    references = {
        "secret": lambda: v.secret and v.secret.secret_name,
        "configMap": lambda: v.config_map and v.config_map.name,
        "persistentVolumeClaim": lambda: (
            v.persistent_volume_claim and v.persistent_volume_claim.claim_name
        ),
        "csi": lambda: v.csi and v.csi.driver,
        "image": lambda: v.image and v.image.reference,
    }
    refer = references.get(source)
    yield VolumeRow(
        raw=at.raw,
        raw_line=at.line,
        pod_uid=at.uid,
        namespace=at.namespace,
        pod=at.name,
        volume=v.name,
        source=source,
        reference=(refer() or None) if refer else None,
        path=v.host_path.path if v.host_path else None,
        path_type=(v.host_path.type or None) if v.host_path else None,
        medium=(v.empty_dir.medium or None) if v.empty_dir else None,
        size_limit_bytes=whole(v.empty_dir.size_limit) if v.empty_dir else None,
    )
    if v.projected is None:
        return
    for position, part in enumerate(v.projected.sources or ()):
        token, named = part.service_account_token, part.secret or part.config_map
        yield ProjectionRow(
            raw=at.raw,
            raw_line=at.line,
            pod_uid=at.uid,
            namespace=at.namespace,
            pod=at.name,
            volume=v.name,
            position=position,
            source=_projection_source(part),
            reference=named.name if named else None,
            audience=(token.audience or None) if token else None,
            expiration_seconds=token.expiration_seconds if token else None,
        )


def _projection_source(part: wire.Projection) -> str:
    sources = (
        ("serviceAccountToken", part.service_account_token),
        ("secret", part.secret),
        ("configMap", part.config_map),
        ("downwardAPI", part.downward_api),
        ("clusterTrustBundle", part.cluster_trust_bundle),
        ("podCertificate", part.pod_certificate),
    )
    return next((name for name, value in sources if value is not None), "none")
