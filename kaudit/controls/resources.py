"""Limits and requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-028",
    layer="deploy",
    severity="medium",
    applies="bounded",
    weak=("limit_ranges",),
    expected="a memory limit, of the container, its pod or a LimitRange",
    shows=("container_type", "memory_limit_bytes"),
)
def no_memory_limit(container_resources: pd.DataFrame) -> pd.Series[Any]:
    """Containers have a memory limit.

    Without one a leak, or an intruder, takes the memory of the node and with it its other
    pods. A LimitRange counts for templates: pods that exist were made with or without it.

    Remedy:
        Set it from what the program needs.

        resources:
          limits: {memory: 256Mi}
          requests: {memory: 128Mi}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-request-only}, spec: {containers: [
          {name: c, image: i, resources: {requests: {memory: 1Gi}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-init}, spec: {initContainers: [{name: i, image: i}],
          containers: [{name: c, image: i, resources: {limits: {memory: 1Gi}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-sidecar}, spec: {initContainers: [{name: s, image: i, restartPolicy: Always}],
          containers: [{name: c, image: i, resources: {limits: {memory: 1Gi}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set}, spec: {containers: [
          {name: c, image: i, resources: {limits: {memory: 1Gi}}}], ephemeralContainers: [{name: e, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-pod-level}, spec: {resources: {limits: {memory: 1Gi}},
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: LimitRange, metadata: {name: defaults, namespace: bounded}, spec: {limits: [
          {type: Container, default: {memory: 1Gi}}]}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-limit-range, namespace: bounded}, spec: {template: {
          spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-pod-before-the-range, namespace: bounded}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: LimitRange, metadata: {name: most, namespace: capped}, spec: {limits: [
          {type: Container, max: {memory: 1Gi}}]}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-maximum-is-the-default, namespace: capped}, spec: {template: {
          spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: v1, kind: LimitRange, metadata: {name: pods, namespace: other}, spec: {limits: [
          {type: Pod, max: {memory: 1Gi}}, {type: Container, default: {cpu: 1}}]}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-range-of-other-things, namespace: other}, spec: {template: {
          spec: {containers: [{name: c, image: i}]}}}}
    """
    return ~container_resources["limits_memory"]


@control(
    "KA-DEP-029",
    layer="deploy",
    severity="low",
    applies="bounded",
    weak=("limit_ranges",),
    expected="requests for cpu and memory",
    shows=("container_type", "cpu_request_cores", "memory_request_bytes"),
)
def no_requests(container_resources: pd.DataFrame) -> pd.Series[Any]:
    """Containers state what CPU and memory they need.

    Without requests the scheduler overfills nodes, and the pods without them are the first
    to be evicted. A limit stands in for the request that is left out.

    Remedy:
        Request what the program uses on average.

        resources:
          requests: {cpu: 100m, memory: 128Mi}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-cpu-only}, spec: {containers: [
          {name: c, image: i, resources: {requests: {cpu: 1}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-memory-only}, spec: {containers: [
          {name: c, image: i, resources: {limits: {memory: 1Gi}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-init}, spec: {initContainers: [{name: i, image: i}], containers: [
          {name: c, image: i, resources: {requests: {cpu: 100m, memory: 1Gi}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-both}, spec: {containers: [
          {name: c, image: i, resources: {requests: {cpu: 100m, memory: 1Gi}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-limits-stand-in}, spec: {containers: [
          {name: c, image: i, resources: {limits: {cpu: 100m, memory: 1Gi}}}]}}
        ---
        {apiVersion: v1, kind: LimitRange, metadata: {name: defaults, namespace: bounded}, spec: {limits: [
          {type: Container, default: {memory: 1Gi}, defaultRequest: {cpu: 100m}}]}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-limit-range, namespace: bounded}, spec: {template: {
          spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: v1, kind: LimitRange, metadata: {name: least, namespace: least}, spec: {limits: [
          {type: Container, min: {cpu: 10m, memory: 16Mi}}]}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-minimum-stands-in, namespace: least}, spec: {template: {
          spec: {containers: [{name: c, image: i}]}}}}
    """
    return ~(container_resources["requests_cpu"] & container_resources["requests_memory"])


@control(
    "KA-DEP-029c",
    layer="deploy",
    severity="info",
    applies="bounded",
    weak=("limit_ranges",),
    expected="a cpu limit",
    shows=("container_type", "cpu_limit_cores"),
)
def no_cpu_limit(container_resources: pd.DataFrame) -> pd.Series[Any]:
    """Containers have a CPU limit.

    Advisory: a limit stops a busy loop or a miner from taking a node's idle CPU, and also
    throttles honest bursts. Requests alone share CPU fairly under load.

    Remedy:
        Set it where several tenants share nodes.

        resources:
          limits: {cpu: 500m}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-init}, spec: {initContainers: [{name: i, image: i}],
          containers: [{name: c, image: i, resources: {limits: {cpu: 1}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set}, spec: {containers: [
          {name: c, image: i, resources: {limits: {cpu: 500m}}}], ephemeralContainers: [{name: e, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-pod-level}, spec: {resources: {limits: {cpu: 1}}, containers: [{name: c, image: i}]}}
    """
    return ~container_resources["limits_cpu"]


@control(
    "KA-DEP-029d",
    layer="deploy",
    severity="low",
    applies="bounded",
    weak=("limit_ranges",),
    expected="an ephemeral-storage limit",
    shows=("container_type", "storage_limit_bytes"),
)
def no_storage_limit(container_resources: pd.DataFrame) -> pd.Series[Any]:
    """Containers have a limit for ephemeral storage.

    Logs and scratch files fill the disk of the node, which then evicts pods that did
    nothing wrong.

    Remedy:
        Set it above what logs and scratch files take.

        resources:
          limits: {ephemeral-storage: 100Mi}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-request-only}, spec: {containers: [
          {name: c, image: i, resources: {requests: {ephemeral-storage: 100Mi}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set}, spec: {containers: [
          {name: c, image: i, resources: {limits: {ephemeral-storage: 100Mi}}}]}}
        ---
        {apiVersion: v1, kind: LimitRange, metadata: {name: defaults, namespace: bounded}, spec: {limits: [
          {type: Container, default: {ephemeral-storage: 1Gi}}]}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-limit-range, namespace: bounded}, spec: {template: {
          spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: v1, kind: LimitRange, metadata: {name: most, namespace: capped}, spec: {limits: [
          {type: Container, max: {ephemeral-storage: 2Gi}}]}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-maximum-stands-in, namespace: capped}, spec: {template: {
          spec: {containers: [{name: c, image: i}]}}}}
    """
    return ~container_resources["limits_storage"]


@control(
    "KA-DEP-029e",
    layer="deploy",
    severity="low",
    applies="of_scratch",
    expected="sizeLimit on every emptyDir",
    shows=("volume", "medium", "size_limit_bytes"),
)
def scratch_without_limit(pod_volumes: pd.DataFrame) -> pd.Series[Any]:
    """Scratch volumes have a size limit.

    An emptyDir without one fills the disk of the node, or its memory where the medium is
    Memory.

    Remedy:
        Set it.

        volumes:
          - {name: tmp, emptyDir: {sizeLimit: 50Mi}}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {containers: [{name: c, image: i}],
          volumes: [{name: v, emptyDir: {}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-implied}, spec: {containers: [{name: c, image: i}],
          volumes: [{name: v}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-one-of-two}, spec: {containers: [{name: c, image: i}],
          volumes: [{name: v, emptyDir: {sizeLimit: 50Mi}}, {name: w, emptyDir: {medium: Memory}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set}, spec: {containers: [{name: c, image: i}],
          volumes: [{name: v, emptyDir: {sizeLimit: 50Mi}}, {name: w, configMap: {name: m}}]}}
    """
    return pod_volumes["size_limit_bytes"].isna() & pod_volumes["of_scratch"]


@control(
    "KA-DEP-030",
    layer="deploy",
    severity="low",
    applies="of_tenant",
    expected="a ResourceQuota or a LimitRange",
    shows=("quotas", "limit_ranges"),
)
def namespace_without_bounds(namespace_bounds: pd.DataFrame) -> pd.Series[Any]:
    """Namespaces of tenants are bounded by a quota or a limit range.

    Without either one tenant can take all that the cluster has. Kubernetes' own namespaces
    are not asked: a quota there keeps its components from starting.

    Remedy:
        Give each namespace of a tenant a quota.

        apiVersion: v1
        kind: ResourceQuota
        metadata: {name: bounds}
        spec: {hard: {pods: "50", limits.memory: 20Gi, requests.cpu: "10"}}

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-bare}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-default-like}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-quota}}
        ---
        {apiVersion: v1, kind: ResourceQuota, metadata: {name: q, namespace: ok-quota}, spec: {hard: {pods: 10}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-limits}}
        ---
        {apiVersion: v1, kind: LimitRange, metadata: {name: l, namespace: ok-limits}, spec: {limits: [
          {type: Container, default: {memory: 1Gi}}]}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: kube-system}}
    """
    return ~namespace_bounds["bounded"]
