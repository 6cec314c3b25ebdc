"""What network plugins tell of the encryption between nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from kaudit.model.node_encryption import WIREGUARD, CiliumNode, FelixConfiguration
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class NodeEncryptionRow(Trace, kw_only=True):
    kind: Annotated[str, doc("CiliumNode or FelixConfiguration")]
    group: Annotated[str, doc("API group")]
    name: Annotated[str, doc("name: of the node, default, or node.NAME")]
    plugin: Annotated[str, doc("network plugin that it is of")]
    encrypts: Annotated[bool | None, doc("it says that traffic is encrypted; null: says nothing")]
    by: Annotated[list[str], doc("WireGuard or IPsec")]


NODE_ENCRYPTION = Table(
    "node_encryption",
    NodeEncryptionRow,
    grain="one object that tells of encryption between nodes",
    key=("kind", "group", "name"),
    resource=Resource("kind", namespace=""),
)


@collector(
    Read("cilium.io", "CiliumNode", "ciliumnodes", CiliumNode, ("v2",), namespaced=False),
    tables=(NODE_ENCRYPTION,),
)
def cilium_nodes(found: CiliumNode, at: Place) -> Iterator[Row]:
    """Yield one row a node."""
    yield NodeEncryptionRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        group=at.group,
        name=at.name,
        plugin="Cilium",
        encrypts=bool(found.by),
        by=found.by,
    )


@collector(
    *(
        Read(
            group,
            "FelixConfiguration",
            "felixconfigurations",
            FelixConfiguration,
            (version,),
            namespaced=False,
        )
        for group, version in (("projectcalico.org", "v3"), ("crd.projectcalico.org", "v1"))
    ),
    tables=(NODE_ENCRYPTION,),
)
def felix_configurations(found: FelixConfiguration, at: Place) -> Iterator[Row]:
    """Yield one row a configuration; either family of addresses may be encrypted alone."""
    said = (found.spec.wireguard_enabled, found.spec.wireguard_enabled_v6)
    encrypts = None if said == (None, None) else any(said)
    yield NodeEncryptionRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        group=at.group,
        name=at.name,
        plugin="Calico",
        encrypts=encrypts,
        by=[WIREGUARD] if encrypts else [],
    )
