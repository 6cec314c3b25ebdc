"""What belongs to Kubernetes itself: its namespaces, its static pods, its add-ons."""

from __future__ import annotations

#: Namespaces that Kubernetes makes for itself.
NAMESPACES = ("kube-system", "kube-public", "kube-node-lease")

#: Static pods that installers put on control-plane nodes, named before ``-<node>``
#: (kubeadm, kOps, RKE2, kube-vip, and the load balancers of kubeadm's HA guide).
STATIC_PODS = frozenset(
    [
        "cloud-controller-manager",
        "etcd",
        "etcd-manager-events",
        "etcd-manager-main",
        "haproxy",
        "keepalived",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-proxy",
        "kube-scheduler",
        "kube-vip",
    ]
)

#: Labels whose presence marks a component or add-on of the platform.
COMPONENT_LABELS = (
    "addonmanager.kubernetes.io/mode",
    "component",
    "k8s-app",
    "kubernetes.azure.com/managedby",
    "kubernetes.io/cluster-service",
    "tier",
)

#: Texts that Go programs take for true and false (strconv.ParseBool).
TRUE = ("1", "t", "T", "true", "True", "TRUE")
FALSE = ("0", "f", "F", "false", "False", "FALSE")
