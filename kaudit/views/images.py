"""Images: each one that runs, or would, once, with the extent of its use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import arrow, pairs
from kaudit.groups import Groups
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class ImageRow(Trace, kw_only=True):
    image: Annotated[str, doc("the image: registry/repository@digest, or its name with the tag")]
    name: Annotated[str, doc("registry/repository")]
    tagged_name: Annotated[
        str, doc("registry/repository:tag; where several tags lead to it the first by name")
    ]
    references: Annotated[list[str], doc("references as written, sorted")]
    digest: Annotated[str, doc("digest in the registry; empty where not known")]
    config_digest: Annotated[str, doc("digest of the configuration; empty where not known")]
    running: Annotated[bool, doc("a Pod object uses it; else templates would")]
    judged: Annotated[
        bool, doc("a Pod object uses it; where the evidence holds no Pod object, a template")
    ]
    platform: Annotated[bool, doc("used in namespaces of Kubernetes itself alone")]
    namespaces: Annotated[list[str], doc("namespaces that use it, sorted")]
    workloads: Annotated[int, doc("workloads that use it")]
    pods: Annotated[int, doc("pods that use it; templates where it does not run")]
    containers: Annotated[int, doc("containers and image volumes that use it")]


IMAGES = Table(
    "images",
    ImageRow,
    grain="one image that runs, or that a template would run",
    key=("image",),
    resource=Resource("=Image", namespace="", name="image"),
)


@view(IMAGES)
def images(image_uses: pd.DataFrame) -> pd.DataFrame:
    """Gather the uses of each image; a template is no other image than what its pods run."""
    import pyarrow as pa
    import pyarrow.compute as pc

    u = image_uses
    uses = pa.table({n: arrow(u[n]) for n in u.columns})
    uses = uses.append_column("workload", pairs(u["namespace"], u["owner_kind"], u["owner_name"]))
    running = uses.filter(uses["running"])
    known = pc.is_in(uses["tagged_name"], value_set=pc.unique(running["tagged_name"]))
    told = pc.is_in(uses["image"], value_set=pc.unique(running["image"]))
    repeated = pc.and_(pc.invert(uses["running"]), pc.or_(known, told))
    uses = uses.filter(pc.invert(repeated))
    names = ("image", "tagged_name", "reference", "raw", "raw_line")
    order = pc.sort_indices(uses, [(name, "ascending") for name in names])
    c = {name: uses[name].combine_chunks().take(order) for name in uses.column_names}
    groups = Groups(c["image"])
    runs = pa.array(groups.some(c["running"]))
    made = {name: groups.one(c[name]) for name in _FIRST} | {
        "references": groups.texts(c["reference"]),
        "running": runs,
        "judged": runs if running.num_rows else pa.repeat(True, len(groups)),
        "platform": pa.array(~groups.some(pc.invert(c["platform"]))),
        "namespaces": groups.texts(c["namespace"]),
        "workloads": groups.kinds(c["workload"]),
        "pods": groups.total(c["pods"]),
        "containers": groups.total(c["containers"]),
    }
    schema = IMAGES.schema
    table = pa.table([made[name] for name in schema.names], schema=schema)
    return frame(IMAGES.sorted(table))


_FIRST = ("image", "name", "tagged_name", "digest", "config_digest", "raw", "raw_line")
