"""Limits and requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import named, positions, series, text_is
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


def _defaulted(
    security_context: pd.DataFrame, limit_ranges: pd.DataFrame, column: str
) -> pd.Series[Any]:
    """Tell where a LimitRange of the namespace would fill a value into a template."""
    chosen = limit_ranges[
        (text_is(limit_ranges["type"], "Container") & limit_ranges[column].notna()).to_numpy(bool)
    ]
    found = named_in(chosen["namespace"], security_context["namespace"])
    return found & text_is(security_context["origin"], "template")


def named_in(names: pd.Series[Any], column: pd.Series[Any]) -> pd.Series[Any]:
    """Tell which values of a column are among names."""
    return series(positions(column, names) >= 0, column)


@control(
    "KA-DEP-028",
    layer="deploy",
    severity="medium",
    applies="bounded",
    weak=("limit_ranges",),
    expected="a memory limit, of the container, its pod or a LimitRange",
    shows=("container_type", "memory_limit_bytes"),
)
def no_memory_limit(security_context: pd.DataFrame, limit_ranges: pd.DataFrame) -> pd.Series[Any]:
    """Containers have a memory limit.

    Without one a leak, or an intruder, takes the memory of the node and with it its other
    pods.

    Remedy:
        Set it from what the program needs.

        resources:
          limits: {memory: 256Mi}
          requests: {memory: 128Mi}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-init}, spec: {initContainers: [{name: i, image: i}],
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
    """
    unset = security_context["memory_limit_bytes"].isna()
    return unset & ~_defaulted(security_context, limit_ranges, "default_memory_limit_bytes")


@control(
    "KA-DEP-029",
    layer="deploy",
    severity="low",
    applies="bounded",
    weak=("limit_ranges",),
    expected="requests for cpu and memory",
    shows=("container_type", "cpu_request_cores", "memory_request_bytes"),
)
def no_requests(security_context: pd.DataFrame, limit_ranges: pd.DataFrame) -> pd.Series[Any]:
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
        {apiVersion: v1, kind: Pod, metadata: {name: ok-both}, spec: {containers: [
          {name: c, image: i, resources: {requests: {cpu: 100m, memory: 1Gi}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-limits-stand-in}, spec: {containers: [
          {name: c, image: i, resources: {limits: {cpu: 100m, memory: 1Gi}}}]}}
    """
    c = security_context
    cpu = c["cpu_request_cores"].isna() & c["cpu_limit_cores"].isna()
    memory = c["memory_request_bytes"].isna() & c["memory_limit_bytes"].isna()
    cpu &= ~_defaulted(c, limit_ranges, "default_cpu_request_cores")
    memory &= ~_defaulted(c, limit_ranges, "default_memory_request_bytes")
    return cpu | memory


@control(
    "KA-DEP-029a",
    layer="deploy",
    severity="info",
    applies="bounded",
    weak=("limit_ranges",),
    expected="a cpu limit",
    shows=("container_type", "cpu_limit_cores"),
)
def no_cpu_limit(security_context: pd.DataFrame, limit_ranges: pd.DataFrame) -> pd.Series[Any]:
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
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set}, spec: {containers: [
          {name: c, image: i, resources: {limits: {cpu: 500m}}}]}}
    """
    unset = security_context["cpu_limit_cores"].isna()
    return unset & ~_defaulted(security_context, limit_ranges, "default_cpu_limit_cores")


@control(
    "KA-DEP-029b",
    layer="deploy",
    severity="low",
    applies="bounded",
    weak=("limit_ranges",),
    expected="an ephemeral-storage limit",
    shows=("container_type", "storage_limit_bytes"),
)
def no_storage_limit(security_context: pd.DataFrame, limit_ranges: pd.DataFrame) -> pd.Series[Any]:
    """Containers have a limit for ephemeral storage.

    Logs and scratch files fill the disk of the node, which then evicts pods at random.

    Remedy:
        Set it above what logs and scratch files take.

        resources:
          limits: {ephemeral-storage: 100Mi}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set}, spec: {containers: [
          {name: c, image: i, resources: {limits: {ephemeral-storage: 100Mi}}}]}}
    """
    unset = security_context["storage_limit_bytes"].isna()
    return unset & ~_defaulted(security_context, limit_ranges, "default_storage_limit_bytes")


@control(
    "KA-DEP-029c",
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
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set}, spec: {containers: [{name: c, image: i}],
          volumes: [{name: v, emptyDir: {sizeLimit: 50Mi}}]}}
    """
    return pod_volumes["size_limit_bytes"].isna() & pod_volumes["of_scratch"]


@control(
    "KA-DEP-030",
    layer="deploy",
    severity="low",
    expected="a ResourceQuota or a LimitRange",
    shows=("name",),
)
def namespace_without_bounds(
    namespaces: pd.DataFrame, quotas: pd.DataFrame, limit_ranges: pd.DataFrame
) -> pd.Series[Any]:
    """Namespaces are bounded by a quota or a limit range.

    Without either one tenant can take all that the cluster has.

    Remedy:
        Give each namespace of a tenant a quota.

        apiVersion: v1
        kind: ResourceQuota
        metadata: {name: bounds}
        spec: {hard: {pods: "50", limits.memory: 20Gi, requests.cpu: "10"}}

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-bare}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-quota}}
        ---
        {apiVersion: v1, kind: ResourceQuota, metadata: {name: q, namespace: ok-quota}, spec: {hard: {pods: 10}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-limits}}
        ---
        {apiVersion: v1, kind: LimitRange, metadata: {name: l, namespace: ok-limits}, spec: {limits: [
          {type: Container, default: {memory: 1Gi}}]}}
    """
    bounded = named(quotas["namespace"], namespaces["name"]) | named(
        limit_ranges["namespace"], namespaces["name"]
    )
    return ~series(bounded, namespaces)
