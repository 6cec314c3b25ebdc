"""What network policies may see of pods: what they speak of, and nothing else.

Pods that are the same in all of it are the same to every policy, so those of one workload are
one row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import (
    arrow,
    gathered,
    kept_labels,
    looked_up,
    positions,
    series,
    text_is,
)
from kaudit.groups import Groups
from kaudit.network import ALIKE, PolicyTables, sayings_of
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd

    from kaudit.model.address_space import AddressSpace


class NetworkPodRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace of the pods")]
    owner_kind: Annotated[str, doc("kind of the topmost known owner")]
    owner_name: Annotated[str, doc("name of the topmost known owner")]
    pod: Annotated[str, doc("name of the first of them, or of the object with the template")]
    origin: Annotated[str, doc("object: Pod objects; template: what a controller would make")]
    pods: Annotated[int, doc("how many they are")]
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]
    host_network: Annotated[bool, doc("on the network of their node: outside policy")]
    attached: Annotated[bool, doc("they have networks beside their primary one, or may")]
    labels: Annotated[list[str], doc("those labels that a policy speaks of, as sorted key=value")]
    named_ports: Annotated[
        list[str], doc("ports whose name a policy speaks of, as protocol/name=number")
    ]
    addressed: Annotated[bool, doc("they have addresses")]
    addresses: Annotated[list[str], doc("classes of addresses, as policies tell them apart")]


NETWORK_PODS = Table(
    "network_pods",
    NetworkPodRow,
    grain="one workload, and its pods that network policies see alike",
    key=("namespace", "owner_kind", "owner_name", "pod"),
    resource=Resource("owner_kind", name="owner_name"),
    pods=True,
    summed=True,
)


@view(NETWORK_PODS)
def network_pods(
    pod_context: pd.DataFrame,
    pods: pd.DataFrame,
    ports: pd.DataFrame,
    policies: PolicyTables,
) -> pd.DataFrame:
    """Reduce pods to what policies speak of."""
    import pyarrow as pa
    import pyarrow.compute as pc

    c = pod_context
    _, keys, names, space = sayings_of(*policies)
    at = positions(c["pod_uid"], pods["pod_uid"])
    ips = looked_up(pods, at, "pod_ips", c)
    beside = pc.list_value_length(arrow(looked_up(pods, at, "networks", c)))

    copied = (
        "raw",
        "raw_line",
        "namespace",
        "owner_kind",
        "owner_name",
        "pod",
        "origin",
        "platform",
        "host_network",
    )
    found: dict[str, Any] = {name: c[name] for name in copied}
    found |= {
        "attached": series(pc.not_equal(pc.fill_null(beside, 1), 0), c),
        "labels": series(kept_labels(c["labels"], keys.__contains__), c),
        "named_ports": _named_ports(c, ports, names),
        "addressed": series(pc.greater(pc.fill_null(pc.list_value_length(arrow(ips)), 0), 0), c),
        "addresses": _address_classes(ips, space),
    }
    columns = {name: arrow(column) for name, column in found.items()}
    groups = Groups(*(columns[name] for name in ALIKE))
    made = {name: groups.one(column) for name, column in columns.items()}
    made["pods"] = pa.array(groups.rows())
    return frame(NETWORK_PODS.fitted(made))


def _address_classes(ips: pd.Series[Any], space: AddressSpace) -> pd.Series[Any]:
    """Classes of the addresses of each pod, sorted; most have one address, of their own."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    lists = arrow(ips)
    codes = lists.flatten().dictionary_encode()
    known = [space.class_of(text) for text in codes.dictionary.to_pylist()]
    number = np.array([-1 if one is None else one for one in known], np.int64)[codes.indices]
    many = len(space.classes)
    pods = pc.list_parent_indices(lists).to_numpy()
    found = np.unique((pods * many + number)[number >= 0])
    offsets = np.searchsorted(found, np.arange(len(lists) + 1) * many).astype(np.int32)
    texts = pa.array([str(one) for one in range(many)], pa.string())
    return series(pa.ListArray.from_arrays(offsets, texts.take(pa.array(found % many))), ips)


def _named_ports(
    context: pd.DataFrame, ports: pd.DataFrame, names: frozenset[str]
) -> pd.Series[Any]:
    """Ports of containers that run, by the names that policies speak of."""
    import pyarrow as pa
    import pyarrow.compute as pc

    runs = text_is(ports["container_type"], "regular", "sidecar")
    named = ports[(runs & text_is(ports["port_name"], *sorted(names))).to_numpy(bool)]
    numbers = pc.cast(pc.fill_null(arrow(named["port"]), 0), pa.string())
    left = pc.binary_join_element_wise(arrow(named["protocol"]), arrow(named["port_name"]), "/")
    texts = pc.binary_join_element_wise(left, numbers, "=")
    return gathered(named["pod_uid"], texts, context["pod_uid"])
