"""Where workloads run, who answers for them, and what runs unmanaged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import over_lists, text_is
from kaudit.parameters import parameters
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-031",
    layer="deploy",
    severity="low",
    expected="a namespace of its own",
    shows=("namespace",),
)
def default_namespace(pod_context: pd.DataFrame) -> pd.Series[Any]:
    """No workload runs in the namespace default.

    What is there was put there without a decision: no labels, quotas or policies of a tenant
    apply to it. Manifests that name no namespace end there.

    Remedy:
        Name a namespace.

        metadata:
          namespace: shop

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-own, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
    """
    return text_is(pod_context["namespace"], "default")


@control(
    "KA-DEP-032",
    layer="deploy",
    severity="medium",
    expected="no toleration of control-plane taints",
    shows=("tolerations", "node"),
)
def tolerates_control_plane(pod_context: pd.DataFrame) -> pd.Series[Any]:
    """Workloads of users do not run on control-plane nodes.

    A pod there is next to the credentials of the API server and of etcd. Components in
    Kubernetes' own namespaces belong there.

    Remedy:
        Remove the toleration.

        tolerations: []

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-named, namespace: shop}, spec: {tolerations: [
          {key: node-role.kubernetes.io/control-plane, effect: NoSchedule}], containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-any, namespace: shop}, spec: {tolerations: [{operator: Exists}],
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-platform, namespace: kube-system}, spec: {tolerations: [{operator: Exists}],
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-other, namespace: shop}, spec: {tolerations: [
          {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute}], containers: [{name: c, image: i}]}}
    """
    tolerated = over_lists(
        pod_context["tolerations"], lambda ts: any(map(_reaches_control_plane, ts))
    )
    return tolerated & ~pod_context["platform"]


def _reaches_control_plane(toleration: str) -> bool:
    key, _, rest = toleration.partition("=")
    roles = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master", "*")
    return key in roles and rest.rpartition(":")[2] in ("NoSchedule", "*")


@control(
    "KA-DEP-034",
    layer="deploy",
    severity="low",
    expected="a label that names an owner",
    shows=("labels",),
)
def no_owner_label(pod_context: pd.DataFrame) -> pd.Series[Any]:
    """Workloads carry a label that says who answers for them.

    Findings without an owner are not repaired. Which labels count is the parameter
    owner_labels.

    Remedy:
        Label the pod template.

        metadata:
          labels: {team: payments}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-none, labels: {app: a}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-empty, labels: {team: ""}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-team, labels: {team: payments}}, spec: {containers: [{name: c, image: i}]}}
    """
    wanted = tuple(f"{key}=" for key in parameters().owner_labels)
    named = over_lists(
        pod_context["labels"],
        lambda labels: any(text.startswith(wanted) and text[-1] != "=" for text in labels),
    )
    return ~named & ~pod_context["mirror"]


@control(
    "KA-RUN-008",
    layer="runtime",
    severity="medium",
    expected="no ephemeral container",
    shows=("container_type", "image"),
)
def ephemeral_container(security_context: pd.DataFrame) -> pd.Series[Any]:
    """No pod carries an ephemeral container.

    Somebody debugged there: the container is not in any template, most policies do not look
    at it, and it stays until the pod is gone.

    Remedy:
        Replace the pod, and find out who debugged and why.

        kubectl delete pod <name>

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-debugged}, spec: {containers: [{name: c, image: i}],
          ephemeralContainers: [{name: debugger, image: busybox}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-plain}, spec: {containers: [{name: c, image: i}]}}
    """
    return ~security_context["bounded"]


@control(
    "KA-RUN-013",
    layer="runtime",
    severity="medium",
    expected="a controller that owns the pod",
    shows=("origin", "node"),
)
def unmanaged_pod(pod_context: pd.DataFrame) -> pd.Series[Any]:
    """Every pod belongs to a controller.

    A bare pod was made by hand or by an intruder: nothing recreates, updates or explains it.
    Static pods of Kubernetes itself are not meant.

    Remedy:
        Put the pod under a Deployment, or remove it.

        apiVersion: apps/v1
        kind: Deployment

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-bare}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-static-elsewhere, namespace: shop, annotations: {
          kubernetes.io/config.mirror: abc}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-static, namespace: kube-system, annotations: {
          kubernetes.io/config.mirror: abc}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-owned, ownerReferences: [
          {apiVersion: apps/v1, kind: ReplicaSet, name: r, uid: u, controller: true}]}, spec: {containers: [{name: c, image: i}]}}
    """
    return pod_context["unowned"] | (pod_context["mirror"] & ~pod_context["platform"])
