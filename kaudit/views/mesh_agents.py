"""Pods that show that there is a service mesh: its control plane, and its proxies' namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, assembled, over_texts, series, text_is
from kaudit.model.mesh_agents import agent_of
from kaudit.model.mesh_membership import PROXIES
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class MeshAgentRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace of the pod")]
    mesh: Annotated[str, doc("Istio or Linkerd")]
    part: Annotated[str, doc("control plane, node or proxy")]
    pod: Annotated[str, doc("name of the first such pod, or of the object with the template")]


MESH_AGENTS = Table(
    "mesh_agents",
    MeshAgentRow,
    grain="one namespace and a part of a service mesh that is in it",
    key=("namespace", "mesh", "part", "raw", "raw_line"),
    resource=Resource("=Pod", name="pod"),
    pods=True,
    summed=True,
)


@view(MESH_AGENTS)
def mesh_agents(containers: pd.DataFrame) -> pd.DataFrame:
    """Recognise the control plane by its images, proxies by the names of their containers."""
    import pyarrow as pa

    by_image = over_texts(containers["image"], lambda text: agent_of(text) is not None)
    chosen = by_image | text_is(containers["container"], *PROXIES)
    c = containers[chosen.to_numpy(bool)].reset_index(drop=True)
    found: dict[str, Any] = {name: c[name] for name in ("raw", "raw_line", "namespace", "pod")}
    agents = [
        (PROXIES[name], "proxy") if name in PROXIES else agent_of(image)
        for name, image in zip(
            *(arrow(c[column]).to_pylist() for column in ("container", "image")), strict=True
        )
    ]
    for place, name in enumerate(("mesh", "part")):
        values = [agent[place] for agent in agents if agent]
        found[name] = series(pa.array(values, pa.string()), c)
    order = MESH_AGENTS.names
    made = assembled(c, found, order).drop_duplicates(["namespace", "mesh", "part"])
    return made.sort_values(list(MESH_AGENTS.key)).reset_index(drop=True)
