"""Runtime sensors watch every node, are well, and their alerts go somewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-RUN-001",
    layer="runtime",
    severity="high",
    applies="judged",
    null="the evidence does not hold what runs on nodes",
    expected="a ready sensor on the node",
    shows=("sensors", "unready", "why", "versions", "ready_since_at"),
)
def node_without_sensor(node_sensors: pd.DataFrame) -> pd.Series[Any]:
    """Every node has a ready runtime sensor.

    What happens on a node without one is seen by nobody, and that there is no alert of it says
    nothing. A sensor that is a package of the node is not seen here: accept it with a waiver.
    Virtual nodes, on which none can run, are left out.

    Remedy:
        Let the DaemonSet of the sensor tolerate the taints of the node, and mend what keeps its
        pod from being ready.

        tolerations: [{operator: Exists}]

    Cases:
        {apiVersion: v1, kind: Node, metadata: {name: ok-watched}, status: {conditions: [{type: Ready, status: "True"}]}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: bad-none}, status: {conditions: [{type: Ready, status: "True"}]}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: bad-not-ready}, status: {conditions: [{type: Ready, status: "True"}]}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: ok-virtual, labels: {type: virtual-kubelet}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: falco-a, namespace: falco},
         spec: {nodeName: ok-watched, containers: [{name: falco, image: "docker.io/falcosecurity/falco:0.42.0"}]},
         status: {phase: Running, containerStatuses: [{name: falco, ready: true}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: falco-b, namespace: falco},
         spec: {nodeName: bad-not-ready, containers: [{name: falco, image: "docker.io/falcosecurity/falco:0.42.0"}]},
         status: {phase: Running, containerStatuses: [{name: falco, ready: false, state: {waiting: {reason: CrashLoopBackOff}}}]}}
    """
    return ~node_sensors["covered"]


@control(
    "KA-RUN-002",
    layer="runtime",
    severity="high",
    null="nothing tells whether its pods are ready",
    expected="ready, and few restarts",
    shows=("sensor", "why", "pods", "ready", "restarts", "failing", "versions"),
)
def unwell_sensor(sensor_health: pd.DataFrame) -> pd.Series[Any]:
    """Runtime sensors are ready, and do not start again and again.

    A sensor that crashes sees nothing in between. Only the health of its pods is judged here,
    not what it loses.

    Remedy:
        Read its log: a missing driver, too little memory, or rules that it refuses.

        kubectl -n falco logs daemonset/falco --previous

    Cases:
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: bad-falco, namespace: falco, uid: u1}, spec: {selector: {}, template: {
          metadata: {}, spec: {containers: [{name: falco, image: "falcosecurity/falco:0.42.0"}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: falco-a, namespace: falco, ownerReferences: [
          {apiVersion: apps/v1, kind: DaemonSet, name: bad-falco, uid: u1, controller: true}]},
         spec: {nodeName: a, containers: [{name: falco, image: "falcosecurity/falco:0.42.0"}]},
         status: {phase: Running, containerStatuses: [{name: falco, ready: true, restartCount: 41}]}}
        ---
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: ok-tetragon, namespace: kube-system, uid: u2}, spec: {selector: {}, template: {
          metadata: {}, spec: {containers: [{name: tetragon, image: "quay.io/cilium/tetragon:v1.5.0"}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: tetragon-a, namespace: kube-system, ownerReferences: [
          {apiVersion: apps/v1, kind: DaemonSet, name: ok-tetragon, uid: u2, controller: true}]},
         spec: {nodeName: a, containers: [{name: tetragon, image: "quay.io/cilium/tetragon:v1.5.0"}]},
         status: {phase: Running, containerStatuses: [{name: tetragon, ready: true, restartCount: 0}]}}
    """
    return sensor_health["unwell"]


@control(
    "KA-RUN-002a",
    layer="runtime",
    severity="high",
    hides=("events", "event_logs"),
    null="its log is not in the evidence",
    expected="no lost events",
    shows=("sensor", "dropped", "events", "last_event_at", "versions"),
)
def losing_sensor(sensor_health: pd.DataFrame) -> pd.Series[Any]:
    """Runtime sensors lose no events.

    An attacker needs no more than a sensor that is overrun. Losses are told by Falco's internal
    rules and by Tetragon's rate limits, in their logs alone.

    Remedy:
        Give it more buffer and processor, and narrow rules that are too broad.

        helm upgrade falco falcosecurity/falco --reuse-values --set driver.modernEbpf.bufSizePreset=6

    Cases:
        # cluster: bad-drops
        {apiVersion: v1, kind: Pod, metadata: {name: falco-a, namespace: falco},
         spec: {nodeName: a, containers: [{name: falco, image: "falcosecurity/falco:0.42.0"}]}}
        ---
        kaudit-file: falco.jsonl
        content: {rule: "Falco internal: syscall event drop", priority: Debug, time: "2025-11-30T00:00:00Z", hostname: a,
          output: "", output_fields: {n_drops: "9"}}
        ---
        # cluster: bad-rate-limit
        {apiVersion: v1, kind: Pod, metadata: {name: tetragon-a, namespace: kube-system},
         spec: {nodeName: a, containers: [{name: tetragon, image: "quay.io/cilium/tetragon:v1.5.0"}]}}
        ---
        kaudit-file: tetragon.jsonl
        content: {rate_limit_info: {number_of_dropped_process_events: "17"}, node_name: a, time: "2025-11-30T00:00:00Z"}
        ---
        # cluster: ok-none-lost
        {apiVersion: v1, kind: Pod, metadata: {name: falco-a, namespace: falco},
         spec: {nodeName: a, containers: [{name: falco, image: "falcosecurity/falco:0.42.0"}]}}
        ---
        kaudit-file: falco.jsonl
        content: {rule: Noise, priority: Notice, time: "2025-11-30T00:00:00Z", hostname: a, output: "", output_fields: {}}
        ---
        # cluster: ok-no-log
        {apiVersion: v1, kind: Pod, metadata: {name: falco-a, namespace: falco},
         spec: {nodeName: a, containers: [{name: falco, image: "falcosecurity/falco:0.42.0"}]}}
    """
    return sensor_health["losing"]


@control(
    "KA-RUN-005",
    layer="runtime",
    severity="medium",
    null="its settings do not say which outputs are on",
    expected="an output that leaves the node",
    shows=("outputs", "http_host", "shipped"),
)
def alerts_go_nowhere(alert_routes: pd.DataFrame) -> pd.Series[Any]:
    """Alerts of Falco leave the node.

    Who owns a node owns its logs. Output by HTTP, a program, gRPC or syslog leaves it; standard
    output does where a DaemonSet ships logs. Whether somebody reads them is not seen here.

    Remedy:
        Send them to falcosidekick, or to a collector outside of the cluster.

        http_output: {enabled: true, url: "http://falcosidekick:2801/"}

    Cases:
        {apiVersion: v1, kind: ConfigMap, metadata: {name: bad-stdout-alone}, data: {falco.yaml: "stdout_output: {enabled: true}"}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: bad-none}, data: {falco.yaml: "stdout_output: {enabled: false}"}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: ok-http}, data: {falco.yaml: "http_output: {enabled: true, url: 'http://sidekick:2801/'}"}}
        ---
        # cluster: ok-shipped
        {apiVersion: v1, kind: ConfigMap, metadata: {name: falco}, data: {falco.yaml: "stdout_output: {enabled: true}"}}
        ---
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: logs}, spec: {selector: {}, template: {metadata: {}, spec: {
          containers: [{name: c, image: "cr.fluentbit.io/fluent/fluent-bit:4.0"}]}}}}
    """
    return alert_routes["lost"]
