"""Volumes with their owner, and what a path of the node means."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import (
    assembled,
    flags,
    named,
    over_texts,
    owned,
    pairs,
    series,
    text_is,
)
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class PodVolumeRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of its pod")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    volume: Annotated[str, doc("name of the volume")]
    origin: Annotated[str, doc("object: a Pod object; template: what a controller would make")]
    owner_kind: Annotated[str, doc("kind of the topmost known owner")]
    owner_name: Annotated[str, doc("name of the topmost known owner")]
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]
    source: Annotated[str, doc("source as in the API: hostPath, emptyDir, secret, …")]
    reference: Annotated[str | None, doc("name of what it shows")]
    path: Annotated[str | None, doc("hostPath.path as written")]
    medium: Annotated[str | None, doc("emptyDir.medium")]
    size_limit_bytes: Annotated[int | None, doc("emptyDir.sizeLimit")]
    of_host: Annotated[bool, doc("is a hostPath")]
    of_scratch: Annotated[bool, doc("is an emptyDir")]
    sensitive: Annotated[bool, doc("its path is, holds or lies in a sensitive folder of the node")]
    socket: Annotated[bool, doc("its path is, or holds, the socket of a container runtime")]
    writable: Annotated[bool, doc("a container mounts it without readOnly")]
    restricted: Annotated[bool, doc("its source is allowed by the restricted level")]


POD_VOLUMES = Table(
    "pod_volumes",
    PodVolumeRow,
    grain="one volume of a pod, with its owner",
    key=("namespace", "pod", "pod_uid", "volume"),
    resource=Resource("owner_kind", name="owner_name"),
    pods=True,
)

#: Folders of a node that hold credentials, configuration, devices or other pods' data.
SENSITIVE = [
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/opt/cni",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/bin",
    "/sys",
    "/usr",
    "/var/lib/cni",
    "/var/lib/containerd",
    "/var/lib/docker",
    "/var/lib/etcd",
    "/var/lib/kubelet",
    "/var/log",
    "/var/run",
]

#: Sockets of container runtimes and builders.
SOCKETS = [
    "/run/buildkit/buildkitd.sock",
    "/run/containerd/containerd.sock",
    "/run/cri-dockerd.sock",
    "/run/crio/crio.sock",
    "/run/docker.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/var/snap/microk8s/common/run/containerd.sock",
]

#: Volume sources that the restricted level allows (Pod Security Standards, v1.37).
RESTRICTED = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
]


@view(POD_VOLUMES)
def pod_volumes(
    volumes: pd.DataFrame, mounts: pd.DataFrame, pod_context: pd.DataFrame
) -> pd.DataFrame:
    """Name the owner of each volume and judge its path."""
    written = ~flags(mounts["read_only"])
    writes = mounts[written.to_numpy(dtype=bool)]
    hosts = text_is(volumes["source"], "hostPath")
    written_to = named(
        series(pairs(writes["pod_uid"], writes["volume"]), writes),
        series(pairs(volumes["pod_uid"], volumes["volume"]), volumes),
    )
    copied = (
        "raw raw_line pod_uid namespace pod volume source reference path medium size_limit_bytes"
    )
    found: dict[str, Any] = {name: volumes[name] for name in copied.split()}
    found |= owned(volumes, pod_context)
    found |= {
        "of_host": hosts,
        "of_scratch": text_is(volumes["source"], "emptyDir"),
        "sensitive": over_texts(volumes["path"], is_sensitive),
        "socket": over_texts(volumes["path"], is_socket),
        "writable": flags(series(written_to, volumes)),
        "restricted": text_is(volumes["source"], *RESTRICTED),
    }
    return assembled(volumes, found, [column.name for column in POD_VOLUMES.columns])


def is_sensitive(path: str) -> bool:
    """Tell whether a path of the node is, holds or lies in a sensitive folder.

    >>> is_sensitive("/"), is_sensitive("/etc/kubernetes"), is_sensitive("/data")
    (True, True, False)
    """
    clean = cleaned(path)
    return any(_within(clean, folder) or _within(folder, clean) for folder in SENSITIVE)


def is_socket(path: str) -> bool:
    """Tell whether a path is, or holds, the socket of a container runtime."""
    clean = cleaned(path)
    run = "/run" + clean.removeprefix("/var/run") if clean.startswith("/var/run") else clean
    if run == "/run/":
        run = "/run"
    return any(_within(socket, run) for socket in SOCKETS) or run in ("/var", "/")


def cleaned(path: str) -> str:
    """Normalise a path of the node; it is taken as absolute."""
    return posixpath.normpath("/" + path.lstrip("/"))


def _within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith(outer.rstrip("/") + "/")
