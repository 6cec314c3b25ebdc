"""Which images are used, by whom, and by which digest they are known.

An image is known by the digest that the node reports, else by the one in its reference, else
by its name alone. A node reports either the digest in the registry (of an index or of a
manifest) or the bare digest of the image's configuration: the two are different things and are
kept apart (kubernetes/kubernetes#115199).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import arrow
from kaudit.groups import Groups
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

    given = arrow(image_references["given"])
    names = (*_KEYS, *_DEPENDENT, "pod_uid", "raw_line")
    c = {name: arrow(image_references[name]).filter(given) for name in names}
    groups = Groups(*(c[name] for name in _KEYS))
    of = {name: groups.one(c[name]) for name in (*_KEYS, *_DEPENDENT)}
    name = pc.binary_join_element_wise(of["registry"], of["repository"], "/")
    digest = pc.if_else(pc.not_equal(of["running_digest"], ""), of["running_digest"], of["digest"])
    exact = pc.binary_join_element_wise(name, digest, "@")
    of |= {
        "image": pc.if_else(pc.not_equal(digest, ""), exact, of["tagged_name"]),
        "name": name,
        "digest": digest,
        "config_digest": of["running_config"],
        "reference": of["image"],
        "running": pc.equal(of["origin"], "object"),
        "containers": pa.array(groups.rows()),
        "pods": pa.array(groups.kinds(c["pod_uid"])),
        "raw_line": groups.least(c["raw_line"]),
    }
    return frame(IMAGE_USES.sorted(IMAGE_USES.fitted(of)))


_KEYS = (
    "image",
    "running_digest",
    "running_config",
    "origin",
    "namespace",
    "owner_kind",
    "owner_name",
    "raw",
)
#: What follows from the reference and the namespace.
_DEPENDENT = ("registry", "repository", "tagged_name", "tag", "digest", "platform")
