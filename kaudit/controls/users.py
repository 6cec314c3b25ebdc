"""Whom containers run as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import over_lists
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

#: First user id above those that distributions and their packages give out.
FIRST_FREE_USER = 10_000


@control(
    "KA-DEP-015",
    layer="deploy",
    severity="high",
    expected="runAsNonRoot is true, for the container or its pod",
    shows=("container_type", "run_as_non_root", "run_as_user"),
)
def root_not_excluded(security_context: pd.DataFrame) -> pd.Series[Any]:
    """Containers are refused the root user.

    Without runAsNonRoot the image decides, and the next image may decide for root. Root in a
    container is root on the node as soon as anything lets it out. A pod with a user namespace
    of its own is exempt (Pod Security Standards from v1.35).

    Remedy:
        Set it at the pod, and do not undo it at a container.

        securityContext:
          runAsNonRoot: true
          runAsUser: 1001

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-undone}, spec: {securityContext: {runAsNonRoot: true},
          containers: [{name: c, image: i, securityContext: {runAsNonRoot: false}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-init}, spec: {initContainers: [{name: i, image: i}],
          containers: [{name: c, image: i, securityContext: {runAsNonRoot: true}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-user-only}, spec: {containers: [
          {name: c, image: i, securityContext: {runAsUser: 1000}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-windows}, spec: {os: {name: windows}, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: batch/v1, kind: CronJob, metadata: {name: bad-sidecar-undoes-it}, spec: {jobTemplate: {spec: {template: {spec: {
          securityContext: {runAsNonRoot: true}, containers: [{name: c, image: i}],
          initContainers: [{name: s, image: i, restartPolicy: Always, securityContext: {runAsNonRoot: false}}]}}}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-pod}, spec: {securityContext: {runAsNonRoot: true},
          containers: [{name: c, image: i}], ephemeralContainers: [{name: e, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-container}, spec: {securityContext: {runAsNonRoot: false},
          containers: [{name: c, image: i, securityContext: {runAsNonRoot: true}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-user-namespace}, spec: {hostUsers: false,
          containers: [{name: c, image: i}]}}
    """
    return ~security_context["run_as_non_root"] & ~security_context["own_user_namespace"]


@control(
    "KA-DEP-015a",
    layer="deploy",
    severity="high",
    applies="linux",
    expected="runAsUser is not 0",
    shows=("container_type", "run_as_user"),
)
def user_zero(security_context: pd.DataFrame) -> pd.Series[Any]:
    """No container is told to run as user 0.

    An explicit runAsUser 0 is a decision for root, whatever the image would have done.

    Remedy:
        Give the container a user of its own, above 0, that owns the files it writes.

        securityContext:
          runAsUser: 1001

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-pod}, spec: {securityContext: {runAsUser: 0},
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-container}, spec: {securityContext: {runAsUser: 1000},
          containers: [{name: c, image: i, securityContext: {runAsUser: 0}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-inherited-by-an-ephemeral}, spec: {securityContext: {runAsUser: 0},
          containers: [{name: c, image: i, securityContext: {runAsUser: 1000}}], ephemeralContainers: [{name: e, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-user-namespace}, spec: {hostUsers: false, containers: [
          {name: c, image: i, securityContext: {runAsUser: 0}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-overridden}, spec: {securityContext: {runAsUser: 0},
          containers: [{name: c, image: i, securityContext: {runAsUser: 1000}}]}}
    """
    return security_context["user_zero"] & ~security_context["own_user_namespace"]


@control(
    "KA-DEP-015b",
    layer="deploy",
    severity="info",
    applies="user_set",
    expected="runAsUser is 10000 or above",
    shows=("container_type", "run_as_user"),
)
def low_user(security_context: pd.DataFrame) -> pd.Series[Any]:
    """Containers run as users that their node does not have.

    Low user ids exist on nodes too: what escapes as such a user owns that user's files and
    processes. Advisory, and moot in a user namespace.

    Remedy:
        Choose an id that no distribution gives out.

        securityContext:
          runAsUser: 10001

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-low}, spec: {containers: [
          {name: c, image: i, securityContext: {runAsUser: 999}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-inherited}, spec: {securityContext: {runAsUser: 9999},
          initContainers: [{name: n, image: i}], containers: [{name: c, image: i, securityContext: {runAsUser: 20000}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-high}, spec: {containers: [
          {name: c, image: i, securityContext: {runAsUser: 10000}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-user-namespace}, spec: {hostUsers: false, containers: [
          {name: c, image: i, securityContext: {runAsUser: 999}}]}}
    """
    low = (security_context["run_as_user"] < FIRST_FREE_USER).fillna(False)
    return low & ~security_context["own_user_namespace"]


@control(
    "KA-DEP-016",
    layer="deploy",
    severity="low",
    applies="linux",
    expected="runAsGroup is not 0",
    shows=("container_type", "run_as_group"),
)
def group_zero(security_context: pd.DataFrame) -> pd.Series[Any]:
    """No container is told to run in the root group.

    Files that belong to group root, host paths among them, are open to group 0.

    Remedy:
        Give the container a group of its own.

        securityContext:
          runAsGroup: 1001

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-pod}, spec: {securityContext: {runAsGroup: 0},
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-overridden}, spec: {securityContext: {runAsGroup: 0},
          containers: [{name: c, image: i, securityContext: {runAsGroup: 1000}}]}}
    """
    return security_context["group_zero"]


@control(
    "KA-DEP-016a",
    layer="deploy",
    severity="low",
    applies="linux",
    expected="neither fsGroup nor supplementalGroups is 0",
    shows=("fs_group", "supplemental_groups"),
)
def root_among_groups(pod_context: pd.DataFrame) -> pd.Series[Any]:
    """Pods do not join the root group through fsGroup or supplementalGroups.

    Both add the group to every process of the pod, and fsGroup gives it the volumes.

    Remedy:
        Name the group that owns the data.

        securityContext:
          fsGroup: 1001

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-fs-group}, spec: {securityContext: {fsGroup: 0},
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-supplemental}, spec: {
          securityContext: {supplementalGroups: [5, 0]}, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-none}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-own}, spec: {
          securityContext: {fsGroup: 1001, supplementalGroups: [10]}, containers: [{name: c, image: i}]}}
    """
    groups = over_lists(pod_context["supplemental_groups"], lambda ids: "0" in ids)
    return (pod_context["fs_group"] == 0).fillna(False) | groups


@control(
    "KA-DEP-026",
    layer="deploy",
    severity="low",
    applies="separable",
    expected="hostUsers: false where a container is root or adds capabilities",
    shows=("container_type", "run_as_user", "capabilities_add", "own_user_namespace"),
)
def root_without_user_namespace(security_context: pd.DataFrame) -> pd.Series[Any]:
    """Containers that are set to be root, or add capabilities, have a user namespace.

    With hostUsers false root in the container, and what its capabilities reach, is an
    unprivileged user on the node (on by default since Kubernetes 1.33). Pods that share a
    namespace of the node cannot have one.

    Remedy:
        Run as another user; where that cannot be, ask for a user namespace.

        spec:
          hostUsers: false

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-root}, spec: {containers: [
          {name: c, image: i, securityContext: {runAsUser: 0}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-capability}, spec: {hostUsers: true, containers: [{name: c, image: i}],
          initContainers: [{name: n, image: i, securityContext: {capabilities: {add: [NET_ADMIN]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-user-namespace}, spec: {hostUsers: false, containers: [
          {name: c, image: i, securityContext: {runAsUser: 0, capabilities: {add: [NET_ADMIN]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-cannot-have-one}, spec: {hostIPC: true, containers: [
          {name: c, image: i, securityContext: {runAsUser: 0}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-other-user}, spec: {containers: [
          {name: c, image: i, securityContext: {runAsUser: 1000, capabilities: {add: [NET_BIND_SERVICE]}}}]}}
    """
    adds = over_lists(
        security_context["capabilities_add"],
        lambda names: not {"NET_BIND_SERVICE"}.issuperset(names),
    )
    return (security_context["user_zero"] | adds) & ~security_context["own_user_namespace"]
