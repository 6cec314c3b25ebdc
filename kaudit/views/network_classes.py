"""Classes of pods that every policy treats alike, and of addresses that do.

A class of addresses has no pods; its blocks say which they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import plain_rows
from kaudit.model.address_space import cidrs_of
from kaudit.model.network_plugins import ANSWERS
from kaudit.network import METADATA, PRIVATE, NetworkTables, network_of
from kaudit.registry import view
from kaudit.table import Row, Table, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class NetworkClassRow(Row, kw_only=True):
    network_class: Annotated[int, doc("number of the class")]
    kind: Annotated[str, doc("pods, hosts: pods on the network of their node, or addresses")]
    pods: Annotated[int, doc("pods in it, and templates whose pods are not seen")]
    workloads: Annotated[int, doc("workloads that they are of")]
    namespaces: Annotated[list[str], doc("namespaces of its pods, sorted")]
    blocks: Annotated[list[str], doc("address blocks of a class of addresses")]
    place: Annotated[
        str, doc("of addresses: internet, private or metadata; empty for classes of pods")
    ]
    policies: Annotated[list[str], doc("policies that select it, in the order they are tried")]
    ingress: Annotated[str, doc("whether a policy isolates it for ingress: yes, no or unknown")]
    egress: Annotated[str, doc("whether a policy isolates it for egress: yes, no or unknown")]


NETWORK_CLASSES = Table(
    "network_classes",
    NetworkClassRow,
    grain="one class of pods, or of addresses, that no policy tells apart",
    key=("network_class",),
)


@view(NETWORK_CLASSES, naming=("namespaces",))
def network_classes(
    tables: NetworkTables,
) -> pd.DataFrame:
    """Describe the classes."""
    pods, classes, network = network_of(*tables)
    if not network.pods:
        return frame(NETWORK_CLASSES.arrow([]))
    counts = [0] * network.pods
    owners: list[set[tuple[str, ...]]] = [set() for _ in counts]
    columns = ("pods", "namespace", "owner_kind", "owner_name")
    for number, (some, *owner) in zip(classes, plain_rows(pods, *columns), strict=True):
        counts[number] += some
        owners[number].add(tuple(owner))
    found = [
        NetworkClassRow(
            network_class=number,
            kind="hosts" if network.hosts >> number & 1 else "pods",
            pods=counts[number],
            workloads=len(owners[number]),
            namespaces=sorted({owner[0] for owner in owners[number]}),
            blocks=[],
            place="",
            policies=[policy.label for policy in network.selecting(number)],
            ingress=ANSWERS[network.closed(number, "ingress")],
            egress=ANSWERS[network.closed(number, "egress")],
        )
        for number in range(network.pods)
    ]
    space = network.addresses
    metadata = space.union(METADATA)
    private = space.union(PRIVATE)
    for place, ranges in enumerate(space.classes):
        bit = 1 << place
        found.append(
            NetworkClassRow(
                network_class=network.pods + place,
                kind="addresses",
                pods=0,
                workloads=0,
                namespaces=[],
                blocks=list(cidrs_of(ranges)),
                place="metadata" if bit & metadata else "private" if bit & private else "internet",
                policies=[],
                ingress="no",
                egress="no",
            )
        )
    return frame(NETWORK_CLASSES.arrow(found))
