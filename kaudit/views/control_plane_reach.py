"""Whether policies let workloads connect to the API server and to kubelets.

The API server is what the EndpointSlice of the Service default/kubernetes names; kubelets are the
addresses of nodes on port 10250. Plugins may let a pod reach its own node whatever policies say
(kubernetes.io, "Network Policies", v1.34): that is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import assembled, plain_rows, series
from kaudit.model.control_plane import KUBELET, Target, reach, spots
from kaudit.model.whole import whole
from kaudit.network import NetworkTables, network_of
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd

_VERDICT = "allowed, denied or unknown"


class ControlPlaneReachRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace of the workload")]
    owner_kind: Annotated[str, doc("kind of the workload")]
    owner_name: Annotated[str, doc("name of the workload")]
    pod: Annotated[str, doc("name of the first of these pods, or of the object with the template")]
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]
    governed: Annotated[bool, doc("not on the network of their node")]
    to_api_server: Annotated[str, doc(f"connections to the API server's endpoints: {_VERDICT}")]
    api_server: Annotated[list[str], doc("those endpoints as address:port; none: not seen")]
    to_kubelets: Annotated[str, doc(f"connections to nodes on port {KUBELET}: {_VERDICT}")]
    policies: Annotated[list[str], doc("policies that select it, in the order they are tried")]


CONTROL_PLANE_REACH = Table(
    "control_plane_reach",
    ControlPlaneReachRow,
    grain="one workload, its pods that policies see alike, and its way to the control plane",
    key=("namespace", "owner_kind", "owner_name", "pod"),
    resource=Resource("owner_kind", name="owner_name"),
)
_ADDRESSES = ("InternalIP=", "ExternalIP=")


@view(CONTROL_PLANE_REACH, naming=("namespaces",), decided={"governed": ()})
def control_plane_reach(
    tables: NetworkTables,
    network_enforcement: pd.DataFrame,
    endpoint_slices: pd.DataFrame,
    nodes: pd.DataFrame,
) -> pd.DataFrame:
    """Test each class of pods on the addresses."""
    import pyarrow as pa

    pods, classes, network = network_of(*tables)
    if not network.pods:
        return frame(CONTROL_PLANE_REACH.arrow([]))
    enforces, plugins = next(
        plain_rows(network_enforcement, "enforces", "plugins"), ("unknown", [])
    )
    words = {True: "allowed", None: "unknown", False: "denied" if enforces == "yes" else "unknown"}
    pods = pods.reset_index(drop=True)
    at = pa.array(classes)

    def spread(values: list[Any], kind: pa.DataType) -> pd.Series[Any]:
        return series(pa.array(values, kind).take(at), pods)

    endpoints = sorted(set(_api_server(endpoint_slices)), key=lambda target: target.text)
    columns: dict[str, Any] = {name: pods[name] for name in pods.columns}
    columns["governed"] = ~pods["host_network"]
    by_block = "Cilium" not in plugins
    for name, targets in (("to_api_server", endpoints), ("to_kubelets", list(_kubelets(nodes)))):
        meant = spots(network, targets)
        found = {
            number: reach(network, node, meant, by_block=by_block)
            for node, number in enumerate(network.governed)
            if node == number
        }
        columns[name] = spread([words[found[number]] for number in network.governed], pa.string())
    texts = pa.list_(pa.string())
    named = [[policy.label for policy in network.selecting(n)] for n in range(network.pods)]
    columns["policies"] = spread(named, texts)
    told = [target.text for target in endpoints]
    columns["api_server"] = series(pa.array([told] * len(pods), texts), pods)
    return assembled(pods, columns, CONTROL_PLANE_REACH.names)


def _api_server(slices: pd.DataFrame) -> Iterator[Target]:
    for namespace, service, kind, addresses, ports in plain_rows(
        slices, "namespace", "service", "address_type", "foreign", "ports"
    ):
        if (namespace, service) == ("default", "kubernetes") and kind != "FQDN":
            numbers = [p.partition("/")[0] for p in ports if p.endswith("/TCP")]
            for number in numbers or ["*"]:
                yield from (Target(address, whole(number)) for address in addresses)


def _kubelets(nodes: pd.DataFrame) -> Iterator[Target]:
    for (addresses,) in plain_rows(nodes, "addresses"):
        for text in addresses:
            if text.startswith(_ADDRESSES):
                yield Target(text.partition("=")[2], KUBELET)
