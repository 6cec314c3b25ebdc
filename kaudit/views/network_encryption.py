"""Whether traffic between nodes is encrypted by the network plugin.

It protects what travels between nodes, and proves nothing of who sends it. Plugins whose settings
are in no object that is read are unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import msgspec

from kaudit.columns import plain_rows
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class NetworkEncryptionRow(Trace, kw_only=True):
    name: Annotated[str, doc("always cluster")] = "cluster"
    plugins: Annotated[list[str], doc("network plugins that are seen, sorted")]
    encrypted: Annotated[str, doc("yes, no or unknown")]
    by: Annotated[list[str], doc("WireGuard or IPsec, sorted")]
    without: Annotated[list[str], doc("objects that say no, or say nothing, as Kind/name, sorted")]
    because: Annotated[str, doc("why that is so")]
    meshless: Annotated[bool, doc("no service mesh is seen")]


NETWORK_ENCRYPTION = Table(
    "network_encryption",
    NetworkEncryptionRow,
    grain="the one cluster",
    key=("name",),
    resource=Resource("=Cluster", namespace=""),
)
_UNSEEN = "no network plugin is seen whose settings are read"


class _Said(msgspec.Struct, frozen=True):
    """What one object says."""

    kind: str
    name: str
    plugin: str
    encrypts: bool | None
    by: list[str]


@view(NETWORK_ENCRYPTION, decided={"meshless": ()})  # a mesh that is seen is there
def network_encryption(
    network_enforcement: pd.DataFrame,
    node_encryption: pd.DataFrame,
    mesh_policies: pd.DataFrame,
    mesh_agents: pd.DataFrame,
) -> pd.DataFrame:
    """Sum up what the objects of the plugins that are seen say."""
    told = [_Said(*row) for row in plain_rows(node_encryption, *_Said.__struct_fields__)]
    found = []
    for raw, line, plugins in plain_rows(network_enforcement, "raw", "raw_line", "plugins"):
        said = [one for one in told if one.plugin in plugins]
        without = sorted(_without(said))
        where = "not everywhere" if without else "everywhere"
        names = " and ".join(sorted({one.plugin for one in said}))
        found.append(
            NetworkEncryptionRow(
                raw=raw,
                raw_line=line,
                plugins=plugins,
                encrypted="unknown" if not said else "no" if without else "yes",
                by=sorted({way for one in said for way in one.by}),
                without=without,
                because=f"{names} encrypts {where}" if said else _UNSEEN,
                meshless=not len(mesh_policies) and not len(mesh_agents),
            )
        )
    return frame(NETWORK_ENCRYPTION.arrow(found))


def _without(said: Iterable[_Said]) -> set[str]:
    """Objects that leave traffic in the clear; what is set for all holds where a node is silent."""
    whole = {one.plugin for one in said if one.name == "default" and one.encrypts}
    return {
        f"{one.kind}/{one.name}"
        for one in said
        if not one.encrypts and not (one.encrypts is None and one.plugin in whole)
    }
