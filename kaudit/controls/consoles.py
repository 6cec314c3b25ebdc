"""Interfaces for administrators that the outside reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import named, over_texts, pairs, series, text_is
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

#: Last part of the repository of images that are a console, or an interface without a login of
#: its own by default.
_CONSOLES = {
    *("dashboard", "dashboard-web", "dashboard-api", "kubernetes-dashboard-amd64", "headlamp"),
    *("argocd", "argocli", "argo-server", "workflow-controller", "grafana", "prometheus"),
    *("alertmanager", "kiali", "jenkins", "vault", "rancher", "etcd", "kubeflow-dashboard"),
    *("centraldashboard", "kibana", "opensearch-dashboards", "adminer", "phpmyadmin", "pgadmin4"),
    *("mongo-express", "redis-commander", "portainer", "portainer-ce", "octant", "kubeview"),
    *("weave-scope", "scope", "traefik-dashboard", "hubble-ui", "falcosidekick-ui", "jaeger-query"),
    *("airflow", "consul", "nomad", "longhorn-ui", "kube-ops-view", "k8s-dashboard", "gitea"),
}


@control(
    "KA-NET-016",
    layer="network",
    severity="critical",
    expected="no way to it from the internet",
    shows=("way", "chain", "hosts"),
)
def exposed_console(exposure: pd.DataFrame, image_uses: pd.DataFrame) -> pd.Series[Any]:
    """No administrative interface is reached from the internet.

    A console is told by its image, not by a name. Whether it asks for a login cannot be seen:
    a waiver says so where it does, and who answers for it.

    Remedy:
        Reach it through kubectl port-forward, a VPN, or a proxy that asks who you are.

        spec:
          type: ClusterIP

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-grafana, labels: {app: g}}, spec: {containers: [{name: c, image: "docker.io/grafana/grafana:12.1.0"}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: g}, spec: {type: LoadBalancer, selector: {app: g}, ports: [{port: 80}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-shop, labels: {app: s}}, spec: {containers: [{name: grafana, image: "example.com/shop:1"}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: s}, spec: {type: LoadBalancer, selector: {app: s}, ports: [{port: 80}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-inside, labels: {app: v}}, spec: {containers: [{name: c, image: "hashicorp/vault:1.20"}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: v}, spec: {selector: {app: v}, ports: [{port: 8200}]}}
    """
    console = over_texts(image_uses["name"], lambda text: text.rpartition("/")[2] in _CONSOLES)
    u = image_uses[console.to_numpy(bool)]
    theirs = series(pairs(u["owner_kind"], u["namespace"], u["owner_name"]), u)
    e = exposure
    own = series(pairs(e["owner_kind"], e["namespace"], e["owner_name"]), e)
    return text_is(e["reach"], "internet") & series(named(theirs, own), e)
