"""Effective security settings of containers: precedence, inheritance and defaults applied.

A container's runAsUser, runAsGroup, runAsNonRoot, seccompProfile, appArmorProfile,
seLinuxOptions and windowsOptions beat its pod's; privileged, capabilities,
allowPrivilegeEscalation (unset: true), readOnlyRootFilesystem and procMount exist on
containers only (Kubernetes API reference, core v1, SecurityContext, v1.34). Seccomp
annotations have had no effect since v1.27 and are left to the Pod Security view; an AppArmor
annotation counts where no field is set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import (
    arrow,
    assembled,
    first_set,
    flags,
    looked_up,
    over_lists,
    over_texts,
    positions,
    series,
    text_is,
)
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class SecurityContextRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of its pod")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    container: Annotated[str, doc("name of the container")]
    container_type: Annotated[str, doc("init, sidecar, regular or ephemeral")]
    origin: Annotated[str, doc("object: a Pod object; template: what a controller would make")]
    owner_kind: Annotated[str, doc("kind of the topmost known owner; of the pod where none")]
    owner_name: Annotated[str, doc("name of the topmost known owner")]
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]
    linux: Annotated[bool, doc("not declared to be a Windows pod")]
    windows: Annotated[bool, doc("declared to be a Windows pod")]
    lasting: Annotated[bool, doc("regular or sidecar: runs as long as the pod")]
    probed: Annotated[bool, doc("lasting, and not of a Job: probes make sense")]
    bounded: Annotated[bool, doc("not ephemeral: can have resources")]
    host_network: Annotated[bool, doc("its pod shares the network of the node")]
    host_pid: Annotated[bool, doc("its pod shares the processes of the node")]
    own_user_namespace: Annotated[bool, doc("its pod has hostUsers false")]
    privileged: Annotated[bool, doc("runs privileged")]
    allow_privilege_escalation: Annotated[bool, doc("may gain rights; unset means true")]
    read_only_root_filesystem: Annotated[bool, doc("its root filesystem is read-only")]
    run_as_non_root: Annotated[bool, doc("effective runAsNonRoot is true")]
    run_as_user: Annotated[int | None, doc("effective runAsUser; null: the image decides")]
    run_as_group: Annotated[int | None, doc("effective runAsGroup; null: the image decides")]
    user_zero: Annotated[bool, doc("effective runAsUser is 0")]
    group_zero: Annotated[bool, doc("effective runAsGroup is 0")]
    capabilities_add: Annotated[list[str], doc("added, upper case, without CAP_, sorted")]
    capabilities_drop: Annotated[list[str], doc("dropped, upper case, without CAP_, sorted")]
    drops_all: Annotated[bool, doc("drops ALL")]
    proc_mount: Annotated[str, doc("procMount; Default where unset")]
    seccomp: Annotated[str, doc("effective seccomp profile type; empty where unset")]
    apparmor: Annotated[str, doc("effective AppArmor profile type; empty where unset")]
    selinux_type: Annotated[str, doc("effective SELinux type; empty where unset")]
    selinux_user: Annotated[str, doc("effective SELinux user; empty where unset")]
    selinux_role: Annotated[str, doc("effective SELinux role; empty where unset")]
    windows_host_process: Annotated[bool, doc("effective windowsOptions.hostProcess")]
    liveness_probe: Annotated[bool, doc("has a livenessProbe")]
    readiness_probe: Annotated[bool, doc("has a readinessProbe")]
    host_ports: Annotated[list[str], doc("host ports above 0")]
    cpu_request_cores: Annotated[float | None, doc("CPU request, of the container or its pod")]
    cpu_limit_cores: Annotated[float | None, doc("CPU limit, of the container or its pod")]
    memory_request_bytes: Annotated[int | None, doc("memory request, container or pod")]
    memory_limit_bytes: Annotated[int | None, doc("memory limit, container or pod")]
    storage_request_bytes: Annotated[int | None, doc("ephemeral-storage request")]
    storage_limit_bytes: Annotated[int | None, doc("ephemeral-storage limit")]
    image: Annotated[str, doc("image reference as written; empty where unset")]
    image_id: Annotated[str | None, doc("status imageID: what really runs")]
    image_pull_policy: Annotated[str | None, doc("imagePullPolicy as written")]
    command: Annotated[list[str], doc("command, credentials masked")]
    args: Annotated[list[str], doc("args, credentials masked")]


SECURITY_CONTEXT = Table(
    "security_context",
    SecurityContextRow,
    grain="one container with its effective settings and its owner",
    key=("namespace", "pod", "pod_uid", "container_type", "container"),
    resource=Resource("owner_kind", name="owner_name", container="container"),
    pods=True,
)

_COPIED = [
    "raw",
    "raw_line",
    "pod_uid",
    "namespace",
    "pod",
    "container",
    "container_type",
    "liveness_probe",
    "readiness_probe",
    "host_ports",
    "storage_request_bytes",
    "storage_limit_bytes",
    "image_id",
    "image_pull_policy",
    "command",
    "args",
]
_OF_CONTEXT = [
    "origin",
    "owner_kind",
    "owner_name",
    "platform",
    "linux",
    "host_network",
    "host_pid",
    "own_user_namespace",
]
_AMOUNTS = ["cpu_request_cores", "cpu_limit_cores", "memory_request_bytes", "memory_limit_bytes"]


@view(SECURITY_CONTEXT)
def security_context(
    containers: pd.DataFrame, pods: pd.DataFrame, pod_context: pd.DataFrame
) -> pd.DataFrame:
    """Compute what each container may do, as the kubelet would see it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    c = containers
    at = positions(c["pod_uid"], pods["pod_uid"])

    def of_pod(column: str) -> pd.Series[Any]:
        return looked_up(pods, at, column, c)

    def text(*columns: pd.Series[Any], unset: str = "") -> pd.Series[Any]:
        return series(pc.fill_null(arrow(first_set(*columns)), unset), c)

    user = first_set(c["run_as_user"], of_pod("run_as_user"))
    group = first_set(c["run_as_group"], of_pod("run_as_group"))
    dropped = over_lists(c["capabilities_drop"], _capabilities, pa.list_(pa.string()))
    noted = _apparmor_annotation(c["apparmor_annotation"])
    found: dict[str, Any] = {column: c[column] for column in _COPIED}
    found |= {column: looked_up(pod_context, at, column, c) for column in _OF_CONTEXT}
    found |= {column: first_set(c[column], of_pod(column)) for column in _AMOUNTS}
    lasting = text_is(c["container_type"], "regular", "sidecar")
    found |= {
        "windows": ~found["linux"],
        "lasting": lasting,
        "probed": lasting & ~text_is(found["owner_kind"], "Job", "CronJob"),
        "bounded": ~text_is(c["container_type"], "ephemeral"),
        "privileged": flags(c["privileged"]),
        "allow_privilege_escalation": flags(c["allow_privilege_escalation"], unset=True),
        "read_only_root_filesystem": flags(c["read_only_root_filesystem"]),
        "run_as_non_root": flags(first_set(c["run_as_non_root"], of_pod("run_as_non_root"))),
        "run_as_user": user,
        "run_as_group": group,
        "user_zero": flags(user == 0),
        "group_zero": flags(group == 0),
        "capabilities_add": over_lists(c["capabilities_add"], _capabilities, pa.list_(pa.string())),
        "capabilities_drop": dropped,
        "drops_all": over_lists(dropped, lambda names: "ALL" in names),
        "proc_mount": text(c["proc_mount"], unset="Default"),
        "seccomp": text(c["seccomp_type"], of_pod("seccomp_type")),
        "apparmor": text(c["apparmor_type"], of_pod("apparmor_type"), noted),
        "selinux_type": text(c["selinux_type"], of_pod("selinux_type")),
        "selinux_user": text(c["selinux_user"], of_pod("selinux_user")),
        "selinux_role": text(c["selinux_role"], of_pod("selinux_role")),
        "windows_host_process": flags(
            first_set(c["windows_host_process"], of_pod("windows_host_process"))
        ),
        "image": text(c["image"]),
    }
    return assembled(c, found, [column.name for column in SECURITY_CONTEXT.columns])


def _capabilities(names: list[str]) -> list[str]:
    return sorted({name.strip().upper().removeprefix("CAP_") for name in names})


def _apparmor_annotation(column: pd.Series[Any]) -> pd.Series[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    unconfined = over_texts(column, lambda text: text == "unconfined")
    localhost = over_texts(column, lambda text: text.startswith("localhost/"))
    default = over_texts(column, lambda text: text == "runtime/default")
    nothing = pa.scalar(None, pa.string())
    kind = pc.if_else(arrow(default), "RuntimeDefault", nothing)
    kind = pc.if_else(arrow(localhost), "Localhost", kind)
    return series(pc.if_else(arrow(unconfined), "Unconfined", kind), column)
