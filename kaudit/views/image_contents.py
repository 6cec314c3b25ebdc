"""What bills of materials list of each image, and which of it helps an intruder."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame
from kaudit.views.image_coverage import named

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class ImageContentsRow(Trace, kw_only=True):
    image: Annotated[str, doc("the image (images)")]
    running: Annotated[bool, doc("a Pod object uses it; else templates would")]
    judged: Annotated[bool, doc("it runs, or nothing does in the evidence")]
    workloads: Annotated[int, doc("workloads that use it")]
    asked: Annotated[bool, doc("the evidence holds a bill of materials of anything")]
    listed: Annotated[bool, doc("a bill of materials is of it, and lists components")]
    components: Annotated[int | None, doc("components of the longest one; null: there is none")] = (
        None
    )
    listed_at: Annotated[datetime | None, doc("when the newest one was made")] = None
    shells: Annotated[list[str], doc("shells that it lists, sorted")]
    managers: Annotated[list[str], doc("package managers that it lists, sorted")]
    fetchers: Annotated[list[str], doc("programs to fetch or to connect, sorted")]
    compilers: Annotated[list[str], doc("compilers and debuggers, sorted")]
    servers: Annotated[list[str], doc("servers for remote administration, sorted")]


IMAGE_CONTENTS = Table(
    "image_contents",
    ImageContentsRow,
    grain="one image, and what bills of materials list of it",
    key=("image",),
    resource=Resource("=Image", namespace="", name="image"),
)
_USES = ("image", "running", "judged", "workloads", "raw", "raw_line")
#: Names of packages, as distributions call them.
_KINDS = {
    "shells": ("ash", "bash", "busybox", "busybox-binsh", "dash", "fish", "ksh", "mksh", "zsh"),
    "managers": (
        "apk-tools",
        "apt",
        "dnf",
        "dpkg",
        "microdnf",
        "opkg",
        "pacman",
        "rpm",
        "yum",
        "zypper",
    ),
    "fetchers": (
        *("curl", "nc", "ncat", "netcat", "netcat-openbsd", "netcat-traditional"),
        *("nmap", "socat", "telnet", "wget"),
    ),
    "compilers": ("cc", "clang", "g++", "gcc", "gdb", "make", "strace", "tcc"),
    "servers": ("dropbear", "openssh-server", "telnetd"),
}


@view(IMAGE_CONTENTS, decided={"judged": ("containers",)})
def image_contents(
    images: pd.DataFrame, sboms: pd.DataFrame, sbom_components: pd.DataFrame
) -> pd.DataFrame:
    """Match bills of materials with images by digest, else by name, and sort what they list."""
    import pyarrow as pa
    import pyarrow.compute as pc

    both = _matched(images, sboms)
    found: dict[str, Any] = {name: arrow(images[name]) for name in _USES}
    of = pc.index_in(both["report"], value_set=arrow(sboms["report"]))
    told = both.append_column("components", arrow(sboms["components"]).take(of)).append_column(
        "listed_at", arrow(sboms["created_at"]).take(of)
    )
    sums = told.group_by("image", use_threads=False).aggregate(
        [("components", "max"), ("listed_at", "max")]
    )
    at = pc.index_in(found["image"], value_set=sums["image"].combine_chunks())
    found["components"] = sums["components_max"].take(at)
    found["listed_at"] = sums["listed_at_max"].take(at)
    found["listed"] = pc.fill_null(pc.greater(found["components"], 0), False)
    found["asked"] = pa.repeat(bool(len(sboms)), len(images))
    c = sbom_components
    listed = pa.table({"report": arrow(c["report"]), "name": pc.utf8_lower(arrow(c["name"]))})
    for kind, names in _KINDS.items():
        some = listed.filter(pc.is_in(listed["name"], value_set=pa.array(names)))
        here = both.join(some, keys="report", join_type="inner", use_threads=False)
        by = here.group_by("image", use_threads=False).aggregate([("name", "distinct")])
        place = pc.index_in(found["image"], value_set=by["image"].combine_chunks())
        lists = by["name_distinct"].take(place).to_pylist()
        found[kind] = pa.array([sorted(texts or ()) for texts in lists], pa.list_(pa.string()))
    return frame(IMAGE_CONTENTS.fitted(found))


def _matched(images: pd.DataFrame, sboms: pd.DataFrame) -> pa.Table:
    """Images and bills of materials that share a digest; of the others, those of one name."""
    import pyarrow as pa
    import pyarrow.compute as pc

    report, lists = arrow(sboms["report"]), arrow(sboms["digests"])
    keys = [
        (report.take(pc.list_parent_indices(lists)), pc.list_flatten(lists)),
        (report, arrow(sboms["config_digest"]).cast(pa.string())),
    ]
    of_boms = pa.concat_tables([pa.table({"report": r, "key": k}) for r, k in keys])
    image = arrow(images["image"])
    of_images = pa.concat_tables(
        [pa.table({"image": image, "key": arrow(images[n])}) for n in ("digest", "config_digest")]
    )
    of_images = of_images.filter(pc.not_equal(of_images["key"], ""))
    sure = of_images.join(of_boms, keys="key", join_type="inner", use_threads=False)
    tags = arrow(sboms["tags"])
    names = pa.concat_tables(
        [
            pa.table(
                {"report": report.take(pc.list_parent_indices(tags)), "key": pc.list_flatten(tags)}
            ),
            pa.table({"report": report, "key": arrow(sboms["name"])}),
        ]
    )
    plain = pa.table({"report": names["report"], "key": pa.array(named(names["key"]), pa.string())})
    by_name = pa.table({"image": image, "key": arrow(images["tagged_name"])}).join(
        plain, keys="key", join_type="inner", use_threads=False
    )
    left = pc.invert(pc.is_in(by_name["image"], value_set=sure["image"].combine_chunks()))
    columns = ["image", "report"]
    both = pa.concat_tables([sure.select(columns), by_name.filter(left).select(columns)])
    return both.group_by(columns, use_threads=False).aggregate([])
