"""Signals of the network layer: who reaches a workload, and whom it reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.chains import signal
from kaudit.columns import text_is

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
