"""Which scans are of which image, and how surely.

An index, the manifest of one platform and a configuration have digests of their own (OCI
image-spec, ``descriptor.md``): the same digest proves the same content whatever it is of, and
different ones prove a difference only between two of the registry. A scan that names no such
digest is matched by the name with the tag, which is weak: the tag may have moved since.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from kaudit.columns import arrow, pairs
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame
from kaudit.views.image_reference import parsed, tagged

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class ImageCoverageRow(Trace, kw_only=True):
    image: Annotated[str, doc("the image (images)")]
    report: Annotated[str, doc("report of the scan (image_scans)")]
    tool: Annotated[str, doc("tool of the scan")]
    matched: Annotated[
        str,
        doc(
            "digest: the same content; name: the same name, and no digest to compare; other: "
            "the same name, and the registry knows the two by different digests; unused: no "
            "image of the evidence is of it"
        ),
    ]
    newest: Annotated[bool, doc("no newer scan of the tool is as surely of the image")]
    scanned_at: Annotated[datetime | None, doc("when the tool looked")] = None


IMAGE_COVERAGE = Table(
    "image_coverage",
    ImageCoverageRow,
    grain="one scan of one image",
    key=("image", "tool", "report"),
    resource=Resource("=Image", namespace="", name="image"),
)
#: Ways to match, the surest first.
_WAYS = ("digest", "name", "unused", "other")


@view(IMAGE_COVERAGE)
def image_coverage(images: pd.DataFrame, image_scans: pd.DataFrame) -> pd.DataFrame:
    """Match scans with images, and tell which is the newest of each tool.

    A scan of an image that nobody uses stands for an image of its own.
    """
    import pandas as pd
    import pyarrow as pa

    if not len(image_scans):
        return IMAGE_COVERAGE.empty()
    scans = image_scans[image_scans["artifact_type"].isin(["image", "unknown", "sbom"])]
    found = pd.concat([_by_digest(images, scans), _by_name(images, scans)])
    found = pd.concat([found, _unused(scans, found)], ignore_index=True)
    found["rank"] = found["matched"].map({way: n for n, way in enumerate(_WAYS)})
    found = found.sort_values(["image", "report", "tool", "rank"], kind="stable")
    found = found.drop_duplicates(["image", "report", "tool"])
    told = scans.set_index(["tool", "report"])[["scanned_at", "raw", "raw_line"]]
    found = found.join(told, on=["tool", "report"])
    order = ["image", "tool", "rank", "scanned_at", "report"]
    best = found.sort_values(order, ascending=[True, True, True, False, True], na_position="last")
    newest = best.drop_duplicates(["image", "tool"]).index
    found["newest"] = found.index.isin(newest)
    found = found.sort_values(["image", "tool", "report"], kind="stable")
    told = pa.Table.from_pandas(found[IMAGE_COVERAGE.names], preserve_index=False)
    return frame(IMAGE_COVERAGE.fitted(told))


def _by_digest(images: pd.DataFrame, scans: pd.DataFrame) -> pd.DataFrame:
    """Images and scans that share any digest."""
    import pandas as pd

    of_images = pd.concat(
        [
            images[["image", name]].rename(columns={name: "shared"})
            for name in ("digest", "config_digest")
        ]
    )
    listed = scans[["tool", "report", "registry_digests"]].explode("registry_digests")
    of_scans = pd.concat(
        [
            listed.rename(columns={"registry_digests": "shared"}),
            *(
                scans[["tool", "report", name]].rename(columns={name: "shared"})
                for name in ("manifest_digest", "config_digest", "other_digest")
            ),
        ]
    )
    of_scans = of_scans[of_scans["shared"].notna() & (of_scans["shared"] != "")]
    same = of_images[of_images["shared"] != ""].merge(of_scans, on="shared")
    return same[["image", "tool", "report"]].drop_duplicates().assign(matched="digest")


def _by_name(images: pd.DataFrame, scans: pd.DataFrame) -> pd.DataFrame:
    """Images and scans of the same name, told apart by whether their digests can differ."""
    import pandas as pd
    import pyarrow as pa

    names = pd.concat(
        [
            scans[["tool", "report", "artifact"]].rename(columns={"artifact": "named"}),
            scans[["tool", "report", "tags"]].explode("tags").rename(columns={"tags": "named"}),
        ]
    ).dropna()
    plain = pa.array(named(arrow(names["named"])), pa.string())
    names = names.assign(tagged_name=pd.array(plain, dtype=pd.ArrowDtype(pa.string())))
    names = names[["tool", "report", "tagged_name"]].drop_duplicates()
    told = scans[["tool", "report"]].assign(known=scans["registry_digests"].list.len() > 0)
    names = names.merge(told, on=["tool", "report"])
    same = images[["image", "digest", "tagged_name"]].merge(names, on="tagged_name")
    other = (same["digest"] != "") & same["known"]
    way = other.map({True: "other", False: "name"}).astype(str)
    return same[["image", "tool", "report"]].assign(matched=way)


def _unused(scans: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Scans that are of no image that is used, by the digest that the registry may know."""
    import pyarrow as pa
    import pyarrow.compute as pc

    matched = pc.is_in(
        pairs(scans["tool"], scans["report"]), value_set=pairs(found["tool"], found["report"])
    )
    left = scans[~matched.to_numpy(zero_copy_only=False)]
    lists = arrow(left["registry_digests"])
    some = pc.greater(pc.list_value_length(lists), 0)
    first = pc.list_flatten(pc.list_slice(lists.filter(some), 0, 1))
    digests = pc.replace_with_mask(pa.nulls(len(left), pa.string()), some, first)
    digest = pc.coalesce(digests, arrow(left["manifest_digest"]), arrow(left["config_digest"]))
    names = named(arrow(left["artifact"]))
    plain = pc.binary_join_element_wise(_without_tag(arrow(left["artifact"])), digest, "@")
    image = pc.coalesce(plain, pa.array(names, pa.string()))
    kept: pd.DataFrame = left[["tool", "report"]]
    return kept.assign(image=image.to_pylist(), matched="unused")


def _without_tag(references: pa.Array) -> pa.Array:
    """Registry and repository of references; what is none stands for itself."""
    import pyarrow as pa

    names = [(parsed(text), text) for text in references.to_pylist()]
    found = [f"{n.registry}/{n.repository}" if n.valid else text for n, text in names]
    return pa.array(found, pa.string())


def named(references: pa.Array | pa.ChunkedArray) -> list[str]:
    """Names with the tag, all written out; what is no reference stands for itself."""
    found = []
    for text in references.to_pylist():
        name = parsed(text)
        found.append(tagged(name) if name.valid else text)
    return found
