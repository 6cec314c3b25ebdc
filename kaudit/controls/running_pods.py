"""What runs beside what was declared: debugging, drift, and pods that nobody manages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import where_known
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-RUN-008",
    layer="runtime",
    severity="medium",
    expected="no ephemeral container",
    shows=("container_type", "image", "state", "target_container", "privileged"),
)
def ephemeral_container(security_context: pd.DataFrame) -> pd.Series[Any]:
    """No pod carries an ephemeral container.

    Somebody debugged there: the container is not in any template, most policies do not look
    at it, and its record stays until the pod is gone, whether it still runs or not.

    Remedy:
        Replace the pod, and find out who debugged and why.

        kubectl delete pod <name>

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-debugged}, spec: {containers: [{name: c, image: i}],
          ephemeralContainers: [{name: debugger, image: busybox}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-and-gone}, spec: {containers: [{name: c, image: i}],
          ephemeralContainers: [{name: debugger, image: busybox, targetContainerName: c}]},
          status: {ephemeralContainerStatuses: [{name: debugger, state: {terminated: {reason: Completed}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-plain}, spec: {initContainers: [{name: i, image: i}], containers: [{name: c, image: i}]}}
    """
    return ~security_context["bounded"]


@control(
    "KA-RUN-012",
    layer="runtime",
    severity="medium",
    expected="image, command and account of the template, no setting weaker",
    shows=(
        "image",
        "template_image",
        "image_changed",
        "command_changed",
        "account_changed",
        "weakened",
    ),
    null="its template is not in the evidence, or a rollout is going on",
)
def pod_differs(template_drift: pd.DataFrame) -> pd.Series[Any]:
    """Running pods are what their template says.

    A live pod's image can be patched past every review of its template, and a mutating
    webhook can change all of it. Tags that admission pinned by digest, containers that it
    added and resources that were resized are not meant.

    Remedy:
        Find out who changed it, and let the controller make the pod anew.

        kubectl rollout restart deployment/<name>

    Cases:
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-patched, uid: d1}, spec: {template: {spec: {containers: [{name: c, image: "a:1"}]}}}}
        ---
        {apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: r1, uid: r1, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: bad-patched, uid: d1, controller: true}]},
          spec: {template: {spec: {containers: [{name: c, image: "a:1"}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: p1, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: r1, uid: r1, controller: true}]},
          spec: {containers: [{name: c, image: "miner:1"}]}}
        ---
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: bad-weakened, uid: d2}, spec: {template: {spec: {containers: [
          {name: c, image: "a:1", securityContext: {readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: p2, ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: bad-weakened, uid: d2, controller: true}]},
          spec: {containers: [{name: c, image: "a:1", securityContext: {readOnlyRootFilesystem: true, capabilities: {drop: [ALL], add: [SYS_ADMIN]}}}]}}
        ---
        {apiVersion: apps/v1, kind: StatefulSet, metadata: {name: bad-command, uid: d3}, spec: {template: {spec: {containers: [
          {name: c, image: "a:1", command: [run]}], initContainers: [{name: n, image: "a:1"}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: p3, ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: bad-command, uid: d3, controller: true}]},
          spec: {containers: [{name: c, image: "a:1", command: [run, --insecure]}], initContainers: [{name: n, image: "a:1"}]}}
        ---
        {apiVersion: apps/v1, kind: StatefulSet, metadata: {name: ok-pinned-and-hardened, uid: d4}, spec: {template: {spec: {containers: [{name: c, image: "a:1"}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: p4, ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: ok-pinned-and-hardened, uid: d4, controller: true}]},
          spec: {serviceAccountName: default, containers: [{name: proxy, image: "mesh:1"}, {name: c, securityContext: {runAsNonRoot: true}, resources: {limits: {cpu: 2}},
          image: "a:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {apiVersion: apps/v1, kind: StatefulSet, metadata: {name: ok-rolling-out, uid: d5}, spec: {template: {spec: {containers: [{name: c, image: "a:2"}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: p5, labels: {controller-revision-hash: one}, ownerReferences: [
          {apiVersion: apps/v1, kind: StatefulSet, name: ok-rolling-out, uid: d5, controller: true}]}, spec: {containers: [{name: c, image: "a:1"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: p6, labels: {controller-revision-hash: two}, ownerReferences: [
          {apiVersion: apps/v1, kind: StatefulSet, name: ok-rolling-out, uid: d5, controller: true}]}, spec: {containers: [{name: c, image: "a:2"}]}}
    """
    return where_known(template_drift["changed"], template_drift["comparable"])


@control(
    "KA-RUN-012a",
    layer="runtime",
    severity="info",
    expected="a container that the template has",
    shows=("container_type", "image"),
    null="its template is not in the evidence, or a rollout is going on",
)
def container_added(template_drift: pd.DataFrame) -> pd.Series[Any]:
    """Running pods have only the containers of their template.

    Meshes and agents are put in by mutating webhooks. Who reviews the template does not see
    them, and neither does a scan of the repository.

    Remedy:
        Know the webhook that adds it, and review what it adds.

        kubectl get mutatingwebhookconfigurations

    Cases:
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: bad-injected, uid: i1}, spec: {template: {spec: {containers: [{name: c, image: "a:1"}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: q1, ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: bad-injected, uid: i1, controller: true}]},
          spec: {containers: [{name: c, image: "a:1"}, {name: proxy, image: "mesh:1"}]}}
        ---
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: ok-same, uid: i2}, spec: {template: {spec: {containers: [{name: c, image: "a:1"}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: q2, ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: ok-same, uid: i2, controller: true}]},
          spec: {containers: [{name: c, image: "a:1"}], ephemeralContainers: [{name: e, image: "b:1"}]}}
    """
    return where_known(template_drift["added"], template_drift["comparable"])


@control(
    "KA-RUN-013",
    layer="runtime",
    severity="medium",
    expected="a controller that owns the pod",
    shows=("origin", "node", "phase"),
)
def unmanaged_pod(pod_context: pd.DataFrame) -> pd.Series[Any]:
    """Every pod belongs to a controller.

    A bare pod was made by hand or by an intruder: nothing recreates, updates or explains it.
    Static pods are judged by KA-RUN-013a.

    Remedy:
        Put the pod under a controller, or remove it.

        apiVersion: apps/v1
        kind: Deployment

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-bare}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-owner-that-does-not-control, ownerReferences: [
          {apiVersion: v1, kind: ConfigMap, name: r, uid: u}]}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-template}, spec: {template: {spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-static, namespace: kube-system, annotations: {
          kubernetes.io/config.mirror: abc}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-owned, ownerReferences: [
          {apiVersion: apps/v1, kind: ReplicaSet, name: r, uid: u, controller: true}]}, spec: {containers: [{name: c, image: i}]}}
    """
    return pod_context["unowned"]


@control(
    "KA-RUN-013a",
    layer="runtime",
    severity="high",
    expected="static pods of the control plane only",
    shows=("namespace", "node"),
)
def unexpected_static_pod(pod_context: pd.DataFrame) -> pd.Series[Any]:
    """Static pods are those of the control plane.

    A kubelet runs whatever manifest lies in its folder, past admission and RBAC: an intruder
    with a foothold on a node stays this way. Known are the names that installers use, in
    kube-system.

    Remedy:
        Look at the manifest on the node, and remove it there.

        ls -l /etc/kubernetes/manifests

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-elsewhere-n1, namespace: shop, annotations: {
          kubernetes.io/config.mirror: abc}}, spec: {nodeName: n1, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-name-n1, namespace: kube-system, annotations: {
          kubernetes.io/config.mirror: abc}}, spec: {nodeName: n1, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-owned-by-a-node, namespace: shop, ownerReferences: [
          {apiVersion: v1, kind: Node, name: n1, uid: u, controller: true}]}, spec: {nodeName: n1, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: kube-apiserver-n1, namespace: kube-system, annotations: {
          kubernetes.io/config.mirror: abc}}, spec: {nodeName: n1, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-bare}, spec: {containers: [{name: c, image: i}]}}
    """
    return pod_context["static"] & ~pod_context["expected_static"]
