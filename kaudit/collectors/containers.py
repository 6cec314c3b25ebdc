"""Containers of pods and templates.

Nothing is inferred: what an object leaves unset is null.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from kaudit.collectors.confinement import bound, confine
from kaudit.collectors.workloads import PODS_AND_CONTROLLERS
from kaudit.model.container import Container
from kaudit.model.meta import Metadata
from kaudit.model.place import Place
from kaudit.model.pod import ContainerStatus, PodSpec, PodStatus
from kaudit.model.quantity import whole
from kaudit.model.security_context import SecurityContext
from kaudit.model.workload import PodOf
from kaudit.registry import collector
from kaudit.table import Row, Table, doc
from kaudit.tables.owned import CONTAINER_KEY, OfSpec


class ContainerRow(OfSpec, kw_only=True):
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


class StateRow(Row, kw_only=True):
    """What a container does not have from the spec of its pod."""

    image_id: str | None = None
    seccomp_annotation: str | None = None
    apparmor_annotation: str | None = None
    ready: bool | None = None
    restarts: int | None = None
    container_id: str | None = None
    started_at: datetime | None = None
    state: str | None = None


CONTAINERS = Table(
    "containers", ContainerRow, grain="one container of any type", key=CONTAINER_KEY, pods=True
)


def states(made: PodOf, _: Place) -> list[Row]:
    """Rows of what the annotations and the status of a pod tell of its containers."""
    statuses = _statuses(made.status)
    return [
        _state(c.name or "", statuses[kind].get(c.name or ""), made.metadata)
        for kind, _, c in made.spec.typed_containers
    ]


@collector(*PODS_AND_CONTROLLERS, tables=(CONTAINERS,), of_spec=True, own=states)
def containers(spec: PodSpec) -> list[Row]:
    """Rows of the containers of a pod."""
    return [_container(c, kind, position) for kind, position, c in spec.typed_containers]


_NO_CONTEXT = SecurityContext()
_SECCOMP = "container.seccomp.security.alpha.kubernetes.io/"
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def _statuses(status: PodStatus) -> dict[str, dict[str, ContainerStatus]]:
    """Statuses by type and name of container."""
    first = {s.name: s for s in status.init_container_statuses or ()}
    return {
        "init": first,
        "sidecar": first,
        "regular": {s.name: s for s in status.container_statuses or ()},
        "ephemeral": {s.name: s for s in status.ephemeral_container_statuses or ()},
    }


def _state(name: str, status: ContainerStatus | None, metadata: Metadata) -> StateRow:
    row = StateRow()
    if metadata.annotations:
        row.seccomp_annotation = metadata.annotation(f"{_SECCOMP}{name}")
        row.apparmor_annotation = metadata.annotation(f"{_APPARMOR}{name}")
    if status is not None:
        row.image_id, row.container_id = status.image_id or None, status.container_id or None
        row.ready, row.restarts = status.ready, status.restart_count
        if status.state is not None:
            running, other = status.state.running, status.state.waiting or status.state.terminated
            row.started_at = running.started_at if running else None
            row.state = "running" if running else (other.reason if other else None)
    return row


def _container(c: Container, kind: str, position: int) -> ContainerRow:
    context = c.security_context or _NO_CONTEXT
    capabilities = context.capabilities
    row = ContainerRow(
        container=c.name or "",
        container_type=kind,
        position=position,
        image=c.image,
        image_pull_policy=c.image_pull_policy,
        command=c.command or [],
        args=c.args or [],
        privileged=context.privileged,
        allow_privilege_escalation=context.allow_privilege_escalation,
        read_only_root_filesystem=context.read_only_root_filesystem,
        capabilities_add=(capabilities.add or []) if capabilities else [],
        capabilities_drop=(capabilities.drop or []) if capabilities else [],
        proc_mount=context.proc_mount,
        liveness_probe=c.liveness_probe is not None,
        readiness_probe=c.readiness_probe is not None,
        startup_probe=c.startup_probe is not None,
        host_ports=[str(p.host_port) for p in c.ports or () if p.host_port],
        target_container=c.target_container_name,
        stdin=c.stdin,
        tty=c.tty,
    )
    if c.security_context:
        confine(row, context)
    if c.resources:
        bound(row, c.resources)
        limits, requests = c.resources.limits or {}, c.resources.requests or {}
        row.storage_request_bytes = whole(requests.get("ephemeral-storage"))
        row.storage_limit_bytes = whole(limits.get("ephemeral-storage"))
    return row
