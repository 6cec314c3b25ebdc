"""Where workloads run, and who answers for them."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Any

from kaudit.columns import any_in_lists, arrow, over_lists, over_texts, series, text_is
from kaudit.parameters import parameters
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-027",
    layer="deploy",
    severity="medium",
    expected="a runtime class with a sandbox",
    shows=("namespace", "runtime_class"),
    null="no namespace is marked as untrusted (parameters untrusted_labels, untrusted_namespaces)",
)
def no_sandbox(
    pod_context: pd.DataFrame, namespaces: pd.DataFrame, classes: pd.DataFrame
) -> pd.Series[Any]:
    """Workloads that are not trusted run in a sandbox.

    Containers share the kernel of their node; a sandbox such as gVisor or Kata puts a second
    wall before it. Which namespaces are not trusted is said by their labels (parameter
    untrusted_labels) or by name (untrusted_namespaces), which handlers are sandboxes by
    sandbox_handlers.

    Remedy:
        Install a sandbox on the nodes of that tenant, and name its class.

        spec:
          runtimeClassName: gvisor

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: guests, labels: {untrusted: "true"}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: staff}}
        ---
        {apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: boxed}, handler: kata-qemu}
        ---
        {apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: gvisor-in-name-only}, handler: runc}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: guests}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-by-handler, namespace: guests}, spec: {runtimeClassName: gvisor-in-name-only, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-by-handler, namespace: guests}, spec: {runtimeClassName: boxed, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-class-not-in-the-evidence, namespace: guests}, spec: {runtimeClassName: gvisor, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-trusted, namespace: staff}, spec: {containers: [{name: c, image: i}]}}
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    decided = parameters()
    marked = over_lists(
        namespaces["labels"], lambda labels: not set(decided.untrusted_labels).isdisjoint(labels)
    )
    if not decided.untrusted_namespaces and not marked.any():
        return series(pa.nulls(len(pod_context), pa.bool_()), pod_context)
    labelled = arrow(namespaces["name"][marked.to_numpy(dtype=bool)])
    untrusted = _matching(pod_context["namespace"], decided.untrusted_namespaces) | series(
        pc.is_in(arrow(pod_context["namespace"]), value_set=labelled), pod_context
    )
    named = classes[text_is(classes["kind"], "RuntimeClass").to_numpy(dtype=bool)]
    boxes = named["name"][
        _matching(named["handler"], decided.sandbox_handlers).to_numpy(dtype=bool)
    ]
    chosen = pod_context["runtime_class"]
    boxed = series(pc.is_in(arrow(chosen), value_set=arrow(boxes), skip_nulls=True), chosen)
    known = series(pc.is_in(arrow(chosen), value_set=arrow(named["name"])), chosen)
    return untrusted & ~(boxed | (_matching(chosen, decided.sandbox_handlers) & ~known))


def _matching(column: pd.Series[Any], patterns: tuple[str, ...]) -> pd.Series[Any]:
    return over_texts(column, lambda text: any(fnmatch.fnmatchcase(text, p) for p in patterns))


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
        {apiVersion: batch/v1, kind: CronJob, metadata: {name: bad-named, namespace: default}, spec: {jobTemplate: {spec: {template: {spec: {
          containers: [{name: c, image: i}]}}}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-own, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
    """
    return text_is(pod_context["namespace"], "default")


@control(
    "KA-DEP-032",
    layer="deploy",
    severity="medium",
    expected="no toleration of control-plane taints, no node named past the scheduler",
    shows=("tolerations", "node"),
)
def reaches_control_plane(pod_context: pd.DataFrame) -> pd.Series[Any]:
    """Workloads of users do not run on control-plane nodes.

    A pod there is next to the credentials of the API server and of etcd. A template that
    names its node goes past the scheduler and its taints. Agents that run on every node, and
    components in Kubernetes' own namespaces, belong there.

    Remedy:
        Remove the toleration, and choose nodes by label.

        tolerations: []

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-named, namespace: shop}, spec: {tolerations: [
          {key: node-role.kubernetes.io/control-plane, effect: NoSchedule}], containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-old-name, namespace: shop}, spec: {tolerations: [
          {key: node-role.kubernetes.io/master, operator: Exists}], containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-any, namespace: shop}, spec: {tolerations: [{operator: Exists}],
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-past-the-scheduler, namespace: shop}, spec: {template: {spec: {
          nodeName: control-plane-1, containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-platform, namespace: kube-system}, spec: {tolerations: [{operator: Exists}],
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: ok-agent, namespace: sensors}, spec: {template: {spec: {
          tolerations: [{operator: Exists}], containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-scheduled, namespace: shop}, spec: {nodeName: worker-1, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-other, namespace: shop}, spec: {tolerations: [
          {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute}, {operator: Exists, effect: NoExecute}], containers: [{name: c, image: i}]}}
    """
    tolerated = over_lists(
        pod_context["tolerations"], lambda terms: any(map(_bears_control_plane, terms))
    )
    agent = text_is(pod_context["owner_kind"], "DaemonSet") | pod_context["static"]
    return (tolerated | pod_context["placed"]) & ~pod_context["platform"] & ~agent


def _bears_control_plane(toleration: str) -> bool:
    key, _, rest = toleration.partition("=")
    roles = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master", "*")
    return key in roles and rest.rpartition(":")[2] in ("NoSchedule", "*")


@control(
    "KA-DEP-032a",
    layer="deploy",
    severity="medium",
    applies="platform",
    expected="a component or add-on of the platform",
    shows=("labels", "static"),
)
def stranger_in_system_namespace(pod_context: pd.DataFrame) -> pd.Series[Any]:
    """Only components of the platform run in Kubernetes' own namespaces.

    Policies, quotas and reviews often leave these namespaces out, which makes them a place to
    hide. A component is known by the labels that Kubernetes and the clouds put on theirs.

    Remedy:
        Move the workload to a namespace of its own.

        metadata:
          namespace: shop

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-stranger, namespace: kube-system, labels: {app: miner}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-public, namespace: kube-public}, spec: {template: {spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-dns, namespace: kube-system}, spec: {template: {
          metadata: {labels: {k8s-app: kube-dns}}, spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: kube-scheduler-one, namespace: kube-system, annotations: {
          kubernetes.io/config.mirror: abc}}, spec: {nodeName: one, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-elsewhere, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
    """
    return ~pod_context["component"]


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
    owner_labels. Static pods belong to the node.

    Remedy:
        Label the pod template.

        metadata:
          labels: {team: payments}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-none, labels: {app: a}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-empty, labels: {team: ""}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-longer-name, labels: {team-size: "5"}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-not-in-the-template, labels: {team: payments}}, spec: {template: {
          spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-team, labels: {team: payments}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-owner, labels: {owner: ann}}, spec: {containers: [{name: c, image: i}]}}
    """
    return ~any_in_lists(pod_context["labels"], _names_owner) & ~pod_context["static"]


@control(
    "KA-DEP-034a",
    layer="deploy",
    severity="low",
    applies="of_tenant",
    expected="a label that names an owner",
    shows=("labels",),
)
def namespace_without_owner(namespace_bounds: pd.DataFrame) -> pd.Series[Any]:
    """Namespaces carry a label that says who answers for them.

    What nobody labelled inside is routed by its namespace. Which labels count is the
    parameter owner_labels.

    Remedy:
        Label the namespace.

        metadata:
          labels: {team: payments}

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-none}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-team, labels: {team: payments}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: kube-system}}
    """
    return ~any_in_lists(namespace_bounds["labels"], _names_owner)


def _names_owner(label: str) -> bool:
    key, _, value = label.partition("=")
    return bool(value) and key in parameters().owner_labels
