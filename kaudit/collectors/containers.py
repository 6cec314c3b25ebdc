"""Containers of pods and templates, with their ports and probes.

Nothing is inferred: what an object leaves unset is null.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from kaudit.collectors.workloads import PODS_AND_CONTROLLERS
from kaudit.model.container import Container, ContainerPort, Lifecycle, Probe, Resources
from kaudit.model.meta import Metadata
from kaudit.model.place import Place
from kaudit.model.pod import ContainerStatus, Pod, PodStatus
from kaudit.model.quantity import number, whole
from kaudit.model.security_context import SecurityContext
from kaudit.model.workload import (
    Controller,
    pod_of,
)
from kaudit.registry import collector
from kaudit.table import Row, Table, Trace, doc
from kaudit.tables.owned import CONTAINER_KEY


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


CONTAINERS = Table(
    "containers", ContainerRow, grain="one container of any type", key=CONTAINER_KEY, pods=True
)
PORTS = Table(
    "ports", PortRow, grain="one port of a container", key=(*CONTAINER_KEY, "position"), pods=True
)
PROBES = Table(
    "probes",
    ProbeRow,
    grain="one probe or lifecycle handler of a container",
    key=(*CONTAINER_KEY, "probe"),
    pods=True,
)


@collector(
    *PODS_AND_CONTROLLERS,
    tables=(CONTAINERS, PORTS, PROBES),
)
def containers(found: Pod | Controller, at: Place) -> list[Row]:
    """Rows of the containers of a pod; controllers give those of their template."""
    made = pod_of(found, orphan=at.orphan)
    if made is None:
        return []
    metadata, spec, status = made
    states = _states(status)
    rows: list[Row] = []
    for kind, position, c in spec.typed_containers:
        rows.append(_container(c, kind, position, states[kind].get(c.name or ""), metadata, at))
        for place, port in enumerate(c.ports or ()):
            rows.append(_port(port, place, kind, c, at))
        hooks = c.lifecycle or _NO_HOOKS
        for label, probe in (
            ("liveness", c.liveness_probe),
            ("readiness", c.readiness_probe),
            ("startup", c.startup_probe),
            ("postStart", hooks.post_start),
            ("preStop", hooks.pre_stop),
        ):
            if probe is not None:
                rows.append(_probe(label, probe, kind, c, at))
    return rows


_NO_CONTEXT, _NO_RESOURCES, _NO_HOOKS = SecurityContext(), Resources(), Lifecycle()


def _states(status: PodStatus) -> dict[str, dict[str, ContainerStatus]]:
    """Statuses by type and name of container."""
    first = {s.name: s for s in status.init_container_statuses or ()}
    return {
        "init": first,
        "sidecar": first,
        "regular": {s.name: s for s in status.container_statuses or ()},
        "ephemeral": {s.name: s for s in status.ephemeral_container_statuses or ()},
    }


def _container(
    c: Container,
    kind: str,
    position: int,
    status: ContainerStatus | None,
    metadata: Metadata,
    at: Place,
) -> ContainerRow:
    context = c.security_context or _NO_CONTEXT
    amounts = c.resources or _NO_RESOURCES
    limits, requests = amounts.limits or {}, amounts.requests or {}
    selinux, capabilities = context.se_linux_options, context.capabilities
    seccomp, apparmor = context.seccomp_profile, context.app_armor_profile
    name = c.name or ""
    noted = bool(metadata.annotations)
    state = status.state if status else None
    other = (state.waiting or state.terminated) if state else None
    return ContainerRow(
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


def _port(port: ContainerPort, position: int, kind: str, c: Container, at: Place) -> PortRow:
    return PortRow(
        raw=at.raw,
        raw_line=at.line,
        pod_uid=at.uid,
        namespace=at.namespace,
        pod=at.name,
        container=c.name or "",
        container_type=kind,
        position=position,
        port=port.container_port,
        port_name=port.name,
        protocol=port.protocol or "TCP",
        host_port=port.host_port,
        host_ip=port.host_ip,
    )


def _probe(label: str, probe: Probe, kind: str, c: Container, at: Place) -> ProbeRow:
    http, tcp, grpc = probe.http_get, probe.tcp_socket, probe.grpc
    port = http.port if http else tcp.port if tcp else grpc.port if grpc else None
    return ProbeRow(
        raw=at.raw,
        raw_line=at.line,
        pod_uid=at.uid,
        namespace=at.namespace,
        pod=at.name,
        container=c.name or "",
        container_type=kind,
        probe=label,
        handler=_handler(probe),
        host=(http.host if http else tcp.host if tcp else None) or None,
        port=None if port is None else str(port),
        path=http.path if http else None,
        scheme=http.scheme if http else None,
        command=(probe.exec.command or []) if probe.exec else [],
    )


def _handler(probe: Probe) -> str:
    if probe.exec is not None:
        return "exec"
    if probe.http_get is not None:
        return "httpGet"
    if probe.tcp_socket is not None:
        return "tcpSocket"
    return "none" if probe.grpc is None else "grpc"
