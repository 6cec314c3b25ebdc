"""Workloads of different environment or sensitivity are kept apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import arrow, over_lists, series
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-033",
    layer="deploy",
    severity="medium",
    null="no label says the environment of all its workloads (parameter environment_labels)",
    compares=True,
    expected="production alone, or none of it",
    shows=("environments", "production", "other", "shared_accounts"),
)
def environments_share_namespace(namespace_environments: pd.DataFrame) -> pd.Series[Any]:
    """Production and other environments do not share a namespace.

    Roles, quotas, network policies and service accounts are those of a namespace: who may
    change a test may change production beside it. Which label names the environment, of a pod
    or else of its namespace, is the parameter environment_labels; which values are production,
    production_environments.

    Remedy:
        Give each environment namespaces of its own, and label them.

        metadata:
          labels: {env: production}

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-mixed}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: one, namespace: bad-mixed, labels: {env: prod}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: two, namespace: bad-mixed, labels: {environment: test}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-guest, labels: {env: Production}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: of-the-namespace, namespace: bad-guest}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: guest, namespace: bad-guest, labels: {env: dev}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-production, labels: {env: production}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: three, namespace: ok-production}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: four, namespace: ok-production, labels: {env: prod}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: five, namespace: ok-tests, labels: {env: test}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: six, namespace: ok-tests, labels: {env: dev}}, spec: {containers: [{name: c, image: i}]}}
    """
    return namespace_environments["mixed"]


@control(
    "KA-DEP-033a",
    layer="deploy",
    severity="medium",
    null=(
        "no workload is marked as sensitive (parameter sensitive_labels), "
        "or nothing tells where it runs"
    ),
    compares=True,
    expected="nodes, or a pool of nodes, of its own",
    shows=("places", "exposed_beside"),
)
def sensitive_beside_exposed(workload_places: pd.DataFrame) -> pd.Series[Any]:
    """Sensitive workloads do not share nodes with what the internet reaches.

    Whoever breaks out of a container has the node, and what else runs there. Which workloads
    are sensitive is said by labels of their pods or namespaces (parameter sensitive_labels).
    Nodes of one pool count as one place, since the scheduler may choose any of them.

    Remedy:
        Taint a pool of nodes, and let sensitive workloads alone tolerate and choose it.

        spec:
          nodeSelector: {pool: sensitive}
          tolerations: [{key: sensitive, operator: Exists, effect: NoSchedule}]

    Cases:
        {apiVersion: v1, kind: Node, metadata: {name: one, labels: {karpenter.sh/nodepool: general}}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: two, labels: {karpenter.sh/nodepool: general}}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: three, labels: {karpenter.sh/nodepool: vault}}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 443}]}, status: {loadBalancer: {ingress: [{ip: 8.8.8.8}]}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-web, namespace: shop, labels: {app: web}}, spec: {nodeName: one, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-same-node, namespace: shop, labels: {sensitivity: high}}, spec: {nodeName: one, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-same-pool, namespace: shop, labels: {pci: "true"}}, spec: {nodeName: two, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-own-pool, namespace: shop, labels: {pci: "true"}}, spec: {nodeName: three, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-plain, namespace: shop}, spec: {nodeName: one, containers: [{name: c, image: i}]}}
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    w = workload_places
    sensitive, placed = arrow(w["sensitive"]), arrow(over_lists(w["places"], bool))
    if not pc.any(sensitive).as_py():
        return series(pa.nulls(len(w), pa.bool_()), w)
    beside = arrow(over_lists(w["exposed_beside"], bool))
    untold = pc.and_(sensitive, pc.invert(placed))
    return series(pc.if_else(untold, pa.scalar(None, pa.bool_()), pc.and_(sensitive, beside)), w)
