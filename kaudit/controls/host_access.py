"""What a pod shares with its node: namespaces, ports, paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import filled
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-002",
    layer="deploy",
    severity="high",
    expected="hostPID is false or unset",
    shows=("host_pid",),
)
def host_pid(pod_context: pd.DataFrame) -> pd.Series[Any]:
    """No pod sees the processes of its node.

    Their environment, arguments and open files are readable, and with a capability more
    they can be taken over.

    Remedy:
        Remove the setting.

        spec:
          hostPID: false

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-set}, spec: {hostPID: true, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: batch/v1, kind: CronJob, metadata: {name: bad-cron}, spec: {jobTemplate: {spec: {template: {spec: {
          hostPID: true, containers: [{name: c, image: i}]}}}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset}, spec: {containers: [{name: c, image: i}]}}
    """
    return pod_context["host_pid"]


@control(
    "KA-DEP-002a",
    layer="deploy",
    severity="low",
    expected="shareProcessNamespace is false or unset",
    shows=("share_process_namespace",),
)
def shared_processes(pod_context: pd.DataFrame) -> pd.Series[Any]:
    """Containers of a pod do not see each other's processes.

    Sharing gives every container the files and the environment of the others through /proc,
    secrets among them.

    Remedy:
        Remove the setting; debug with ephemeral containers that target one container.

        spec:
          shareProcessNamespace: false

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-set}, spec: {shareProcessNamespace: true,
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset}, spec: {containers: [{name: c, image: i}]}}
    """
    return pod_context["share_process_namespace"]


@control(
    "KA-DEP-003",
    layer="deploy",
    severity="medium",
    expected="hostIPC is false or unset",
    shows=("host_ipc",),
)
def host_ipc(pod_context: pd.DataFrame) -> pd.Series[Any]:
    """No pod shares inter-process communication with its node.

    Shared memory and queues of the node's programs can be read and changed.

    Remedy:
        Remove the setting.

        spec:
          hostIPC: false

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-set}, spec: {hostIPC: true, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset}, spec: {containers: [{name: c, image: i}]}}
    """
    return pod_context["host_ipc"]


@control(
    "KA-DEP-004",
    layer="deploy",
    severity="high",
    expected="hostNetwork is false or unset",
    shows=("host_network",),
)
def host_network(pod_context: pd.DataFrame) -> pd.Series[Any]:
    """No pod uses the network of its node.

    It reaches services on the node's loopback, sees its traffic, and no NetworkPolicy
    applies to it.

    Remedy:
        Remove the setting, and offer the port through a Service.

        spec:
          hostNetwork: false

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-set}, spec: {hostNetwork: true, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: bad-template}, spec: {template: {spec: {hostNetwork: true, containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-false}, spec: {hostNetwork: false, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset}, spec: {containers: [{name: c, image: i}]}}
    """
    return pod_context["host_network"]


@control(
    "KA-DEP-008",
    layer="deploy",
    severity="medium",
    expected="no host port",
    shows=("container_type", "host_ports"),
)
def host_port(security_context: pd.DataFrame) -> pd.Series[Any]:
    """No container claims a port of its node.

    The port is open wherever the node is reachable, past Services and most NetworkPolicies.
    Pods on the node's network are reported by KA-DEP-004.

    Remedy:
        Offer the port through a Service.

        ports:
          - containerPort: 8080

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-port}, spec: {containers: [
          {name: c, image: i, ports: [{containerPort: 80, hostPort: 80}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-init}, spec: {containers: [{name: c, image: i}],
          initContainers: [{name: n, image: i, ports: [{containerPort: 80}, {containerPort: 53, hostPort: 53, protocol: UDP}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-sidecar}, spec: {containers: [{name: c, image: i}],
          initContainers: [{name: s, image: i, restartPolicy: Always, ports: [{containerPort: 80, hostPort: 8080}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-zero}, spec: {containers: [
          {name: c, image: i, ports: [{containerPort: 80, hostPort: 0}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-host-network}, spec: {hostNetwork: true, containers: [
          {name: c, image: i, ports: [{containerPort: 80, hostPort: 80}]}]}}
    """
    return filled(security_context["host_ports"]) & ~security_context["host_network"]


@control(
    "KA-DEP-025",
    layer="deploy",
    severity="low",
    expected="probes and hooks name no host",
    shows=("container_type", "probe", "host"),
)
def probe_of_other_host(probe_hosts: pd.DataFrame) -> pd.Series[Any]:
    """Probes and lifecycle hooks ask the pod itself, not another host.

    The kubelet sends them from the node's network: a host field turns it into a proxy to
    places that the pod cannot reach (Pod Security Standards, baseline from v1.34).

    Remedy:
        Remove the host field.

        livenessProbe:
          httpGet: {path: /health, port: 8080}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-probe}, spec: {containers: [{name: c, image: i,
          livenessProbe: {httpGet: {host: 169.254.169.254, port: 80, path: /}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-hook}, spec: {containers: [{name: c, image: i,
          lifecycle: {preStop: {tcpSocket: {host: 10.0.0.1, port: 80}}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-sidecar}, spec: {containers: [{name: c, image: i}],
          initContainers: [{name: s, image: i, restartPolicy: Always, startupProbe: {tcpSocket: {host: localhost, port: 80}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-empty}, spec: {containers: [{name: c, image: i,
          livenessProbe: {httpGet: {host: "", port: 80}}, readinessProbe: {exec: {command: [sh]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-itself}, spec: {containers: [{name: c, image: i,
          livenessProbe: {httpGet: {port: 80, path: /}}}]}}
    """
    return probe_hosts["elsewhere"]
