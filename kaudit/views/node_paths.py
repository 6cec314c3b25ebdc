"""Paths of a node that pods reach: by hostPath mounts, and by claims on local volumes.

A path is judged as the kubelet resolves it: cleaned, with the mount's subPath behind the
volume's path. A variable in a subPathExpr is not known, so the path ends before it.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import (
    SEPARATOR,
    arrow,
    assembled,
    flags,
    looked_up,
    named,
    over_texts,
    owned,
    pairs,
    positions,
    series,
    text_is,
)
from kaudit.registry import view
from kaudit.table import Table, doc
from kaudit.tables.owned import CONTAINER_KEY, OWNED_CONTAINER, OWNER, POD_KEY, OfVolume

if TYPE_CHECKING:
    import pandas as pd


class HostMountRow(OfVolume, kw_only=True):
    container: Annotated[str, doc("name of the container; empty where none mounts the volume")]
    container_type: Annotated[str, doc("init, sidecar, regular or ephemeral; empty: not mounted")]
    mounted: Annotated[bool, doc("a container mounts it")]
    mount_path: Annotated[str, doc("path in the container")]
    path: Annotated[str, doc("path on the node, cleaned, with the subPath")]
    sensitive: Annotated[bool, doc("it is, holds or lies in a sensitive folder of the node")]
    harmless: Annotated[bool, doc("it holds public data only, such as zone or CA files")]
    socket: Annotated[bool, doc("it is, or holds, the socket of a container runtime")]
    writable: Annotated[bool, doc("mounted without readOnly")]
    bidirectional: Annotated[bool, doc("mounts made in the container appear on the node")]


class ClaimedPathRow(OfVolume, kw_only=True):
    claim: Annotated[str, doc("name of the PersistentVolumeClaim")]
    persistent_volume: Annotated[str, doc("volume that the claim is bound to; empty: unknown")]
    path: Annotated[str, doc("path of the node that it leads to; empty: none")]
    of_host: Annotated[bool, doc("it leads to a path of the node")]


HOST_MOUNTS = Table(
    "host_mounts",
    HostMountRow,
    grain="one mount of a hostPath volume in a container, or one that nothing mounts",
    key=(*CONTAINER_KEY, "volume", "mount_path"),
    resource=OWNED_CONTAINER,
    pods=True,
)
CLAIMED_PATHS = Table(
    "claimed_paths",
    ClaimedPathRow,
    grain="one claim that a pod uses, and where it leads",
    key=(*POD_KEY, "volume"),
    resource=OWNER,
    pods=True,
)

#: Folders of a node that hold credentials, configuration, devices, programs or other pods' data.
SENSITIVE = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/opt/cni",
    "/proc",
    "/programdata",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/users",
    "/var/lib/cni",
    "/var/lib/containerd",
    "/var/lib/containers",
    "/var/lib/docker",
    "/var/lib/etcd",
    "/var/lib/k0s",
    "/var/lib/kubelet",
    "/var/lib/rancher",
    "/var/log",
    "/var/run",
    "/windows",
)

#: Places inside sensitive folders that hold public data; harmless while read-only.
HARMLESS = (
    "/etc/ca-certificates",
    "/etc/localtime",
    "/etc/machine-id",
    "/etc/os-release",
    "/etc/pki/ca-trust",
    "/etc/ssl/certs",
    "/etc/timezone",
    "/lib/modules",
    "/usr/lib/modules",
    "/usr/lib/os-release",
    "/usr/share/ca-certificates",
    "/usr/share/zoneinfo",
    "/usr/src",
)

#: Sockets of container runtimes and builders; /var/run is a link to /run.
SOCKETS = (
    "/run/buildkit/buildkitd.sock",
    "/run/containerd/containerd.sock",
    "/run/cri-dockerd.sock",
    "/run/crio/crio.sock",
    "/run/docker.sock",
    "/run/dockershim.sock",
    "/run/frakti.sock",
    "/run/k0s/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/nri/nri.sock",
    "/run/podman/podman.sock",
    "/var/snap/microk8s/common/run/containerd.sock",
)
_SOCKET_NAMES = frozenset(posixpath.basename(path) for path in SOCKETS)
_PIPE = re.compile(r"/pipe/(?:docker|containerd|cri-dockerd|podman)[^/]*$")
_DRIVE = re.compile(r"^[A-Za-z]:(?=[\\/]|$)")

_OF_VOLUME = ["raw", "raw_line", "pod_uid", "namespace", "pod", "volume"]


@view(HOST_MOUNTS)
def host_mounts(
    volumes: pd.DataFrame, mounts: pd.DataFrame, pod_context: pd.DataFrame
) -> pd.DataFrame:
    """Join hostPath volumes to their mounts, and judge where each leads."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    hosts = _chosen(volumes, text_is(volumes["source"], "hostPath"))
    at = positions(
        pairs(mounts["pod_uid"], mounts["volume"]), pairs(hosts["pod_uid"], hosts["volume"])
    )
    used = mounts[at >= 0].reset_index(drop=True)
    whole = looked_up(hosts, at[at >= 0], "path", used)
    behind = pc.binary_join_element_wise(
        pc.fill_null(arrow(whole), ""), pc.fill_null(arrow(used["sub_path"]), ""), SEPARATOR
    )
    written = ~flags(used["read_only"])
    parts = [
        {name: used[name] for name in (*_OF_VOLUME, "container", "container_type", "mount_path")}
        | {
            "mounted": series(pa.array([True] * len(used), pa.bool_()), used),
            "path": over_texts(series(behind, used), _joined, unset="", type_=pa.string()),
            "writable": written,
            "bidirectional": text_is(used["propagation"], "Bidirectional"),
        }
    ]
    idle = _chosen(
        hosts,
        ~series(
            named(
                series(pairs(used["pod_uid"], used["volume"]), used),
                series(pairs(hosts["pod_uid"], hosts["volume"]), hosts),
            ),
            hosts,
        ),
    )
    nothing = series(pa.array([""] * len(idle), pa.string()), idle)
    no = series(pa.array([False] * len(idle), pa.bool_()), idle)
    parts.append(
        {name: idle[name] for name in _OF_VOLUME}
        | dict.fromkeys(("container", "container_type", "mount_path"), nothing)
        | dict.fromkeys(("mounted", "writable", "bidirectional"), no)
        | {"path": over_texts(idle["path"], cleaned, unset="/", type_=pa.string())}
    )
    both = pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True)
    found: dict[str, Any] = {name: both[name] for name in both.columns}
    found |= owned(both, pod_context)
    found |= {
        "sensitive": over_texts(both["path"], is_sensitive),
        "harmless": over_texts(both["path"], is_harmless),
        "socket": over_texts(both["path"], is_socket),
    }
    return assembled(both, found, HOST_MOUNTS.names)


@view(CLAIMED_PATHS)
def claimed_paths(
    volumes: pd.DataFrame, pod_context: pd.DataFrame, persistent_volumes: pd.DataFrame
) -> pd.DataFrame:
    """Follow the claims that pods use to the volumes that are bound to them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    claims = _chosen(volumes, text_is(volumes["source"], "persistentVolumeClaim"))
    name = claims["reference"].fillna("")
    wanted = pc.binary_join_element_wise(arrow(claims["namespace"]), arrow(name), "/")
    at = positions(wanted, persistent_volumes["claim"])
    path = looked_up(persistent_volumes, at, "host_path", claims)
    bound = looked_up(persistent_volumes, at, "name", claims)
    found: dict[str, Any] = {column: claims[column] for column in _OF_VOLUME}
    found |= owned(claims, pod_context)
    found |= {
        "claim": name,
        "persistent_volume": series(pc.fill_null(arrow(bound), ""), claims),
        "path": over_texts(path, cleaned, unset="", type_=pa.string()),
        "of_host": flags(series(pc.is_valid(arrow(path)), claims)),
    }
    return assembled(claims, found, CLAIMED_PATHS.names)


def _chosen(table: pd.DataFrame, mask: pd.Series[Any]) -> pd.DataFrame:
    return table[mask.to_numpy(dtype=bool)].reset_index(drop=True)


def _joined(text: str) -> str:
    path, _, behind = text.partition(SEPARATOR)
    known = behind.partition("$(")[0]
    if known != behind:
        known = known.rpartition("/")[0]
    return cleaned(f"{path}/{known}")


def cleaned(path: str) -> str:
    r"""Normalise a path of a node; it is taken as absolute, a drive letter falls away.

    >>> cleaned("/var//lib/../log/"), cleaned("C:\\Windows")
    ('/var/log', '/windows')
    """
    if _DRIVE.match(path) or path.startswith("\\\\"):
        path = _DRIVE.sub("", path).replace("\\", "/").lower()
    return posixpath.normpath("/" + path.lstrip("/"))


def is_sensitive(path: str) -> bool:
    """Tell whether a cleaned path is, holds or lies in a sensitive folder of the node.

    >>> is_sensitive("/"), is_sensitive("/etc/kubernetes"), is_sensitive("/data")
    (True, True, False)
    """
    return any(_within(path, folder) or _within(folder, path) for folder in SENSITIVE)


def is_harmless(path: str) -> bool:
    """Tell whether a cleaned path holds public data only.

    >>> is_harmless("/etc/ssl/certs"), is_harmless("/etc/ssl")
    (True, False)
    """
    return any(_within(path, place) for place in HARMLESS)


def is_socket(path: str) -> bool:
    """Tell whether a cleaned path is, or holds, the socket of a container runtime.

    >>> is_socket("/var/run"), is_socket("/run/user/1000/docker.sock"), is_socket("/var/lib")
    (True, True, False)
    """
    if posixpath.basename(path) in _SOCKET_NAMES or _PIPE.search(path):
        return True
    if path == "/var":
        return True
    real = path.removeprefix("/var") if _within(path, "/var/run") else path
    return any(_within(socket, real) for socket in SOCKETS)


def _within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith(outer.rstrip("/") + "/")
