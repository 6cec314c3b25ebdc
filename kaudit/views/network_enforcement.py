"""Whether the cluster's network plugin enforces network policies.

A policy is nothing but a wish where no agent enforces it. Where that is not known to be so,
whatever the policies deny is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import arrow, plain_rows
from kaudit.model.network_plugins import NO, UNKNOWN, YES, built_in
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class NetworkEnforcementRow(Trace, kw_only=True):
    name: Annotated[str, doc("always cluster")] = "cluster"
    enforces: Annotated[str, doc("yes, no or unknown")]
    plugins: Annotated[list[str], doc("network plugins that are seen, sorted")]
    because: Annotated[str, doc("why that is so")]
    agents: Annotated[list[str], doc("workloads of their agents as namespace/name, sorted")]
    nodes: Annotated[int, doc("nodes that are known")]
    nodes_without_agent: Annotated[
        list[str], doc("nodes on which no pod of an agent is seen, sorted; none if no pod is seen")
    ]


NETWORK_ENFORCEMENT = Table(
    "network_enforcement",
    NetworkEnforcementRow,
    grain="the one cluster",
    key=("name",),
    resource=Resource("=Cluster", namespace=""),
)


@view(NETWORK_ENFORCEMENT, naming=("nodes", "namespaces", "network_policies"))
def network_enforcement(
    network_agents: pd.DataFrame,
    namespaces: pd.DataFrame,
    nodes: pd.DataFrame,
    network_policies: pd.DataFrame,
) -> pd.DataFrame:
    """Tell of the cluster what its agents can do."""
    records = [
        *plain_rows(network_agents, "raw", "raw_line"),
        *plain_rows(nodes, "raw", "raw_line"),
    ]
    records += plain_rows(namespaces, "raw", "raw_line")
    records += plain_rows(network_policies, "raw", "raw_line")
    if not records:
        return frame(NETWORK_ENFORCEMENT.arrow([]))
    agents = list(plain_rows(network_agents, "plugin", "enforces", "because"))
    versions = sorted({text for text in arrow(nodes["kubelet_version"]).to_pylist() if text})
    agents += [(name, UNKNOWN, because) for name, because in filter(None, map(built_in, versions))]
    verdict, because = UNKNOWN, "no known network plugin is seen"
    for word in (YES, UNKNOWN, NO):
        chosen = sorted({f"{name}: {why}" for name, can, why in agents if can == word})
        if chosen:
            verdict, because = word, "; ".join(chosen)
            break
    names = arrow(nodes["name"]).to_pylist()
    seen = {node for (node,) in plain_rows(network_agents, "node") if node}
    row = NetworkEnforcementRow(
        raw=records[0][0],
        raw_line=records[0][1],
        enforces=verdict,
        plugins=sorted({name for name, *_ in agents}),
        because=because,
        agents=sorted(
            {"/".join(one) for one in plain_rows(network_agents, "namespace", "owner_name")}
        ),
        nodes=len(names),
        nodes_without_agent=sorted(set(names) - seen) if seen else [],
    )
    return frame(NETWORK_ENFORCEMENT.arrow([row]))
