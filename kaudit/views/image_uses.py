"""Which images are used, by whom, and by which digest they are known.

An image is known by the digest that the node reports, else by the one in its reference, else
by its name alone. A node reports either the digest in the registry (of an index or of a
manifest) or the bare digest of the image's configuration: the two are different things and are
kept apart (kubernetes/kubernetes#115199).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import arrow
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class ImageUseRow(Trace, kw_only=True):
    image: Annotated[str, doc("the image: registry/repository@digest, or its name with the tag")]
    name: Annotated[str, doc("registry/repository")]
    tagged_name: Annotated[str, doc("registry/repository:tag, all written out")]
    tag: Annotated[str, doc("tag as written; empty where none")]
    digest: Annotated[str, doc("digest in the registry; empty where not known")]
    config_digest: Annotated[str, doc("digest of the configuration; empty where not known")]
    reference: Annotated[str, doc("image reference as written")]
    running: Annotated[bool, doc("a Pod object uses it; else a template would")]
    namespace: Annotated[str, doc("namespace that uses it")]
    owner_kind: Annotated[str, doc("kind of the topmost known owner")]
    owner_name: Annotated[str, doc("name of the topmost known owner")]
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]
    containers: Annotated[int, doc("containers and image volumes")]
    pods: Annotated[int, doc("pods, or templates")]


IMAGE_USES = Table(
    "image_uses",
    ImageUseRow,
    grain="one image as one workload refers to it",
    key=("image", "namespace", "owner_kind", "owner_name", "reference"),
    resource=Resource("owner_kind", name="owner_name"),
    pods=True,
    summed=True,
)


@view(IMAGE_USES)
def image_uses(image_references: pd.DataFrame) -> pd.DataFrame:
    """Gather the uses of images by workload."""
    import pyarrow as pa
    import pyarrow.compute as pc

    c = image_references
    name = pc.binary_join_element_wise(arrow(c["registry"]), arrow(c["repository"]), "/")
    running, written = arrow(c["running_digest"]), arrow(c["digest"])
    digest = pc.if_else(pc.not_equal(running, ""), running, written)
    known = pc.not_equal(digest, "")
    image = pc.if_else(
        known, pc.binary_join_element_wise(name, digest, "@"), arrow(c["tagged_name"])
    )
    uses = pa.table(
        {
            "image": image,
            "name": name,
            "digest": digest,
            "config_digest": arrow(c["running_config"]),
            "reference": arrow(c["image"]),
            "running": pc.equal(arrow(c["origin"]), "object"),
            **{n: arrow(c[n]) for n in _COPIED},
        }
    ).filter(arrow(c["given"]))
    keys = [n for n in uses.column_names if n not in ("pod_uid", "raw_line")]
    found = uses.group_by(keys).aggregate(
        [("pod_uid", "count"), ("pod_uid", "count_distinct"), ("raw_line", "min")]
    )
    found = found.rename_columns(
        [_AFTER.get(column, column) for column in found.column_names]
    ).select([column.name for column in IMAGE_USES.columns])
    return frame(IMAGE_USES.sorted(found.cast(IMAGE_USES.schema)))


_COPIED = (
    "tagged_name",
    "tag",
    "namespace",
    "owner_kind",
    "owner_name",
    "platform",
    "pod_uid",
    "raw",
    "raw_line",
)
_AFTER = {
    "pod_uid_count": "containers",
    "pod_uid_count_distinct": "pods",
    "raw_line_min": "raw_line",
}
