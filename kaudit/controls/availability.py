"""Probes, replicas and spreading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import text_is
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-035a",
    layer="deploy",
    severity="low",
    applies="probed",
    expected="a livenessProbe",
    shows=("container_type", "liveness_probe"),
)
def no_liveness_probe(security_context: pd.DataFrame) -> pd.Series[Any]:
    """Lasting containers have a liveness probe.

    A program that hangs, or was brought to hang, is not restarted without one. Jobs end by
    themselves and are not asked.

    Remedy:
        Add one that tells a hanging program from a busy one.

        livenessProbe:
          httpGet: {path: /health, port: 8080}
          periodSeconds: 15

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {initContainers: [{name: i, image: i}],
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-sidecar}, spec: {initContainers: [{name: s, image: i, restartPolicy: Always}],
          containers: [{name: c, image: i, livenessProbe: {tcpSocket: {port: 80}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-other-probes}, spec: {containers: [{name: c, image: i,
          readinessProbe: {tcpSocket: {port: 80}}, startupProbe: {tcpSocket: {port: 80}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set}, spec: {initContainers: [{name: i, image: i}], ephemeralContainers: [{name: e, image: i}],
          containers: [{name: c, image: i, livenessProbe: {tcpSocket: {port: 80}}}]}}
        ---
        {apiVersion: batch/v1, kind: Job, metadata: {name: ok-job}, spec: {template: {spec: {restartPolicy: Never,
          containers: [{name: c, image: i}]}}}}
    """
    return ~security_context["liveness_probe"]


@control(
    "KA-DEP-035b",
    layer="deploy",
    severity="low",
    applies="probed",
    expected="a readinessProbe",
    shows=("container_type", "readiness_probe"),
)
def no_readiness_probe(security_context: pd.DataFrame) -> pd.Series[Any]:
    """Lasting containers have a readiness probe.

    Without one traffic reaches a pod before it can answer, and stays with it when it cannot
    any more.

    Remedy:
        Add one that tells whether requests can be answered.

        readinessProbe:
          httpGet: {path: /ready, port: 8080}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set}, spec: {containers: [
          {name: c, image: i, readinessProbe: {tcpSocket: {port: 80}}}]}}
    """
    return ~security_context["readiness_probe"]


@control(
    "KA-DEP-035c",
    layer="deploy",
    severity="info",
    applies="replicated",
    expected="topology spread constraints or pod anti-affinity that select its own pods",
    shows=("owner_kind", "spread"),
    null="its anti-affinity is about namespaces with labels; whether its own has them is not asked",
)
def not_spread(pod_context: pd.DataFrame) -> pd.Series[Any]:
    """Replicas are spread over nodes or zones.

    Otherwise all of them may run on the one node that fails. A constraint, or a term of
    anti-affinity, whose selector does not select the workload's own pods spreads none of them;
    nor does a term that names other namespaces.

    Remedy:
        Spread them by host name, and select the labels of the template.

        topologySpreadConstraints:
          - maxSkew: 1
            topologyKey: kubernetes.io/hostname
            whenUnsatisfiable: DoNotSchedule
            labelSelector: {matchLabels: {app: web}}

    Cases:
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-unset}, spec: {replicas: 3, template: {spec: {
          containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-spread-among-none}, spec: {replicas: 3, template: {
          metadata: {labels: {app: web}}, spec: {topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone,
          whenUnsatisfiable: DoNotSchedule}], containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-spread-among-others}, spec: {replicas: 3, template: {
          metadata: {labels: {app: web}}, spec: {topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone,
          whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: db}}}], containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-apart-from-others}, spec: {replicas: 3, template: {
          metadata: {labels: {app: web}}, spec: {affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [
          {topologyKey: host, labelSelector: {matchLabels: {app: db}}}]}}, containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-apart-from-nobody}, spec: {replicas: 3, template: {spec: {
          affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: []}}, containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-apart-from-other-tenants}, spec: {replicas: 3, template: {
          metadata: {labels: {tenant: a}}, spec: {affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [
          {topologyKey: host, labelSelector: {}, mismatchLabelKeys: [tenant]}]}}, containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-apart-in-another-namespace}, spec: {replicas: 3, template: {
          metadata: {labels: {app: web}}, spec: {affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [
          {topologyKey: host, labelSelector: {matchLabels: {app: web}}, namespaces: [other]}]}}, containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-apart-in-all-namespaces}, spec: {replicas: 3, template: {
          metadata: {labels: {app: web}}, spec: {affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [
          {topologyKey: host, labelSelector: {matchLabels: {app: web}}, namespaces: [other], namespaceSelector: {}}]}}, containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-spread}, spec: {replicas: 3, template: {
          metadata: {labels: {app: web}}, spec: {topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone,
          whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}], containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-apart}, spec: {replicas: 3, template: {
          metadata: {labels: {app: web, tier: front}}, spec: {affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [
          {weight: 9, podAffinityTerm: {topologyKey: host, labelSelector: {matchExpressions: [{key: app, operator: In, values: [web]}]}}}]}},
          containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-alone}, spec: {replicas: 1, template: {spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: ok-daemon}, spec: {template: {spec: {
          containers: [{name: c, image: i}]}}}}
    """
    return ~pod_context["spread"]


@control(
    "KA-DEP-035d",
    layer="deploy",
    severity="info",
    applies="scalable",
    expected="more than one replica",
    shows=("kind", "replicas"),
)
def single_replica(workload_settings: pd.DataFrame) -> pd.Series[Any]:
    """Deployments and StatefulSets have more than one replica.

    A single pod is away whenever its node is drained or its program restarts. Those that are
    scaled to nothing are not asked.

    Remedy:
        Run at least two, spread over nodes.

        spec:
          replicas: 2

    Cases:
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-unset}, spec: {template: {spec: {
          containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: StatefulSet, metadata: {name: bad-one}, spec: {replicas: 1, template: {spec: {
          containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-two}, spec: {replicas: 2, template: {spec: {
          containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-stopped}, spec: {replicas: 0, template: {spec: {
          containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: batch/v1, kind: Job, metadata: {name: ok-job}, spec: {template: {spec: {
          containers: [{name: c, image: i}]}}}}
    """
    return workload_settings["replicas"] == 1


@control(
    "KA-DEP-035e",
    layer="deploy",
    severity="info",
    expected="a budget that lets a pod be evicted",
    shows=("min_available", "max_unavailable", "pods"),
    null="no pod that it covers is known",
)
def budget_forbids_eviction(disruption_room: pd.DataFrame) -> pd.Series[Any]:
    """Disruption budgets let at least one pod be evicted.

    A budget that allows nothing keeps nodes from being drained, and so from being patched;
    whoever must drain one then goes past the budget. So does one that asks for as many pods
    as there are.

    Remedy:
        Allow one.

        spec:
          maxUnavailable: 1

    Cases:
        {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: bad-none}, spec: {maxUnavailable: 0, selector: {}}}
        ---
        {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: bad-none-in-percent}, spec: {maxUnavailable: 0%, selector: {}}}
        ---
        {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: bad-all}, spec: {minAvailable: 100%, selector: {}}}
        ---
        {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: ok-one}, spec: {maxUnavailable: 1, selector: {}}}
        ---
        {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: ok-half, namespace: empty}, spec: {minAvailable: 50%, selector: {}}}
        ---
        {apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db, namespace: shop}, spec: {template: {
          metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: bad-one-of-one, namespace: shop}, spec: {
          minAvailable: 1, selector: {matchExpressions: [{key: app, operator: In, values: [db]}]}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {replicas: 2, template: {
          metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: bad-as-many-as-there-are, namespace: shop}, spec: {
          minAvailable: 2, selector: {matchLabels: {app: web}}}}
        ---
        {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: bad-rounded-up, namespace: shop}, spec: {
          minAvailable: 51%, selector: {matchLabels: {app: web}}}}
        ---
        {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: ok-one-of-two, namespace: shop}, spec: {
          minAvailable: 1, selector: {matchLabels: {app: web}}}}
        ---
        {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: ok-elsewhere, namespace: other}, spec: {
          minAvailable: 2, selector: {matchLabels: {app: web}}}}
        ---
        {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: ok-counted-by-the-cluster, namespace: shop}, spec: {
          minAvailable: 2, selector: {matchLabels: {app: web}}}, status: {expectedPods: 5}}
    """
    return disruption_room["blocked"]


@control(
    "KA-DEP-035f",
    layer="deploy",
    severity="info",
    applies="rolls",
    expected="a rolling update",
    shows=("kind", "strategy"),
)
def stops_to_update(workload_settings: pd.DataFrame) -> pd.Series[Any]:
    """Workloads are updated while they run.

    Recreate stops every pod before the first new one starts; OnDelete leaves old versions,
    with their vulnerabilities, running until somebody deletes them.

    Remedy:
        Roll.

        spec:
          strategy: {type: RollingUpdate}

    Cases:
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-recreate}, spec: {strategy: {type: Recreate}, template: {spec: {
          containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: bad-on-delete}, spec: {updateStrategy: {type: OnDelete}, template: {spec: {
          containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps.openshift.io/v1, kind: DeploymentConfig, metadata: {name: bad-custom}, spec: {strategy: {type: Custom}, template: {spec: {
          containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps.openshift.io/v1, kind: DeploymentConfig, metadata: {name: ok-rolling-config}, spec: {strategy: {type: Rolling}, template: {spec: {
          containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: ok-unset}, spec: {template: {spec: {containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: apps/v1, kind: StatefulSet, metadata: {name: ok-rolling}, spec: {updateStrategy: {type: RollingUpdate}, template: {spec: {
          containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: batch/v1, kind: Job, metadata: {name: ok-job}, spec: {template: {spec: {containers: [{name: c, image: i}]}}}}
    """
    return ~text_is(workload_settings["strategy"], "RollingUpdate", "Rolling")
