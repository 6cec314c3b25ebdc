"""What the policies let each workload reach, and by whom they let it be reached.

Only policies are looked at: whether anything outside leads to a pod is the business of
Services and what stands before them. Where the network plugin may not enforce policies, what
they deny is unknown.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from kaudit.columns import arrow, assembled, series
from kaudit.model.connectivity import Network
from kaudit.model.network_plugins import ANSWERS
from kaudit.network import METADATA, PRIVATE, Matrix, NetworkTables, network_of
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from kaudit.columns import Flags

    _Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.integer[Any]]]

_VERDICT = "allowed, denied or unknown"


class NetworkWorkloadRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace of the workload")]
    owner_kind: Annotated[str, doc("kind of the workload")]
    owner_name: Annotated[str, doc("name of the workload")]
    pod: Annotated[str, doc("name of the first of these pods, or of the object with the template")]
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]
    pods: Annotated[int, doc("pods of the workload in this class")]
    network_class: Annotated[int, doc("class, of the view network_classes")]
    host_network: Annotated[bool, doc("on the network of their node: outside policy")]
    governed: Annotated[bool, doc("not on the network of their node")]
    isolated_ingress: Annotated[str, doc("a policy isolates it for ingress: yes, no or unknown")]
    isolated_egress: Annotated[str, doc("a policy isolates it for egress: yes, no or unknown")]
    enforced: Annotated[str, doc("whether policies are enforced: yes, no or unknown")]
    to_internet: Annotated[str, doc(f"connections to the internet: {_VERDICT}")]
    to_internet_ports: Annotated[str, doc("ports on which they are allowed")]
    from_internet: Annotated[str, doc(f"connections from addresses of the internet: {_VERDICT}")]
    from_internet_ports: Annotated[str, doc("ports on which they are allowed")]
    to_metadata: Annotated[str, doc(f"connections to the cloud's metadata address: {_VERDICT}")]
    to_namespaces: Annotated[str, doc(f"connections to pods of other namespaces: {_VERDICT}")]
    from_namespaces: Annotated[str, doc(f"connections from pods of other namespaces: {_VERDICT}")]
    policies: Annotated[list[str], doc("policies that select it, in the order they are tried")]


NETWORK_WORKLOADS = Table(
    "network_workloads",
    NetworkWorkloadRow,
    grain="one workload, its pods that policies see alike, and what they may reach",
    key=("namespace", "owner_kind", "owner_name", "pod"),
    resource=Resource("owner_kind", name="owner_name"),
)
_ALLOWED, _DENIED, _UNKNOWN = "allowed", "denied", "unknown"


@view(NETWORK_WORKLOADS, naming=("namespaces",), decided={"governed": ()})
def network_workloads(
    tables: NetworkTables,
    network_enforcement: pd.DataFrame,
) -> pd.DataFrame:
    """Sum up the verdicts of each class, and say them of its workloads."""
    import pyarrow as pa

    pods, classes, network = network_of(*tables)
    if not network.pods:
        return frame(NETWORK_WORKLOADS.arrow([]))
    enforced = next(iter(arrow(network_enforcement["enforces"]).to_pylist()), _UNKNOWN)
    denied = _DENIED if enforced == "yes" else _UNKNOWN
    pods = pods.reset_index(drop=True)
    at = pa.array(classes)

    def spread(values: list[Any], kind: pa.DataType | None = None) -> pd.Series[Any]:
        return series(pa.array(values, kind or pa.string()).take(at), pods)

    columns: dict[str, Any] = {
        name: pods[name]
        for name in (
            "raw",
            "raw_line",
            "namespace",
            "owner_kind",
            "owner_name",
            "pod",
            "platform",
            "pods",
            "host_network",
        )
    }
    columns["governed"] = ~pods["host_network"]
    columns["network_class"] = series(pa.array(classes, pa.int64()), pods)
    columns["enforced"] = series(pa.array([enforced] * len(pods), pa.string()), pods)
    nodes = range(network.pods)
    for direction in ("ingress", "egress"):
        words = [ANSWERS[network.closed(node, direction)] for node in nodes]
        columns[f"isolated_{direction}"] = spread(words)
    policies = [[policy.label for policy in network.selecting(node)] for node in nodes]
    columns["policies"] = spread(policies, pa.list_(pa.string()))
    space = network.addresses
    outside = (1 << len(space.classes)) - 1
    text = cache(network.ports.text)
    internet = outside & ~space.union((*PRIVATE, *METADATA))
    for name, direction, meant in (
        ("to_internet", "egress", internet),
        ("from_internet", "ingress", internet),
        ("to_metadata", "egress", space.union(METADATA[:1])),
    ):
        found = _beyond(network, direction, meant << network.pods)
        columns[name] = spread([_word(*ports, denied) for ports in found])
        columns[f"{name}_ports"] = spread([text(ports[0]) for ports in found])
    columns |= _across(pods, classes, network, denied)
    return assembled(pods, columns, NETWORK_WORKLOADS.names)


def _word(allowed: int, unclear: int, denied: str) -> str:
    return _ALLOWED if allowed else _UNKNOWN if unclear else denied


def _beyond(network: Network, direction: str, meant: int) -> list[tuple[int, int]]:
    """Ports that any of some nodes outside may use with each class, and perhaps may."""
    known: dict[int, tuple[int, int]] = {}
    found = []
    for node in range(network.pods):
        groups = network.access(node, direction)
        if id(groups) not in known:
            allowed = unclear = 0
            for group in groups:
                if group.peers & meant:
                    allowed, unclear = allowed | group.allowed, unclear | group.unclear
            known[id(groups)] = allowed, unclear & ~allowed
        found.append(known[id(groups)])
    return found


def _across(
    pods: pd.DataFrame, classes: list[int], network: Network, denied: str
) -> dict[str, pd.Series[Any]]:
    """Whether pods of a workload may connect to, or be reached by, those of other namespaces.

    Pods on the network of a node are not counted: they are not of their namespace's network.
    """
    import numpy as np
    import pyarrow as pa

    codes = arrow(pods["namespace"]).dictionary_encode().indices.to_numpy(zero_copy_only=False)
    matrix = Matrix(network)
    of, first = matrix.kinds()
    kinds = np.array(of)
    spaces = _Spaces(kinds[classes], codes, len(first))
    allowed = np.array([bool(one[0]) for one in matrix.verdicts])
    host = np.array([bool(network.hosts >> node & 1) for node in first])
    ends = {(side, sure): _Span(len(first)) for side in (0, 1) for sure in (True, False)}
    for pairs in matrix.inside(first):
        if len(allowed) < len(matrix.verdicts):
            allowed = np.array([bool(one[0]) for one in matrix.verdicts])
        surely = allowed[pairs.verdict]
        source, target = kinds[pairs.source], kinds[pairs.target]
        for sure in (True, False):
            for side, (own, other) in enumerate(((source, target), (target, source))):
                chosen = (surely == sure) & ~host[other]
                for code in (spaces.first, spaces.last):
                    ends[side, sure].meet(own[chosen], code[other[chosen]])
    found = {}
    for side, name in ((0, "to_namespaces"), (1, "from_namespaces")):
        some = ends[side, True].beyond(spaces.classes, codes)
        perhaps = ends[side, False].beyond(spaces.classes, codes)
        words = np.where(some, _ALLOWED, np.where(perhaps, _UNKNOWN, denied))
        found[name] = series(pa.array(words.tolist(), pa.string()), pods)
    return found


class _Spaces:
    """First and last namespace of each class, by number."""

    def __init__(self, classes: _Numbers, codes: _Numbers, size: int) -> None:
        self.classes = classes
        span = _Span(size)
        span.meet(classes, codes)
        self.first, self.last = span.first, span.last


class _Span:
    """Lowest and highest namespace that each class meets."""

    def __init__(self, size: int) -> None:
        import numpy as np

        self.first = np.full(size, np.iinfo(np.int64).max)
        self.last = np.full(size, -1, np.int64)

    def meet(self, classes: _Numbers, codes: _Numbers) -> None:
        import numpy as np

        np.minimum.at(self.first, classes, codes)
        np.maximum.at(self.last, classes, codes)

    def beyond(self, classes: _Numbers, codes: _Numbers) -> Flags:
        """Tell of each pod whether its class meets any namespace but its own."""
        other: Flags = (self.first[classes] != codes) | (self.last[classes] != codes)
        other &= self.last[classes] >= 0
        return other
