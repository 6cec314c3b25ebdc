"""Signals of the network layer: who reaches a workload, and whom it reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.chains import signal
from kaudit.columns import text_is, where_known
from kaudit.model.clouds import in_cloud

if TYPE_CHECKING:
    import pandas as pd


@signal(layer="network", stage="entry", effort="one policy", shows=("chain", "hosts", "assumed"))
def exposed(exposure: pd.DataFrame) -> pd.Series[Any]:
    """The internet reaches it.

    A Service, an Ingress, a Gateway or a port of a public node leads to it.

    Remedy:
        Offer it inside only, name the addresses that may come, or put authentication before it.

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-open, labels: {app: a}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: LoadBalancer, selector: {app: a}, ports: [{port: 80}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-inside, labels: {app: b}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: b}, spec: {selector: {app: b}, ports: [{port: 80}]}}
    """
    return text_is(exposure["reach"], "internet")


def _allowed(column: pd.Series[Any]) -> pd.Series[Any]:
    """Where it is allowed, and null where that is unknown."""
    return where_known(column == "allowed", column != "unknown")


_UNKNOWN = "whether policies let it through cannot be told"


@signal(
    layer="network",
    stage="reach",
    effort="one policy",
    shows=("to_internet_ports", "isolated_egress"),
    clears=("network_policies",),
    null=_UNKNOWN,
)
def talks_out(network_workloads: pd.DataFrame) -> pd.Series[Any]:
    """It may connect to the internet.

    Tools are fetched and data is sent out where no policy narrows egress.

    Remedy:
        Deny egress in its namespace, and allow the addresses that it needs.

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-open, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-kept-in, namespace: shop, labels: {app: b}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {matchLabels: {app: b}}, policyTypes: [Egress]}}
    """
    return _allowed(network_workloads["to_internet"])


@signal(
    layer="network",
    stage="reach",
    effort="one policy",
    shows=("to_metadata", "host_network"),
    clears=("network_policies",),
    null="whether policies let it through, or whether its nodes are a cloud's, cannot be told",
)
def reaches_metadata(network_workloads: pd.DataFrame, nodes: pd.DataFrame) -> pd.Series[Any]:
    """It may ask the cloud's metadata address for the credentials of its node.

    What the node may do in the cloud account is then done in its name.

    Remedy:
        Deny egress to 169.254.169.254, or let the cloud refuse pods there.

    Cases:
        {apiVersion: v1, kind: Node, metadata: {name: n}, spec: {providerID: "aws:///eu-west-1a/i-1"}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-open, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-kept-in, namespace: shop, labels: {app: b}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {matchLabels: {app: b}}, policyTypes: [Egress]}}
    """
    import pandas as pd

    allowed = _allowed(network_workloads["to_metadata"])
    if not len(nodes):
        return allowed.mask(allowed.fillna(True), pd.NA)
    return allowed & in_cloud(nodes["provider_id"])
