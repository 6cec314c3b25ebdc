"""Effective security settings of containers: precedence, inheritance and defaults applied.

A container's runAsUser, runAsGroup, runAsNonRoot, seccompProfile, appArmorProfile,
seLinuxOptions (as a whole) and windowsOptions beat its pod's; privileged, capabilities,
allowPrivilegeEscalation (unset: true; privileged and SYS_ADMIN force true),
readOnlyRootFilesystem and procMount exist on containers only (Kubernetes API reference, core
v1, SecurityContext, v1.34). Seccomp annotations have had no effect since v1.27 and are left
to the Pod Security view. An AppArmor annotation names a container: it yields to that
container's field and beats the pod's.

Added capabilities are read as every runtime might: any case, with or without CAP_. Dropped
ones are read as all do: containerd knows no CAP_ there, so such a drop drops nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import (
    any_of,
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
from kaudit.model.homonyms import KNATIVE
from kaudit.registry import view
from kaudit.table import Table, doc
from kaudit.tables.owned import CONTAINER_KEY, OWNED_CONTAINER, OfContainer

if TYPE_CHECKING:
    import pandas as pd


class SecurityContextRow(OfContainer, kw_only=True):
    linux: Annotated[bool, doc("not declared to be a Windows pod")]
    windows: Annotated[bool, doc("declared to be a Windows pod, or asks for a HostProcess")]
    lasting: Annotated[bool, doc("regular or sidecar: runs as long as the pod")]
    probed: Annotated[bool, doc("lasting, and not of a Job: probes make sense")]
    bounded: Annotated[bool, doc("not ephemeral: can have resources")]
    host_network: Annotated[bool, doc("its pod shares the network of the node")]
    host_pid: Annotated[bool, doc("its pod shares the processes of the node")]
    host_ipc: Annotated[bool, doc("its pod shares the IPC of the node")]
    own_user_namespace: Annotated[bool, doc("its pod has hostUsers false")]
    separable: Annotated[bool, doc("Linux, no host namespace: could have a user namespace")]
    privileged: Annotated[bool, doc("runs privileged")]
    allow_privilege_escalation: Annotated[bool, doc("may gain rights: unset or forced too")]
    read_only_root_filesystem: Annotated[bool, doc("its root filesystem is read-only")]
    run_as_non_root: Annotated[bool, doc("effective runAsNonRoot is true")]
    run_as_user: Annotated[int | None, doc("effective runAsUser; null: the image decides")]
    run_as_group: Annotated[int | None, doc("effective runAsGroup; null: the image decides")]
    user_set: Annotated[bool, doc("effective runAsUser is set and not 0")]
    user_zero: Annotated[bool, doc("effective runAsUser is 0")]
    group_zero: Annotated[bool, doc("effective runAsGroup is 0")]
    capabilities_add: Annotated[list[str], doc("added, upper case, without CAP_, sorted")]
    capabilities_drop: Annotated[list[str], doc("dropped, upper case, sorted")]
    drops_all: Annotated[bool, doc("drops ALL")]
    proc_mount: Annotated[str, doc("procMount; Default where unset")]
    seccomp: Annotated[str, doc("effective seccomp profile type; empty where unset")]
    apparmor: Annotated[str, doc("effective AppArmor profile type; empty where unset")]
    selinux_type: Annotated[str, doc("effective SELinux type; empty where unset")]
    selinux_user: Annotated[str, doc("effective SELinux user; empty where unset")]
    selinux_role: Annotated[str, doc("effective SELinux role; empty where unset")]
    windows_host_process: Annotated[bool, doc("effective windowsOptions.hostProcess")]
    liveness_probe: Annotated[bool, doc("has a livenessProbe")]
    readiness_probe: Annotated[bool, doc("has a readinessProbe; Knative asks for itself")]
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
    state: Annotated[str, doc("running, why it waits or ended; empty where unknown")]
    target_container: Annotated[str, doc("container that an ephemeral one was made to debug")]
    command: Annotated[list[str], doc("command, credentials masked")]
    args: Annotated[list[str], doc("args, credentials masked")]


SECURITY_CONTEXT = Table(
    "security_context",
    SecurityContextRow,
    grain="one container with its effective settings and its owner",
    key=CONTAINER_KEY,
    resource=OWNED_CONTAINER,
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
    "host_ipc",
    "own_user_namespace",
]
#: Added capabilities with which allowPrivilegeEscalation is true whatever is written.
FORCING = frozenset(["ALL", "SYS_ADMIN"])

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
    lists = pa.list_(pa.string())
    added = over_lists(c["capabilities_add"], _added, lists)
    dropped = over_lists(c["capabilities_drop"], _dropped, lists)
    privileged = flags(c["privileged"])
    escalates = flags(c["allow_privilege_escalation"], unset=True)
    forced = privileged | over_lists(added, lambda names: not FORCING.isdisjoint(names))
    host_process = flags(first_set(c["windows_host_process"], of_pod("windows_host_process")))
    noted = _apparmor_annotation(c["apparmor_annotation"])
    found: dict[str, Any] = {column: c[column] for column in _COPIED}
    found |= {column: looked_up(pod_context, at, column, c) for column in _OF_CONTEXT}
    found |= {column: first_set(c[column], of_pod(column)) for column in _AMOUNTS}
    found |= _selinux(c, of_pod)
    lasting = text_is(c["container_type"], "regular", "sidecar")
    found["readiness_probe"] |= text_is(found["owner_kind"], *KNATIVE)
    on_host = found["host_network"] | found["host_pid"] | found["host_ipc"]
    found |= {
        "windows": ~found["linux"] | host_process,
        "lasting": lasting,
        "probed": lasting & ~text_is(found["owner_kind"], "Job", "CronJob"),
        "bounded": ~text_is(c["container_type"], "ephemeral"),
        "separable": found["linux"] & ~on_host,
        "privileged": privileged,
        "allow_privilege_escalation": escalates | forced,
        "read_only_root_filesystem": flags(c["read_only_root_filesystem"]),
        "run_as_non_root": flags(first_set(c["run_as_non_root"], of_pod("run_as_non_root"))),
        "run_as_user": user,
        "run_as_group": group,
        "user_set": flags(user > 0),
        "user_zero": flags(user == 0),
        "group_zero": flags(group == 0),
        "capabilities_add": added,
        "capabilities_drop": dropped,
        "drops_all": over_lists(dropped, lambda names: "ALL" in names),
        "proc_mount": text(c["proc_mount"], unset="Default"),
        "seccomp": text(c["seccomp_type"], of_pod("seccomp_type")),
        "apparmor": text(c["apparmor_type"], noted, of_pod("apparmor_type")),
        "windows_host_process": host_process,
        "image": text(c["image"]),
        "state": text(c["state"]),
        "target_container": text(c["target_container"]),
    }
    return assembled(c, found, SECURITY_CONTEXT.names)


def _added(names: list[str]) -> list[str]:
    return sorted({name.strip().upper().removeprefix("CAP_") for name in names})


def _dropped(names: list[str]) -> list[str]:
    return sorted({name.upper() for name in names})


def _selinux(c: pd.DataFrame, of_pod: Callable[[str], pd.Series[Any]]) -> dict[str, pd.Series[Any]]:
    """Take a container's options as a whole where it has any, else its pod's."""
    import pyarrow.compute as pc

    names = ("selinux_type", "selinux_user", "selinux_role")
    own = any_of(c[name].notna() for name in names)
    return {
        name: series(
            pc.fill_null(pc.if_else(arrow(own), arrow(c[name]), arrow(of_pod(name))), ""), c
        )
        for name in names
    }


_NOTED = {"": None, "unconfined": "Unconfined", "runtime/default": "RuntimeDefault"}


def _apparmor_annotation(column: pd.Series[Any]) -> pd.Series[Any]:
    """Type of profile that an annotation sets; one that Kubernetes does not know as written."""
    import pyarrow as pa

    def kind(text: str) -> str | None:
        return "Localhost" if text.startswith("localhost/") else _NOTED.get(text, text)

    return over_texts(column, kind, unset=pa.scalar(None, pa.string()), type_=pa.string())
