"""Images: each one that runs, or would, once, with the extent of its use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import alike, arrow
from kaudit.groups import Groups
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


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
    running = arrow(u["running"])
    repeated = pc.and_not(pc.or_(*(_run(u[c], running) for c in ("image", "tagged_name"))), running)
    rows = pc.indices_nonzero(pc.invert(repeated))
    names = ("image", "tagged_name", "reference", "raw", "raw_line")
    keys = pa.table({name: arrow(u[name]).take(rows) for name in names})
    rows = rows.take(pc.sort_indices(keys, [(name, "ascending") for name in names]))
    del keys  # there may be a million

    def column(name: str) -> pa.Array:
        return arrow(u[name]).take(rows)

    groups = Groups(column("image"))
    first = rows.take(pa.array(groups.first))
    workloads, _ = alike(*(column(name) for name in ("namespace", "owner_kind", "owner_name")))
    runs = pa.array(groups.some(column("running")))
    made = {name: arrow(u[name]).take(first) for name in _FIRST} | {
        "references": groups.texts(column("reference")),
        "running": runs,
        "judged": runs if running.true_count else pa.repeat(True, len(groups)),
        "platform": pa.array(~groups.some(pc.invert(column("platform")))),
        "namespaces": groups.texts(column("namespace")),
        "workloads": groups.kinds(pa.array(workloads)),
        "pods": groups.total(column("pods")),
        "containers": groups.total(column("containers")),
    }
    return frame(IMAGES.sorted(IMAGES.fitted(made)))


def _run(names: pd.Series[Any], running: pa.Array) -> pa.Array:
    """Tell which names are of something that runs."""
    import pyarrow.compute as pc

    texts = arrow(names)
    return pc.is_in(texts, value_set=pc.unique(texts.filter(running)))


_FIRST = ("image", "name", "tagged_name", "digest", "config_digest", "raw", "raw_line")
