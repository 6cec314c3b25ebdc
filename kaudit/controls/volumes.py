"""Volumes: paths of the node, runtime sockets, sources and sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-005",
    layer="deploy",
    severity="high",
    expected="no hostPath volume",
    shows=("volume", "path"),
)
def host_path(pod_volumes: pd.DataFrame) -> pd.Series[Any]:
    """No pod mounts a path of its node.

    A path of the node outlives the pod, is shared with other pods, and often leads to the
    node's credentials.

    Remedy:
        Use a claim, a ConfigMap or an emptyDir instead.

        volumes:
          - name: data
            persistentVolumeClaim: {claimName: data}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-path}, spec: {containers: [{name: c, image: i}],
          volumes: [{name: v, hostPath: {path: /data}}]}}
        ---
        {apiVersion: batch/v1, kind: CronJob, metadata: {name: bad-cron}, spec: {jobTemplate: {spec: {template: {spec: {
          containers: [{name: c, image: i}], volumes: [{name: w}, {name: v, hostPath: {path: /data, type: Directory}}]}}}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-empty-dir}, spec: {containers: [{name: c, image: i}],
          volumes: [{name: v, emptyDir: {}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-none}, spec: {containers: [{name: c, image: i}]}}
    """
    return pod_volumes["of_host"]


@control(
    "KA-DEP-005a",
    layer="deploy",
    severity="medium",
    expected="the claim is bound to storage that is no path of a node",
    shows=("claim", "persistent_volume", "path"),
)
def claimed_host_path(claimed_paths: pd.DataFrame) -> pd.Series[Any]:
    """No claim of a pod leads to a path of a node.

    A PersistentVolume with hostPath or local gives a pod what a hostPath volume would, and
    the Pod Security Standards do not look behind the claim.

    Remedy:
        Bind the claim to storage of a driver. Where local disks are meant, keep them on a
        file system of their own.

        kind: PersistentVolumeClaim
        spec: {storageClassName: network-storage}

    Cases:
        {apiVersion: v1, kind: PersistentVolume, metadata: {name: one}, spec: {hostPath: {path: /srv},
          claimRef: {namespace: default, name: on-host}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-host-path}, spec: {containers: [{name: c, image: i}],
          volumes: [{name: v, persistentVolumeClaim: {claimName: on-host}}]}}
        ---
        {apiVersion: v1, kind: PersistentVolume, metadata: {name: two}, spec: {local: {path: /mnt/disk},
          claimRef: {namespace: default, name: on-disk}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-local}, spec: {containers: [{name: c, image: i}],
          volumes: [{name: v, persistentVolumeClaim: {claimName: on-disk}}]}}
        ---
        {apiVersion: v1, kind: PersistentVolume, metadata: {name: three}, spec: {csi: {driver: d, volumeHandle: h},
          claimRef: {namespace: default, name: on-driver}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-driver}, spec: {containers: [{name: c, image: i}],
          volumes: [{name: v, persistentVolumeClaim: {claimName: on-driver}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-same-name-elsewhere, namespace: other}, spec: {
          containers: [{name: c, image: i}], volumes: [{name: v, persistentVolumeClaim: {claimName: on-host}}]}}
    """
    return claimed_paths["of_host"]


@control(
    "KA-DEP-006",
    layer="deploy",
    severity="critical",
    applies="mounted",
    expected="no sensitive path, and mounted read-only",
    shows=("container_type", "volume", "path", "sensitive", "writable"),
)
def sensitive_or_writable_mount(host_mounts: pd.DataFrame) -> pd.Series[Any]:
    r"""Paths of a node that containers mount are harmless and read-only.

    A writable path plants files on the node; the folders of the kubelet, of etcd, of other
    pods and of the system give away credentials even when read-only. Read-only holds for the
    one container that says so. Public data, such as zone and CA files, is harmless.

    Remedy:
        Mount the narrowest folder, read-only, in every container.

        volumeMounts:
          - {name: data, mountPath: /data, readOnly: true, recursiveReadOnly: IfPossible}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-root}, spec: {volumes: [{name: v, hostPath: {path: /}}],
          containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /host, readOnly: true}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-inside}, spec: {volumes: [{name: v, hostPath: {path: /etc/kubernetes/pki}}],
          containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /k, readOnly: true}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-not-clean}, spec: {volumes: [{name: v, hostPath: {path: //srv//../etc/}}],
          containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /k, readOnly: true}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-above}, spec: {volumes: [{name: v, hostPath: {path: /var}}],
          containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /k, readOnly: true}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-sub-path}, spec: {volumes: [{name: v, hostPath: {path: /var}}],
          containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /k, subPath: lib/kubelet, readOnly: true}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unknown-sub-path}, spec: {volumes: [{name: v, hostPath: {path: /var}}],
          containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /k, subPathExpr: data-$(NAME), readOnly: true}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-writable}, spec: {volumes: [{name: v, hostPath: {path: /data}}],
          containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /data, readOnly: true}]}],
          initContainers: [{name: w, image: i, volumeMounts: [{name: v, mountPath: /data}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-ephemeral}, spec: {volumes: [{name: v, hostPath: {path: /data}}],
          containers: [{name: c, image: i}], ephemeralContainers: [{name: e, image: i, volumeMounts: [{name: v, mountPath: /data}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-public-but-writable}, spec: {volumes: [{name: v, hostPath: {path: /etc/ssl/certs}}],
          containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /certs}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-windows}, spec: {os: {name: windows}, volumes: [{name: v, hostPath: {path: 'C:\Windows'}}],
          containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: 'C:\w', readOnly: true}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-narrow}, spec: {volumes: [{name: v, hostPath: {path: /data}}],
          containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /data, readOnly: true}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-narrowed-by-sub-path}, spec: {volumes: [{name: v, hostPath: {path: /var}}],
          containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /k, subPath: data, readOnly: true}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-public}, spec: {volumes: [{name: v, hostPath: {path: /usr/share/zoneinfo}}],
          containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /zones, readOnly: true}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-not-mounted}, spec: {volumes: [{name: v, hostPath: {path: /etc}}],
          containers: [{name: c, image: i}]}}
    """
    return (host_mounts["sensitive"] & ~host_mounts["harmless"]) | host_mounts["writable"]


@control(
    "KA-DEP-006a",
    layer="deploy",
    severity="high",
    applies="mounted",
    expected="mountPropagation is None or HostToContainer",
    shows=("container_type", "volume", "path", "mount_path"),
)
def mounts_reach_the_node(host_mounts: pd.DataFrame) -> pd.Series[Any]:
    """Mounts that a container makes do not appear on its node.

    With propagation Bidirectional a container mounts over files of the node and of other
    pods. Storage drivers need it; nothing else does.

    Remedy:
        Remove the setting.

        volumeMounts:
          - {name: data, mountPath: /data, mountPropagation: None}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-both-ways}, spec: {volumes: [{name: v, hostPath: {path: /data}}],
          containers: [{name: c, image: i, securityContext: {privileged: true},
          volumeMounts: [{name: v, mountPath: /data, mountPropagation: Bidirectional}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-one-way}, spec: {volumes: [{name: v, hostPath: {path: /data}}],
          containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /data, mountPropagation: HostToContainer}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset}, spec: {volumes: [{name: v, hostPath: {path: /data}}],
          containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /data}]}]}}
    """
    return host_mounts["bidirectional"]


@control(
    "KA-DEP-007",
    layer="deploy",
    severity="critical",
    expected="no path that is or holds a runtime socket",
    shows=("container_type", "volume", "path"),
)
def runtime_socket(host_mounts: pd.DataFrame) -> pd.Series[Any]:
    r"""No pod reaches the container runtime of its node.

    Whoever speaks to the runtime starts privileged containers past every admission policy.
    A folder that holds the socket is as good as the socket, and read-only does not help:
    one connects to a socket, one does not write it.

    Remedy:
        Remove the volume. Build images without a runtime (BuildKit rootless, Buildah), and
        observe through the Kubernetes API.

        volumes: []

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-docker}, spec: {volumes: [{name: v, hostPath: {path: /var/run/docker.sock}}],
          containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /var/run/docker.sock, readOnly: true}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-containerd}, spec: {containers: [{name: c, image: i}],
          volumes: [{name: v, hostPath: {path: /run/containerd/containerd.sock}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-crio-in-init}, spec: {volumes: [{name: v, hostPath: {path: /var/run/crio}}],
          initContainers: [{name: n, image: i, volumeMounts: [{name: v, mountPath: /s}]}], containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-rootless}, spec: {containers: [{name: c, image: i}],
          volumes: [{name: v, hostPath: {path: /run/user/1000/podman/podman.sock}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-folder-above}, spec: {containers: [{name: c, image: i}],
          volumes: [{name: v, hostPath: {path: /var/run/}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-whole-node}, spec: {containers: [{name: c, image: i}],
          volumes: [{name: v, hostPath: {path: /}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-windows-pipe}, spec: {os: {name: windows}, containers: [{name: c, image: i}],
          volumes: [{name: v, hostPath: {path: '\\.\pipe\docker_engine'}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-other}, spec: {containers: [{name: c, image: i}],
          volumes: [{name: v, hostPath: {path: /var/run/netns}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-other-part-of-a-folder}, spec: {volumes: [{name: v, hostPath: {path: /run}}],
          containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /n, subPath: netns}]}]}}
    """
    return host_mounts["socket"]


@control(
    "KA-DEP-024",
    layer="deploy",
    severity="low",
    expected="a volume source of the restricted level",
    shows=("volume", "source"),
)
def volume_outside_restricted(pod_volumes: pd.DataFrame) -> pd.Series[Any]:
    """Pods use only volume sources that the restricted level allows.

    Network file systems and drivers named in a pod bypass the storage that the operators of
    the cluster control.

    Remedy:
        Put the storage behind a claim.

        volumes:
          - name: data
            persistentVolumeClaim: {claimName: data}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-nfs}, spec: {containers: [{name: c, image: i}],
          volumes: [{name: v, nfs: {server: s, path: /}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-driver-by-name}, spec: {containers: [{name: c, image: i}],
          volumes: [{name: w, emptyDir: {}}, {name: v, flexVolume: {driver: d}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-claim}, spec: {containers: [{name: c, image: i}],
          volumes: [{name: v, persistentVolumeClaim: {claimName: d}}, {name: w}, {name: x, csi: {driver: d}},
            {name: y, ephemeral: {volumeClaimTemplate: {spec: {}}}}, {name: z, image: {reference: "a:1"}}]}}
    """
    return ~pod_volumes["restricted"]
