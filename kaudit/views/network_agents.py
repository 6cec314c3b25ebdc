"""Agents of network plugins among the pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, assembled, looked_up, over_texts, positions, series
from kaudit.model.network_plugins import plugin_of
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class NetworkAgentRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of the pod")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    owner_kind: Annotated[str, doc("kind of the topmost known owner")]
    owner_name: Annotated[str, doc("name of the topmost known owner")]
    origin: Annotated[str, doc("object: a Pod object; template: what a controller would make")]
    node: Annotated[str | None, doc("node that it is on")] = None
    image: Annotated[str, doc("image of the agent as written")]
    plugin: Annotated[str, doc("name of the network plugin")]
    enforces: Annotated[str, doc("whether it enforces policies: yes, no or unknown")]
    because: Annotated[str, doc("why that is so")]


NETWORK_AGENTS = Table(
    "network_agents",
    NetworkAgentRow,
    grain="one container of a pod that is the agent of a network plugin",
    key=("namespace", "pod", "pod_uid", "image"),
    resource=Resource("owner_kind", name="owner_name"),
    pods=True,
    summed=True,
)


@view(NETWORK_AGENTS)
def network_agents(containers: pd.DataFrame, pod_context: pd.DataFrame) -> pd.DataFrame:
    """Recognise agents by their images."""
    import pyarrow as pa

    known = over_texts(containers["image"], lambda text: plugin_of(text) is not None)
    c = containers[known.to_numpy(bool)].reset_index(drop=True)
    at = positions(c["pod_uid"], pod_context["pod_uid"])
    found: dict[str, Any] = {
        name: c[name] for name in ("raw", "raw_line", "pod_uid", "namespace", "pod", "image")
    }
    for name in ("owner_kind", "owner_name", "origin", "node"):
        found[name] = looked_up(pod_context, at, name, c)
    plugins = [plugin_of(text) for text in arrow(c["image"]).to_pylist()]
    for name, attribute in (("plugin", "name"), ("enforces", "enforces"), ("because", "because")):
        values = [getattr(plugin, attribute) for plugin in plugins]
        found[name] = series(pa.array(values, pa.string()), c)
    return assembled(c, found, NETWORK_AGENTS.names)
